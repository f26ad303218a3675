#include "exact1d/exact1d.hpp"

#include <algorithm>
#include <limits>

namespace centroids {
namespace {

using WeightedValue = std::pair<double, double>;

// An unevaluated sum of two doubles, some 106 bits (Dekker, Numerische Mathematik 18, 1971). Plain
// arithmetic, as a fused multiply-add may be slow where this is compiled.
struct DoubleDouble {
  double high = 0, low = 0;
  DoubleDouble() = default;
  DoubleDouble(double value) : high(value) {}
  DoubleDouble(double h, double l) : high(h), low(l) {}
  explicit operator double() const { return high + low; }
};

DoubleDouble two_sum(double a, double b) {
  const double sum = a + b, part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}
DoubleDouble two_product(double a, double b) {
  const auto split = [](double x) {
    const double scaled = 134217729.0 * x, high = scaled - (scaled - x);  // 2^27 + 1
    return DoubleDouble(high, x - high);
  };
  const DoubleDouble x = split(a), y = split(b);
  const double product = a * b;
  return {product, ((x.high * y.high - product) + x.high * y.low + x.low * y.high) + x.low * y.low};
}
DoubleDouble operator+(const DoubleDouble& a, const DoubleDouble& b) {
  DoubleDouble sum = two_sum(a.high, b.high);
  return two_sum(sum.high, sum.low + a.low + b.low);
}
DoubleDouble operator-(const DoubleDouble& a, const DoubleDouble& b) {
  return a + DoubleDouble(-b.high, -b.low);
}
DoubleDouble operator*(const DoubleDouble& a, const DoubleDouble& b) {
  DoubleDouble product = two_product(a.high, b.high);
  return two_sum(product.high, product.low + a.high * b.low + a.low * b.high);
}
DoubleDouble operator/(const DoubleDouble& a, const DoubleDouble& b) {
  const double first = a.high / b.high;
  const DoubleDouble left = a - b * DoubleDouble(first);
  return two_sum(first, (left.high + left.low) / b.high);
}

// Distinct values in ascending order, with the sums of their weights.
std::vector<WeightedValue> compress(std::vector<WeightedValue> values) {
  std::erase_if(values, [](const WeightedValue& v) { return !(v.second > 0); });
  std::sort(values.begin(), values.end());
  size_t n = 0;
  for (const WeightedValue& v : values) {
    if (n > 0 && values[n - 1].first == v.first)
      values[n - 1].second += v.second;
    else
      values[n++] = v;
  }
  values.resize(n);
  return values;
}

// Dynamic programming with sums in Real.
template <class Real>
class OptimalIntervals {
 public:
  OptimalIntervals(const std::vector<WeightedValue>& values, int64_t n_clusters, double shift)
      : n_(int64_t(values.size())),
        n_clusters_(n_clusters),
        weight_(n_ + 1),
        sum_(n_ + 1),
        squares_(n_ + 1),
        least_(n_ + 1),
        next_(n_ + 1),
        start_(size_t(n_clusters) * size_t(n_ + 1)) {
    for (int64_t i = 0; i < n_; ++i) {
      const Real x = Real(values[i].first) - Real(shift), w = Real(values[i].second);
      weight_[i + 1] = weight_[i] + w;
      sum_[i + 1] = sum_[i] + w * x;
      squares_[i + 1] = squares_[i] + w * x * x;
    }
  }

  // Returns the least error.
  double run() {
    for (int64_t i = 0; i <= n_; ++i) least_[i] = error(0, i);
    for (int64_t q = 1; q < n_clusters_; ++q) {
      row_ = start_.data() + q * (n_ + 1);
      // Each of the q + 1 clusters holds a value at least.
      fill(q + 1, n_, q, n_ - 1);
      std::swap(least_, next_);
    }
    return least_[n_];
  }
  double total_squares() const { return double(squares_[n_]); }

  // Cluster q holds the values [bounds[q], bounds[q + 1]).
  std::vector<int64_t> bounds() const {
    std::vector<int64_t> bounds(n_clusters_ + 1);
    bounds[n_clusters_] = n_;
    for (int64_t q = n_clusters_ - 1; q > 0; --q) bounds[q] = start_[q * (n_ + 1) + bounds[q + 1]];
    return bounds;
  }
  double mean(int64_t begin, int64_t end, double shift) const {
    return double((sum_[end] - sum_[begin]) / (weight_[end] - weight_[begin]) + Real(shift));
  }

 private:
  double error(int64_t begin, int64_t end) const {
    if (end - begin < 2) return 0;
    const Real s = sum_[end] - sum_[begin];
    const Real squares = squares_[end] - squares_[begin];
    return std::max(0.0, double(squares - s * s / (weight_[end] - weight_[begin])));
  }

  // next_[first .. last], the last cluster starting within [low, high]; the lowest start on ties.
  void fill(int64_t first, int64_t last, int64_t low, int64_t high) {
    if (first > last) return;
    const int64_t middle = first + (last - first) / 2;
    double best = std::numeric_limits<double>::infinity();
    int64_t best_start = low;
    for (int64_t j = low; j <= std::min(high, middle - 1); ++j) {
      const double candidate = least_[j] + error(j, middle);
      if (candidate < best) {
        best = candidate;
        best_start = j;
      }
    }
    next_[middle] = best;
    row_[middle] = int32_t(best_start);
    fill(first, middle - 1, low, best_start);
    fill(middle + 1, last, best_start, high);
  }

  int64_t n_, n_clusters_;
  std::vector<Real> weight_, sum_, squares_;  // of the first i values
  std::vector<double> least_, next_;          // D[q - 1] and D[q]
  std::vector<int32_t> start_;                // n_clusters x (n + 1): where the last cluster starts
  int32_t* row_ = nullptr;
};

template <class Real>
std::vector<double> centers_of(const OptimalIntervals<Real>& found, double shift) {
  const std::vector<int64_t> bounds = found.bounds();
  std::vector<double> centers;
  for (size_t q = 0; q + 1 < bounds.size(); ++q)
    centers.push_back(found.mean(bounds[q], bounds[q + 1], shift));
  return centers;
}

}  // namespace

std::optional<std::vector<double>> optimal_centers(std::vector<WeightedValue> raw,
                                                   int64_t n_clusters) {
  const std::vector<WeightedValue> values = compress(std::move(raw));
  const int64_t n = int64_t(values.size());
  if (n <= n_clusters) {
    std::vector<double> centers;
    for (const WeightedValue& v : values) centers.push_back(v.first);
    return centers;
  }
  if (n >= kMostExactStates / n_clusters) return std::nullopt;
  // Sums about the median: an offset common to all values costs no digits.
  const double shift = values[n / 2].first;
  {
    OptimalIntervals<double> found(values, n_clusters, shift);
    const double least = found.run();
    // Where the clusters are that narrow against their distances, the sums need more digits.
    const double noise = double(n) * std::numeric_limits<double>::epsilon() * found.total_squares();
    if (least > 1e4 * noise) return centers_of(found, shift);
  }
  OptimalIntervals<DoubleDouble> found(values, n_clusters, shift);
  found.run();
  return centers_of(found, shift);
}

}  // namespace centroids
