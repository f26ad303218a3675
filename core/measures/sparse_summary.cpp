#include <algorithm>
#include <cmath>
#include <limits>

#include "measures/summary.hpp"

namespace centroids {
namespace {

template <class T>
Summary summarize_as(const SparseView& x, const double* weights) {
  const T* values = static_cast<const T*>(x.values);
  Summary summary;
  std::vector<double> sum(x.n_cols), square_sum(x.n_cols);
  double farthest = 0, largest = 0, total_weight = 0;
  for (int64_t i = 0; i < x.n_rows; ++i) {
    double squares = 0;
    const double w = weights ? weights[i] : 1.0;
    total_weight += w;
    for (int64_t e = x.starts[i]; e < x.starts[i + 1]; ++e) {
      const double v = values[e];
      if (!std::isfinite(v)) {
        summary.bad_row = i;
        summary.bad_col = x.columns[e];
        return summary;
      }
      sum[x.columns[e]] += w * v;
      square_sum[x.columns[e]] += w * v * v;
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

  summary.total_weight = total_weight;
  for (int64_t t = 0; t < x.n_cols; ++t) {
    const double mean = sum[t] / total_weight;
    summary.mean_variance +=
        std::max(0.0, square_sum[t] / total_weight - mean * mean) / double(x.n_cols);
  }
  return summary;
}

}  // namespace

Summary summarize(const SparseView& x, const double* weights, int) {
  return with_dtype(x.dtype, [&](auto zero) { return summarize_as<decltype(zero)>(x, weights); });
}

}  // namespace centroids
