// What each center is worth: the sums that local search needs, in one visit of the rows.
#pragma once

#include <vector>

#include "assign/sparse_rows.hpp"
#include "centers.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {

struct CenterErrors {
  std::vector<double> error;    // per cluster: weighted sum of squared distances to its center
  std::vector<double> utility;  // by how much the inertia would rise if the center were gone
};

template <class T>
CenterErrors measure_errors(const Rows<T>& rows, const Centers& centers);
template <class T>
CenterErrors measure_errors(const SparseRows<T>& rows, const Centers& centers);

}  // namespace centroids
