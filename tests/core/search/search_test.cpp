#include "search/search.hpp"

#include <limits>
#include <map>

#include "check.hpp"
#include "rows.hpp"

using namespace centroids;
using check::normal;
using check::Random;

namespace {

// Two rows one apart in one cluster, two a little nearer each other in clusters of their own: what
// a swap gains is small, 2e-5 of the inertia.
struct Pairs {
  std::vector<double> x{0, 0, 1, 0, 10, 0, 10.99999, 0};
  std::vector<int32_t> labels{0, 0, 1, 2};
  std::vector<double> origin;
  int n_runs = 0;

  Rows<double> rows() { return {x.data(), 4, 2, nullptr, labels.data(), 1}; }

  // What a run that took so many iterations found, and the search after it.
  LoopResult searched(int64_t n_iter) {
    FitOptions options;
    options.n_clusters = 3;
    options.search = LocalSearch::budgeted;
    LoopResult first;
    first.centers = Centers(3, 2, Dtype::f64);
    first.centers.values = {0.5, 0, 10, 0, 10.99999, 0};
    first.inertia = 0.5;
    first.n_iter = n_iter;
    first.converged = true;
    const auto run = [&](Centers centers, const LoopOptions&, const Control&) {
      ++n_runs;
      return assigned(std::move(centers));
    };
    return search_from(std::move(first), rows(), origin, options, Dtype::f64, {}, run);
  }

  LoopResult assigned(Centers centers) {
    LoopResult result;
    for (int i = 0; i < 4; ++i) {
      double least = std::numeric_limits<double>::infinity();
      for (int j = 0; j < 3; ++j) {
        const double to = std::pow(x[2 * i] - centers.row(j)[0], 2);
        if (to >= least) continue;
        least = to;
        labels[i] = j;
      }
      result.inertia += least;
    }
    result.centers = std::move(centers);
    result.n_iter = 1;
    return result;
  }
};

}  // namespace

TEST(a_small_gain_counts_after_a_short_run) {
  Pairs pairs;
  const LoopResult result = pairs.searched(10);
  CHECK(pairs.n_runs > 0);
  CHECK(result.inertia < 0.5);
  CHECK(pairs.labels[0] != pairs.labels[1] && pairs.labels[2] == pairs.labels[3]);
}

TEST(a_small_gain_is_not_worth_another_long_run) {
  Pairs pairs;
  const LoopResult result = pairs.searched(1'000'000'000);
  CHECK(pairs.n_runs == 0);
  CHECK(result.inertia == 0.5);
  CHECK((result.centers.values == std::vector<double>{0.5, 0, 10, 0, 10.99999, 0}));
  CHECK((pairs.labels == std::vector<int32_t>{0, 0, 1, 2}));
}

TEST(after_a_long_run_little_is_risked_before_anything_is_found) {
  const double run = 1e12, begin = 1e9;
  const SearchSettings settings = search_settings(LocalSearch::budgeted, run, begin);
  CHECK(settings.unproven < begin + 0.01 * run);
  CHECK(settings.budget >= 5 * settings.unproven);
  CHECK(settings.unproven + 0.02 * settings.for_gain >= settings.budget);
  const SearchSettings small = search_settings(LocalSearch::budgeted, 1e8, 1e5);
  CHECK(small.unproven == small.budget);
}

namespace {

// Rows of three groups in a plane with labels 0, 1, 2; the last has one row.
check::RowsWithLabels<double> three_groups(int64_t n) {
  Random random(1);
  check::RowsWithLabels<double> s(normal<double>(random, 2 * n), 2);
  for (int64_t i = 0; i < n; ++i) {
    s.labels[i] = i + 1 == n ? 2 : int32_t(i % 2);
    s.x[2 * i] += 20 * s.labels[i];
  }
  return s;
}

Centers three_centers() {
  Centers centers(3, 2, Dtype::f64);
  centers.values = {0, 0, 20, 0, 40, 0};
  return centers;
}

}  // namespace

TEST(a_sample_has_a_row_of_every_cluster_with_its_label) {
  auto s = three_groups(20'000);
  const auto sample = sample_to_search(s.rows(), {}, three_centers(), 5);
  CHECK(sample.has_value());
  const Rows<double>& rows = sample->rows();
  CHECK(rows.n_rows >= 2048 && rows.n_rows <= 2051, rows.n_rows);
  std::map<std::pair<double, double>, int32_t> labels;
  for (int64_t i = 0; i < s.n; ++i) labels[{s.x[2 * i], s.x[2 * i + 1]}] = s.labels[i];
  int64_t counts[3] = {};
  for (int64_t i = 0; i < rows.n_rows; ++i) {
    const auto found = labels.find({rows.row(i)[0], rows.row(i)[1]});
    CHECK(found != labels.end() && found->second == rows.labels[i], i);
    ++counts[rows.labels[i]];
  }
  CHECK(counts[0] > 900 && counts[1] > 900 && counts[2] == 1);
}

TEST(sparse_rows_are_sampled_like_dense_ones) {
  auto s = three_groups(20'000);
  std::vector<int32_t> columns;
  std::vector<int64_t> starts = {0};
  for (int64_t i = 0; i < s.n; ++i) {
    columns.insert(columns.end(), {0, 1});
    starts.push_back(2 * (i + 1));
  }
  const SparseRows<double> sparse{s.x.data(), columns.data(), starts.data(),   s.n,
                                  2,          nullptr,        s.labels.data(), 1};
  const auto a = sample_to_search(s.rows(), {}, three_centers(), 5);
  const auto b = sample_to_search(sparse, {}, three_centers(), 5);
  CHECK(a.has_value() && b.has_value() && a->rows().n_rows == b->rows().n_rows);
  for (int64_t i = 0; i < a->rows().n_rows; ++i) {
    CHECK(a->rows().labels[i] == b->rows().labels[i]);
    for (const int64_t t : {0, 1})
      CHECK(a->rows().row(i)[t] == b->rows().row(i).values[t], "row ", i);
  }
}

TEST(no_sample_of_few_rows_or_where_it_would_not_stand_for_all) {
  CHECK(!sample_to_search(three_groups(8'000).rows(), {}, three_centers(), 5).has_value());
  auto far = three_groups(20'000);  // three rows in a hundred make up nearly all of the inertia
  for (int64_t i = 0; i < far.n; i += 33) far.x[2 * i + 1] *= 100;
  CHECK(!sample_to_search(far.rows(), {}, three_centers(), 5).has_value());
  auto heavy = three_groups(20'000);
  heavy.weights.assign(heavy.n, 1.0);
  heavy.weights[7] = 1e4;
  CHECK(!sample_to_search(heavy.rows(), {}, three_centers(), 5).has_value());
}

TEST(after_a_short_run_a_search_costs_no_more_than_some_runs) {
  const double run = 1e6, begin = 1e6;
  const SearchSettings settings = search_settings(LocalSearch::budgeted, run, begin);
  CHECK(settings.budget <= 10 * run && settings.unproven <= 3 * run);
  // Enough to find something.
  CHECK(search_settings(LocalSearch::budgeted, 1, 2e6).budget == 6e6);
  CHECK(search_settings(LocalSearch::budgeted, 1, 1).budget >= 1e6);
}
