// Globally optimal K-Means in one dimension. Optimal clusters are intervals of the sorted values,
// so the least error of the first i values in q clusters follows from that of fewer values in one
// cluster less:
//
//   D[q][i] = min over j of D[q-1][j] + ssq(j, i)        (Wang & Song, The R Journal 3(2), 2011)
//
// The best j never decreases with i, so one row of D takes O(m log m) steps by divide and conquer
// (Gronlund et al., arXiv 1701.07204, section 2).
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace centroids {

// distinct values * clusters up to which a fit of one column is exact: seconds of work, and 4 bytes
// each for the way back.
inline constexpr int64_t kMostExactStates = int64_t(1) << 25;

// The optimal centers, ascending, for (value, weight) pairs in any order; pairs of weight zero are
// left out. Fewer than n_clusters when there are fewer distinct values. Nothing when it would take
// too long.
std::optional<std::vector<double>> optimal_centers(std::vector<std::pair<double, double>> values,
                                                   int64_t n_clusters);

}  // namespace centroids
