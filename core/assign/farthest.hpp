// The rows farthest from their centers, for any kind of rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "kernels/kernels.hpp"

namespace centroids {

// Equal rows, all of them: what a row of their summed weight would be.
struct FarGroup {
  double squared_distance;
  int64_t row;  // the first of them
  double weight;
  int64_t count;
};

// Up to n groups of equal rows, farthest first (on ties in the order of their values), without
// rows of weight 0 and groups at distance 0. measure(first, m, out) writes the squared distances of
// m rows from `first` on, the same for equal rows; compare(a, b) < 0 when the values of row a come
// before those of row b, 0 when they are equal.
template <class Measure, class Compare>
std::vector<FarGroup> farthest_groups(int64_t n_rows, int64_t n, const double* weights,
                                      Measure measure, Compare compare) {
  struct Key {
    double squared_distance;
    int64_t row;
  };
  const auto comes_first = [&](const Key& a, const Key& b) {
    return a.squared_distance != b.squared_distance ? a.squared_distance > b.squared_distance
                                                    : compare(a.row, b.row) < 0;
  };
  struct Tally {
    double weight = 0;
    int64_t count = 0;
  };
  // A group that has to make room never comes back: its other rows would come after the same n.
  std::map<Key, Tally, decltype(comes_first)> groups(comes_first);
  double distances[kBlockRows], least = 0;
  for (int64_t first = 0; first < n_rows; first += kBlockRows) {
    const int m = int(std::min<int64_t>(kBlockRows, n_rows - first));
    measure(first, m, distances);
    for (int i = 0; i < m; ++i) {
      const double weight = weights ? weights[first + i] : 1.0;
      if (distances[i] == 0 || weight == 0 || distances[i] < least) continue;
      Tally& tally = groups[{distances[i], first + i}];
      tally.weight += weight;
      ++tally.count;
      if (int64_t(groups.size()) > n) groups.erase(std::prev(groups.end()));
      if (int64_t(groups.size()) == n) least = std::prev(groups.end())->first.squared_distance;
    }
  }
  std::vector<FarGroup> out;
  for (const auto& [key, tally] : groups)
    out.push_back({key.squared_distance, key.row, tally.weight, tally.count});
  return out;
}

}  // namespace centroids
