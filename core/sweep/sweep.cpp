#include "sweep/sweep.hpp"

#include <algorithm>
#include <utility>

#include "measures/neighbours.hpp"
#include "seeding/next_center.hpp"

namespace centroids {
namespace {

// A merged start whose inertia, before any iteration, exceeds the best known by more than this
// hardly ever ends below it.
constexpr double kWorthMerging = 1.10;

// Between the seeds of consecutive numbers of clusters.
constexpr uint64_t kSeedStride = 1'000'003;

// The cheapest pair of clusters merged, and the inertia before any iteration from there.
std::pair<Centers, double> merged(const SweepFit& fit) {
  const Centers& from = fit.centers;
  const int64_t d = from.n_features;
  const auto [pair, cost] = cheapest_merge(from, fit.weights.data());
  const auto [i, j] = pair;
  const double wi = fit.weights[i], wj = fit.weights[j];
  Centers to(from.n_clusters - 1, d, from.dtype);
  std::copy_n(from.values.data(), j * d, to.values.data());
  std::copy(from.values.begin() + (j + 1) * d, from.values.end(), to.values.begin() + j * d);
  for (int64_t t = 0; t < d; ++t)
    to.row(i)[t] = (wi * from.row(i)[t] + wj * from.row(j)[t]) / (wi + wj);
  return {std::move(to), fit.inertia + cost};
}

}  // namespace

std::vector<int64_t> Sweep::extend(int64_t k_max, const std::vector<std::vector<double>>& draws,
                                   const Control& control) {
  const int64_t known = this->k_max();
  is_new_.assign(known, false);
  while (this->k_max() < k_max && (fits_.empty() || !control.stop()))
    if (!add_next(draws[this->k_max()], control)) break;
  merge_down(known, control);
  repair(draws, control);
  std::vector<int64_t> changed;
  for (int64_t k = 1; k <= this->k_max(); ++k)
    if (is_new_[k - 1]) changed.push_back(k);
  return changed;
}

Sweep::Run Sweep::run(int64_t k, const double* init, const Control& control) {
  FitOptions options;
  options.n_clusters = k;
  options.init = init;
  options.seed = options_.seed + kSeedStride * uint64_t(k);
  options.loop = options_.loop;
  options.loop.number_by_size = init == nullptr;
  LoopResult result = centroids::fit(data_, options, control, labels_.data());
  std::vector<double> weights(k, 0.0);
  if (data_.weights)
    for (int64_t i = 0; i < data_.x.n_rows; ++i) weights[labels_[i]] += data_.weights[i];
  else
    std::copy(result.counts.begin(), result.counts.end(), weights.begin());
  const bool is_full =
      std::find(result.counts.begin(), result.counts.end(), 0) == result.counts.end();
  return {{std::move(result.centers), std::move(weights), result.inertia}, is_full};
}

bool Sweep::add_next(const std::vector<double>& draws, const Control& control) {
  const int64_t k = k_max() + 1;
  if (k == 1) {
    keep(run(1, nullptr, control).fit);
    return true;
  }
  // With very different weights, rounding may leave rows off their own centers.
  Centers start;
  if (k > data_.x.n_rows || !split(k - 1, draws, start)) return false;
  Run best = run(k, start.values.data(), control);
  if (options_.starts_afresh) {
    Run fresh = run(k, nullptr, control);
    if (fresh.fit.inertia < best.fit.inertia) best = std::move(fresh);
  }
  if (!best.has_rows_everywhere) return false;  // fewer distinct rows than clusters
  keep(std::move(best.fit));
  return true;
}

// Centers of k clusters and one more, the best of some rows drawn by squared distance; false when
// every row lies on a center.
bool Sweep::split(int64_t k, const std::vector<double>& draws, Centers& out) const {
  const Centers& centers = fit(k).centers;
  const int64_t row = next_center(data_.x, data_.weights, centers, draws, data_.n_threads);
  if (row < 0) return false;
  out = Centers(k + 1, centers.n_features, centers.dtype);
  std::copy(centers.values.begin(), centers.values.end(), out.values.begin());
  with_dtype(data_.x.dtype, [&](auto zero) {
    std::copy_n(data_.x.row<decltype(zero)>(row), data_.x.n_cols, out.row(k));
  });
  return true;
}

// Starts each number of clusters from the one above, its cheapest pair merged.
void Sweep::merge_down(int64_t known, const Control& control) {
  for (int64_t k = k_max() - 1; k > 1; --k) {
    if (control.stop()) return;
    const auto [start, inertia] = merged(fit(k + 1));
    bool is_better = false;
    if (inertia <= kWorthMerging * fit(k).inertia) {
      Run from_above = run(k, start.values.data(), control);
      is_better = from_above.fit.inertia < fit(k).inertia && from_above.has_rows_everywhere;
      if (is_better) keep(std::move(from_above.fit));
    }
    if (k <= known && !is_better) return;  // below, everything starts as it did before
  }
}

// Makes the inertia fall strictly: where it does not, splits the better partition below.
void Sweep::repair(const std::vector<std::vector<double>>& draws, const Control& control) {
  for (int64_t k = 2; k <= k_max(); ++k) {
    Centers start;
    if (fit(k).inertia < fit(k - 1).inertia || !split(k - 1, draws[k - 1], start)) continue;
    Run again = run(k, start.values.data(), control);
    if (again.fit.inertia < fit(k).inertia) keep(std::move(again.fit));
  }
}

void Sweep::keep(SweepFit fit) {
  const size_t k = size_t(fit.centers.n_clusters);
  if (k > fits_.size()) {
    fits_.resize(k);
    is_new_.resize(k);
  }
  fits_[k - 1] = std::move(fit);
  is_new_[k - 1] = true;
}

}  // namespace centroids
