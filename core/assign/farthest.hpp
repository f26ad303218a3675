// The rows farthest from their centers, for any kind of rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/kernels.hpp"

namespace centroids {

struct RowDistance {
  double squared_distance;
  int64_t row;
  bool operator<(const RowDistance& other) const {  // "comes first"
    return squared_distance != other.squared_distance ? squared_distance > other.squared_distance
                                                      : row < other.row;
  }
};

// Up to n rows of positive weight, farthest first (lowest row on ties), rows at distance 0 left
// out. measure(first, m, out) writes the squared distances of m rows from `first` on.
template <class F>
std::vector<RowDistance> farthest_rows(int64_t n_rows, int64_t n, const double* weights,
                                       F measure) {
  std::vector<RowDistance> heap;  // the n first so far, the last of them on top
  double distances[kBlockRows];
  for (int64_t first = 0; first < n_rows; first += kBlockRows) {
    const int m = int(std::min<int64_t>(kBlockRows, n_rows - first));
    measure(first, m, distances);
    for (int i = 0; i < m; ++i) {
      if (distances[i] == 0 || (weights && weights[first + i] == 0)) continue;
      const RowDistance candidate{distances[i], first + i};
      if (int64_t(heap.size()) == n) {
        if (!(candidate < heap.front())) continue;
        std::pop_heap(heap.begin(), heap.end());
        heap.pop_back();
      }
      heap.push_back(candidate);
      std::push_heap(heap.begin(), heap.end());
    }
  }
  std::sort_heap(heap.begin(), heap.end());
  return heap;
}

}  // namespace centroids
