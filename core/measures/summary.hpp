// One look at the data before a fit: finite? how spread? where is it?
#pragma once

#include <cstdint>
#include <vector>

#include "matrix_view.hpp"
#include "sparse_view.hpp"

namespace centroids {

// Whether squared distances between rows can be told apart in the dtype of the rows.
enum class Squares { fit, overflow, underflow };

struct Summary {
  int64_t bad_row = -1, bad_col = -1;  // first NaN or infinity in row order; -1: none
  Squares squares = Squares::fit;
  int64_t far_row = -1, far_col = -1;  // where they do not fit: the value farthest from row 0
  double mean_variance = 0;            // mean over the columns of their weighted variance
  // Subtracted from the rows before they are summed: zero (empty) unless some column's mean is
  // large against its spread, when sums would lose digits.
  std::vector<double> origin;
  double total_weight = 0;   // of the rows
  double total_squares = 0;  // weighted sum of |x - origin|^2
};

// weights: n_rows, or null.
Summary summarize(const MatrixView& x, const double* weights, int n_threads);
Summary summarize(const SparseView& x, const double* weights,
                  int n_threads);  // origin: always zero

}  // namespace centroids
