#include "bisecting/plan.hpp"

#include <cmath>
#include <numeric>

#include "bisecting/two_means.hpp"
#include "check.hpp"
#include "rows.hpp"

using namespace centroids;
using check::below;
using check::normal;
using check::Random;

namespace {

double squared_distance(const double* a, const double* b, int64_t d) {
  double sum = 0;
  for (int64_t t = 0; t < d; ++t) sum += (a[t] - b[t]) * (a[t] - b[t]);
  return sum;
}

struct Problem : check::RowsWithLabels<double> {
  std::vector<double> origin;

  Problem(Random& random, int64_t rows, int64_t columns)
      : RowsWithLabels(normal<double>(random, rows * columns), columns, std::vector<double>(rows)) {
    for (int64_t i = 0; i < n; ++i) {
      weights[i] = double(1 + below(random, 3));
      for (int64_t t = 0; t < d; ++t) x[i * d + t] += 6.0 * double((i * 7 + t * 5) % 11 % 6);
    }
  }
  RowAccessOf<Rows<double>> access() { return {rows(), origin}; }
};

// Of the rows, each going down the tree to the nearer of two centers, about their means. The plan
// must have no more leaves than it was asked for.
double error_of_leaves(const Problem& p, const Plan& plan) {
  std::vector<double> sums(plan.n_nodes() * p.d), weights(plan.n_nodes()), squares(plan.n_nodes());
  for (int64_t i = 0; i < p.n; ++i) {
    const double* row = p.x.data() + i * p.d;
    int64_t node = 0;
    while (plan.parts[2 * node] >= 0) {
      const int64_t a = plan.parts[2 * node], b = plan.parts[2 * node + 1];
      const double* centers = plan.centers.data();
      const bool is_second = squared_distance(row, centers + b * p.d, p.d) <
                             squared_distance(row, centers + a * p.d, p.d);
      node = is_second ? b : a;
    }
    weights[node] += p.weights[i];
    for (int64_t t = 0; t < p.d; ++t) {
      sums[node * p.d + t] += p.weights[i] * row[t];
      squares[node] += p.weights[i] * row[t] * row[t];
    }
  }
  double error = 0;
  for (int64_t node = 0; node < plan.n_nodes(); ++node) {
    error += squares[node];
    for (int64_t t = 0; t < p.d && weights[node] > 0; ++t)
      error -= sums[node * p.d + t] * sums[node * p.d + t] / weights[node];
  }
  return error;
}

}  // namespace

TEST(a_run_ends_where_each_row_is_on_the_side_of_the_nearer_mean) {
  Random random(1);
  for (int64_t d : {1, 3, 9}) {
    Problem p(random, 700, d);  // so few that it ends only when nothing moves
    const auto access = p.access();
    TwoMeans two_means(access);
    Cluster cluster;
    cluster.rows.resize(p.n);
    std::iota(cluster.rows.begin(), cluster.rows.end(), 0);
    cluster.group = two_means.group(cluster.rows);
    cluster.center = two_means.center(cluster.group);
    cluster.radii = two_means.distances(cluster.rows, cluster.center);
    for (double& radius : cluster.radii) radius = std::sqrt(radius);
    const double* x = p.x.data();
    const Split split = two_means.run(
        cluster, {std::vector<double>(x, x + d), std::vector<double>(x + d, x + 2 * d)}, {});
    CHECK(split.is_split());
    const auto first = two_means.center(split.parts[0]), second = two_means.center(split.parts[1]);
    int64_t n_second = 0;
    double error = 0;
    for (int64_t i = 0; i < p.n; ++i) {
      const double a = squared_distance(x + i * d, first.data(), d),
                   b = squared_distance(x + i * d, second.data(), d);
      CHECK(split.side[i] == (b < a), i, " of ", d, " columns: ", a, " and ", b);
      error += p.weights[i] * std::min(a, b);
      n_second += split.side[i];
    }
    CHECK(split.parts[1].n_rows == n_second);
    CHECK(std::abs(split.error - error) < 1e-9 * error, split.error, " for ", error);
  }
}

TEST(the_search_lowers_the_error_of_the_leaves) {
  Random random(2);
  const Problem p(random, 1500, 2);
  double plain = 0, searched = 0;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    PlanOptions options;
    options.n_leaves = 12;
    options.seed = seed;
    plain += error_of_leaves(p, plan_bisecting(p.data(), options, {}));
    options.share = 20;
    searched += error_of_leaves(p, plan_bisecting(p.data(), options, {}));
  }
  CHECK(searched < 0.99 * plain, searched, " for ", plain);
}

TEST(the_strategy_says_which_leaf_is_split) {
  Problem p(*std::make_unique<Random>(3), 100, 1);
  for (int64_t i = 0; i < 100; ++i) {
    p.weights[i] = 1;
    p.x[i] = i < 49 ? 0 : i < 98 ? 1 : i == 98 ? 100 : 130;
  }
  PlanOptions options;
  options.n_leaves = 3;
  options.n_starts = 5;
  const auto center_of_split_part = [&] {
    const Plan plan = plan_bisecting(p.data(), options, {});
    CHECK(plan.n_nodes() == 5);
    const int64_t first = plan.parts[0], second = plan.parts[1];
    return plan.centers[plan.parts[2 * first] >= 0 ? first : second];
  };
  CHECK(std::abs(center_of_split_part() - 115) < 1e-9);
  options.by_inertia = false;
  CHECK(std::abs(center_of_split_part() - 0.5) < 1e-9);
  p.weights[98] = p.weights[99] = 100;
  CHECK(std::abs(center_of_split_part() - 115) < 1e-9);
}

TEST(the_first_tree_is_made_of_the_draws) {
  // Three groups in a line: a run ends where the middle one is with either of the others.
  Problem p(*std::make_unique<Random>(3), 90, 1);
  for (int64_t i = 0; i < 90; ++i) {
    p.weights[i] = 1;
    p.x[i] = i < 30 ? 0 : i < 60 ? 10 : 21;
  }
  PlanOptions options;
  options.n_leaves = 2;
  const auto center_of_first_part = [&](const std::vector<double>& draws) {
    options.draws = draws;
    const Plan plan = plan_bisecting(p.data(), options, {});
    CHECK(plan.n_nodes() == 3);
    CHECK(plan.first_error == error_of_leaves(p, plan));
    return plan.centers[plan.parts[0]];
  };
  CHECK(center_of_first_part({0.1, 0.5}) == 0);
  CHECK(center_of_first_part({0.5, 0.1}) == 15.5);
  CHECK(center_of_first_part({0.5, 0.9}) == 5);
  CHECK(center_of_first_part({0.9, 0.5}) == 21);
  CHECK(center_of_first_part({0.1, 0.1, 0.5}) == 0);  // the same row twice: another is drawn
  CHECK(center_of_first_part({0.1, 0.2}) == 5);  // equal rows: the farthest parts from the rest
  options.seeding = Seeding::kmeans_plus_plus;
  CHECK(center_of_first_part({0.1, 0.10, 0.15}) == 0);
  CHECK(center_of_first_part({0.1, 0.10, 0.90}) == 5);  // the better of two candidates
}

TEST(of_equal_leaves_the_leftmost_is_split) {
  Problem p(*std::make_unique<Random>(3), 100, 1);
  for (int64_t i = 0; i < 100; ++i) {
    p.weights[i] = 1;
    p.x[i] = double(i / 50 * 1000 + i % 50);
  }
  PlanOptions options;
  options.n_leaves = 3;
  options.by_inertia = false;
  for (const bool is_first_near : {true, false}) {
    options.draws =
        is_first_near ? std::vector{0.1, 0.6, 0.2, 0.8} : std::vector{0.6, 0.1, 0.2, 0.8};
    const Plan plan = plan_bisecting(p.data(), options, {});
    CHECK(plan.n_nodes() == 5 && plan.parts[2 * plan.parts[0]] >= 0);
    CHECK(plan.centers[plan.parts[0]] == (is_first_near ? 24.5 : 1024.5));
  }
}

TEST(equal_rows_are_not_split) {
  Problem p(*std::make_unique<Random>(4), 50, 3);
  p.x.assign(p.x.size(), 0.1);
  const Plan plan = plan_bisecting(p.data(), PlanOptions(), {});
  CHECK(plan.n_nodes() == 1 && plan.parts[0] == -1);
}
