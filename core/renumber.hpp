// New numbers for the clusters: cluster order[j] gets the number j, in all that goes by cluster.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "centers.hpp"
#include "partials.hpp"

namespace centroids {

// `width` values for each cluster.
template <class V>
void renumber(std::vector<V>& values, int64_t width, const std::vector<int32_t>& order) {
  const std::vector<V> old = values;
  for (size_t j = 0; j < order.size(); ++j)
    std::copy_n(old.begin() + order[j] * width, width, values.begin() + int64_t(j) * width);
}

inline void renumber(Centers& centers, const std::vector<int32_t>& order) {
  renumber(centers.values, centers.n_features, order);
}

inline void renumber(Partials& partials, const std::vector<int32_t>& order) {
  renumber(partials.sums, partials.n_features, order);
  renumber(partials.weights, 1, order);
  renumber(partials.counts, 1, order);
}

// The clusters by decreasing weight, equal weights by center (column by column); those without rows
// come last. Centers that are equal, too, keep their order.
std::vector<int32_t> by_weight(const Centers& centers, const std::vector<double>& weights,
                               const std::vector<int64_t>& counts);

// The new number of each cluster, by its old one: what labels are looked up in.
inline std::vector<int32_t> new_numbers(const std::vector<int32_t>& order) {
  std::vector<int32_t> numbers(order.size());
  for (size_t j = 0; j < order.size(); ++j) numbers[order[j]] = int32_t(j);
  return numbers;
}

}  // namespace centroids
