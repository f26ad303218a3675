#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "measures/summary.hpp"

namespace centroids {
namespace {

// Of the entries of each column in rows with a weight.
struct Entries {
  std::vector<double> weight, first;
};

// Moments about a value in the columns that are far from zero, and about zero in the others.
// Returns what they are about.
template <class T>
std::vector<double> shift_moments(const SparseView& x, const double* weights,
                                  const Entries& entries, Moments& moments) {
  std::vector<double> reference(x.n_cols);
  bool is_shifted = false;
  for (int64_t t = 0; t < x.n_cols; ++t) {
    if (!is_far_from_zero(moments.mean(0, t), moments.variance(t))) continue;
    reference[t] = entries.first[t];
    is_shifted = true;
    const double missing = moments.weight - entries.weight[t];
    moments.sum[t] = -missing * reference[t];
    moments.square_sum[t] = missing * reference[t] * reference[t];
  }
  for (int64_t i = 0; is_shifted && i < x.n_rows; ++i) {
    const double w = weights ? weights[i] : 1.0;
    for (int64_t e = x.starts[i]; e < x.starts[i + 1]; ++e) {
      const int32_t t = x.columns[e];
      if (reference[t] == 0) continue;
      const double gap = double(static_cast<const T*>(x.values)[e]) - reference[t];
      moments.sum[t] += w * gap;
      moments.square_sum[t] += w * gap * gap;
    }
  }
  return reference;
}

template <class T>
Summary summarize_as(const SparseView& x, const double* weights) {
  const T* values = static_cast<const T*>(x.values);
  Summary summary;
  Moments moments{0, std::vector<double>(x.n_cols), std::vector<double>(x.n_cols)};
  Entries entries{std::vector<double>(x.n_cols), std::vector<double>(x.n_cols)};
  double farthest = 0, largest = 0, total_squares = 0;
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
      const int32_t t = x.columns[e];
      moments.sum[t] += w * v;
      moments.square_sum[t] += w * v * v;
      if (entries.weight[t] == 0) entries.first[t] = v;
      entries.weight[t] += w;
      squares += v * v;
      if (std::abs(v) > largest) {
        largest = std::abs(v);
        summary.far_row = i;
        summary.far_col = x.columns[e];
      }
    }
    farthest = std::max(farthest, squares);
    total_squares += w * squares;
  }
  // As for dense rows: room for a score, which sums products of two distances.
  constexpr double kMost = double(std::numeric_limits<T>::max()) / 16;
  if (!(farthest <= kMost && total_squares <= std::numeric_limits<double>::max() / 16))
    summary.squares = Squares::overflow;
  else if (largest > 0 && farthest < double(std::numeric_limits<T>::min()) * 1024)
    summary.squares = Squares::underflow;

  const std::vector<double> reference = shift_moments<T>(x, weights, entries, moments);
  summarize_about(reference, moments, summary);
  return summary;
}

}  // namespace

Summary summarize(const SparseView& x, const double* weights, int) {
  return with_dtype(x.dtype, [&](auto zero) { return summarize_as<decltype(zero)>(x, weights); });
}

}  // namespace centroids
