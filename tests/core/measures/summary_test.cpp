#include "measures/summary.hpp"

#include <cmath>
#include <limits>

#include "check.hpp"

using namespace centroids;
using check::normal;
using check::Random;

namespace {

template <class T>
MatrixView view_of(const std::vector<T>& x, int64_t d) {
  return {x.data(), sizeof(T) == 4 ? Dtype::f32 : Dtype::f64, int64_t(x.size()) / d, d};
}

template <class T>
long double mean_variance(const std::vector<T>& x, int64_t d, const double* weights) {
  const int64_t n = int64_t(x.size()) / d;
  const auto weight = [&](int64_t i) { return weights ? weights[i] : 1.0; };
  long double total = 0;
  for (int64_t t = 0; t < d; ++t) {
    long double mean = 0, variance = 0, sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      mean += weight(i) * (long double)x[i * d + t];
      sum += weight(i);
    }
    mean /= sum;
    for (int64_t i = 0; i < n; ++i)
      variance += weight(i) * (x[i * d + t] - mean) * (x[i * d + t] - mean);
    total += variance / sum;
  }
  return total / d;
}

template <class T>
void check_moments(double offset) {
  Random random(1);
  for (const int64_t d : {1, 3, 20}) {
    const auto x = normal<T>(random, 3000 * d, offset);
    auto w = normal<double>(random, 3000, 3);
    for (double& v : w) v = std::abs(v);
    for (const double* weights : std::initializer_list<const double*>{nullptr, w.data()}) {
      const Summary summary = summarize(view_of(x, d), weights, 2);
      const double variance = double(mean_variance(x, d, weights));
      CHECK(std::abs(summary.mean_variance / variance - 1) < 1e-11, offset);
      CHECK(summary.bad_row == -1 && summary.squares == Squares::fit);
      CHECK(summary.origin.empty() == (offset == 0), offset);
      long double squares = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        const long double gap = x[i] - (summary.origin.empty() ? 0 : summary.origin[i % d]);
        squares += (weights ? weights[i / d] : 1.0) * gap * gap;
      }
      CHECK(std::abs(summary.total_squares / double(squares) - 1) < 1e-11, offset);
    }
  }
}

// Two columns have many zeros, which are left out, and one a single zero; one is constant.
template <class T>
void check_sparse_moments(double offset) {
  Random random(7);
  const int64_t n = 2000, d = 6;
  auto x = normal<T>(random, n * d, offset);
  std::vector<T> values;
  std::vector<int32_t> columns;
  std::vector<int64_t> starts = {0};
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t t = 0; t < d; ++t) {
      if (t == 3 ? i == 5 : t % 2 && check::below(random, 10) == 0) x[i * d + t] = 0;
      if (t == 4) x[i * d + t] = T(offset + 0.1);
      if (x[i * d + t] == 0) continue;
      values.push_back(x[i * d + t]);
      columns.push_back(int32_t(t));
    }
    starts.push_back(int64_t(values.size()));
  }
  auto w = normal<double>(random, n, 3);
  for (double& v : w) v = std::abs(v);
  w[0] = 0;
  w[5] = 1;
  const SparseView view{values.data(), columns.data(), starts.data(), view_of(x, d).dtype, n, d};
  for (const double* weights : std::initializer_list<const double*>{nullptr, w.data()}) {
    const Summary summary = summarize(view, weights, 2);
    CHECK(std::abs(summary.mean_variance / double(mean_variance(x, d, weights)) - 1) < 1e-9,
          offset);
    CHECK(summary.bad_row == -1 && summary.squares == Squares::fit);
    for (int64_t t = 0; t < d; ++t) {
      const bool is_far = t == 4 || (offset != 0 && t != 1 && t != 5);
      CHECK((summary.origin[t] != 0) == is_far, "column ", t);
    }
    CHECK(summary.origin[4] == double(T(offset + 0.1)));
    long double squares = 0;
    for (int64_t i = 0; i < n * d; ++i) {
      const long double gap = x[i] - summary.origin[i % d];
      squares += (weights ? weights[i / d] : 1.0) * gap * gap;
    }
    CHECK(std::abs(summary.total_squares / double(squares) - 1) < 1e-11, offset);
  }
}

}  // namespace

TEST(moments_are_right_and_far_columns_are_shifted) {
  check_moments<float>(0);
  check_moments<float>(1e4);
  check_moments<double>(0);
  check_moments<double>(1e6);
  check_moments<double>(1e8);
}

TEST(sparse_rows_are_shifted_where_nearly_all_have_an_entry) {
  check_sparse_moments<float>(0);
  check_sparse_moments<float>(1e4);
  check_sparse_moments<double>(0);
  check_sparse_moments<double>(1e6);
  check_sparse_moments<double>(1e8);
}

TEST(the_summary_has_the_same_bits_for_every_number_of_threads) {
  Random random(2);
  const auto x = normal<float>(random, 300000, 5);
  const Summary one = summarize(view_of(x, 3), nullptr, 1);
  for (const int n_threads : {2, 3, 8}) {
    const Summary many = summarize(view_of(x, 3), nullptr, n_threads);
    CHECK_SAME_BITS(&one.mean_variance, &many.mean_variance, 1);
    CHECK_SAME_BITS(&one.total_squares, &many.total_squares, 1);
  }
}

TEST(the_first_bad_value_is_found_in_row_order) {
  Random random(3);
  const float bad[] = {std::nanf(""), std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity()};
  for (const float value : bad)
    for (const int64_t row : {0, 1, 4999, 9999})
      for (const int n_threads : {1, 3}) {
        auto x = normal<float>(random, 40000);
        x[row * 4 + 2] = value;
        x.back() = std::nanf("");
        const Summary summary = summarize(view_of(x, 4), nullptr, n_threads);
        CHECK(summary.bad_row == row && summary.bad_col == 2, row, " found ", summary.bad_row);
      }
}

TEST(constant_columns_have_no_variance_and_force_no_shift) {
  const std::vector<double> x(600, 1e8 + 0.1);
  const Summary summary = summarize(view_of(x, 3), nullptr, 1);
  CHECK(summary.mean_variance == 0, summary.mean_variance);
  CHECK(summary.origin.empty());
  CHECK(summary.squares == Squares::fit);
}

TEST(squares_beyond_the_dtype_are_reported_with_the_value_that_causes_them) {
  Random random(4);
  const auto check_scale = [&](auto zero, double scale, Squares expected) {
    using T = decltype(zero);
    auto x = normal<T>(random, 3000);
    for (T& v : x) v = T(double(v) * scale);
    x[3 * 700 + 1] = T(8 * scale);
    const Summary summary = summarize(view_of(x, 3), nullptr, 2);
    CHECK(summary.squares == expected, "scale ", scale);
    if (expected != Squares::fit)
      CHECK(summary.far_row == 700 && summary.far_col == 1, summary.far_row);
  };
  for (const double scale : {1e19, 1e25, 1e30}) check_scale(0.0f, scale, Squares::overflow);
  for (const double scale : {1e-17, 1e-5, 1.0, 1e5, 1e16}) check_scale(0.0f, scale, Squares::fit);
  for (const double scale : {1e-19, 1e-25, 1e-30}) check_scale(0.0f, scale, Squares::underflow);
  for (const double scale : {1e154, 1e200, 1e300}) check_scale(0.0, scale, Squares::overflow);
  for (const double scale : {1e-150, 1.0, 1e140}) check_scale(0.0, scale, Squares::fit);
  for (const double scale : {1e-160, 1e-200, 1e-310}) check_scale(0.0, scale, Squares::underflow);
}

TEST(many_small_rows_and_many_large_rows_are_in_range) {
  // The sum over the rows leaves the range of float32; no row does.
  std::vector<float> x(400000, 0.0f);
  for (size_t i = 0; i < x.size(); i += 2) x[i] = 1e17f;
  CHECK(summarize(view_of(x, 1), nullptr, 1).squares == Squares::fit);
}

TEST(weights_that_carry_the_inertia_beyond_float64_are_reported) {
  const std::vector<double> x = {0, 1e10, 2e10}, weights = {1, 1e300, 1};
  CHECK(summarize(view_of(x, 1), weights.data(), 1).squares == Squares::overflow);
}
