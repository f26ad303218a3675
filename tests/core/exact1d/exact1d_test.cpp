#include "exact1d/exact1d.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "check.hpp"

using namespace centroids;

namespace {

constexpr const char* kShapes[] = {"normal",    "uniform", "lognormal", "cauchy", "few integers",
                                   "symmetric", "far off", "narrow",    "binary", "tiny"};

std::vector<double> values_of(const std::string& shape, int64_t n, check::Random& random) {
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  std::vector<double> values(n);
  for (int64_t i = 0; i < n; ++i) {
    double& x = values[i];
    if (shape == "normal") x = normal(random);
    if (shape == "uniform") x = uniform(random);
    if (shape == "lognormal") x = std::exp(2 * normal(random));
    if (shape == "cauchy") x = normal(random) / normal(random);
    if (shape == "few integers") x = double(check::below(random, 101));
    if (shape == "symmetric") x = i % 2 ? -values[i - 1] : 10 + uniform(random);
    if (shape == "far off") x = 1e8 + normal(random);
    if (shape == "narrow") x = 1e6 * double(check::below(random, 5)) + 1e-3 * normal(random);
    if (shape == "binary")
      x = std::ldexp(1.0, int(check::below(random, 60)) - 30) + uniform(random);
    if (shape == "tiny") x = 1e-150 * normal(random);
  }
  return values;
}

// Two passes over the values between, in long double.
long double error_between(const WeightedValues& sorted, int64_t begin, int64_t end) {
  long double weight = 0, mean = 0, error = 0;
  for (int64_t i = begin; i < end; ++i) {
    weight += sorted.weight(i);
    mean += sorted.weight(i) * static_cast<long double>(sorted.values[i]);
  }
  mean /= weight;
  for (int64_t i = begin; i < end; ++i)
    error += sorted.weight(i) * (sorted.values[i] - mean) * (sorted.values[i] - mean);
  return error;
}

// By the recursion, every start of every cluster tried.
long double least_error(const WeightedValues& sorted, int64_t n_clusters) {
  const int64_t n = sorted.size();
  std::vector<std::vector<long double>> error(n + 1, std::vector<long double>(n + 1));
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i + 1; j <= n; ++j) error[i][j] = error_between(sorted, i, j);
  std::vector<long double> least = error[0];
  for (int64_t q = 1; q < n_clusters; ++q)
    for (int64_t end = n; end >= 0; --end)
      for (int64_t start = 0; start < end; ++start)
        least[end] = std::min(least[end], least[start] + error[start][end]);
  return least[n];
}

long double error_of(const WeightedValues& rows, const std::vector<double>& centers) {
  long double sum = 0;
  for (int64_t i = 0; i < rows.size(); ++i) {
    long double nearest = std::numeric_limits<long double>::infinity();
    for (const double center : centers)
      nearest = std::min(nearest, std::abs(static_cast<long double>(rows.values[i]) - center));
    sum += rows.weight(i) * nearest * nearest;
  }
  return sum;
}

void add_weights(WeightedValues& rows, check::Random& random) {
  const bool are_wild = check::below(random, 2) == 0;
  for (int64_t i = 0; i < rows.size(); ++i)
    rows.weights.push_back(are_wild ? std::exp(3 * check::normal<double>(random, 1)[0])
                                    : double(check::below(random, 4)));
}

}  // namespace

TEST(no_clusters_have_a_lower_error) {
  check::Random random(3);
  for (const std::string shape : kShapes)
    for (int repeat = 0; repeat < 8; ++repeat) {
      WeightedValues rows{values_of(shape, 10 + check::below(random, 90), random), {}};
      if (repeat % 2) add_weights(rows, random);
      const WeightedValues sorted = sorted_distinct(rows, 1);
      const int64_t k = 1 + check::below(random, repeat < 6 ? 8 : sorted.size());
      const auto centers = optimal_centers(rows, k, 1, 1);
      const long double least = least_error(sorted, k), got = error_of(sorted, *centers);
      // The centers are doubles; what of a far one is rounded counts, too.
      const long double rounding = 1e-30L * error_of(sorted, {0.0});
      CHECK(got <= least * (1 + 1e-12L) + rounding, shape, " k ", k, " least ", least, " got ",
            got);
    }
}

TEST(narrowing_gives_what_the_whole_recursion_gives) {
  check::Random random(4);
  for (const std::string shape : kShapes)
    for (int repeat = 0; repeat < 12; ++repeat) {
      const int64_t n = 500 + check::below(random, 4000), k = 2 + check::below(random, 12);
      WeightedValues rows{values_of(shape, n, random), {}};
      if (repeat % 2) add_weights(rows, random);
      const auto whole = *optimal_centers(rows, k, 1, n);
      for (const int64_t n_first : {int64_t(1), int64_t(100)})
        for (const int n_threads : {1, 3}) {
          const auto narrowed = *optimal_centers(rows, k, n_threads, n_first);
          CHECK(whole.size() == narrowed.size());
          CHECK_SAME_BITS(whole.data(), narrowed.data(), int64_t(whole.size()), shape, " n ", n,
                          " k ", k, " edges ", n_first, " threads ", n_threads);
        }
    }
}

TEST(many_values_in_many_clusters_are_narrowed_or_declined) {
  check::Random random(5);
  const int64_t n = 400'000;
  WeightedValues rows{values_of("uniform", n, random), {}};
  // More states than kMostExactStates, but few of them can be on the way to the optimum.
  const auto centers = optimal_centers(rows, 100, 2);
  CHECK(centers.has_value());
  // Equal intervals are nearly optimal.
  CHECK(std::abs(error_of(rows, *centers) * 12 * 1e4L / n - 1) < 0.01);
  CHECK(!optimal_centers(rows, 5000, 2).has_value());
}

TEST(values_with_squares_too_small_for_a_double_still_have_centers) {
  check::Random random(6);
  std::vector<double> values = check::normal<double>(random, 3000, 0, 1e-170);
  const auto centers = *optimal_centers({values, {}}, 12, 1, 1);
  CHECK(centers.size() == 12);
  CHECK(std::is_sorted(centers.begin(), centers.end()));
  for (const double center : centers) CHECK(std::abs(center) < 1e-168, center);
}
