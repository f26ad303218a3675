// Which clusters are neighbours, and which two it costs least to merge: what the centers alone
// tell.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "centers.hpp"

namespace centroids {

using Pair = std::array<int32_t, 2>;  // clusters, first < second

// Squared distances between the centers, row by row; infinite from a center to itself.
std::vector<double> squared_center_distances(const Centers& centers);

// Pairs of clusters with nothing else between them, in lexicographic order: of the four nearest
// centers of each, those whose midpoint is nearer to the two than to any other center (edges of the
// Gabriel graph). A center and its nearest one always are such a pair, unless they are the same.
std::vector<Pair> neighbour_pairs(const std::vector<double>& squared, int64_t n_clusters);

// Joining clusters i and j adds w_i w_j / (w_i + w_j) |c_i - c_j|^2 to the inertia (Ward 1963).
struct Merge {
  Pair pair;
  double cost;
};
// The cheapest of all pairs, the first on ties; weights are not zero. At least two clusters.
Merge cheapest_merge(const Centers& centers, const double* weights);

}  // namespace centroids
