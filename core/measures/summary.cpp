#include "measures/summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/kernels.hpp"
#include "threads/pool.hpp"

namespace centroids {
namespace {

Moments merged(std::vector<Moments> part) {
  Moments total = std::move(part[0]);
  for (size_t shard = 1; shard < part.size(); ++shard) {
    total.weight += part[shard].weight;
    for (size_t t = 0; t < total.sum.size(); ++t) {
      total.sum[t] += part[shard].sum[t];
      total.square_sum[t] += part[shard].square_sum[t];
    }
  }
  return total;
}

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// `spread` is the sum of |x - reference|^2 over the rows, `total` the same with weights: bounds
// that are good enough for nearly all data. Otherwise the rows are looked at one by one.
void find_range(SummarySource& source, const std::vector<double>& reference, double spread,
                double total, Summary& summary) {
  // Two rows are at most twice as far apart as the farther of them is from the reference; a score
  // sums products of two such distances, and inertia sums squared distances in float64.
  constexpr double kRoom = 16;
  const bool is_f32 = source.dtype() == Dtype::f32;
  using F = std::numeric_limits<float>;
  using D = std::numeric_limits<double>;
  const double most = (is_f32 ? double(F::max()) : D::max()) / kRoom;
  const double least = (is_f32 ? double(F::min()) : D::min()) * 1024;
  const bool overflows = !(total <= D::max() / kRoom);
  if (spread <= most && spread >= least * double(source.n_rows()) && !overflows) return;
  const Extent found = source.extent(reference);
  summary.far_row = found.row;
  summary.far_col = found.col;
  if (overflows || !(found.squared_distance <= most)) summary.squares = Squares::overflow;
  if (found.offset > 0 && found.squared_distance < least) summary.squares = Squares::underflow;
}

class MatrixSource final : public SummarySource {
 public:
  MatrixSource(const MatrixView& x, const double* weights, int n_threads)
      : x_(x), weights_(weights), n_threads_(n_threads) {}

  int64_t n_rows() const override { return x_.n_rows; }
  Dtype dtype() const override { return x_.dtype; }
  bool is_weighted() const override { return weights_ != nullptr; }
  std::vector<double> row(int64_t i) override {
    return with_dtype(x_.dtype, [&](auto zero) {
      const auto* values = x_.row<decltype(zero)>(i);
      return std::vector<double>(values, values + x_.n_cols);
    });
  }
  int64_t first_with_weight() override {
    const double* end = weights_ + x_.n_rows;
    const double* found = std::find_if(weights_, end, [](double w) { return w > 0; });
    return found == end ? 0 : found - weights_;
  }
  std::vector<Moments> shard_moments(const std::vector<double>& reference,
                                     bool is_weighted) override {
    return centroids::shard_moments(x_, is_weighted ? weights_ : nullptr, reference,
                                    Shards(x_.n_rows), n_threads_);
  }
  Extent extent(const std::vector<double>& reference) override {
    return centroids::extent(x_, reference);
  }
  Cell first_bad() override { return centroids::first_bad(x_); }

 private:
  MatrixView x_;
  const double* weights_;
  int n_threads_;
};

}  // namespace

std::vector<Moments> shard_moments(const MatrixView& x, const double* weights,
                                   const std::vector<double>& reference, const Shards& shards,
                                   int n_threads) {
  std::vector<Moments> part(shards.count());
  n_threads = worthwhile_threads(n_threads, 4.0 * double(x.n_rows) * double(x.n_cols));
  parallel_for(n_threads, shards.count(), [&](int, int64_t shard) {
    Moments& m = part[shard];
    m.sum.assign(x.n_cols, 0);
    m.square_sum.assign(x.n_cols, 0);
    const int64_t begin = shards.begin(shard), n = shards.end(shard) - begin;
    with_dtype(x.dtype, [&](auto zero) {
      using T = decltype(zero);
      kernels<T>().add_moments(x.row<T>(begin), x.n_cols, int(n),
                               weights ? weights + begin : nullptr, reference.data(), m.sum.data(),
                               m.square_sum.data());
    });
    m.weight = double(n);
    if (weights) m.weight = std::accumulate(weights + begin, weights + begin + n, 0.0);
  });
  return part;
}

Extent extent(const MatrixView& x, const std::vector<double>& reference) {
  return with_dtype(x.dtype, [&](auto zero) {
    Extent found;
    for (int64_t i = 0; i < x.n_rows; ++i) {
      double distance = 0;
      for (int64_t t = 0; t < x.n_cols; ++t) {
        const double offset = std::abs(double(x.row<decltype(zero)>(i)[t]) - reference[t]);
        distance += offset * offset;
        if (offset <= found.offset) continue;
        found.offset = offset;
        found.row = i;
        found.col = t;
      }
      found.squared_distance = std::max(found.squared_distance, distance);
    }
    return found;
  });
}

Cell first_bad(const MatrixView& x) {
  return with_dtype(x.dtype, [&](auto zero) {
    const auto* values = x.row<decltype(zero)>(0);
    for (int64_t i = 0; i < x.n_rows * x.n_cols; ++i)
      if (!std::isfinite(values[i])) return Cell{i / x.n_cols, i % x.n_cols};
    return Cell{};
  });
}

void summarize_about(const std::vector<double>& reference, const Moments& moments,
                     Summary& summary) {
  const size_t d = reference.size();
  std::vector<double> origin(d);
  summary.total_weight = moments.weight;
  summary.mean_variance = 0;
  for (size_t t = 0; t < d; ++t) {
    const double variance = moments.variance(t), mean = moments.mean(reference[t], t);
    summary.mean_variance += variance / double(d);
    if (is_far_from_zero(mean, variance)) origin[t] = mean;
  }
  const bool is_shifted =
      summary.mean_variance > 0 &&
      std::any_of(origin.begin(), origin.end(), [](double value) { return value != 0; });
  summary.total_squares = 0;
  for (size_t t = 0; t < d; ++t) {
    const double gap = reference[t] - (is_shifted ? origin[t] : 0.0);
    summary.total_squares +=
        moments.square_sum[t] + 2 * gap * moments.sum[t] + moments.weight * gap * gap;
  }
  summary.origin.clear();
  if (is_shifted) summary.origin = std::move(origin);
}

Summary summarize(SummarySource& source) {
  Summary summary;
  const std::vector<double> reference = source.row(0);
  const size_t d = reference.size();
  const Moments plain = merged(source.shard_moments(reference, false));
  bool all_finite = true;
  for (size_t t = 0; t < d; ++t) all_finite &= std::isfinite(plain.square_sum[t]);
  if (!all_finite) {  // a bad value, or squares beyond the range of float64
    const Cell bad = source.first_bad();
    summary.bad_row = bad.row;
    summary.bad_col = bad.col;
    if (bad.row >= 0) return summary;
  }

  // The first row that counts: moments about a row that does not might lose all their digits.
  const bool is_weighted = source.is_weighted();
  const std::vector<double> own_reference =
      is_weighted ? source.row(source.first_with_weight()) : reference;
  const Moments used = is_weighted ? merged(source.shard_moments(own_reference, true)) : plain;
  summarize_about(own_reference, used, summary);
  find_range(source, reference, sum_of(plain.square_sum), sum_of(used.square_sum), summary);
  return summary;
}

Summary summarize(const MatrixView& x, const double* weights, int n_threads) {
  MatrixSource source(x, weights, n_threads);
  return summarize(source);
}

}  // namespace centroids
