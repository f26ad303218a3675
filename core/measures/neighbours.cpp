#include "measures/neighbours.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "kernels/kernels.hpp"

namespace centroids {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Neighbours tried for each cluster.
constexpr size_t kTried = 4;

// |a - m|^2 + |b - m|^2 >= |a - b|^2 for every center m says that no m is nearer to the midpoint.
bool is_clear_between(const double* to_first, const double* to_second, double apart,
                      int64_t n_clusters) {
  for (int64_t m = 0; m < n_clusters; ++m)
    if (to_first[m] + to_second[m] < apart) return false;
  return true;
}

// The nearest other centers of one, the lowest index first on ties.
std::vector<int32_t> nearest_others(const double* squared, int64_t n_clusters) {
  std::vector<int32_t> near;
  for (int32_t j = 0; j < n_clusters; ++j) {
    if (near.size() == kTried && squared[j] >= squared[near.back()]) continue;
    const auto is_farther = [&](double distance, int32_t other) {
      return distance < squared[other];
    };
    near.insert(std::upper_bound(near.begin(), near.end(), squared[j], is_farther), j);
    if (near.size() > kTried) near.pop_back();
  }
  return near;
}

}  // namespace

std::vector<double> squared_center_distances(const Centers& centers) {
  const int64_t k = centers.n_clusters, d = centers.n_features;
  const Kernels<double>& kernel = kernels<double>();
  std::vector<double> squared(k * k, kInfinity);
  double to_later[kBlockRows];
  std::vector<int32_t> own(kBlockRows);
  for (int64_t i = 0; i < k; ++i) {
    std::fill(own.begin(), own.end(), int32_t(i));
    for (int64_t first = i + 1; first < k; first += kBlockRows) {
      const int n = int(std::min<int64_t>(kBlockRows, k - first));
      kernel.squared_distances(centers.row(first), d, nullptr, n, centers.values.data(), own.data(),
                               to_later);
      for (int j = 0; j < n; ++j)
        squared[i * k + first + j] = squared[(first + j) * k + i] = to_later[j];
    }
  }
  return squared;
}

std::vector<Pair> neighbour_pairs(const std::vector<double>& squared, int64_t n_clusters) {
  std::set<Pair> tried;
  for (int32_t i = 0; i < n_clusters; ++i)
    for (const int32_t j : nearest_others(squared.data() + i * n_clusters, n_clusters))
      if (j != i) tried.insert({std::min(i, j), std::max(i, j)});
  std::vector<Pair> pairs;
  for (const Pair& pair : tried) {
    const double* to_first = squared.data() + pair[0] * n_clusters;
    const double* to_second = squared.data() + pair[1] * n_clusters;
    const double apart = to_first[pair[1]];
    if (apart > 0 && is_clear_between(to_first, to_second, apart, n_clusters))
      pairs.push_back(pair);
  }
  return pairs;
}

Merge cheapest_merge(const Centers& centers, const double* weights) {
  const int64_t k = centers.n_clusters;
  const std::vector<double> squared = squared_center_distances(centers);
  Merge best{{0, 1}, kInfinity};
  for (int32_t i = 0; i < k; ++i)
    for (int32_t j = i + 1; j < k; ++j) {
      const double cost =
          squared[i * k + j] * (weights[i] * weights[j]) / (weights[i] + weights[j]);
      if (cost < best.cost) best = {{i, j}, cost};
    }
  return best;
}

}  // namespace centroids
