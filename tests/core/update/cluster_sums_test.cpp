#include "update/cluster_sums.hpp"

#include <chrono>
#include <cmath>
#include <thread>

#include "check.hpp"
#include "rows.hpp"
#include "threads/pool.hpp"

using namespace centroids;
using check::below;
using check::normal;
using check::Random;

namespace {

// Rows with labels, and a way to visit them as a pass does.
template <class T>
struct Problem : check::RowsWithLabels<T> {
  std::vector<double> origin;  // or empty
  int64_t k;

  Problem(Random& random, int64_t rows, int64_t columns, int64_t clusters, bool weighted,
          double center = 0)
      : check::RowsWithLabels<T>(normal<T>(random, rows * columns, center), columns), k(clusters) {
    for (int32_t& label : this->labels) label = int32_t(below(random, k));
    if (center != 0) origin.assign(columns, center);
    if (weighted) this->weights = normal<double>(random, rows, 0);
    for (double& w : this->weights) w = std::abs(w) + 0.01;
  }
  ClusterSums<T> sums(int n_threads) {
    return {this->rows(n_threads), k, origin.empty() ? nullptr : origin.data(), kernels<T>()};
  }
};

// One visit that gives every row the label in `wanted`.
template <class T>
Partials visit(Problem<T>& problem, ClusterSums<T>& sums, const std::vector<int32_t>& wanted,
               int n_threads) {
  Partials out;
  sums.begin(n_threads);
  parallel_for(n_threads, sums.shards().count(), [&](int worker, int64_t shard) {
    // The first shard is the last to be done, wherever others can overtake it.
    if (shard == 0 && n_threads > 1) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const int64_t begin = sums.shards().begin(shard), end = sums.shards().end(shard);
    int64_t n_changed = 0;
    for (int64_t i = begin; i < end; ++i) {
      if (problem.labels[i] == wanted[i]) continue;
      ++n_changed;
      if (!sums.is_full()) sums.move(shard, {int32_t(i - begin), problem.labels[i], wanted[i]});
      problem.labels[i] = wanted[i];
    }
    if (sums.is_full())
      for (int64_t i = begin; i < end; i += kBlockRows)
        sums.add_block(worker, i, int(std::min<int64_t>(kBlockRows, end - i)));
    sums.end_shard(worker, shard, n_changed);
  });
  sums.finish(out);
  return out;
}

// The plain sums, in extended precision.
template <class T>
Partials plain(const Problem<T>& problem) {
  Partials out(problem.k, problem.d);
  std::vector<long double> sums(problem.k * problem.d), weights(problem.k);
  for (int64_t i = 0; i < problem.n; ++i) {
    const int32_t label = problem.labels[i];
    const long double w = problem.weights.empty() ? 1 : problem.weights[i];
    for (int64_t t = 0; t < problem.d; ++t)
      sums[label * problem.d + t] += w * ((long double)problem.x[i * problem.d + t] -
                                          (problem.origin.empty() ? 0 : problem.origin[t]));
    weights[label] += w;
    ++out.counts[label];
  }
  out.sums.assign(sums.begin(), sums.end());
  out.weights.assign(weights.begin(), weights.end());
  return out;
}

void check_close(const Partials& expected, const Partials& got, double tolerance) {
  CHECK(expected.counts == got.counts);
  for (size_t i = 0; i < got.sums.size(); ++i)
    CHECK(std::abs(expected.sums[i] - got.sums[i]) <= tolerance, expected.sums[i], " ",
          got.sums[i]);
  for (size_t j = 0; j < got.weights.size(); ++j)
    CHECK(std::abs(expected.weights[j] - got.weights[j]) <= tolerance);
}

void check_same_bits(const Partials& a, const Partials& b) {
  CHECK_SAME_BITS(a.sums.data(), b.sums.data(), int64_t(a.sums.size()));
  CHECK_SAME_BITS(a.weights.data(), b.weights.data(), int64_t(a.weights.size()));
  CHECK(a.counts == b.counts);
  CHECK(a.n_changed == b.n_changed);
}

// The labels with about one row in `one_in` moved somewhere else.
std::vector<int32_t> with_moves(Random& random, std::vector<int32_t> labels, int64_t k,
                                int64_t one_in) {
  for (int32_t& label : labels)
    if (below(random, one_in) == 0) label = int32_t(below(random, k));
  return labels;
}

template <class T>
void follow_moves(bool weighted, double center) {
  Random random(1);
  Problem<T> problem(random, 5000, 3, 7, weighted, center);
  auto sums = problem.sums(2);
  const double tolerance = 1e-10 * (1 + std::abs(center));
  visit(problem, sums, problem.labels, 2);
  for (int round = 0; round < 40; ++round) {
    // The round after a large move adds every row anew; the rows of that round still move.
    const auto wanted = with_moves(random, problem.labels, problem.k, round % 10 == 9 ? 2 : 50);
    const Partials got = visit(problem, sums, wanted, 2);
    CHECK(sums.is_full() == (round % 10 == 0 && round > 0), "round ", round);
    check_close(plain(problem), got, tolerance);
  }
}

}  // namespace

TEST(moved_sums_equal_full_sums) {
  for (const bool weighted : {false, true})
    for (const double center : {0.0, 1e6}) {
      follow_moves<float>(weighted, center);
      follow_moves<double>(weighted, center);
    }
}

TEST(moves_build_up_no_drift) {
  Random random(2);
  Problem<double> problem(random, 4000, 2, 5, true);
  auto moved = problem.sums(1);
  visit(problem, moved, problem.labels, 1);
  Partials last;
  for (int round = 0; round < 2000; ++round)
    last = visit(problem, moved, with_moves(random, problem.labels, problem.k, 20), 1);
  CHECK(!moved.is_full());
  check_close(plain(problem), last, 1e-11);  // as after one visit
}

TEST(the_bits_are_the_same_for_every_number_of_threads) {
  for (const bool weighted : {false, true}) {
    Random random(3);
    const Problem<float> start(random, 20000, 4, 6, weighted);
    std::vector<std::vector<int32_t>> labels = {start.labels};
    for (int visits = 0; visits < 6; ++visits)
      labels.push_back(with_moves(random, labels.back(), start.k, visits == 3 ? 2 : 30));
    std::vector<std::vector<Partials>> results;
    for (const int n_threads : {1, 2, 3, 8}) {
      Problem<float> problem = start;
      auto sums = problem.sums(n_threads);
      results.emplace_back();
      for (const auto& wanted : labels)
        results.back().push_back(visit(problem, sums, wanted, n_threads));
    }
    for (const auto& result : results)
      for (size_t i = 0; i < result.size(); ++i) check_same_bits(results[0][i], result[i]);
  }
}

TEST(a_cluster_that_lost_all_its_rows_weighs_exactly_nothing) {
  // 0.1 + 0.2 + 0.3 - 0.1 - 0.2 - 0.3 is not zero in float64.
  Random random(4);
  int n_seen = 0;
  for (int round = 0; round < 200; ++round) {
    Problem<double> problem(random, 300, 2, 4, true, round % 2 ? 1e3 : 0);
    for (int64_t i = 0; i < problem.n; ++i)
      problem.labels[i] = i < 10 ? 0 : int32_t(1 + below(random, 3));
    auto sums = problem.sums(1);
    visit(problem, sums, problem.labels, 1);
    visit(problem, sums, problem.labels, 1);
    auto wanted = problem.labels;
    std::fill_n(wanted.begin(), 10, 1);
    const Partials got = visit(problem, sums, wanted, 1);
    n_seen += !sums.is_full();
    CHECK(got.counts[0] == 0);
    CHECK(got.weights[0] == 0, got.weights[0]);
    CHECK(got.sums[0] == 0 && got.sums[1] == 0, got.sums[0]);
    check_close(plain(problem), got, 1e-9);
  }
  CHECK(n_seen == 200);
}

TEST(rows_of_weight_zero_leave_no_weight_behind) {
  Random random(5);
  for (int round = 0; round < 100; ++round) {
    Problem<double> problem(random, 300, 2, 3, true);
    for (int64_t i = 0; i < problem.n; ++i) {
      problem.labels[i] = i < 10 ? 0 : int32_t(1 + below(random, 2));
      if (i < 5) problem.weights[i] = 0;
    }
    auto sums = problem.sums(1);
    visit(problem, sums, problem.labels, 1);
    visit(problem, sums, problem.labels, 1);
    auto wanted = problem.labels;
    for (int i = 5; i < 10; ++i) wanted[i] = 1;  // only rows of weight zero stay
    const Partials got = visit(problem, sums, wanted, 1);
    CHECK(!sums.is_full());
    CHECK(got.counts[0] == 5);
    CHECK(got.weights[0] == 0, got.weights[0]);
  }
}

TEST(renumbering_renames_the_clusters_of_later_visits) {
  Random random(6);
  Problem<double> problem(random, 3000, 2, 4, true);
  auto sums = problem.sums(2);
  visit(problem, sums, problem.labels, 2);
  const std::vector<int32_t> order = {2, 0, 3, 1};  // cluster order[j] gets the number j
  std::vector<int32_t> number(4);
  for (int j = 0; j < 4; ++j) number[order[j]] = j;
  for (int32_t& label : problem.labels) label = number[label];
  sums.renumber(order);
  const Partials got = visit(problem, sums, with_moves(random, problem.labels, 4, 100), 2);
  check_close(plain(problem), got, 1e-10);
  const Partials moved = visit(problem, sums, with_moves(random, problem.labels, 4, 100), 2);
  CHECK(!sums.is_full());
  check_close(plain(problem), moved, 1e-10);
}

TEST(who_waits_for_an_earlier_shard_is_released_when_the_visit_fails) {
  Random random(7);
  Problem<double> problem(random, 300000, 1, 2, false);
  auto sums = problem.sums(2);
  CHECK(sums.shards().count() > 2);
  sums.begin(2);
  std::thread waiting([&] { sums.end_shard(1, 1, 0); });  // shard 0 has not been added
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  sums.abandon();
  waiting.join();
}
