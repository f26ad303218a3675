// One look at the data before a fit: finite? how spread? where is it?
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "matrix_view.hpp"
#include "sparse_view.hpp"
#include "threads/shards.hpp"

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

// Whether a column is to be shifted before it is summed: sums of squares would lose four bits and
// more. A single row far from all others is enough to hide from this how far these are from zero.
inline bool is_far_from_zero(double mean, double variance) {
  return std::abs(mean) > 4 * std::sqrt(variance);
}

// Sums over rows about a reference.
struct Moments {
  double weight = 0;
  std::vector<double> sum, square_sum;

  double mean(double reference, size_t t) const { return reference + sum[t] / weight; }
  double variance(size_t t) const {
    const double offset = sum[t] / weight;
    return std::max(0.0, square_sum[t] / weight - offset * offset);
  }
};
// Origin, weight, variance and squares of rows with these moments about a reference.
void summarize_about(const std::vector<double>& reference, const Moments& moments,
                     Summary& summary);
// One for each shard. weights: n_rows, or null.
std::vector<Moments> shard_moments(const MatrixView& x, const double* weights,
                                   const std::vector<double>& reference, const Shards& shards,
                                   int n_threads);

// Of the rows: the largest squared distance to the reference, and the value farthest from it.
struct Extent {
  double squared_distance = 0;
  double offset = 0;
  int64_t row = -1, col = -1;
};
Extent extent(const MatrixView& x, const std::vector<double>& reference);

struct Cell {
  int64_t row = -1, col = -1;
};
// The first NaN or infinity, or none.
Cell first_bad(const MatrixView& x);

// What a summary asks of the rows, wherever they are.
class SummarySource {
 public:
  virtual ~SummarySource() = default;
  virtual int64_t n_rows() const = 0;
  virtual Dtype dtype() const = 0;
  virtual bool is_weighted() const = 0;
  virtual std::vector<double> row(int64_t i) = 0;
  virtual int64_t first_with_weight() = 0;  // 0 where no row has one
  virtual std::vector<Moments> shard_moments(const std::vector<double>& reference,
                                             bool is_weighted) = 0;
  virtual Extent extent(const std::vector<double>& reference) = 0;
  virtual Cell first_bad() = 0;
};
Summary summarize(SummarySource& source);

// weights: n_rows, or null.
Summary summarize(const MatrixView& x, const double* weights, int n_threads);
Summary summarize(const SparseView& x, const double* weights, int n_threads);

}  // namespace centroids
