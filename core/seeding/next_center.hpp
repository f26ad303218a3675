// One more center for a partition: one step of greedy k-means++ (Arthur & Vassilvitskii, SODA 2007)
// from centers that need not be rows.
#pragma once

#include <cstdint>
#include <vector>

#include "centers.hpp"
#include "matrix_view.hpp"

namespace centroids {

// Of the rows drawn with probability proportional to weight times squared distance to the nearest
// center, one for each number in [0, 1) of `draws`, the one that lowers the inertia most; the first
// on ties. -1 where every row lies on a center.
int64_t next_center(const MatrixView& x, const double* weights, const Centers& centers,
                    const std::vector<double>& draws, int n_threads);

}  // namespace centroids
