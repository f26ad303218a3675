// Sparse rows and their distances to dense centers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "centers.hpp"
#include "sparse_view.hpp"

namespace centroids {

template <class T>
struct SparseRow {
  const T* values;
  const int32_t* columns;
  int64_t n_entries;
};

// The rows a sparse pass works on, and where their labels are kept (compare Rows).
template <class T>
struct SparseRows {
  const T* values;
  const int32_t* columns;
  const int64_t* starts;
  int64_t n_rows;
  int64_t n_features;
  const double* weights;  // n_rows, or null: one each
  int32_t* labels;        // n_rows
  int n_threads;

  SparseRow<T> row(int64_t i) const {
    return {values + starts[i], columns + starts[i], starts[i + 1] - starts[i]};
  }
  double weight(int64_t i) const { return weights ? weights[i] : 1.0; }
  double n_entries() const { return double(starts[n_rows]); }
};

template <class T>
SparseRows<T> rows_of(const SparseView& x, const double* weights, int32_t* labels, int n_threads) {
  return {static_cast<const T*>(x.values),
          x.columns,
          x.starts,
          x.n_rows,
          x.n_cols,
          weights,
          labels,
          n_threads};
}

template <class T>
void copy_row(const SparseRows<T>& rows, int64_t i, double* out) {
  std::fill_n(out, rows.n_features, 0.0);
  const SparseRow<T> row = rows.row(i);
  for (int64_t e = 0; e < row.n_entries; ++e) out[row.columns[e]] = row.values[e];
}

// Calls f(x, y) with the values of both rows in each column where one has an entry, until it
// returns false.
template <class T, class F>
void for_columns_of(const SparseRow<T>& a, const SparseRow<T>& b, F f) {
  for (int64_t i = 0, j = 0; i < a.n_entries || j < b.n_entries;) {
    const bool has_a = i < a.n_entries && !(j < b.n_entries && b.columns[j] < a.columns[i]);
    const bool has_b = j < b.n_entries && !(i < a.n_entries && a.columns[i] < b.columns[j]);
    if (!f(has_a ? a.values[i] : T(0), has_b ? b.values[j] : T(0))) return;
    i += has_a;
    j += has_b;
  }
}

// An origin of sparse rows: zero but in a few columns, which nearly all rows have entries in.
class SparseOrigin {
 public:
  explicit SparseOrigin(std::vector<double> values) : values_(std::move(values)) {
    for (size_t t = 0; t < values_.size(); ++t)
      if (values_[t] != 0) columns_.push_back(int32_t(t));
  }
  const std::vector<double>& values() const { return values_; }

  // Calls f(column, value - origin) wherever that may not be zero.
  template <class T, class F>
  void for_values(const SparseRow<T>& row, F f) const {
    auto next = columns_.begin();
    for (int64_t e = 0; e < row.n_entries; ++e) {
      const int32_t column = row.columns[e];
      for (; next != columns_.end() && *next < column; ++next) f(*next, -values_[*next]);
      const bool is_shifted = next != columns_.end() && *next == column;
      f(column, is_shifted ? double(row.values[e]) - values_[column] : double(row.values[e]));
      if (is_shifted) ++next;
    }
    for (; next != columns_.end(); ++next) f(*next, -values_[*next]);
  }

 private:
  std::vector<double> values_;  // n_features, or empty: all zero
  std::vector<int32_t> columns_;
};

// Below 0 when the values of a come before those of b, column by column; 0 when all are equal,
// whether a zero is stored or not.
template <class T>
int compare_rows(const SparseRow<T>& a, const SparseRow<T>& b) {
  int order = 0;
  for_columns_of(a, b, [&](T x, T y) {
    order = x == y ? 0 : x < y ? -1 : 1;
    return order == 0;
  });
  return order;
}

template <class T>
double squared_norm(const SparseRow<T>& row) {
  constexpr int kSums = 4;  // side by side: one sum alone would wait for itself
  double sums[kSums] = {};
  int64_t e = 0;
  for (; e + kSums <= row.n_entries; e += kSums)
    for (int s = 0; s < kSums; ++s)
      sums[s] += double(row.values[e + s]) * double(row.values[e + s]);
  for (; e < row.n_entries; ++e) sums[0] += double(row.values[e]) * double(row.values[e]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// |c|^2 of each center, added in column order.
inline std::vector<double> squared_norms(const Centers& centers) {
  std::vector<double> norms(centers.n_clusters);
  for (int64_t j = 0; j < centers.n_clusters; ++j)
    for (int64_t t = 0; t < centers.n_features; ++t)
      norms[j] += centers.row(j)[t] * centers.row(j)[t];
  return norms;
}

// Whether a squared distance that was computed from the squared norms is so small against them that
// too few of its digits are left. True for whatever is not a number.
inline bool is_cancelled(double squared_distance, double norm, double other_norm) {
  return !(squared_distance > 0x1p-14 * (norm + other_norm));
}

// |x - c|^2 column by column, where no digits cancel. Zero where it is no more than what rounding a
// center by its last two bits makes of it.
template <class T>
double squared_distance_by_column(const SparseRow<T>& row, const double* center,
                                  int64_t n_features) {
  double sum = 0, norms = 0;
  int64_t t = 0;
  const auto add_until = [&](int64_t column) {  // columns that are zero in the row
    for (; t < column; ++t) {
      sum += center[t] * center[t];
      norms += center[t] * center[t];
    }
  };
  for (int64_t e = 0; e < row.n_entries; ++e) {
    add_until(row.columns[e]);
    const double x = row.values[e], difference = x - center[t];
    sum += difference * difference;
    norms += x * x + center[t] * center[t];
    ++t;
  }
  add_until(n_features);
  const bool is_noise = sum <= 0x1p-104 * norms && sum < std::numeric_limits<double>::infinity();
  return is_noise ? 0.0 : sum;
}

// The same for two rows.
template <class T>
double squared_distance_by_column(const SparseRow<T>& a, const SparseRow<T>& b) {
  double sum = 0;
  for_columns_of(a, b, [&](T x, T y) {
    const double difference = double(x) - double(y);
    sum += difference * difference;
    return true;
  });
  return sum;
}

// |x - c|^2 = |c|^2 - sum over the entries of x of x (2c - x), which takes no look at the other
// columns, unless digits cancel.
template <class T>
double squared_distance(const SparseRow<T>& row, const double* center, double center_norm,
                        int64_t n_features) {
  double nearer = 0, norm = 0;
  for (int64_t e = 0; e < row.n_entries; ++e) {
    const double x = row.values[e];
    nearer += x * (2 * center[row.columns[e]] - x);
    norm += x * x;
  }
  const double squared = center_norm - nearer;
  return is_cancelled(squared, center_norm, norm)
             ? squared_distance_by_column(row, center, n_features)
             : squared;
}

}  // namespace centroids
