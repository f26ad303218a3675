#include "renumber.hpp"

#include <numeric>

namespace centroids {

std::vector<int32_t> by_weight(const Centers& centers, const std::vector<double>& weights,
                               const std::vector<int64_t>& counts) {
  std::vector<int32_t> order(centers.n_clusters);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    if (weights[a] != weights[b]) return weights[a] > weights[b];
    const bool a_has_rows = counts[a] > 0, b_has_rows = counts[b] > 0;
    if (a_has_rows != b_has_rows) return a_has_rows;
    const double *x = centers.row(a), *y = centers.row(b);
    const auto [first, second] = std::mismatch(x, x + centers.n_features, y);
    return first == x + centers.n_features ? a < b : *first < *second;
  });
  return order;
}

}  // namespace centroids
