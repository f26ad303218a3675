// Globally optimal K-Means in one dimension: the optimal clusters are intervals of the sorted
// values, found by dynamic programming (layers.hpp).
//
// Few values can be borders between optimal clusters, so the recursion first runs on a coarse grid
// of edges between the values. There it gives the error of some clusters, and for every bucket of
// the grid a lower bound of the error of all clusters that have their border q in it. Buckets whose
// bound is above that error are dropped, the others are cut finer, and so on to single values.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "exact1d/sorted_values.hpp"

namespace centroids {

// Borders * edges where they may lie up to which a fit of one column is exact: seconds of work, and
// 4 bytes each for the way back.
inline constexpr int64_t kMostExactStates = int64_t(1) << 25;

// The optimal centers, ascending, for values in any order; those of weight zero are left out. Fewer
// than n_clusters when there are fewer distinct values. Nothing when it would take too long, which
// is never with fewer than kMostExactStates / n_clusters distinct values. The number of edges to
// begin with changes how long it takes, and nothing else.
std::optional<std::vector<double>> optimal_centers(WeightedValues rows, int64_t n_clusters,
                                                   int n_threads, int64_t n_first_edges = 256);

}  // namespace centroids
