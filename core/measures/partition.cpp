#include "measures/partition.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "assign/close_centers.hpp"
#include "assign/row_pass.hpp"
#include "threads/pool.hpp"
#include "threads/shards.hpp"

namespace centroids {
namespace {

constexpr double kTiny = std::numeric_limits<double>::min();

// A pair, seen from one of its clusters.
struct Line {
  int32_t pair;
  int32_t other;
  bool is_reversed;  // the cluster is the second of the pair
  double squared_length;
};
using Lines = std::vector<std::vector<Line>>;  // by cluster

Lines lines_of(const PartitionMeasures& measures, int64_t n_clusters) {
  Lines lines(n_clusters);
  for (size_t p = 0; p < measures.pairs.size(); ++p)
    for (int side = 0; side < 2; ++side) {
      const int32_t own = measures.pairs[p][side], other = measures.pairs[p][1 - side];
      const double squared = measures.squared_center_distances[own * n_clusters + other];
      lines[own].push_back({int32_t(p), other, side == 1, squared});
    }
  return lines;
}

// Where a row lies on the line (0 at the own center, 1 at the other) when the own center is
// averaged without it. With offset = row - own center and share = w / (W - w), that center lies
// share * offset further back, away from the row.
double position_on(double along, double squared_offset, double squared_length, double share) {
  const double ahead = (1 + share) * (along + share * squared_offset);
  return ahead / (squared_length + share * (2 * along + share * squared_offset));
}

// Which bin a position on the line (0 at the own center, 1 at the other) lies in, or -1.
int bin_of(double position) {
  const double bin = 12 * position + 2;
  return bin >= 0 && bin < kLineBins ? int(bin) : -1;
}

struct Sums {
  std::vector<ClusterMeasures> clusters;
  std::vector<LineProfile> profiles;
};

template <class T>
class Visit {
 public:
  Visit(const MatrixView& x, const Centers& centers, const PartitionQuery& query,
        const Lines& lines)
      : x_(x), centers_(centers), query_(query), lines_(lines) {
    pack_.pack(centers, kernel_);
    close_.find(centers, pack_);
  }

  struct Scratch {
    BlockScratch<T> block;
    CloseScratch close;
    // Every row of a block with the other end of each of its lines.
    std::vector<int32_t> rows, others;
    std::vector<double> squared;
  };

  void shard(Scratch& s, int64_t begin, int64_t end, Sums& sums) const {
    s.block.packed.resize(kBlockRows * x_.n_cols);
    for (int64_t first = begin; first < end; first += kBlockRows)
      block(s, RowBlock<T>::at(x_.row<T>(0), x_.n_cols, nullptr, first, end), first, sums);
  }

 private:
  void block(Scratch& s, const RowBlock<T>& rows, int64_t first, Sums& sums) const {
    const int n = rows.n;
    BlockNearest<T>& nearest = s.block.nearest;
    s.block.find(kernel_, rows, pack_.shift(), pack_.view(), Search::with_second);
    close_.settle(rows, s.close, nearest.label, nearest.second_label);
    double own[kBlockRows], second[kBlockRows] = {};
    const double* centers = centers_.values.data();
    kernel_.squared_distances(rows.base, x_.n_cols, nullptr, n, centers, nearest.label, own);
    if (centers_.n_clusters > 1)
      kernel_.squared_distances(rows.base, x_.n_cols, nullptr, n, centers, nearest.second_label,
                                second);
    for (int i = 0; i < n; ++i) {
      const int32_t label = nearest.label[i];
      const double w = query_.weights ? query_.weights[first + i] : 1.0;
      add_distances(own[i], second[i], w, sums.clusters[label]);
    }
    add_positions(s, first, n, own, sums);
  }

  static void add_distances(double own, double second, double w, ClusterMeasures& cluster) {
    const double a = std::sqrt(own), b = std::sqrt(second);
    cluster.weight += w;
    cluster.inertia += w * own;
    cluster.fourth_power += w * own * own;
    cluster.distance += w * a;
    cluster.second_distance += w * b;
    if (b > 0) cluster.silhouette += w * (1 - a / b);
  }

  void measure_lines(Scratch& s, int64_t first, int n) const {
    s.rows.clear();
    s.others.clear();
    for (int i = 0; i < n; ++i)
      for (const Line& line : lines_[s.block.nearest.label[i]]) {
        s.rows.push_back(i);
        s.others.push_back(line.other);
      }
    s.squared.resize(s.rows.size());
    kernel_.squared_distances(x_.row<T>(first), x_.n_cols, s.rows.data(), int(s.rows.size()),
                              centers_.values.data(), s.others.data(), s.squared.data());
  }

  void add_positions(Scratch& s, int64_t first, int n, const double* own, Sums& sums) const {
    measure_lines(s, first, n);
    const double* to_other = s.squared.data();
    for (int i = 0; i < n; ++i) {
      const int32_t label = s.block.nearest.label[i];
      const double w = query_.weights ? query_.weights[first + i] : 1.0;
      double share = 0;
      bool is_alone = false;  // without the row there is no center
      if (query_.cluster_weights) {
        const double others = query_.cluster_weights[label] - w;
        is_alone = !(others > 0);
        share = w / others;
      }
      for (const Line& line : lines_[label]) {
        // |x - a|^2 - |x - b|^2 = 2 (x - a).(b - a) - |b - a|^2
        const double along = (own[i] - *to_other++ + line.squared_length) / 2;
        if (is_alone) continue;
        const double position = position_on(along, own[i], line.squared_length, share);
        const int bin = bin_of(line.is_reversed ? 1 - position : position);
        if (bin >= 0) sums.profiles[line.pair][bin] += w;
      }
    }
  }

  const Kernels<T>& kernel_ = kernels<T>();
  const MatrixView& x_;
  const Centers& centers_;
  const PartitionQuery& query_;
  const Lines& lines_;
  CenterPack<T> pack_;
  CloseCenters<T> close_;
};

void merge(Sums& into, const Sums& from) {
  for (size_t j = 0; j < into.clusters.size(); ++j) {
    ClusterMeasures& a = into.clusters[j];
    const ClusterMeasures& b = from.clusters[j];
    a.weight += b.weight;
    a.inertia += b.inertia;
    a.distance += b.distance;
    a.second_distance += b.second_distance;
    a.silhouette += b.silhouette;
    a.fourth_power += b.fourth_power;
  }
  for (size_t p = 0; p < into.profiles.size(); ++p)
    for (int bin = 0; bin < kLineBins; ++bin) into.profiles[p][bin] += from.profiles[p][bin];
}

template <class T>
Sums sum_rows(const MatrixView& x, const Centers& centers, const PartitionQuery& query,
              const PartitionMeasures& measures) {
  const Lines lines = lines_of(measures, centers.n_clusters);
  const Visit<T> visit(x, centers, query, lines);
  const Shards shards(x.n_rows);
  const Sums zero{std::vector<ClusterMeasures>(centers.n_clusters),
                  std::vector<LineProfile>(measures.pairs.size())};
  std::vector<Sums> part(shards.count(), zero);
  const int n_threads = worthwhile_threads(
      query.n_threads, double(x.n_rows) * double(x.n_cols) * double(centers.n_clusters + 24));
  std::vector<typename Visit<T>::Scratch> scratch(n_threads);
  parallel_for(n_threads, shards.count(), [&](int worker, int64_t shard) {
    visit.shard(scratch[worker], shards.begin(shard), shards.end(shard), part[shard]);
  });
  Sums total = std::move(part[0]);
  for (size_t shard = 1; shard < part.size(); ++shard) merge(total, part[shard]);
  return total;
}

double inertia_between(const Centers& centers, const PartitionMeasures& m) {
  double total = 0;
  for (int64_t t = 0; t < centers.n_features; ++t) {
    double mean = 0;
    for (int64_t j = 0; j < centers.n_clusters; ++j)
      mean += m.clusters[j].weight * centers.row(j)[t];
    mean /= m.weight;
    for (int64_t j = 0; j < centers.n_clusters; ++j) {
      const double offset = centers.row(j)[t] - mean;
      total += m.clusters[j].weight * offset * offset;
    }
  }
  return total;
}

// How much a cluster overlaps with the one it overlaps with most (Davies & Bouldin 1979); 0 alone.
double similarity(const PartitionMeasures& m, int64_t own) {
  const int64_t k = int64_t(m.radii.size());
  double largest = 0;
  for (int64_t j = 0; j < k; ++j) {
    const double squared = std::max(m.squared_center_distances[own * k + j], kTiny);
    largest = std::max(largest, (m.radii[own] + m.radii[j]) / std::sqrt(squared));
  }
  return largest;
}

void add_summary(const Centers& centers, PartitionMeasures& m) {
  const int64_t k = centers.n_clusters;
  for (int64_t j = 0; j < k; ++j) {
    const ClusterMeasures& cluster = m.clusters[j];
    const auto distances = m.squared_center_distances.begin() + j * k;
    m.radii.push_back(cluster.weight > 0 ? cluster.distance / cluster.weight : 0);
    m.nearest_center_distances.push_back(std::sqrt(*std::min_element(distances, distances + k)));
    m.weight += cluster.weight;
    m.inertia += cluster.inertia;
  }
  for (int64_t j = 0; j < k; ++j) m.similarities.push_back(similarity(m, j));
  m.inertia_between = inertia_between(centers, m);
}

}  // namespace

PartitionMeasures measure_partition(const MatrixView& x, const Centers& centers,
                                    const PartitionQuery& query) {
  PartitionMeasures out;
  out.squared_center_distances = squared_center_distances(centers);
  out.pairs = neighbour_pairs(out.squared_center_distances, centers.n_clusters);
  Sums sums = with_dtype(
      x.dtype, [&](auto zero) { return sum_rows<decltype(zero)>(x, centers, query, out); });
  out.clusters = std::move(sums.clusters);
  out.profiles = std::move(sums.profiles);
  add_summary(centers, out);
  return out;
}

}  // namespace centroids
