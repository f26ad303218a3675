#include "measures/neighbours.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "check.hpp"

using namespace centroids;
using check::normal;
using check::Random;

namespace {

Centers centers_of(std::vector<double> values, int64_t d) {
  Centers centers(int64_t(values.size()) / d, d, Dtype::f64);
  centers.values = std::move(values);
  return centers;
}

double squared(const Centers& c, int64_t i, int64_t j) {
  double sum = 0;
  for (int64_t t = 0; t < c.n_features; ++t)
    sum += (c.row(i)[t] - c.row(j)[t]) * (c.row(i)[t] - c.row(j)[t]);
  return sum;
}

// The definition, with the midpoint written out.
bool is_pair(const Centers& c, int64_t i, int64_t j) {
  std::vector<double> middle;
  for (int64_t t = 0; t < c.n_features; ++t) middle.push_back((c.row(i)[t] + c.row(j)[t]) / 2);
  for (int64_t m = 0; m < c.n_clusters; ++m) {
    double to_middle = 0;
    for (int64_t t = 0; t < c.n_features; ++t)
      to_middle += (c.row(m)[t] - middle[t]) * (c.row(m)[t] - middle[t]);
    if (m != i && m != j && to_middle < squared(c, i, j) / 4) return false;
  }
  return squared(c, i, j) > 0;
}

std::set<Pair> slow_pairs(const Centers& c) {
  std::set<Pair> pairs;
  for (int32_t i = 0; i < c.n_clusters; ++i) {
    std::vector<int32_t> others;
    for (int32_t j = 0; j < c.n_clusters; ++j)
      if (j != i) others.push_back(j);
    std::stable_sort(others.begin(), others.end(),
                     [&](int32_t a, int32_t b) { return squared(c, i, a) < squared(c, i, b); });
    others.resize(std::min<size_t>(others.size(), 4));
    for (const int32_t j : others)
      if (is_pair(c, i, j)) pairs.insert({std::min(i, j), std::max(i, j)});
  }
  return pairs;
}

}  // namespace

TEST(distances_between_centers_are_those_of_a_plain_loop_and_symmetric) {
  Random random(1);
  for (const int64_t k : {1, 2, 7, 70, 150}) {
    const Centers c = centers_of(normal<double>(random, k * 5), 5);
    const std::vector<double> all = squared_center_distances(c);
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j < k; ++j) {
        if (i == j)
          CHECK(std::isinf(all[i * k + i]));
        else
          CHECK(std::abs(all[i * k + j] / squared(c, i, j) - 1) < 1e-12 &&
                    all[i * k + j] == all[j * k + i],
                k, i, j);
      }
  }
}

TEST(neighbours_are_near_and_nothing_lies_between_them) {
  Random random(2);
  for (const int64_t k : {1, 2, 3, 4, 5, 6, 20, 90})
    for (const int64_t d : {1, 2, 10}) {
      const Centers c = centers_of(normal<double>(random, k * d), d);
      const std::vector<Pair> pairs = neighbour_pairs(squared_center_distances(c), k);
      const std::set<Pair> expected = slow_pairs(c);
      CHECK(pairs == std::vector<Pair>(expected.begin(), expected.end()), "k ", k, " d ", d);
    }
}

TEST(a_center_and_its_nearest_one_are_neighbours_unless_they_are_the_same) {
  const Centers c = centers_of({0, 1, 1, 5, 5.5}, 1);
  const std::vector<Pair> expected = {{0, 1}, {0, 2}, {1, 3}, {2, 3}, {3, 4}};
  CHECK(neighbour_pairs(squared_center_distances(c), 5) == expected);
}

TEST(the_merge_is_the_cheapest_of_all) {
  Random random(3);
  const int64_t k = 30;
  const Centers c = centers_of(normal<double>(random, k * 3), 3);
  std::vector<double> w = normal<double>(random, k, 10);
  for (double& v : w) v = std::abs(v) + 0.1;
  const Merge merge = cheapest_merge(c, w.data());
  double least = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = i + 1; j < k; ++j)
      least = std::min(least, w[i] * w[j] / (w[i] + w[j]) * squared(c, i, j));
  const auto [i, j] = merge.pair;
  CHECK(std::abs(merge.cost / least - 1) < 1e-12);
  CHECK(i < j && std::abs(w[i] * w[j] / (w[i] + w[j]) * squared(c, i, j) / least - 1) < 1e-12);
}

TEST(the_first_of_equally_cheap_merges_is_taken) {
  const Centers c = centers_of({0, 1, 10, 11}, 1);
  const std::vector<double> w(4, 1.0);
  const Merge merge = cheapest_merge(c, w.data());
  CHECK(merge.pair == (Pair{0, 1}) && merge.cost == 0.5, merge.cost);
}
