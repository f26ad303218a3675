#include "sweep/sweep.hpp"

#include <algorithm>

#include "check.hpp"

using namespace centroids;
using check::normal;
using check::Random;

namespace {

// Rows around `k` means far apart, and draws for a sweep over them.
struct Grouped {
  int64_t n, d = 3;
  std::vector<double> x, weights;
  std::vector<std::vector<double>> draws;
  Data data;

  Grouped(Random& random, int64_t k, int64_t n_each, bool is_weighted) : n(k * n_each) {
    x = normal<double>(random, n * d);
    const std::vector<double> means = normal<double>(random, k * d, 20);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t t = 0; t < d; ++t) x[i * d + t] += means[i % k * d + t];
    for (int64_t i = 0; is_weighted && i < n; ++i) weights.push_back(1 + double(i % 3));
    std::uniform_real_distribution<double> uniform;
    for (int k_below = 0; k_below < 40; ++k_below) {
      draws.emplace_back(6);
      for (double& draw : draws.back()) draw = uniform(random);
    }
    data.x = {x.data(), Dtype::f64, n, d};
    data.weights = is_weighted ? weights.data() : nullptr;
    data.summary = summarize(data.x, data.weights, 1);
  }
};

double least_inertia(const Data& data, int64_t k, int n_starts) {
  std::vector<int32_t> labels(data.x.n_rows);
  FitOptions options;
  options.n_clusters = k;
  double least = 0;
  for (int start = 0; start < n_starts; ++start) {
    options.seed = uint64_t(start);
    const double inertia = fit(data, options, {}, labels.data()).inertia;
    least = start ? std::min(least, inertia) : inertia;
  }
  return least;
}

TEST(every_number_of_clusters_gets_a_fit_and_the_inertia_falls) {
  Random random(1);
  for (const bool is_weighted : {false, true}) {
    const Grouped rows(random, 8, 30, is_weighted);
    Sweep sweep(rows.data, {});
    const std::vector<int64_t> changed = sweep.extend(16, rows.draws, {});
    CHECK(changed.size() == 16 && sweep.k_max() == 16);
    double total = 0;
    for (int64_t i = 0; i < rows.n; ++i) total += is_weighted ? rows.weights[i] : 1;
    for (int64_t k = 1; k <= 16; ++k) {
      const SweepFit& found = sweep.fit(k);
      CHECK(found.centers.n_clusters == k, k);
      double weight = 0;
      for (const double w : found.weights) weight += w;
      CHECK(weight == total, k, " ", weight);
      if (k > 1) CHECK(found.inertia < sweep.fit(k - 1).inertia, k);
    }
  }
}

TEST(neighbours_find_what_many_starts_find) {
  Random random(2);
  const Grouped rows(random, 12, 25, false);
  SweepOptions options;
  options.starts_afresh = false;
  Sweep sweep(rows.data, options);
  sweep.extend(20, rows.draws, {});
  for (const int64_t k : {4, 8, 12})
    CHECK(sweep.fit(k).inertia <= 1.02 * least_inertia(rows.data, k, 10), k);
}

TEST(going_further_keeps_or_improves_what_is_known) {
  Random random(3);
  const Grouped rows(random, 10, 30, true);
  Sweep sweep(rows.data, {});
  sweep.extend(6, rows.draws, {});
  std::vector<double> before;
  for (int64_t k = 1; k <= 6; ++k) before.push_back(sweep.fit(k).inertia);
  const std::vector<int64_t> changed = sweep.extend(14, rows.draws, {});
  CHECK(std::is_sorted(changed.begin(), changed.end()));
  for (int64_t k = 1; k <= 6; ++k) {
    const bool is_changed = std::find(changed.begin(), changed.end(), k) != changed.end();
    CHECK(is_changed ? sweep.fit(k).inertia < before[k - 1] : sweep.fit(k).inertia == before[k - 1],
          k);
  }
  for (int64_t k = 7; k <= 14; ++k)
    CHECK(std::find(changed.begin(), changed.end(), k) != changed.end(), k);
}

TEST(the_sweep_ends_with_the_distinct_rows) {
  Random random(4);
  Grouped rows(random, 3, 20, false);
  for (int64_t i = 0; i < rows.n; ++i)
    for (int64_t t = 0; t < rows.d; ++t) rows.x[i * rows.d + t] = double(i % 3);
  rows.data.summary = summarize(rows.data.x, nullptr, 1);
  Sweep sweep(rows.data, {});
  sweep.extend(10, rows.draws, {});
  CHECK(sweep.k_max() == 3, sweep.k_max());
  CHECK(sweep.fit(3).inertia == 0);
}

TEST(told_to_stop_it_leaves_what_it_has) {
  Random random(5);
  const Grouped rows(random, 8, 30, false);
  Sweep sweep(rows.data, {});
  int asked = 0;
  sweep.extend(30, rows.draws, {[&](double) { return ++asked > 25; }, nullptr});
  CHECK(sweep.k_max() >= 1 && sweep.k_max() < 30, sweep.k_max());
  sweep.extend(30, rows.draws, {});
  CHECK(sweep.k_max() == 30);
}

}  // namespace
