#include "measures/partition.hpp"

#include <algorithm>
#include <cmath>

#include "assign/block_scratch.hpp"
#include "assign/row_pass.hpp"
#include "threads/pool.hpp"
#include "threads/shards.hpp"

namespace centroids {
namespace {

// The pairs of each cluster, seen from it: where the line to the other center starts and points.
class Lines {
 public:
  struct Line {
    int32_t pair;
    bool is_reversed;  // the cluster is the second of the pair
    double squared_length;
    const double* direction;  // other - own
  };

  Lines(const Centers& centers, const std::vector<Pair>& pairs)
      : n_features_(centers.n_features),
        directions_(2 * pairs.size() * centers.n_features),
        of_cluster_(centers.n_clusters) {
    for (size_t p = 0; p < pairs.size(); ++p)
      for (int side = 0; side < 2; ++side) {
        double* direction = directions_.data() + (2 * p + side) * n_features_;
        const double* own = centers.row(pairs[p][side]);
        const double* other = centers.row(pairs[p][1 - side]);
        double squared = 0;
        for (int64_t t = 0; t < n_features_; ++t) {
          direction[t] = other[t] - own[t];
          squared += direction[t] * direction[t];
        }
        of_cluster_[pairs[p][side]].push_back({int32_t(p), side == 1, squared, direction});
      }
  }

  const std::vector<Line>& of(int32_t cluster) const { return of_cluster_[cluster]; }

 private:
  int64_t n_features_;
  std::vector<double> directions_;
  std::vector<std::vector<Line>> of_cluster_;
};

// Four interleaved partial sums: fast, and the same order everywhere.
double dot(const double* a, const double* b, int64_t n) {
  double part[4] = {};
  int64_t t = 0;
  for (; t + 4 <= n; t += 4)
    for (int l = 0; l < 4; ++l) part[l] += a[t + l] * b[t + l];
  for (; t < n; ++t) part[t % 4] += a[t] * b[t];
  return (part[0] + part[2]) + (part[1] + part[3]);
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
  }

  struct Scratch {
    BlockScratch<T> block;
    std::vector<double> offset;
  };

  void shard(Scratch& s, int64_t begin, int64_t end, Sums& sums) const {
    s.block.packed.resize(kBlockRows * x_.n_cols);
    s.offset.resize(x_.n_cols);
    for (int64_t first = begin; first < end; first += kBlockRows)
      block(s, first, int(std::min<int64_t>(kBlockRows, end - first)), sums);
  }

 private:
  void block(Scratch& s, int64_t first, int n, Sums& sums) const {
    BlockNearest<T>& nearest = s.block.nearest;
    kernel_.pack_block(x_.row<T>(first), x_.n_cols, nullptr, n, pack_.shift(),
                       s.block.packed.data());
    kernel_.assign_block(s.block.packed.data(), x_.n_cols, n, pack_.view(), Search::with_second,
                         nearest);
    double own[kBlockRows], second[kBlockRows] = {};
    const double* centers = centers_.values.data();
    kernel_.squared_distances(x_.row<T>(first), x_.n_cols, nullptr, n, centers, nearest.label, own);
    if (centers_.n_clusters > 1)
      kernel_.squared_distances(x_.row<T>(first), x_.n_cols, nullptr, n, centers,
                                nearest.second_label, second);
    for (int i = 0; i < n; ++i) {
      const int32_t label = nearest.label[i];
      const double w = query_.weights ? query_.weights[first + i] : 1.0;
      add_distances(own[i], second[i], w, sums.clusters[label]);
      add_positions(s, first + i, {label, w, own[i]}, sums);
    }
  }

  static void add_distances(double own, double second, double w, ClusterMeasures& cluster) {
    const double a = std::sqrt(own), b = std::sqrt(second);
    cluster.weight += w;
    cluster.inertia += w * own;
    cluster.distance += w * a;
    cluster.second_distance += w * b;
    if (b > 0) cluster.silhouette += w * (1 - a / b);
  }

  struct Row {
    int32_t label;
    double weight;
    double squared_offset;
  };

  void add_positions(Scratch& s, int64_t index, const Row& row, Sums& sums) const {
    const auto& lines = lines_.of(row.label);
    if (lines.empty()) return;
    double share = 0;
    if (query_.cluster_weights) {
      const double others = query_.cluster_weights[row.label] - row.weight;
      if (!(others > 0)) return;  // alone in its cluster: without it there is no center
      share = row.weight / others;
    }
    const T* values = x_.row<T>(index);
    const double* center = centers_.row(row.label);
    for (int64_t t = 0; t < x_.n_cols; ++t) s.offset[t] = double(values[t]) - center[t];
    for (const auto& line : lines) {
      const double along = dot(s.offset.data(), line.direction, x_.n_cols);
      const double position = position_on(along, row.squared_offset, line.squared_length, share);
      const int bin = bin_of(line.is_reversed ? 1 - position : position);
      if (bin >= 0) sums.profiles[line.pair][bin] += row.weight;
    }
  }

  const Kernels<T>& kernel_ = kernels<T>();
  const MatrixView& x_;
  const Centers& centers_;
  const PartitionQuery& query_;
  const Lines& lines_;
  CenterPack<T> pack_;
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
  }
  for (size_t p = 0; p < into.profiles.size(); ++p)
    for (int bin = 0; bin < kLineBins; ++bin) into.profiles[p][bin] += from.profiles[p][bin];
}

template <class T>
Sums sum_rows(const MatrixView& x, const Centers& centers, const PartitionQuery& query,
              const std::vector<Pair>& pairs) {
  const Lines lines(centers, pairs);
  const Visit<T> visit(x, centers, query, lines);
  const Shards shards(x.n_rows);
  const Sums zero{std::vector<ClusterMeasures>(centers.n_clusters),
                  std::vector<LineProfile>(pairs.size())};
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
  m.inertia_between = inertia_between(centers, m);
}

}  // namespace

PartitionMeasures measure_partition(const MatrixView& x, const Centers& centers,
                                    const PartitionQuery& query) {
  PartitionMeasures out;
  out.squared_center_distances = squared_center_distances(centers);
  out.pairs = neighbour_pairs(out.squared_center_distances, centers.n_clusters);
  Sums sums = with_dtype(
      x.dtype, [&](auto zero) { return sum_rows<decltype(zero)>(x, centers, query, out.pairs); });
  out.clusters = std::move(sums.clusters);
  out.profiles = std::move(sums.profiles);
  add_summary(centers, out);
  return out;
}

}  // namespace centroids
