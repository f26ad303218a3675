#include "bisecting/starts.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace centroids {
namespace {

constexpr uint64_t kStream = 7;

// The first place up to which there is more than this share of all.
size_t place_at(const std::vector<double>& masses, double share) {
  const double target = share * std::accumulate(masses.begin(), masses.end(), 0.0);
  double sum = 0;
  for (size_t i = 0; i < masses.size(); ++i)
    if ((sum += masses[i]) > target) return i;
  return masses.size() - 1;
}

}  // namespace

Starts::Starts(const RowAccess& rows, TwoMeans& two_means, uint64_t seed,
               const std::vector<double>& draws)
    : rows_(rows), two_means_(two_means), random_(seed, kStream), draws_(draws) {}

TwoPoints Starts::draw(const std::vector<int32_t>& rows, Seeding seeding) {
  const auto draw_row = [&](const double* factors) {
    return row(rows[place_at(masses_of(rows, factors), random_.uniform())]);
  };
  std::vector<double> first = draw_row(nullptr);
  if (seeding == Seeding::random) {
    std::vector<double> second = draw_row(nullptr);
    if (first != second) return {std::move(first), std::move(second)};
  }
  const std::vector<double> squared = two_means_.distances(rows, first);
  return {std::move(first), draw_row(squared.data())};
}

TwoPoints Starts::as_scikit_learn(const Cluster& cluster, Seeding seeding) {
  const std::vector<int32_t>& rows = cluster.rows;
  const double number = next_draw();
  if (seeding == Seeding::kmeans_plus_plus) return plus_plus_as_scikit_learn(rows, number);
  std::vector<double> masses = masses_of(rows, nullptr);
  const size_t first = place_at(masses, number);
  size_t second = place_at(masses, next_draw());
  if (second == first) {
    masses[first] = 0;
    second = place_at(masses, next_draw());
  }
  TwoPoints start{row(rows[first]), row(rows[second])};
  return start[0] == start[1] ? far_from_the_rest(cluster, start[0]) : start;
}

// The second center is the better of two, each drawn by the squared distance to the first.
TwoPoints Starts::plus_plus_as_scikit_learn(const std::vector<int32_t>& rows, double number) {
  std::vector<double> first = row(rows[place_at(masses_of(rows, nullptr), number)]);
  const std::vector<double> squared = two_means_.distances(rows, first);
  const std::vector<double> masses = masses_of(rows, squared.data());
  std::vector<double> second;
  double least = std::numeric_limits<double>::infinity();
  for (int candidate = 0; candidate < 2; ++candidate) {
    std::vector<double> point = row(rows[place_at(masses, next_draw())]);
    const std::vector<double> to_point = two_means_.distances(rows, point);
    double error = 0;
    for (size_t i = 0; i < rows.size(); ++i)
      error += rows_.weight(rows[i]) * std::min(squared[i], to_point[i]);
    if (candidate > 0 && !(error < least)) continue;
    least = error;
    second = std::move(point);
  }
  return {std::move(first), std::move(second)};
}

// Where two equal rows are drawn, the second cluster is empty and takes the row that is farthest
// from them.
TwoPoints Starts::far_from_the_rest(const Cluster& cluster, const std::vector<double>& point) {
  const std::vector<double> squared = two_means_.distances(cluster.rows, point);
  const auto farthest = std::max_element(squared.begin(), squared.end());
  const int32_t far = cluster.rows[farthest - squared.begin()];
  Group rest = cluster.group;
  rows_.add(far, -rows_.weight(far), rest.sums.data());
  rest.weight -= rows_.weight(far);
  return {two_means_.center(rest), row(far)};
}

Cluster Starts::sample(const Cluster& cluster, int64_t size) {
  Cluster sample;
  const uint64_t n = cluster.rows.size(), m = uint64_t(size);
  for (uint64_t i = 0; i < m; ++i) {
    const uint64_t begin = n * i / m, end = n * (i + 1) / m;
    const uint64_t place = begin + random_.below(end - begin);
    sample.rows.push_back(cluster.rows[place]);
    sample.radii.push_back(cluster.radii[place]);
  }
  sample.group = two_means_.group(sample.rows);
  sample.center = cluster.center;
  return sample;
}

// The weights of rows, times factors.
std::vector<double> Starts::masses_of(const std::vector<int32_t>& rows,
                                      const double* factors) const {
  std::vector<double> masses(rows.size());
  for (size_t i = 0; i < rows.size(); ++i)
    masses[i] = rows_.weight(rows[i]) * (factors ? factors[i] : 1.0);
  return masses;
}

std::vector<double> Starts::row(int32_t number) const {
  std::vector<double> values(rows_.n_features());
  rows_.copy(number, values.data());
  return values;
}

double Starts::next_draw() {
  return n_taken_ < draws_.size() ? draws_[n_taken_++] : random_.uniform();
}

}  // namespace centroids
