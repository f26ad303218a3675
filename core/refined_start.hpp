// First centers for many rows: seeds, moved by Lloyd's algorithm on a sample of the rows before all
// rows are visited (Bradley & Fayyad, "Refining Initial Points for K-Means Clustering", ICML 1998).
// While centers are far from where they will end, a sample tells the way as well as all rows do.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "centers.hpp"
#include "random.hpp"
#include "search/row_sample.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {

// How many rows the sample has; 0 where it would not pay. With few rows a cluster, centers of a
// sample lie too far from those of all rows: as many iterations follow as without.
template <class T>
int64_t refining_sample(const Rows<T>& rows, int64_t n_clusters) {
  constexpr int64_t kFewestRows = 100'000, kFewestOfCluster = 5'000, kOneIn = 8;
  constexpr int64_t kOfClusterForColumn = 4;  // rows of the sample
  constexpr int64_t kBytesForRow = 16;        // of the sample for each row of all
  const int64_t n = rows.n_rows, row_bytes = rows.n_features * int64_t(sizeof(T));
  if (n < kFewestRows || n / n_clusters < kFewestOfCluster) return 0;
  const int64_t size = std::min(n / kOneIn, n * kBytesForRow / row_bytes);
  if (size / n_clusters < kOfClusterForColumn * rows.n_features || !weighs_evenly(rows)) return 0;
  return size;
}

// run(rows, centers) is the loop on these rows, from these centers. Where a sample would not pay,
// the centers stay what they are.
template <class T, class Run>
Centers refined_start(const Rows<T>& rows, Centers centers, uint64_t seed, Run run) {
  constexpr uint64_t kStream = 6;
  const int64_t n = refining_sample(rows, centers.n_clusters), k = centers.n_clusters,
                d = rows.n_features;
  if (n == 0) return centers;
  std::vector<T> values((n + k) * d);
  std::vector<double> weights(rows.weights ? n + k : 0, 1.0);
  std::vector<int32_t> labels(n + k);
  Philox random(seed, kStream);
  const std::vector<int64_t> picked = one_of_each_stretch(rows.n_rows, n, random);
  for (int64_t i = 0; i < n; ++i) {
    std::copy_n(rows.row(picked[i]), d, values.data() + i * d);
    if (rows.weights) weights[i] = rows.weights[picked[i]];
  }
  // And the seeds: one that is alone in a small cluster, far from all others, shall stay there.
  std::copy(centers.values.begin(), centers.values.end(), values.begin() + n * d);
  const Rows<T> sample{values.data(), n + k,         d, rows.weights ? weights.data() : nullptr,
                       labels.data(), rows.n_threads};
  return run(sample, refined_start(sample, std::move(centers), seed, run));
}

}  // namespace centroids
