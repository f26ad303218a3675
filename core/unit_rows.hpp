// Rows scaled to length one, for the cosine metric.
#pragma once

#include <cstdint>

#include "matrix_view.hpp"
#include "sparse_view.hpp"

namespace centroids {

// Writes x / |x| for each row (entries in the order of x; the norm is added in that order, in
// float64). Returns the number of the first row without a direction (all zeros), or -1.
int64_t unit_rows(const MatrixView& x, int n_threads, void* out);
int64_t unit_rows(const SparseView& x, int n_threads, void* out);

}  // namespace centroids
