#include "search/breathing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "random.hpp"

namespace centroids {
namespace {

constexpr uint64_t kStream = 3;
constexpr int64_t kMostAtOnce = 5;   // m of the paper
constexpr double kOffset = 0.01;     // of the root mean squared error, per feature
constexpr double kLeastGain = 1e-4;  // relative: a smaller gain counts as none

std::vector<int64_t> sorted_by(const std::vector<double>& values) {
  std::vector<int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return values[a] < values[b]; });
  return order;
}

int64_t nearest_other(const Centers& centers, int64_t j) {
  int64_t best = -1;
  double least = 0;
  for (int64_t other = 0; other < centers.n_clusters; ++other) {
    if (other == j) continue;
    double squared = 0;
    for (int64_t t = 0; t < centers.n_features; ++t) {
      const double difference = centers.row(j)[t] - centers.row(other)[t];
      squared += difference * difference;
    }
    if (best < 0 || squared < least) {
      best = other;
      least = squared;
    }
  }
  return best;
}

// m more centers, each a little beside one of the m with the largest error.
Centers breathe_in(const Centers& centers, const CenterErrors& errors, int64_t m,
                   double total_weight, Philox& random) {
  Centers wide(centers.n_clusters + m, centers.n_features, centers.dtype);
  std::copy(centers.values.begin(), centers.values.end(), wide.values.begin());
  const double inertia = std::accumulate(errors.error.begin(), errors.error.end(), 0.0);
  const double offset = kOffset * std::sqrt(inertia / total_weight);
  const std::vector<int64_t> by_error = sorted_by(errors.error);
  for (int64_t i = 0; i < m; ++i) {
    const double* from = centers.row(by_error[centers.n_clusters - 1 - i]);
    double* to = wide.row(centers.n_clusters + i);
    for (int64_t t = 0; t < centers.n_features; ++t)
      to[t] = wide.rounded(from[t] + offset * (random.uniform() - 0.5));
  }
  return wide;
}

// Without the m least useful centers. The nearest neighbor of one taken away is spared, so that no
// region loses all of its centers at once.
Centers breathe_out(const Centers& wide, const CenterErrors& errors, int64_t m) {
  const int64_t k = wide.n_clusters - m;
  std::vector<char> is_gone(wide.n_clusters, 0), is_spared(wide.n_clusters, 0);
  int64_t n_gone = 0, n_spared = 0;
  for (const int64_t j : sorted_by(errors.utility)) {
    if (n_gone == m) break;
    if (is_spared[j]) continue;
    is_gone[j] = 1;
    ++n_gone;
    const int64_t neighbor = nearest_other(wide, j);
    if (!is_spared[neighbor] && n_spared + m < k) {
      is_spared[neighbor] = 1;
      ++n_spared;
    }
  }
  Centers narrow(k, wide.n_features, wide.dtype);
  int64_t to = 0;
  for (int64_t j = 0; j < wide.n_clusters && to < k; ++j)
    if (!is_gone[j]) std::copy_n(wide.row(j), wide.n_features, narrow.row(to++));
  return narrow;
}

}  // namespace

Centers search_breathing(const SearchRows& rows, const LoopResult& start, double total_weight,
                         uint64_t seed, const LoopOptions& options, const Control& control) {
  Philox random(seed, kStream);
  LoopOptions plain = options;
  plain.number_by_size = false;
  Centers best = start.centers, current = start.centers;
  double least = start.inertia;
  int64_t m = std::min(kMostAtOnce, current.n_clusters);
  while (m > 0 && least > 0 && !control.stop()) {
    Centers wide = breathe_in(current, rows.measure(current), m, total_weight, random);
    wide = rows.run(std::move(wide), plain).centers;
    const LoopResult narrow = rows.run(breathe_out(wide, rows.measure(wide), m), plain);
    current = narrow.centers;
    if (!(narrow.inertia < least * (1 - kLeastGain))) --m;
    if (narrow.inertia < least) {
      least = narrow.inertia;
      best = narrow.centers;
    }
  }
  return best;
}

}  // namespace centroids
