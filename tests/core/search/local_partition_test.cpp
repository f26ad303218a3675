#include "search/local_partition.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "check.hpp"
#include "search/breathing.hpp"

using namespace centroids;
using check::below;
using check::normal;
using check::Random;

namespace {

// Rows around some places, with weights, in any clusters.
struct Problem {
  int64_t n, d, k;
  std::vector<double> x, weights, origin;
  std::vector<int32_t> labels;

  Problem(Random& random, int64_t rows, int64_t columns, int64_t clusters)
      : n(rows), d(columns), k(clusters), x(normal<double>(random, n * d)), weights(n), labels(n) {
    for (int64_t i = 0; i < n; ++i) {
      weights[i] = double(1 + below(random, 3));
      labels[i] = int32_t(i < k ? i : below(random, k));
      for (int64_t t = 0; t < d; ++t) x[i * d + t] += 8.0 * double((i * 7 + t * 5) % 11 % 6);
    }
  }
  RowAccessOf<Rows<double>> access() {
    return {Rows<double>{x.data(), n, d, weights.data(), labels.data(), 1}, origin};
  }
};

double error_of(const Problem& p, int32_t n_numbers) {
  double total = 0;
  for (int32_t j = 0; j < n_numbers; ++j) {
    std::vector<double> mean(p.d);
    double weight = 0;
    for (int64_t i = 0; i < p.n; ++i) {
      if (p.labels[i] != j) continue;
      weight += p.weights[i];
      for (int64_t t = 0; t < p.d; ++t) mean[t] += p.weights[i] * p.x[i * p.d + t];
    }
    for (int64_t i = 0; i < p.n; ++i)
      for (int64_t t = 0; p.labels[i] == j && t < p.d; ++t)
        total += p.weights[i] * std::pow(p.x[i * p.d + t] - mean[t] / weight, 2);
  }
  return total;
}

bool is_near(double a, double b) {
  return std::abs(a - b) <= 1e-9 * (std::abs(a) + std::abs(b));
}

int32_t first_that_gains(const LocalPartition& partition) {
  for (int32_t j = 0; j < partition.n_numbers(); ++j)
    if (partition.gain(j) > 0) return j;
  return -1;
}

}  // namespace

TEST(its_error_is_that_of_the_means_after_every_change) {
  Random random(1);
  for (int round = 0; round < 10; ++round) {
    Problem p(random, 300, 1 + round % 4, 9);
    const auto access = p.access();
    LocalPartition partition(access, p.labels.data(), p.k, false, 0);
    CHECK(is_near(partition.error(), error_of(p, partition.n_numbers())));
    partition.measure_gains();
    partition.begin();
    const int32_t half = partition.split(first_that_gains(partition));
    CHECK(partition.n_clusters() == p.k + 1);
    CHECK(is_near(partition.error(), error_of(p, partition.n_numbers())));
    while (partition.relax()) CHECK(is_near(partition.error(), error_of(p, partition.n_numbers())));
    partition.remove(half == 0 ? 1 : 0);
    CHECK(partition.n_clusters() == p.k);
    CHECK(is_near(partition.error(), error_of(p, partition.n_numbers())));
    partition.keep();
  }
}

// Rows of length one, nearly all in one direction; the mean is the direction of their sum.
TEST(its_error_about_an_origin_is_that_of_unit_means) {
  Random random(6);
  for (const bool has_origin : {false, true}) {
    Problem p(random, 300, 3, 7);
    for (int64_t i = 0; i < p.n; ++i) {
      double* x = p.x.data() + i * p.d;
      x[0] = 1000;
      const double length = std::sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]);
      for (int64_t t = 0; t < p.d; ++t) x[t] /= length;
    }
    if (has_origin) p.origin = {1, 0.01, 0.02};
    const auto access = p.access();
    LocalPartition partition(access, p.labels.data(), p.k, true, 0);
    double expected = 0;
    const Centers centers = partition.centers(Dtype::f64);
    for (int32_t j = 0; j < p.k; ++j) {
      double sum[3] = {}, length = 0;
      for (int64_t i = 0; i < p.n; ++i)
        for (int64_t t = 0; p.labels[i] == j && t < p.d; ++t)
          sum[t] += p.weights[i] * p.x[i * p.d + t];
      for (const double s : sum) length += s * s;
      for (int64_t t = 0; t < p.d; ++t) {
        const double c = sum[t] / std::sqrt(length);
        CHECK(std::abs(centers.row(j)[t] - c) < 1e-15, j);
        for (int64_t i = 0; i < p.n; ++i)
          if (p.labels[i] == j) expected += p.weights[i] * std::pow(p.x[i * p.d + t] - c, 2);
      }
    }
    CHECK(is_near(partition.error(), expected), partition.error() / expected - 1);
  }
}

TEST(a_split_gains_what_was_measured) {
  Random random(2);
  Problem p(random, 400, 3, 5);
  const auto access = p.access();
  LocalPartition partition(access, p.labels.data(), p.k, false, 0);
  partition.measure_gains();
  const int32_t j = first_that_gains(partition);
  const double before = partition.error(), gain = partition.gain(j);
  partition.begin();
  partition.split(j);
  // The halves were measured before their centers moved for the last time.
  CHECK(before - partition.error() >= gain * (1 - 1e-9));
}

TEST(a_removed_cluster_costs_its_price) {
  Random random(3);
  Problem p(random, 400, 3, 8);
  const auto access = p.access();
  LocalPartition partition(access, p.labels.data(), p.k, false, 0);
  partition.measure_prices();
  for (int32_t j = 0; j < p.k; ++j) {
    const double before = partition.error(), price = partition.price(j);
    partition.begin();
    partition.remove(j);
    CHECK(is_near(partition.error(), before + price));
    partition.take_back();
    partition.measure_prices();
  }
}

TEST(what_is_taken_back_leaves_nothing_behind) {
  Random random(4);
  Problem p(random, 500, 2, 12);
  const auto access = p.access();
  const std::vector<int32_t> labels = p.labels;
  LocalPartition partition(access, p.labels.data(), p.k, false, 0);
  const double error = partition.error();
  const Centers centers = partition.centers(Dtype::f64);
  for (int32_t j = 0; j < p.k; ++j) {
    partition.measure_gains();
    if (!(partition.gain(j) > 0)) continue;
    partition.begin();
    partition.split(j);
    partition.relax();
    partition.measure_prices();
    partition.remove((j + 1) % int32_t(p.k));
    while (partition.relax()) continue;
    CHECK(p.labels != labels);
    partition.take_back();
    CHECK(p.labels == labels);
    CHECK(partition.error() == error);
    CHECK(partition.centers(Dtype::f64).values == centers.values);
  }
}

TEST(a_search_that_improves_nothing_leaves_the_labels) {
  // Two far pairs of equal rows: the best there is.
  std::vector<double> x{0, 0, 0, 0, 9, 9, 9, 9}, origin;
  std::vector<int32_t> labels{0, 0, 1, 1};
  const RowAccessOf<Rows<double>> access(Rows<double>{x.data(), 4, 2, nullptr, labels.data(), 1},
                                         origin);
  LocalPartition partition(access, labels.data(), 2, false, 0);
  CHECK(!improve(partition, {5, 1e9, 1e9, 0, 0}, {}));
  CHECK((labels == std::vector<int32_t>{0, 0, 1, 1}));
}

TEST(swaps_mend_two_centers_in_one_group) {
  // Four tight groups; one is split in two, two are joined.
  std::vector<double> x, origin;
  std::vector<int32_t> labels;
  for (int group = 0; group < 4; ++group)
    for (int i = 0; i < 10; ++i) {
      x.push_back(100.0 * group + i);
      x.push_back(0.5 * i);
      labels.push_back(group == 0 ? i % 2 : group == 3 ? 3 : 2);
    }
  const RowAccessOf<Rows<double>> access(Rows<double>{x.data(), 40, 2, nullptr, labels.data(), 1},
                                         origin);
  LocalPartition partition(access, labels.data(), 4, false, 0);
  CHECK(improve(partition, {1, 1e9, 1e9, 0, 0}, {}));
  for (int group = 0; group < 4; ++group)
    for (int i = 0; i < 10; ++i) CHECK(labels[10 * group + i] == labels[10 * group]);
}

TEST(a_search_goes_on_for_what_it_has_found) {
  // Nothing like an optimum to begin with, so that there is much to be found.
  const auto search = [](double unproven, double for_gain, double& work) {
    Random random(5);
    Problem p(random, 2000, 3, 30);
    const auto access = p.access();
    LocalPartition partition(access, p.labels.data(), p.k, false, 0);
    const double before = partition.error();
    improve(partition, {5, 1e9, unproven, for_gain, 0}, {});
    work = partition.work();
    return partition.error() / before;
  };
  double first_look, unproven, proven;
  search(0, 0, first_look);
  CHECK(first_look < 1e5);  // the lists of near clusters: it does not even look at the rows
  const double some = 2e6, any_try = 4e6;
  const double left = search(some, 0, unproven);
  CHECK(left < 1);
  CHECK(unproven >= some && unproven < some + any_try, unproven);
  const double left_in_the_end = search(some, 2e7, proven);
  CHECK(left_in_the_end < left);
  const double earned = some + 2e7 * (1 - left_in_the_end);
  CHECK(proven > unproven && proven < earned + any_try, proven, " ", earned);
}
