#include "measures/errors.hpp"

#include <algorithm>

#include "aligned.hpp"
#include "assign/center_pack.hpp"
#include "threads/pool.hpp"
#include "threads/shards.hpp"

namespace centroids {

template <class T>
CenterErrors measure_errors(const Rows<T>& rows, const Centers& centers) {
  const Kernels<T>& kernel = kernels<T>();
  const int64_t k = centers.n_clusters, d = rows.n_features;
  CenterPack<T> pack;
  pack.pack(centers, kernel);
  // Few shards for many clusters: each has its own sums.
  const Shards shards(rows.n_rows, std::max<int64_t>(1024, 4 * k));
  std::vector<CenterErrors> part(shards.count());
  const int n_threads =
      worthwhile_threads(rows.n_threads, double(rows.n_rows) * double(d) * double(k + 4));
  parallel_for(n_threads, shards.count(), [&](int, int64_t shard) {
    AlignedBuffer<T> packed(kBlockRows * d);
    BlockNearest<T> nearest;
    CenterErrors& sums = part[shard];
    sums.error.assign(k, 0);
    sums.utility.assign(k, 0);
    for (int64_t first = shards.begin(shard); first < shards.end(shard); first += kBlockRows) {
      const int n = int(std::min<int64_t>(kBlockRows, shards.end(shard) - first));
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
  CenterErrors total = std::move(part[0]);
  for (size_t shard = 1; shard < part.size(); ++shard)
    for (int64_t j = 0; j < k; ++j) {
      total.error[j] += part[shard].error[j];
      total.utility[j] += part[shard].utility[j];
    }
  return total;
}

template CenterErrors measure_errors<float>(const Rows<float>&, const Centers&);
template CenterErrors measure_errors<double>(const Rows<double>&, const Centers&);

}  // namespace centroids
