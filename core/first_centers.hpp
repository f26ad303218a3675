// How a run begins, for every kind of rows: from given centers, or from seeds.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "exact1d/exact1d.hpp"
#include "kmeans.hpp"
#include "seeding/seeding.hpp"

namespace centroids {

template <class R>
std::vector<int64_t> seed_rows(const R& rows, int64_t n_clusters, Seeding seeding, uint64_t seed,
                               const Control& control) {
  switch (seeding) {
    case Seeding::random:
      return seed_random(rows, n_clusters, seed);
    case Seeding::kmeans_parallel:
      return seed_kmeans_parallel(rows, n_clusters, seed, control);
    case Seeding::kmeans_plus_plus:
      break;
  }
  return seed_kmeans_plus_plus(rows, n_clusters, seed, control);
}

inline Centers given_centers(const FitOptions& options, int64_t n_features, Dtype dtype) {
  Centers centers(options.n_clusters, n_features, dtype);
  for (size_t i = 0; i < centers.values.size(); ++i)
    centers.values[i] = centers.rounded(options.init[i]);
  return centers;
}

template <class R>
Centers first_centers(const R& rows, const FitOptions& options, Dtype dtype,
                      const Control& control) {
  if (options.init) return given_centers(options, rows.n_features, dtype);
  Centers centers(options.n_clusters, rows.n_features, dtype);
  std::vector<int64_t> seeds =
      seed_rows(rows, options.n_clusters, options.seeding, options.seed, control);
  // Where fewer rows differ, or k-means|| was cut short, there still has to be a usable model:
  // repeat the seeds there are.
  for (size_t j = 0; int64_t(seeds.size()) < options.n_clusters; ++j) seeds.push_back(seeds[j]);
  for (int64_t j = 0; j < options.n_clusters; ++j) copy_row(rows, seeds[j], centers.row(j));
  return centers;
}

// Large fits from seeds take fewer visits of the rows by momentum. From given centers every step is
// Lloyd's.
inline FitOptions with_momentum(FitOptions options, int64_t n_rows, int64_t n_features) {
  constexpr double kLargeVisit = 3e7;  // multiply-adds
  const double visit = double(n_rows) * double(n_features) * double(options.n_clusters);
  options.loop.momentum = !options.init && !options.loop.unit_centers && visit >= kLargeVisit;
  return options;
}

template <class T>
double value_of(const Rows<T>& rows, int64_t i) {
  return double(*rows.row(i));
}
template <class T>
double value_of(const SparseRows<T>& rows, int64_t i) {
  const SparseRow<T> row = rows.row(i);
  return row.n_entries > 0 ? double(row.values[0]) : 0.0;
}

// The optimal centers where they can be had: a seeded fit of one column. Nothing otherwise.
template <class R>
std::optional<Centers> optimal_first_centers(const R& rows, const FitOptions& options,
                                             Dtype dtype) {
  if (rows.n_features != 1 || options.init || options.loop.unit_centers) return std::nullopt;
  WeightedValues values;
  values.values.resize(rows.n_rows);
  for (int64_t i = 0; i < rows.n_rows; ++i) values.values[i] = value_of(rows, i);
  if (rows.weights) values.weights.assign(rows.weights, rows.weights + rows.n_rows);
  const auto found = optimal_centers(std::move(values), options.n_clusters, rows.n_threads);
  if (!found) return std::nullopt;
  // Fewer values than clusters: the rest stay empty. They lie on the middle value, so as not to
  // draw the median of the centers, from which rows are measured, to one far value.
  Centers centers(options.n_clusters, 1, dtype);
  for (int64_t j = 0; j < options.n_clusters; ++j)
    centers.values[j] =
        centers.rounded((*found)[size_t(j) < found->size() ? j : (found->size() - 1) / 2]);
  return centers;
}

}  // namespace centroids
