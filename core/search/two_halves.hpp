// A cluster split in two: Lloyd's algorithm with two centers on its rows alone.
#pragma once

#include <cstdint>
#include <vector>

#include "random.hpp"
#include "search/row_access.hpp"

namespace centroids {

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
