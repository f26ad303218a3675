#include "kmeans.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "check.hpp"
#include "rows.hpp"

using namespace centroids;
using check::below;
using check::normal;
using check::Random;

namespace {

template <class T>
struct Problem : check::RowsWithLabels<T> {
  Data data;

  Problem(std::vector<T> values, int64_t d, std::vector<double> w = {}, int n_threads = 1)
      : check::RowsWithLabels<T>(std::move(values), d, std::move(w)),
        data(check::RowsWithLabels<T>::data(n_threads)) {}
};

struct Fit {
  LoopResult result;
  std::vector<int32_t> labels;
};

template <class T>
Fit fit_of(const Problem<T>& p, FitOptions options, const Control& control = {}) {
  Fit out;
  out.labels.resize(p.data.x.n_rows);
  options.loop.number_by_size = !options.init;
  out.result = fit(p.data, options, control, out.labels.data());
  return out;
}

void check_same_bits(const Fit& a, const Fit& b, const std::string& about) {
  CHECK(a.labels == b.labels, about);
  CHECK(a.result.counts == b.result.counts, about);
  CHECK(a.result.n_iter == b.result.n_iter, about);
  CHECK_SAME_BITS(a.result.centers.values.data(), b.result.centers.values.data(),
                  int64_t(a.result.centers.values.size()), about);
  CHECK_SAME_BITS(&a.result.inertia, &b.result.inertia, 1, about);
}

template <class T>
void compare_routes(bool weighted) {
  Random random(1);
  const int64_t n = 6000, d = 3;
  auto w = normal<double>(random, n);
  for (double& v : w) v = std::abs(v);
  const auto x = normal<T>(random, n * d, 100);
  for (const int64_t k : {1, 4, 30}) {
    FitOptions options;
    options.n_clusters = k;
    options.seed = 3;
    options.algorithm = Algorithm::brute_force;
    const Problem<T> one(x, d, weighted ? w : std::vector<double>());
    const Fit expected = fit_of(one, options);
    for (const int n_threads : {1, 2, 3, 8})
      for (const Algorithm algorithm :
           {Algorithm::automatic, Algorithm::brute_force, Algorithm::hamerly}) {
        options.algorithm = algorithm;
        const Problem<T> p(x, d, weighted ? w : std::vector<double>(), n_threads);
        check_same_bits(expected, fit_of(p, options),
                        check::joined("k ", k, " threads ", n_threads, " ", int(algorithm)));
      }
  }
}

}  // namespace

TEST(all_threads_and_algorithms_give_the_same_bits) {
  for (const bool weighted : {false, true}) {
    compare_routes<float>(weighted);
    compare_routes<double>(weighted);
  }
}

TEST(the_labels_of_a_fit_are_those_of_assign_and_nearest) {
  Random random(2);
  for (const int64_t k : {1, 2, 7, 40}) {
    const Problem<float> p(normal<float>(random, 5000, 1000), 5);
    FitOptions options;
    options.n_clusters = k;
    const Fit fitted = fit_of(p, options);
    const int64_t n = p.data.x.n_rows;
    std::vector<int32_t> labels(n), first(n), second(n);
    std::vector<double> distance(n), second_distance(n);
    assign(p.data.x, fitted.result.centers, 2, labels.data());
    CHECK(labels == fitted.labels, k);
    nearest(p.data.x, fitted.result.centers, 2,
            {first.data(), distance.data(), second.data(), second_distance.data()});
    CHECK(first == fitted.labels, k);
    const double expected = inertia(p.data.x, nullptr, fitted.result.centers, labels.data(), 2);
    CHECK_SAME_BITS(&expected, &fitted.result.inertia, 1);
    std::vector<float> all(n * k);
    distances(p.data.x, fitted.result.centers, 2, all.data());
    for (int64_t i = 0; i < n; ++i) {
      CHECK(std::abs(all[i * k + labels[i]] - distance[i]) <= 1e-5 * (1 + distance[i]));
      if (k == 1) {
        CHECK(second[i] == -1 && second_distance[i] == HUGE_VAL);
      } else {
        CHECK(second[i] != first[i] && second_distance[i] >= distance[i] * (1 - 1e-6));
        for (int64_t j = 0; j < k; ++j)
          CHECK(j == first[i] || all[i * k + j] >= second_distance[i] * (1 - 1e-5) - 1e-3, k);
      }
    }
  }
}

TEST(given_centers_are_rounded_to_the_dtype_and_keep_their_order) {
  Random random(3);
  const Problem<float> p(normal<float>(random, 400), 2);
  const std::vector<double> init = {3.1, 0.1, -2.7, 0.3, 0.7, -0.9};
  FitOptions options;
  options.n_clusters = 3;
  options.init = init.data();
  options.loop.max_iter = 0;
  const Fit fitted = fit_of(p, options);
  for (size_t i = 0; i < init.size(); ++i)
    CHECK(fitted.result.centers.values[i] == double(float(init[i])));
}

TEST(as_many_clusters_as_rows_gives_every_row_its_own) {
  Random random(4);
  for (const int64_t n : {1, 2, 5, 65, 200}) {
    const Problem<double> p(normal<double>(random, 2 * n), 2);
    FitOptions options;
    options.n_clusters = n;
    const Fit fitted = fit_of(p, options);
    CHECK(fitted.result.inertia == 0, n);
    for (const int64_t count : fitted.result.counts) CHECK(count == 1, n);
  }
}

TEST(a_stop_during_seeding_still_gives_every_cluster_a_row) {
  Random random(5);
  const Problem<double> p(normal<double>(random, 2000), 2);
  FitOptions options;
  options.n_clusters = 40;
  for (const int allowed : {0, 1, 20}) {
    int asked = 0;
    Control control;
    control.should_stop = [&](double) { return asked++ >= allowed; };
    const Fit fitted = fit_of(p, options, control);
    CHECK(fitted.result.interrupted && fitted.result.n_iter == 1);
    for (const int64_t count : fitted.result.counts) CHECK(count > 0);
    CHECK(std::accumulate(fitted.result.counts.begin(), fitted.result.counts.end(), int64_t(0)) ==
          1000);
  }
}

TEST(a_row_of_weight_two_counts_as_two_rows) {
  Random random(6);
  for (int round = 0; round < 20; ++round) {
    const auto x = normal<double>(random, 300);
    std::vector<double> weights(100), repeated;
    for (int64_t i = 0; i < 100; ++i) {
      weights[i] = double(below(random, 4));
      for (int c = 0; c < int(weights[i]); ++c)
        repeated.insert(repeated.end(), x.begin() + 3 * i, x.begin() + 3 * i + 3);
    }
    const Problem<double> weighted(x, 3, weights), plain(repeated, 3);
    const auto init = normal<double>(random, 15);
    FitOptions options;
    options.n_clusters = 5;
    options.init = init.data();
    const Fit a = fit_of(weighted, options), b = fit_of(plain, options);
    CHECK(std::abs(a.result.inertia - b.result.inertia) <= 1e-11 * b.result.inertia);
    for (size_t i = 0; i < 15; ++i)
      CHECK(std::abs(a.result.centers.values[i] - b.result.centers.values[i]) < 1e-12);
  }
}
