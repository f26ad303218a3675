#include "seeding/next_center.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "check.hpp"

using namespace centroids;
using check::normal;
using check::Random;

namespace {

template <class T>
struct Setting {
  int64_t n, d;
  std::vector<T> x;
  std::vector<double> weights;  // or empty
  Centers centers;

  Setting(Random& random, int64_t n_rows, int64_t n_columns, int64_t k, bool is_weighted)
      : n(n_rows),
        d(n_columns),
        x(normal<T>(random, n * d)),
        centers(k, d, sizeof(T) == 4 ? Dtype::f32 : Dtype::f64) {
    for (double& v : centers.values) v = double(normal<T>(random, 1)[0]);
    if (is_weighted) weights = normal<double>(random, n, 3);
    for (double& w : weights) w = std::abs(w);
  }
  MatrixView view() const { return {x.data(), centers.dtype, n, d}; }
  const double* weights_or_null() const { return weights.empty() ? nullptr : weights.data(); }
  double weight(int64_t i) const { return weights.empty() ? 1.0 : weights[i]; }
  double nearest(int64_t i) const {
    double least = std::numeric_limits<double>::infinity();
    for (int64_t j = 0; j < centers.n_clusters; ++j) {
      double sum = 0;
      for (int64_t t = 0; t < d; ++t) {
        const double difference = double(x[i * d + t]) - centers.row(j)[t];
        sum += difference * difference;
      }
      least = std::min(least, sum);
    }
    return least;
  }
  double gain(int64_t row) const {
    double total = 0;
    for (int64_t i = 0; i < n; ++i) {
      double sum = 0;
      for (int64_t t = 0; t < d; ++t) {
        const double difference = double(x[i * d + t]) - double(x[row * d + t]);
        sum += difference * difference;
      }
      total += weight(i) * std::max(0.0, nearest(i) - sum);
    }
    return total;
  }
  // The row that a number in [0, 1) draws.
  int64_t drawn(double draw) const {
    double total = 0, reached = 0;
    for (int64_t i = 0; i < n; ++i) total += weight(i) * nearest(i);
    for (int64_t i = 0; i < n; ++i)
      if ((reached += weight(i) * nearest(i)) > draw * total) return i;
    return n - 1;
  }
};

template <class T>
void check_against_definition() {
  Random random(1);
  for (const int64_t d : {1, 3, 70})
    for (const bool is_weighted : {false, true}) {
      const Setting<T> s(random, 300, d, 4, is_weighted);
      const std::vector<double> draws = {0.05, 0.31, 0.5, 0.77, 0.98};
      const int64_t found = next_center(s.view(), s.weights_or_null(), s.centers, draws, 1);
      double best = 0;
      for (const double draw : draws) best = std::max(best, s.gain(s.drawn(draw)));
      CHECK(std::abs(s.gain(found) / best - 1) < 1e-5, "d ", d, " found ", found);
    }
}

}  // namespace

TEST(the_best_of_the_rows_drawn_is_found) {
  check_against_definition<double>();
  check_against_definition<float>();
}

TEST(one_draw_falls_on_rows_in_proportion_to_weight_times_squared_distance) {
  Random random(2);
  const Setting<double> s(random, 200, 2, 3, true);
  for (double draw = 0.0005; draw < 1; draw += 0.037)
    CHECK(next_center(s.view(), s.weights_or_null(), s.centers, {draw}, 1) == s.drawn(draw), draw);
}

TEST(rows_that_all_lie_on_centers_leave_nothing_to_draw) {
  const std::vector<double> x = {1, 2, 1, 2, 2};
  Centers centers(2, 1, Dtype::f64);
  centers.values = {1, 2};
  CHECK(next_center({x.data(), Dtype::f64, 5, 1}, nullptr, centers, {0.5}, 1) == -1);
}

TEST(rows_of_weight_zero_are_never_drawn) {
  const std::vector<double> x = {0, 100, 1, 100}, weights = {1, 0, 1, 0};
  Centers centers(1, 1, Dtype::f64);
  for (const double draw : {0.0, 0.4, 0.9, 0.999999})
    CHECK(next_center({x.data(), Dtype::f64, 4, 1}, weights.data(), centers, {draw}, 1) == 2, draw);
}

TEST(the_number_of_threads_changes_nothing) {
  Random random(3);
  const Setting<float> s(random, 20000, 4, 12, false);
  const std::vector<double> draws = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
  const int64_t expected = next_center(s.view(), nullptr, s.centers, draws, 1);
  for (const int n_threads : {2, 3, 8})
    CHECK(next_center(s.view(), nullptr, s.centers, draws, n_threads) == expected, n_threads);
}
