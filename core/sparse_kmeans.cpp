// The public API for sparse rows.
#include <algorithm>
#include <cmath>
#include <limits>

#include "assign/sparse_pass.hpp"
#include "first_centers.hpp"
#include "kmeans.hpp"
#include "search/search.hpp"
#include "threads/pool.hpp"

namespace centroids {
namespace {

// Calls body(worker, row) for each row, on several threads.
template <class T, class F>
void for_rows(const SparseRows<T>& rows, double multiply_adds, F body) {
  const Shards shards(rows.n_rows, kBlockRows);
  parallel_for(worthwhile_threads(rows.n_threads, multiply_adds), shards.count(),
               [&](int worker, int64_t shard) {
                 for (int64_t i = shards.begin(shard); i < shards.end(shard); ++i) body(worker, i);
               });
}

template <class T>
void nearest_as(const SparseRows<T>& rows, const Centers& centers, const NearestOut& out) {
  const SparseCenters<T> packed(centers);
  const std::vector<double> norms = squared_norms(centers);
  const double work = rows.n_entries() * double(packed.n_lanes()) / 4;
  std::vector<AlignedBuffer<T>> scores(worthwhile_threads(rows.n_threads, work));
  for (auto& s : scores) s.resize(packed.n_lanes());
  for_rows(rows, work, [&](int worker, int64_t i) {
    const SparseNearest found = packed.nearest(rows.row(i), scores[worker].data());
    const auto distance = [&](int32_t j) {
      return j < 0 ? std::numeric_limits<double>::infinity()
                   : std::sqrt(
                         squared_distance(rows.row(i), centers.row(j), norms[j], rows.n_features));
    };
    out.labels[i] = found.label;
    out.distances[i] = distance(found.label);
    out.second_labels[i] = found.second_label;
    out.second_distances[i] = distance(found.second_label);
  });
}

// |x - c|^2 = |x|^2 + 2 (|c|^2 / 2 - x.c), in float64 whatever the rows are.
template <class T>
void distances_as(const SparseRows<T>& rows, const Centers& centers, T* out) {
  const SparseCenters<double> packed(centers);
  const std::vector<double> norms = squared_norms(centers);
  const int64_t k = centers.n_clusters;
  struct Scratch {
    AlignedBuffer<double> scores;
    std::vector<double> values;
  };
  const double work = rows.n_entries() * double(packed.n_lanes()) / 4;
  std::vector<Scratch> scratch(worthwhile_threads(rows.n_threads, work));
  for (auto& s : scratch) s.scores.resize(packed.n_lanes());
  for_rows(rows, work, [&](int worker, int64_t i) {
    const SparseRow<T> row = rows.row(i);
    Scratch& s = scratch[worker];
    s.values.assign(row.values, row.values + row.n_entries);
    packed.score(SparseRow<double>{s.values.data(), row.columns, row.n_entries}, s.scores.data());
    double norm = 0;
    for (const double x : s.values) norm += x * x;
    for (int64_t j = 0; j < k; ++j) {
      double squared = norm + 2 * s.scores.data()[j];
      if (is_cancelled(squared, norm, norms[j]))
        squared = squared_distance_by_column(row, centers.row(j), rows.n_features);
      out[i * k + j] = T(std::sqrt(squared));
    }
  });
}

}  // namespace

LoopResult fit(const SparseData& data, const FitOptions& asked, const Control& control,
               int32_t* labels) {
  const FitOptions options = with_momentum(asked, data.x.n_rows, data.x.n_cols);
  return with_dtype(data.x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const SparseRows<T> rows = rows_of<T>(data.x, data.weights, labels, data.n_threads);
    const auto run = [&](Centers centers, const LoopOptions& loop, const Control& hooks) {
      std::fill_n(labels, data.x.n_rows, -1);  // seeding uses them
      SparsePass<T> pass(rows, centers.n_clusters, data.summary.origin);
      return run_loop(pass, std::move(centers), data.summary.total_squares, loop, hooks);
    };
    const auto start = [&] { return first_centers(rows, options, data.x.dtype, control); };
    return fit_rows(rows, data.summary.origin, options, data.x.dtype, control, start, run);
  });
}

std::vector<int64_t> seed(const SparseData& data, int64_t n_clusters, Seeding seeding,
                          uint64_t seed, const Control& control) {
  return with_dtype(data.x.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<int32_t> labels(data.x.n_rows);
    return seed_rows(rows_of<T>(data.x, data.weights, labels.data(), data.n_threads), n_clusters,
                     seeding, seed, control);
  });
}

void assign(const SparseView& x, const Centers& centers, int n_threads, int32_t* labels) {
  with_dtype(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::fill_n(labels, x.n_rows, -1);
    std::vector<char> touched;
    SparsePass<T>::label(rows_of<T>(x, nullptr, labels, n_threads), SparseCenters<T>(centers),
                         touched);
  });
}

void nearest(const SparseView& x, const Centers& centers, int n_threads, const NearestOut& out) {
  with_dtype(x.dtype, [&](auto zero) {
    nearest_as(rows_of<decltype(zero)>(x, nullptr, nullptr, n_threads), centers, out);
  });
}

void distances(const SparseView& x, const Centers& centers, int n_threads, void* out) {
  with_dtype(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    distances_as(rows_of<T>(x, nullptr, nullptr, n_threads), centers, static_cast<T*>(out));
  });
}

double inertia(const SparseView& x, const double* weights, const Centers& centers,
               const int32_t* labels, int n_threads) {
  return with_dtype(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    return SparsePass<T>::sum_squares(
        rows_of<T>(x, weights, const_cast<int32_t*>(labels), n_threads), centers);
  });
}

Partials cluster_sums(const SparseView& x, const double* weights, const int32_t* labels,
                      int64_t n_clusters) {
  Partials partials(n_clusters, x.n_cols);
  with_dtype(x.dtype, [&](auto zero) {
    const auto rows = rows_of<decltype(zero)>(x, weights, nullptr, 1);
    for (int64_t i = 0; i < x.n_rows; ++i) {
      const auto row = rows.row(i);
      double* sums = partials.sums.data() + labels[i] * x.n_cols;
      for (int64_t e = 0; e < row.n_entries; ++e)
        sums[row.columns[e]] += rows.weight(i) * double(row.values[e]);
      partials.weights[labels[i]] += rows.weight(i);
      ++partials.counts[labels[i]];
    }
  });
  return partials;
}

}  // namespace centroids
