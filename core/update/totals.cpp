#include "update/totals.hpp"

#include <algorithm>
#include <limits>

#include "renumber.hpp"

namespace centroids {
namespace {

// Re-adding every row is cheaper than patching once this share of the rows moves. Long rows take as
// long to read from between others as one after the other.
constexpr int64_t kFullWhenOneIn = 8, kFullWhenOneLongIn = 4, kLong = 64;

}  // namespace

bool adds_all_rows(int64_t n_changed, int64_t n_rows, int64_t n_features) {
  return n_changed * (n_features < kLong ? kFullWhenOneIn : kFullWhenOneLongIn) >= n_rows;
}

double smallest_positive(const double* weights, int64_t n_rows) {
  if (!weights) return 1;
  double smallest = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < n_rows; ++i)
    if (weights[i] > 0) smallest = std::min(smallest, weights[i]);
  return smallest;
}

void Totals::clear() {
  sums.clear();
  sum_errors.assign(sum_errors.size(), 0);
  weight_errors.assign(weight_errors.size(), 0);
}

void Totals::settle(bool is_full, bool is_weighted, double smallest_weight) {
  if (!is_weighted) sums.weights.assign(sums.counts.begin(), sums.counts.end());
  if (!is_full) clear_weightless(smallest_weight);
}

// What moves leave in a cluster that has lost all its weight is rounding error: it must not pass
// for a weight, or the cluster would not count as empty.
void Totals::clear_weightless(double smallest_weight) {
  const int64_t d = sums.n_features;
  for (int64_t j = 0; j < sums.n_clusters; ++j) {
    if (sums.counts[j] > 0 && sums.weights[j] + weight_errors[j] > smallest_weight / 2) continue;
    sums.weights[j] = weight_errors[j] = 0;
    std::fill_n(sums.sums.begin() + j * d, d, 0.0);
    std::fill_n(sum_errors.begin() + j * d, d, 0.0);
  }
}

void Totals::write(int64_t n_changed, Partials& out) const {
  out = sums;
  for (size_t i = 0; i < out.sums.size(); ++i) out.sums[i] += sum_errors[i];
  for (size_t j = 0; j < out.weights.size(); ++j) out.weights[j] += weight_errors[j];
  out.n_changed = n_changed;
}

void Totals::renumber(const std::vector<int32_t>& order) {
  centroids::renumber(sums, order);
  centroids::renumber(sum_errors, sums.n_features, order);
  centroids::renumber(weight_errors, 1, order);
}

}  // namespace centroids
