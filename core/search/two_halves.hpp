// A cluster split in two: Lloyd's algorithm with two centers on its rows alone.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "random.hpp"
#include "search/row_access.hpp"

namespace centroids {

// By more than rounding. Equal gains and prices are common: the halves of a split may change
// places, and to join two clusters costs the same whichever of them is removed. Rows of any kind
// shall go the same way then.
inline bool is_clearly_less(double a, double b) {
  return a < b - 1e-9 * std::abs(a);
}

struct Halves {
  double gain = 0;  // by how much the error falls; 0: no split found
  std::vector<double> first, second;
};

// The better of a few starts from the cluster's center and a row drawn by its squared distance.
// `error` is that of the whole cluster.
Halves split_in_two(const RowAccess& rows, Probe& probe, const std::vector<int32_t>& members,
                    const Point& center, double error, bool unit_centers, Philox random);
// What that costs for so many rows, at most.
double work_to_split(const RowAccess& rows, double n_members);

}  // namespace centroids
