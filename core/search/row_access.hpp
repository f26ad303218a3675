// What local search needs of the rows, whatever kind they are: distances from some rows to some
// points, and adding a row to a sum.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "aligned.hpp"
#include "assign/sparse_rows.hpp"
#include "kernels/kernels.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {

// A point in float64 and its squared norm. Borrowed.
struct Point {
  const double* values;
  double squared_norm;
};

inline Point make_point(const std::vector<double>& values) {
  double norm = 0;
  for (const double v : values) norm += v * v;
  return {values.data(), norm};
}

// Measures blocks of rows against points chosen before; one for each thread.
class Probe {
 public:
  virtual ~Probe() = default;
  virtual void choose(const std::vector<Point>& points) = 0;
  // result[p * kBlockRows + i] = squared distance of row rows[i] to point p; n <= kBlockRows.
  virtual const double* measure(const int32_t* rows, int n) = 0;
};

class RowAccess {
 public:
  virtual ~RowAccess() = default;
  virtual int64_t n_rows() const = 0;
  virtual int64_t n_features() const = 0;
  virtual int n_threads() const = 0;
  virtual const std::vector<double>& origin() const = 0;  // empty: zero
  virtual double multiply_adds() const = 0;               // of a row against a point, in the mean
  virtual double weight(int32_t row) const = 0;
  virtual void copy(int32_t row, double* out) const = 0;
  // sums += w (x - origin), for each column; returns w |x - origin|^2.
  virtual double add(int32_t row, double w, double* sums) const = 0;
  virtual double dot(int32_t row, const double* direction) const = 0;
  virtual std::unique_ptr<Probe> make_probe() const = 0;

  // Of a row against a point, in multiply-adds: fetching and comparing count as well. Of sparse
  // rows as if they were dense: budgets are counted in this, and both shall end in the same
  // optimum.
  double work_per_row() const { return double(n_features()) + kFetch; }
  // What work counted so really costs.
  double cost_of(double work) const { return work * (multiply_adds() + kFetch) / work_per_row(); }

 private:
  static constexpr double kFetch = 6;
};

// Calls take(first place, n, squared) for each block of the listed rows, as measured.
template <class F>
void for_probed_blocks(Probe& probe, const int32_t* rows, size_t n_rows, F take) {
  for (size_t first = 0; first < n_rows; first += kBlockRows) {
    const int n = int(std::min<size_t>(kBlockRows, n_rows - first));
    take(first, n, probe.measure(rows + first, n));
  }
}

// Calls take(place, squared) for each of the listed rows; squared[p * kBlockRows] is the squared
// distance to point p.
template <class F>
void probe_blocks(Probe& probe, const int32_t* rows, size_t n_rows, F take) {
  for_probed_blocks(probe, rows, n_rows, [&](size_t first, int n, const double* squared) {
    for (int i = 0; i < n; ++i) take(first + i, squared + i);
  });
}
template <class F>
void probe_blocks(Probe& probe, const std::vector<int32_t>& rows, F take) {
  probe_blocks(probe, rows.data(), rows.size(), take);
}

// Squared distances that differ by less are equal, or rounding would decide where rows of whole
// numbers go that are halfway between two points.
inline constexpr double kSameDistance = 1 - 1e-12;

// Calls take(place, p, squared) for each of the listed rows with the first of the nearest points
// and the squared distance to it. A block at a time, without branches: nobody can foresee them.
template <class F>
void probe_nearest(Probe& probe, const std::vector<int32_t>& rows, size_t n_points, F take) {
  double least[kBlockRows];
  int64_t nearest[kBlockRows];
  const auto take_block = [&](size_t first, int n, const double* squared) {
    std::copy_n(squared, n, least);
    std::fill_n(nearest, n, 0);
    for (size_t p = 1; p < n_points; ++p)
      for (int i = 0; i < n; ++i) {
        const double tried = squared[p * kBlockRows + i];
        const bool is_nearer = tried < least[i] * kSameDistance;
        nearest[i] = is_nearer ? int64_t(p) : nearest[i];
        least[i] = is_nearer ? tried : least[i];
      }
    for (int i = 0; i < n; ++i) take(first + i, size_t(nearest[i]), least[i]);
  };
  for_probed_blocks(probe, rows.data(), rows.size(), take_block);
}

// What is left of sum of w |x - origin|^2 beside what a mean accounts for; what rounding may leave
// of nothing counts as nothing.
inline double error_left(double squares, double explained) {
  const double error = squares - explained;
  return error > 0x1p-49 * squares ? error : 0;
}

struct Mean {
  double explained;  // sum of w |x - origin|^2 less the error: what the mean accounts for
  double squared_norm;
};

// The mean of rows with these sums about the origin, scaled to length one if asked.
inline Mean mean_of(const std::vector<double>& sums, double weight,
                    const std::vector<double>& origin, bool unit, std::vector<double>& out) {
  const auto from = [&](size_t t) { return origin.empty() ? 0.0 : origin[t]; };
  // c = origin + sums / by + more * origin
  double by = weight, more = 0;
  if (unit) {
    double squares = 0;
    for (size_t t = 0; t < sums.size(); ++t) {
      const double about_zero = sums[t] + weight * from(t);
      squares += about_zero * about_zero;
    }
    if (squares > 0) {
      by = std::sqrt(squares);
      more = weight / by - 1;
    }
  }
  // |x - o|^2 - |x - c|^2 = 2 (x - o).(c - o) - |c - o|^2, summed.
  double explained = 0, norm = 0;
  for (size_t t = 0; t < sums.size(); ++t) {
    const double gap = sums[t] / by + more * from(t);
    out[t] = from(t) + gap;
    explained += (2 * sums[t] - weight * gap) * gap;
    norm += out[t] * out[t];
  }
  return {explained, norm};
}

template <class R>
class RowAccessOf;

template <class T>
class RowAccessOf<Rows<T>> : public RowAccess {
 public:
  RowAccessOf(const Rows<T>& rows, const std::vector<double>& origin)
      : rows_(rows), origin_(origin) {}

  int64_t n_rows() const override { return rows_.n_rows; }
  int64_t n_features() const override { return rows_.n_features; }
  int n_threads() const override { return rows_.n_threads; }
  const std::vector<double>& origin() const override { return origin_; }
  double multiply_adds() const override { return double(rows_.n_features); }
  double weight(int32_t row) const override { return rows_.weights ? rows_.weights[row] : 1.0; }
  void copy(int32_t row, double* out) const override {
    std::copy_n(rows_.row(row), rows_.n_features, out);
  }
  double add(int32_t row, double w, double* sums) const override {
    return origin_.empty() ? add_minus(row, w, sums, [](int64_t) { return 0.0; })
                           : add_minus(row, w, sums, [&](int64_t t) { return origin_[t]; });
  }
  double dot(int32_t row, const double* direction) const override {
    constexpr int kSums = 4;  // side by side: one sum alone would wait for itself
    const T* x = rows_.row(row);
    double sums[kSums] = {};
    int64_t t = 0;
    for (; t + kSums <= rows_.n_features; t += kSums)
      for (int s = 0; s < kSums; ++s) sums[s] += double(x[t + s]) * direction[t + s];
    for (; t < rows_.n_features; ++t) sums[0] += double(x[t]) * direction[t];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }
  std::unique_ptr<Probe> make_probe() const override { return std::make_unique<DenseProbe>(rows_); }

 private:
  class DenseProbe : public Probe {
   public:
    explicit DenseProbe(const Rows<T>& rows) : rows_(rows) {
      scratch_.resize(kBlockRows * rows.n_features);
    }
    void choose(const std::vector<Point>& points) override {
      const int64_t d = rows_.n_features;
      n_points_ = int(points.size());
      values_.resize(n_points_ * d);
      for (int p = 0; p < n_points_; ++p) std::copy_n(points[p].values, d, values_.begin() + p * d);
      out_.resize(n_points_ * kBlockRows);
      squared_.resize(n_points_ * kBlockRows);
    }
    const double* measure(const int32_t* rows, int n) override {
      kernels_.point_distances(rows_.x, rows_.n_features, rows, n, values_.data(), n_points_,
                               scratch_.data(), out_.data());
      if constexpr (std::is_same_v<T, double>) return out_.data();
      for (int p = 0; p < n_points_; ++p)
        std::copy_n(out_.data() + p * kBlockRows, n, squared_.begin() + p * kBlockRows);
      return squared_.data();
    }

   private:
    Rows<T> rows_;
    const Kernels<T>& kernels_ = kernels<T>();
    int n_points_ = 0;
    std::vector<T> values_;
    AlignedBuffer<T> scratch_, out_;
    std::vector<double> squared_;
  };

  template <class F>
  double add_minus(int32_t row, double w, double* sums, F origin) const {
    const T* x = rows_.row(row);
    double squares = 0;
    for (int64_t t = 0; t < rows_.n_features; ++t) {
      const double value = double(x[t]) - origin(t);
      sums[t] += w * value;
      squares += value * value;
    }
    return w * squares;
  }

  Rows<T> rows_;
  const std::vector<double>& origin_;
};

template <class T>
class RowAccessOf<SparseRows<T>> : public RowAccess {
 public:
  RowAccessOf(const SparseRows<T>& rows, const std::vector<double>& origin)
      : rows_(rows), origin_(origin) {}

  int64_t n_rows() const override { return rows_.n_rows; }
  int64_t n_features() const override { return rows_.n_features; }
  int n_threads() const override { return rows_.n_threads; }
  const std::vector<double>& origin() const override { return origin_.values(); }
  double multiply_adds() const override { return rows_.n_entries() / double(rows_.n_rows); }
  double weight(int32_t row) const override { return rows_.weight(row); }
  void copy(int32_t row, double* out) const override { copy_row(rows_, row, out); }
  double add(int32_t row, double w, double* sums) const override {
    const SparseRow<T> x = rows_.row(row);
    double squares = 0;
    origin_.for_values(x, [&](int32_t t, double value) {
      sums[t] += w * value;
      squares += value * value;
    });
    return w * squares;
  }
  double dot(int32_t row, const double* direction) const override {
    const SparseRow<T> x = rows_.row(row);
    double sum = 0;
    for (int64_t e = 0; e < x.n_entries; ++e) sum += double(x.values[e]) * direction[x.columns[e]];
    return sum;
  }
  std::unique_ptr<Probe> make_probe() const override {
    return std::make_unique<SparseProbe>(rows_);
  }

 private:
  class SparseProbe : public Probe {
   public:
    explicit SparseProbe(const SparseRows<T>& rows) : rows_(rows) {}
    void choose(const std::vector<Point>& points) override {
      points_ = points;
      out_.resize(points.size() * kBlockRows);
    }
    const double* measure(const int32_t* rows, int n) override {
      for (size_t p = 0; p < points_.size(); ++p)
        for (int i = 0; i < n; ++i)
          out_[p * kBlockRows + i] = squared_distance(rows_.row(rows[i]), points_[p].values,
                                                      points_[p].squared_norm, rows_.n_features);
      return out_.data();
    }

   private:
    SparseRows<T> rows_;
    std::vector<Point> points_;
    std::vector<double> out_;
  };

  SparseRows<T> rows_;
  SparseOrigin origin_;
};

}  // namespace centroids
