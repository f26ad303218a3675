#include "measures/summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/kernels.hpp"
#include "threads/pool.hpp"
#include "threads/shards.hpp"

namespace centroids {
namespace {

// Beyond this many standard deviations from zero a column is shifted before it is summed: five
// bits.
constexpr double kFarFromZero = 32;

struct Moments {
  double weight = 0;
  std::vector<double> sum, square_sum;  // about the first row
};

template <class T>
Moments moments(const MatrixView& x, const double* weights, const std::vector<double>& reference,
                int n_threads) {
  const Kernels<T>& kernel = kernels<T>();
  const Shards shards(x.n_rows);
  std::vector<Moments> part(shards.count());
  n_threads = worthwhile_threads(n_threads, 4.0 * double(x.n_rows) * double(x.n_cols));
  parallel_for(n_threads, shards.count(), [&](int, int64_t shard) {
    Moments& m = part[shard];
    m.sum.assign(x.n_cols, 0);
    m.square_sum.assign(x.n_cols, 0);
    const int64_t begin = shards.begin(shard), n = shards.end(shard) - begin;
    kernel.add_moments(x.row<T>(begin), x.n_cols, int(n), weights ? weights + begin : nullptr,
                       reference.data(), m.sum.data(), m.square_sum.data());
    m.weight = double(n);
    if (weights) {
      m.weight = 0;
      for (int64_t i = begin; i < begin + n; ++i) m.weight += weights[i];
    }
  });
  Moments total = std::move(part[0]);
  for (size_t shard = 1; shard < part.size(); ++shard) {
    total.weight += part[shard].weight;
    for (int64_t t = 0; t < x.n_cols; ++t) {
      total.sum[t] += part[shard].sum[t];
      total.square_sum[t] += part[shard].square_sum[t];
    }
  }
  return total;
}

template <class T>
void find_first_bad(const MatrixView& x, Summary& summary) {
  const T* values = x.row<T>(0);
  for (int64_t i = 0; i < x.n_rows * x.n_cols; ++i)
    if (!std::isfinite(values[i])) {
      summary.bad_row = i / x.n_cols;
      summary.bad_col = i % x.n_cols;
      return;
    }
}

// The first row that counts: moments about a row that does not might lose all their digits.
int64_t first_with_weight(const MatrixView& x, const double* weights) {
  const double* found = std::find_if(weights, weights + x.n_rows, [](double w) { return w > 0; });
  return found == weights + x.n_rows ? 0 : found - weights;
}

// `spread` is the sum of |x - reference|^2 over the rows, `total` the same with weights: bounds
// that are good enough for nearly all data. Otherwise the rows are looked at one by one.
template <class T>
void find_range(const MatrixView& x, const std::vector<double>& reference, double spread,
                double total, Summary& summary) {
  // Two rows are at most twice as far apart as the farther of them is from the reference; a score
  // sums products of two such distances, and inertia sums squared distances in float64.
  constexpr double kRoom = 16;
  constexpr double kMost = double(std::numeric_limits<T>::max()) / kRoom;
  constexpr double kLeast = double(std::numeric_limits<T>::min()) * 1024;
  const bool overflows = !(total <= std::numeric_limits<double>::max() / kRoom);
  if (spread <= kMost && spread >= kLeast * double(x.n_rows) && !overflows) return;
  double farthest = 0, largest = 0;  // squared distance of a row; its largest share in one column
  for (int64_t i = 0; i < x.n_rows; ++i) {
    double distance = 0;
    for (int64_t t = 0; t < x.n_cols; ++t) {
      const double offset = std::abs(double(x.row<T>(i)[t]) - reference[t]);
      distance += offset * offset;
      if (offset <= largest) continue;
      largest = offset;
      summary.far_row = i;
      summary.far_col = t;
    }
    farthest = std::max(farthest, distance);
  }
  if (overflows || !(farthest <= kMost)) summary.squares = Squares::overflow;
  if (largest > 0 && farthest < kLeast) summary.squares = Squares::underflow;
}

template <class T>
Summary summarize_as(const MatrixView& x, const double* weights, int n_threads) {
  Summary summary;
  const std::vector<double> reference(x.row<T>(0), x.row<T>(0) + x.n_cols);
  const Moments plain = moments<T>(x, nullptr, reference, n_threads);
  bool all_finite = true;
  for (int64_t t = 0; t < x.n_cols; ++t) all_finite &= std::isfinite(plain.square_sum[t]);
  if (!all_finite) {  // a bad value, or squares beyond the range of float64
    find_first_bad<T>(x, summary);
    if (summary.bad_row >= 0) return summary;
  }

  const double n = double(x.n_rows);
  std::vector<double> origin(x.n_cols, 0.0);
  bool is_shifted = false;
  for (int64_t t = 0; t < x.n_cols; ++t) {
    const double offset = plain.sum[t] / n;
    const double variance = std::max(0.0, plain.square_sum[t] / n - offset * offset);
    const double mean = reference[t] + offset;
    if (std::abs(mean) > kFarFromZero * std::sqrt(variance)) origin[t] = mean;
    // A constant column needs no shift to be summed exactly enough, unless others force one.
    is_shifted |= origin[t] != 0 && variance > 0;
  }
  if (is_shifted) summary.origin = origin;

  const T* about = x.row<T>(weights ? first_with_weight(x, weights) : 0);
  const std::vector<double> own_reference(about, about + x.n_cols);
  const Moments used = weights ? moments<T>(x, weights, own_reference, n_threads) : plain;
  summary.total_weight = used.weight;
  for (int64_t t = 0; t < x.n_cols; ++t) {
    const double offset = used.sum[t] / used.weight;
    const double variance = used.square_sum[t] / used.weight - offset * offset;
    summary.mean_variance += std::max(0.0, variance) / double(x.n_cols);
    const double gap = own_reference[t] - (is_shifted ? origin[t] : 0.0);
    summary.total_squares += used.square_sum[t] + 2 * gap * used.sum[t] + used.weight * gap * gap;
  }
  const auto sum = [](const std::vector<double>& v) {
    return std::accumulate(v.begin(), v.end(), 0.0);
  };
  find_range<T>(x, reference, sum(plain.square_sum), sum(used.square_sum), summary);
  return summary;
}

}  // namespace

Summary summarize(const MatrixView& x, const double* weights, int n_threads) {
  return with_dtype(x.dtype,
                    [&](auto zero) { return summarize_as<decltype(zero)>(x, weights, n_threads); });
}

}  // namespace centroids
