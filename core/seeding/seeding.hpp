// First centers. Every method has one signature: rows (R is Rows or SparseRows), how many, a seed;
// it returns row numbers, so the first centers are rows of the data.
#pragma once

#include <cstdint>
#include <vector>

#include "assign/sparse_rows.hpp"
#include "options.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {

// n_clusters different rows, each draw proportional to the weights of the rows not yet drawn.
template <template <class> class R, class T>
std::vector<int64_t> seed_random(const R<T>& rows, int64_t n_clusters, uint64_t seed);

// Greedy k-means++ (Arthur & Vassilvitskii, SODA 2007, section 2.2 and the greedy variant of
// section 7): each next center is the best of 2 + floor(ln n_clusters) rows drawn with probability
// proportional to weight times squared distance to the nearest center so far.
// rows.labels is used as scratch. Stops early (fewer rows returned) when control says so.
template <template <class> class R, class T>
std::vector<int64_t> seed_kmeans_plus_plus(const R<T>& rows, int64_t n_clusters, uint64_t seed,
                                           const Control& control);

// k-means|| (Bahmani et al., PVLDB 5(7), 2012): some 10 n_clusters candidates in five rounds over
// the rows, then greedy k-means++ among them. rows.labels is used as scratch. Fewer rows are
// returned where all rows lie on those, or when control stops it.
template <template <class> class R, class T>
std::vector<int64_t> seed_kmeans_parallel(const R<T>& rows, int64_t n_clusters, uint64_t seed,
                                          const Control& control);

}  // namespace centroids
