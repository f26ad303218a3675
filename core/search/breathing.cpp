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
constexpr int kQuietRounds = 2;      // in a row that found nothing better
// What a budgeted search may cost, against the run before it: less where a run takes long, from
// this many multiply-adds on (a second or so).
constexpr double kShareOfRun = 2, kShareOfLongRun = 0.15;
constexpr double kLongRun = 2e10;

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
Centers breathe_in(const Centers& centers, const CenterErrors& errors, int64_t m, double offset,
                   Philox& random) {
  Centers wide(centers.n_clusters + m, centers.n_features, centers.dtype);
  std::copy(centers.values.begin(), centers.values.end(), wide.values.begin());
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

double work_of(const LoopResult& run, double multiply_adds) {
  // Seeding compares every row with 2 + ln k candidates a center.
  const double k = double(run.centers.n_clusters);
  return (double(run.n_iter) + 2 + std::log(k)) * k * multiply_adds;
}

double budget_for(double own_work) {
  const double share = own_work < kLongRun ? kShareOfRun : kShareOfLongRun;
  return std::max(share * own_work, kMoment);
}

Centers search_breathing(const SearchRows& rows, const LoopResult& start, double budget,
                         double total_weight, uint64_t seed, const LoopOptions& options,
                         const Control& control) {
  Philox random(seed, kStream);
  LoopOptions plain = options;
  plain.number_by_size = false;
  double work = 0;
  const auto run = [&](Centers centers) {
    const double iteration = double(centers.n_clusters) * rows.multiply_adds;
    // A breath is two runs: each gets half of what is left.
    const double most = std::max(1.0, (budget - work) / (2 * iteration));
    LoopOptions limited = plain;
    if (most < double(plain.max_iter)) limited.max_iter = int64_t(most);
    LoopResult result = rows.run(std::move(centers), limited);
    work += double(result.n_iter + 2) * iteration;  // and the visits that measure and settle
    return result;
  };
  Centers best = start.centers;
  double least = start.inertia;
  for (int n_quiet = 0; n_quiet < kQuietRounds; ++n_quiet) {
    Centers current = best;
    for (int64_t m = std::min(kMostAtOnce, current.n_clusters); m > 0;) {
      if (!(least > 0) || work >= budget || control.stop()) return best;
      const double offset = kOffset * std::sqrt(least / total_weight);
      const Centers wide =
          run(breathe_in(current, rows.measure(current), m, offset, random)).centers;
      LoopResult narrow = run(breathe_out(wide, rows.measure(wide), m));
      if (!(narrow.inertia < least * (1 - kLeastGain))) --m;
      if (narrow.inertia < least) {
        if (narrow.inertia < least * (1 - kLeastGain)) n_quiet = -1;
        least = narrow.inertia;
        best = narrow.centers;
      }
      current = std::move(narrow.centers);
    }
  }
  return best;
}

}  // namespace centroids
