// One visit of the rows for everything that criteria and valleys need: sums per cluster of the own
// and the second distance, and counts along the line between neighbouring centers.
#pragma once

#include <array>
#include <vector>

#include "centers.hpp"
#include "matrix_view.hpp"
#include "measures/neighbours.hpp"

namespace centroids {

// Weighted sums over the rows of one cluster.
struct ClusterMeasures {
  double weight = 0;
  double inertia = 0;          // squared distance to the own center
  double distance = 0;         // distance to the own center
  double second_distance = 0;  // distance to the second nearest center; 0 with one cluster
  double silhouette = 0;       // 1 - own / second distance (Hruschka et al. 2006)
  double fourth_power = 0;     // of the distance to the own center
};

// Weight along the line from the first center (0) to the second (1) of a pair, which the rows of
// the two clusters are projected on: bins of width 1/12, from -1/6 to 7/6.
constexpr int kLineBins = 16;
using LineProfile = std::array<double, kLineBins>;

struct PartitionMeasures {
  std::vector<double> squared_center_distances;
  std::vector<Pair> pairs;  // of neighbours
  std::vector<ClusterMeasures> clusters;
  std::vector<LineProfile> profiles;  // one a pair
  // What several criteria are made of.
  std::vector<double> radii;                     // mean distance to the own center; 0 without rows
  std::vector<double> nearest_center_distances;  // from each center to another; infinite for one
  std::vector<double> similarities;  // largest (radius + radius) / distance to another (DB)
  double weight = 0, inertia = 0;    // of all rows
  double inertia_between = 0;  // weighted squared distances of the rows' centers to their mean
};

struct PartitionQuery {
  const double* weights = nullptr;  // n_rows, or null: one each
  // Where these rows placed the centers: the weight of each cluster, and every row is projected as
  // if it had not been there when its center was averaged. Null: the rows had no part in it.
  const double* cluster_weights = nullptr;
  int n_threads = 1;
};

PartitionMeasures measure_partition(const MatrixView& x, const Centers& centers,
                                    const PartitionQuery& query);

}  // namespace centroids
