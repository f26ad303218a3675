#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "measures/summary.hpp"

namespace centroids {
namespace {

double variance_of(const Moments& moments, int64_t t) {
  const double mean = moments.sum[t] / moments.weight;
  return std::max(0.0, moments.square_sum[t] / moments.weight - mean * mean);
}

// In the columns of the reference that are not zero, where each row has an entry.
template <class T>
void sum_about(const SparseView& x, const double* weights, const std::vector<double>& reference,
               Moments& moments) {
  for (int64_t t = 0; t < x.n_cols; ++t)
    if (reference[t] != 0) moments.sum[t] = moments.square_sum[t] = 0;
  for (int64_t i = 0; i < x.n_rows; ++i) {
    const double w = weights ? weights[i] : 1.0;
    for (int64_t e = x.starts[i]; e < x.starts[i + 1]; ++e) {
      const int32_t t = x.columns[e];
      if (reference[t] == 0) continue;
      const double gap = double(static_cast<const T*>(x.values)[e]) - reference[t];
      moments.sum[t] += w * gap;
      moments.square_sum[t] += w * gap * gap;
    }
  }
}

// A value of each column that is far from zero and has no zeros; otherwise zero.
template <class T>
std::vector<double> far_values(const SparseView& x, const double* weights,
                               const std::vector<int64_t>& n_entries, const Moments& moments) {
  int64_t row = 0;  // the first that counts
  while (weights && row + 1 < x.n_rows && !(weights[row] > 0)) ++row;
  std::vector<double> reference(x.n_cols);
  for (int64_t e = x.starts[row]; e < x.starts[row + 1]; ++e) {
    const int32_t t = x.columns[e];
    const double mean = moments.sum[t] / moments.weight;
    if (n_entries[t] == x.n_rows &&
        std::abs(mean) > kFarFromZero * std::sqrt(variance_of(moments, t)))
      reference[t] = static_cast<const T*>(x.values)[e];
  }
  return reference;
}

template <class T>
Summary summarize_as(const SparseView& x, const double* weights) {
  const T* values = static_cast<const T*>(x.values);
  Summary summary;
  Moments moments{0, std::vector<double>(x.n_cols), std::vector<double>(x.n_cols)};
  std::vector<int64_t> n_entries(x.n_cols);
  double farthest = 0, largest = 0;
  for (int64_t i = 0; i < x.n_rows; ++i) {
    double squares = 0;
    const double w = weights ? weights[i] : 1.0;
    moments.weight += w;
    for (int64_t e = x.starts[i]; e < x.starts[i + 1]; ++e) {
      const double v = values[e];
      if (!std::isfinite(v)) {
        summary.bad_row = i;
        summary.bad_col = x.columns[e];
        return summary;
      }
      moments.sum[x.columns[e]] += w * v;
      moments.square_sum[x.columns[e]] += w * v * v;
      ++n_entries[x.columns[e]];
      squares += v * v;
      if (std::abs(v) > largest) {
        largest = std::abs(v);
        summary.far_row = i;
        summary.far_col = x.columns[e];
      }
    }
    farthest = std::max(farthest, squares);
    summary.total_squares += w * squares;
  }
  // As for dense rows: room for a score, which sums products of two distances.
  constexpr double kMost = double(std::numeric_limits<T>::max()) / 16;
  if (!(farthest <= kMost && summary.total_squares <= std::numeric_limits<double>::max() / 16))
    summary.squares = Squares::overflow;
  else if (largest > 0 && farthest < double(std::numeric_limits<T>::min()) * 1024)
    summary.squares = Squares::underflow;

  std::vector<double> origin = far_values<T>(x, weights, n_entries, moments);
  bool is_shifted = false;
  if (std::any_of(origin.begin(), origin.end(), [](double v) { return v != 0; })) {
    sum_about<T>(x, weights, origin, moments);
    // A constant column needs no shift, unless others force one.
    for (int64_t t = 0; t < x.n_cols; ++t)
      is_shifted |= origin[t] != 0 && variance_of(moments, t) > 0;
  }
  summary.total_weight = moments.weight;
  for (int64_t t = 0; t < x.n_cols; ++t)
    summary.mean_variance += variance_of(moments, t) / double(x.n_cols);
  if (!is_shifted) return summary;
  summary.total_squares = 0;
  for (int64_t t = 0; t < x.n_cols; ++t) {
    const double reference = origin[t], sum = moments.sum[t];
    if (reference != 0) origin[t] += sum / moments.weight;
    const double gap = reference - origin[t];
    summary.total_squares += moments.square_sum[t] + 2 * gap * sum + moments.weight * gap * gap;
  }
  summary.origin = std::move(origin);
  return summary;
}

}  // namespace

Summary summarize(const SparseView& x, const double* weights, int) {
  return with_dtype(x.dtype, [&](auto zero) { return summarize_as<decltype(zero)>(x, weights); });
}

}  // namespace centroids
