// How a run gets its first centers, for every kind of rows: given ones, or seeds.
#pragma once

#include <algorithm>
#include <vector>

#include "kmeans.hpp"
#include "seeding/seeding.hpp"

namespace centroids {

template <class T>
void copy_row(const Rows<T>& rows, int64_t i, double* out) {
  std::copy_n(rows.row(i), rows.n_features, out);
}

template <class R>
std::vector<int64_t> seed_rows(const R& rows, int64_t n_clusters, Seeding seeding, uint64_t seed,
                               const Control& control) {
  return seeding == Seeding::random ? seed_random(rows, n_clusters, seed)
                                    : seed_kmeans_plus_plus(rows, n_clusters, seed, control);
}

template <class R>
Centers first_centers(const R& rows, const FitOptions& options, Dtype dtype,
                      const Control& control) {
  Centers centers(options.n_clusters, rows.n_features, dtype);
  if (options.init) {
    for (size_t i = 0; i < centers.values.size(); ++i)
      centers.values[i] = centers.rounded(options.init[i]);
    return centers;
  }
  std::vector<int64_t> seeds =
      seed_rows(rows, options.n_clusters, options.seeding, options.seed, control);
  // Seeding that was cut short still has to give a usable model: repeat the seeds there are.
  for (size_t j = 0; int64_t(seeds.size()) < options.n_clusters; ++j) seeds.push_back(seeds[j]);
  for (int64_t j = 0; j < options.n_clusters; ++j) copy_row(rows, seeds[j], centers.row(j));
  return centers;
}

}  // namespace centroids
