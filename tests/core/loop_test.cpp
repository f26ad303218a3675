#include "loop.hpp"

#include <algorithm>
#include <cmath>

#include "assign/brute_force_pass.hpp"
#include "check.hpp"
#include "renumber.hpp"
#include "rows.hpp"

using namespace centroids;
using check::below;
using check::normal;
using check::Random;

namespace {

struct Problem : check::RowsWithLabels<double> {
  using RowsWithLabels::RowsWithLabels;

  LoopResult run(const Centers& first, const LoopOptions& options = {},
                 const Control& control = {}) {
    const Summary summary = data().summary;
    BruteForcePass<double> pass(rows(), first.n_clusters, summary.origin);
    return run_loop(pass, first, summary.total_squares, options, control);
  }
};

Centers centers_of(const std::vector<double>& values, int64_t k) {
  Centers centers(k, int64_t(values.size()) / k, Dtype::f64);
  centers.values = values;
  return centers;
}

double inertia_of(const Problem& p, const Centers& centers) {
  double sum = 0;
  for (int64_t i = 0; i < p.n; ++i)
    for (int64_t t = 0; t < p.d; ++t)
      sum += std::pow(p.x[i * p.d + t] - centers.row(p.labels[i])[t], 2);
  return sum;
}

bool is_contiguous(const LoopResult& result) {
  const auto& counts = result.counts;
  return std::find(counts.begin(), counts.end(), 0) ==
         std::find_if_not(counts.rbegin(), counts.rend(), [](int64_t c) { return c == 0; }).base();
}

}  // namespace

TEST(it_ends_at_a_fixed_point) {
  Random random(1);
  for (int round = 0; round < 20; ++round) {
    Problem p(normal<double>(random, 600), 2);
    const LoopResult result = p.run(centers_of(normal<double>(random, 10), 5));
    CHECK(result.converged && !result.interrupted);
    CHECK(result.n_iter == int64_t(result.history.size()));
    CHECK(result.history.back().n_changed == 0 || result.history.back().center_shift == 0);
    std::vector<double> sums(10), counts(5);
    for (int64_t i = 0; i < p.n; ++i) {
      for (int64_t t = 0; t < 2; ++t) sums[p.labels[i] * 2 + t] += p.x[i * 2 + t];
      ++counts[p.labels[i]];
    }
    for (int64_t c = 0; c < 10; ++c)
      CHECK(std::abs(sums[c] / counts[c / 2] - result.centers.values[c]) < 1e-12);
    CHECK(std::abs(inertia_of(p, result.centers) - result.inertia) < 1e-9);
  }
}

// One cloud for all centers: Lloyd's algorithm creeps.
TEST(momentum_ends_at_a_fixed_point_as_low_in_fewer_iterations) {
  Random random(12);
  int64_t n_plain = 0, n_momentum = 0;
  double inertia_plain = 0, inertia_momentum = 0;
  for (int round = 0; round < 10; ++round) {
    const std::vector<double> x = normal<double>(random, 4 * 5000);
    const Centers first = centers_of(normal<double>(random, 4 * 8), 8);
    LoopOptions options;
    options.max_iter = 1000;
    options.number_by_size = true;
    Problem plain(x, 4), p(x, 4);
    const LoopResult slow = plain.run(first, options);
    options.momentum = true;
    const LoopResult result = p.run(first, options);
    CHECK(slow.converged && result.converged);
    n_plain += slow.n_iter;
    n_momentum += result.n_iter;
    inertia_plain += slow.inertia;
    inertia_momentum += result.inertia;

    // One more of Lloyd's steps changes nothing.
    const std::vector<int32_t> labels = p.labels;
    BruteForcePass<double> pass(p.rows(), 8, {});
    Partials partials;
    pass.assign(result.centers, partials);
    CHECK(p.labels == labels && result.counts == partials.counts);
    for (int64_t c = 0; c < 32; ++c)
      CHECK(std::abs(partials.sums[c] / partials.weights[c / 4] - result.centers.values[c]) < 1e-9);
    CHECK(std::is_sorted(result.counts.rbegin(), result.counts.rend()));
  }
  CHECK(4 * n_momentum < 3 * n_plain, n_momentum, " of ", n_plain);
  CHECK(inertia_momentum < 1.02 * inertia_plain, inertia_momentum, " of ", inertia_plain);
}

TEST(the_inertia_of_the_history_is_exact_and_never_rises) {
  Random random(2);
  for (const double offset : {0.0, 1e6}) {
    Problem p(normal<double>(random, 3000, offset), 3);
    std::vector<double> exact;
    const Centers first = centers_of(normal<double>(random, 12, offset), 4);
    const LoopResult result = p.run(first);
    for (size_t i = 1; i < result.history.size(); ++i)
      CHECK(result.history[i].inertia <= result.history[i - 1].inertia * (1 + 1e-12));
    // One iteration's inertia belongs to its labels and the centers they were compared with.
    LoopOptions one;
    one.max_iter = 1;
    Problem again(p.x, 3);
    const double reported = again.run(first, one).history[0].inertia;
    double nearest = 0;
    for (int64_t i = 0; i < p.n; ++i) {
      double least = HUGE_VAL;
      for (int64_t j = 0; j < 4; ++j) {
        double squared = 0;
        for (int64_t t = 0; t < 3; ++t) squared += std::pow(p.x[i * 3 + t] - first.row(j)[t], 2);
        least = std::min(least, squared);
      }
      nearest += least;
    }
    CHECK(std::abs(reported / nearest - 1) < 1e-10, reported, " ", nearest);
  }
}

TEST(max_iter_ends_it_with_current_labels) {
  Random random(3);
  Problem p(normal<double>(random, 4000), 2);
  LoopOptions options;
  options.max_iter = 2;
  const LoopResult result = p.run(centers_of(normal<double>(random, 20), 10), options);
  CHECK(result.n_iter == 2 && !result.converged);
  const auto labels = p.labels;
  Partials partials;
  BruteForcePass<double> pass(p.rows(), 10, {});
  pass.assign(result.centers, partials);
  CHECK(p.labels == labels);
  CHECK(result.counts == partials.counts);
}

TEST(tol_ends_it_once_the_centers_hardly_move) {
  Random random(4);
  Problem p(normal<double>(random, 4000), 2);
  const Centers first = centers_of(normal<double>(random, 20), 10);
  const LoopResult full = p.run(first);
  LoopOptions options;
  options.tol = 1e-3;
  const LoopResult early = p.run(first, options);
  CHECK(early.converged && early.n_iter < full.n_iter);
  CHECK(early.history.back().center_shift <= 1e-3);
  for (size_t i = 0; i + 1 < early.history.size(); ++i) CHECK(early.history[i].center_shift > 1e-3);
}

TEST(a_stop_and_a_report_that_asks_for_one_end_it_within_the_iteration) {
  Random random(5);
  const auto x = normal<double>(random, 8000);
  const Centers first = centers_of(normal<double>(random, 20), 10);
  for (const bool by_report : {false, true}) {
    Problem p(x, 2);
    int asked = 0;
    Control control;
    if (by_report)
      control.on_iteration = [&](const Iteration& i, const Centers&) { return i.number == 3; };
    else
      control.should_stop = [&](double) { return ++asked == 3; };
    const LoopResult result = p.run(first, {}, control);
    CHECK(result.interrupted && !result.converged);
    CHECK(result.n_iter == 3, result.n_iter);
    CHECK(std::abs(inertia_of(p, result.centers) - result.inertia) < 1e-9 * result.inertia);
  }
}

TEST(a_fit_ends_when_the_next_visits_would_take_too_long) {
  Random random(5);
  Problem p(normal<double>(random, 8000), 2);
  std::vector<double> asked;
  Control control;
  control.should_stop = [&](double seconds) {
    asked.push_back(seconds);
    return asked.size() == 3;
  };
  const LoopResult result = p.run(centers_of(normal<double>(random, 20), 10), {}, control);
  CHECK(result.n_iter == 3 && asked.size() == 3);
  for (const double seconds : asked) CHECK(seconds > 0, seconds);
}

TEST(no_cluster_stays_empty_while_there_are_enough_distinct_rows) {
  Random random(6);
  for (int round = 0; round < 300; ++round) {
    const int64_t k = 2 + below(random, 8), n = k + below(random, 30);
    std::vector<double> x(n);
    for (double& v : x) v = double(below(random, 3 * k));
    auto distinct = x;
    std::sort(distinct.begin(), distinct.end());
    const int64_t n_distinct = std::unique(distinct.begin(), distinct.end()) - distinct.begin();
    std::vector<double> first(k);
    for (double& v : first) v = double(below(random, 100)) - 50;
    for (const int64_t max_iter : {1, 100})
      for (const bool by_size : {false, true}) {
        Problem p(x, 1);
        LoopOptions options;
        options.max_iter = max_iter;
        options.number_by_size = by_size;
        const LoopResult result = p.run(centers_of(first, k), options);
        const int64_t n_found = k - std::count(result.counts.begin(), result.counts.end(), 0);
        CHECK(n_found == std::min(k, n_distinct), "round ", round, " found ", n_found, " of ",
              std::min(k, n_distinct));
        CHECK(is_contiguous(result), "round ", round);
      }
  }
}

TEST(clusters_are_numbered_by_size_when_asked_and_keep_their_order_otherwise) {
  const std::vector<double> x = {0, 0.1, 10, 10.1, 10.2, 20};
  const Centers first = centers_of({20, 0, 10}, 3);
  Problem given(x, 1);
  const LoopResult kept = given.run(first);
  CHECK((kept.counts == std::vector<int64_t>{1, 2, 3}));
  CHECK(kept.centers.values[0] == 20);
  Problem sorted(x, 1);
  LoopOptions options;
  options.number_by_size = true;
  const LoopResult numbered = sorted.run(first, options);
  CHECK((numbered.counts == std::vector<int64_t>{3, 2, 1}));
  CHECK((sorted.labels == std::vector<int32_t>{1, 1, 0, 0, 0, 2}));
}

TEST(a_row_of_weight_w_counts_as_w_rows_in_the_numbers) {
  LoopOptions options;
  options.number_by_size = true;
  Problem heavy({0, 0.1, 0.2, 10, 20}, 1, {1, 1, 1, 5, 4});
  const LoopResult result = heavy.run(centers_of({0, 10, 20}, 3), options);
  CHECK((result.counts == std::vector<int64_t>{1, 1, 3}));
  CHECK((heavy.labels == std::vector<int32_t>{2, 2, 2, 0, 1}));
  // As light as one that has no rows, but it has some.
  Problem weightless({0, 50, 50, 50}, 1, {1, 0, 0, 0});
  const LoopResult last = weightless.run(centers_of({100, 50, 0}, 3), options);
  CHECK((last.counts == std::vector<int64_t>{1, 3, 0}));
}

// Each visit of all rows takes as long as an iteration: time that a fit without time does not have.
TEST(a_fit_that_is_stopped_needs_one_more_visit_where_the_clusters_are_clear) {
  struct CountingPass : BruteForcePass<double> {
    using BruteForcePass::BruteForcePass;
    int n_visits = 0;
    void prepare(const Centers& centers, int n_workers) override {
      ++n_visits;
      BruteForcePass::prepare(centers, n_workers);
    }
  };
  Problem p({0, 10, 11, 20, 21, 22}, 1);
  CountingPass pass(p.rows(), 3, {});
  LoopOptions options;
  options.number_by_size = true;
  Control control;
  control.should_stop = [](double) { return true; };
  const LoopResult result = run_loop(pass, centers_of({1, 11, 20}, 3), 1046, options, control);
  CHECK(result.n_iter == 1 && pass.n_visits == 2, pass.n_visits);
  CHECK((p.labels == std::vector<int32_t>{2, 1, 1, 0, 0, 0}));
}

TEST(equal_sizes_are_numbered_by_center) {
  Problem p({5, 5, -3, -3, 1, 1}, 1);
  LoopOptions options;
  options.number_by_size = true;
  const LoopResult result = p.run(centers_of({1, 5, -3}, 3), options);
  CHECK((result.centers.values == std::vector<double>{-3, 1, 5}));
}

TEST(clusters_are_ordered_by_weight_then_rows_then_center) {
  const Centers centers = centers_of({2, 2, 2, 1, 5, 5, 0, 0, 2, 1}, 5);
  const std::vector<int32_t> order = by_weight(centers, {3, 3, 0, 0, 3}, {1, 1, 2, 0, 1});
  CHECK((order == std::vector<int32_t>{1, 4, 0, 2, 3}));
}
