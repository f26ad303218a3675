#include "search/search.hpp"

#include <limits>

#include "check.hpp"

using namespace centroids;

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
