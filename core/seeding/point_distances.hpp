// Squared distances, in T, from rows to a few rows chosen as points: all that seeding asks of the
// rows, so that one seeding serves every kind of rows.
//
// - prepare(n_clusters, most_points): before all visits.
// - choose(points): these rows are the points.
// - select(begin, n, D, labels, threshold, out): rows that may be nearer to a point than D.
// - measure(begin, offsets, m, scratch, out): out[p * kBlockRows + i] is that of row
//   begin + offsets[i] to point p; without offsets, of row begin + i.
// - rows_worth_a_block(): with so many rows to measure among kBlockRows in a row, measuring all of
//   these costs less than fetching the ones from between the others.
// - measure_listed(rows, n, scratch, out): the same for rows anywhere.
// - between(a, b, scratch): that of one row to another.
#pragma once

#include <algorithm>
#include <vector>

#include "aligned.hpp"
#include "assign/sparse_rows.hpp"
#include "kernels/kernels.hpp"
#include "seeding/short_rows.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {

template <class R>
class PointDistances;

template <class T>
class PointDistances<Rows<T>> {
 public:
  explicit PointDistances(const Rows<T>& rows) : rows_(rows), kernels_(kernels<T>()) {}

  void prepare(int64_t n_clusters, int most_points) {
    if (ShortRows<T>::pays(rows_, n_clusters, most_points)) short_rows_.pack(rows_);
  }
  // Whether select does without thresholds.
  bool is_bounded() const { return short_rows_.is_packed(); }
  int64_t scratch_size() const { return 2 * kBlockRows * rows_.n_features; }
  double work_per_point() const { return double(rows_.n_rows) * double(rows_.n_features); }
  int rows_worth_a_block() const {
    const bool are_packed = rows_.n_features * int64_t(sizeof(T)) < kNarrowLines * 64;
    return are_packed ? kBlockRows * 3 / 4 : kBlockRows;
  }

  void choose(const std::vector<int64_t>& points) {
    n_points_ = int(points.size());
    values_.resize(points.size() * rows_.n_features);
    gather(points.data(), n_points_, values_.data());
    if (short_rows_.is_packed()) short_rows_.choose(values_.data(), n_points_);
  }
  int select(int64_t begin, int n, const T* current, const int32_t* labels, const T* threshold,
             int32_t* out) const {
    return short_rows_.is_packed() ? short_rows_.select(begin, n, current, out)
                                   : kernels_.select_above(current, labels, threshold, n, out);
  }
  void measure(int64_t begin, const int32_t* offsets, int m, T* scratch, T* out) const {
    kernels_.point_distances(rows_.row(begin), rows_.n_features, offsets, m, values_.data(),
                             n_points_, scratch, out);
  }
  void measure_listed(const int64_t* rows, int n, T* scratch, T* out) const {
    T* block = scratch + kBlockRows * rows_.n_features;
    gather(rows, n, block);
    kernels_.point_distances(block, rows_.n_features, nullptr, n, values_.data(), n_points_,
                             scratch, out);
  }
  T between(int64_t a, int64_t b, T* scratch) const {
    alignas(64) T out[kBlockRows];
    kernels_.point_distances(rows_.row(a), rows_.n_features, nullptr, 1, rows_.row(b), 1, scratch,
                             out);
    return out[0];
  }

 private:
  void gather(const int64_t* rows, int n, T* out) const {
    for (int i = 0; i < n; ++i)
      std::copy_n(rows_.row(rows[i]), rows_.n_features, out + i * rows_.n_features);
  }

  Rows<T> rows_;
  const Kernels<T>& kernels_;
  ShortRows<T> short_rows_;
  int n_points_ = 0;
  std::vector<T> values_;
};

// |x - p|^2 = |x|^2 + |p|^2 - 2 x.p in float64, unless digits cancel: equal rows are at distance 0.
template <class T>
class PointDistances<SparseRows<T>> {
 public:
  explicit PointDistances(const SparseRows<T>& rows) : rows_(rows) {}

  void prepare(int64_t, int) {}
  bool is_bounded() const { return false; }
  int select(int64_t, int n, const T* current, const int32_t* labels, const T* threshold,
             int32_t* out) const {
    return kernels<T>().select_above(current, labels, threshold, n, out);
  }
  int64_t scratch_size() const { return 1; }
  double work_per_point() const { return 2 * rows_.n_entries(); }
  int rows_worth_a_block() const { return kBlockRows; }

  void choose(const std::vector<int64_t>& points) {
    n_points_ = int(points.size());
    points_.clear();
    n_lanes_ = (n_points_ + kLanes - 1) / kLanes * kLanes;
    by_column_.assign(rows_.n_features * n_lanes_, 0.0);
    norms_.assign(n_lanes_, 0.0);
    for (int p = 0; p < n_points_; ++p) {
      const SparseRow<T> row = rows_.row(points[p]);
      for (int64_t e = 0; e < row.n_entries; ++e)
        by_column_[row.columns[e] * n_lanes_ + p] = row.values[e];
      norms_[p] = norm(row);
      points_.push_back(row);
    }
  }
  void measure(int64_t begin, const int32_t* offsets, int m, T*, T* out) const {
    for (int i = 0; i < m; ++i) to_points(begin + (offsets ? offsets[i] : i), out + i);
  }
  void measure_listed(const int64_t* rows, int n, T*, T* out) const {
    for (int i = 0; i < n; ++i) to_points(rows[i], out + i);
  }
  T between(int64_t a, int64_t b, T*) const {
    const SparseRow<T> x = rows_.row(a), y = rows_.row(b);
    double dot = 0;
    for (int64_t e = 0, f = 0; e < x.n_entries && f < y.n_entries;) {
      if (x.columns[e] == y.columns[f]) dot += double(x.values[e]) * double(y.values[f]);
      const bool first = x.columns[e] <= y.columns[f], second = y.columns[f] <= x.columns[e];
      e += first;
      f += second;
    }
    return distance(norm(x), norm(y), dot, x, y);
  }

 private:
  static constexpr int kLanes = 8;

  static double norm(const SparseRow<T>& row) {
    double sum = 0;
    for (int64_t e = 0; e < row.n_entries; ++e)
      sum += double(row.values[e]) * double(row.values[e]);
    return sum;
  }
  static T distance(double norm, double other_norm, double dot, const SparseRow<T>& row,
                    const SparseRow<T>& other) {
    const double squared = norm + other_norm - 2 * dot;
    return T(is_cancelled(squared, norm, other_norm) ? squared_distance_by_column(row, other)
                                                     : squared);
  }
  void to_points(int64_t i, T* out) const {
    const SparseRow<T> row = rows_.row(i);
    const double row_norm = norm(row);
    for (int first = 0; first < n_points_; first += kLanes) {
      double dot[kLanes] = {};
      for (int64_t e = 0; e < row.n_entries; ++e) {
        const double x = row.values[e];
        const double* p = by_column_.data() + row.columns[e] * n_lanes_ + first;
        for (int lane = 0; lane < kLanes; ++lane) dot[lane] += x * p[lane];
      }
      for (int p = first; p < std::min(n_points_, first + kLanes); ++p)
        out[p * kBlockRows] = distance(row_norm, norms_[p], dot[p - first], row, points_[p]);
    }
  }

  SparseRows<T> rows_;
  int n_points_ = 0, n_lanes_ = 0;
  std::vector<double> by_column_, norms_;
  std::vector<SparseRow<T>> points_;
};

}  // namespace centroids
