#include "measures/errors.hpp"

#include <algorithm>

#include "aligned.hpp"
#include "assign/center_pack.hpp"
#include "assign/sparse_pass.hpp"
#include "threads/pool.hpp"
#include "threads/shards.hpp"

namespace centroids {

namespace {

// Adds up what add(shard, sums) leaves, in order. Few shards for many clusters: each has its own
// sums.
template <class F>
CenterErrors sum_shards(int64_t n_rows, int64_t k, int n_threads, F add) {
  const Shards shards(n_rows, std::max<int64_t>(1024, 4 * k));
  std::vector<CenterErrors> part(shards.count());
  parallel_for(n_threads, shards.count(), [&](int, int64_t shard) {
    part[shard].error.assign(k, 0);
    part[shard].utility.assign(k, 0);
    add(shards.begin(shard), shards.end(shard), part[shard]);
  });
  CenterErrors total = std::move(part[0]);
  for (size_t shard = 1; shard < part.size(); ++shard)
    for (int64_t j = 0; j < k; ++j) {
      total.error[j] += part[shard].error[j];
      total.utility[j] += part[shard].utility[j];
    }
  return total;
}

}  // namespace

template <class T>
CenterErrors measure_errors(const Rows<T>& rows, const Centers& centers) {
  const Kernels<T>& kernel = kernels<T>();
  const int64_t k = centers.n_clusters, d = rows.n_features;
  CenterPack<T> pack;
  pack.pack(centers, kernel);
  const int n_threads =
      worthwhile_threads(rows.n_threads, double(rows.n_rows) * double(d) * double(k + 4));
  return sum_shards(rows.n_rows, k, n_threads, [&](int64_t begin, int64_t end, CenterErrors& sums) {
    AlignedBuffer<T> packed(kBlockRows * d);
    BlockNearest<T> nearest;
    for (int64_t first = begin; first < end; first += kBlockRows) {
      const int n = int(std::min<int64_t>(kBlockRows, end - first));
      double squared[kBlockRows];
      kernel.pack_block(rows.row(first), d, nullptr, n, pack.shift(), packed.data());
      kernel.assign_block(packed.data(), d, n, pack.view(), Search::with_second_score, nearest);
      kernel.squared_distances(rows.row(first), d, nullptr, n, centers.values.data(), nearest.label,
                               squared);
      for (int i = 0; i < n; ++i) {
        const double w = rows.weights ? rows.weights[first + i] : 1.0;
        // Scores are half squared distances up to a constant of the row.
        const double rise = 2 * (double(nearest.second_score[i]) - double(nearest.score[i]));
        sums.error[nearest.label[i]] += w * squared[i];
        sums.utility[nearest.label[i]] += w * rise;
      }
    }
  });
}

template <class T>
CenterErrors measure_errors(const SparseRows<T>& rows, const Centers& centers) {
  const int64_t k = centers.n_clusters;
  const SparseCenters<T> packed(centers);
  const std::vector<double> norms = squared_norms(centers);
  const int n_threads = worthwhile_threads(rows.n_threads, rows.n_entries() * double(k + 4));
  return sum_shards(rows.n_rows, k, n_threads, [&](int64_t begin, int64_t end, CenterErrors& sums) {
    AlignedBuffer<T> scores(packed.n_lanes());
    for (int64_t i = begin; i < end; ++i) {
      const SparseNearest nearest = packed.nearest(rows.row(i), scores.data());
      const auto squared = [&](int32_t j) {
        return squared_distance(rows.row(i), centers.row(j), norms[j]);
      };
      const double own = squared(nearest.label);
      sums.error[nearest.label] += rows.weight(i) * own;
      sums.utility[nearest.label] += rows.weight(i) * (squared(nearest.second_label) - own);
    }
  });
}

template CenterErrors measure_errors<float>(const SparseRows<float>&, const Centers&);
template CenterErrors measure_errors<double>(const SparseRows<double>&, const Centers&);
template CenterErrors measure_errors<float>(const Rows<float>&, const Centers&);
template CenterErrors measure_errors<double>(const Rows<double>&, const Centers&);

}  // namespace centroids
