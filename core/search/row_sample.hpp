// Some of the rows, copied, with their weights and labels: dense or sparse.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "assign/sparse_rows.hpp"
#include "random.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {

// How unevenly a sum is made up: n times the sum of the squares of its n terms against its own
// square, 1 where all are equal.
class Unevenness {
 public:
  void add(double term) {
    ++n_;
    sum_ += term;
    squares_ += term * term;
  }
  bool is_at_most(double most) const { return double(n_) * squares_ <= most * sum_ * sum_; }

 private:
  int64_t n_ = 0;
  double sum_ = 0, squares_ = 0;
};

// Whether rows drawn evenly stand for all: not where a few have most of the weight.
template <class R>
bool weighs_evenly(const R& rows) {
  if (!rows.weights) return true;
  Unevenness weights;
  for (int64_t i = 0; i < rows.n_rows; ++i) weights.add(rows.weights[i]);
  return weights.is_at_most(2);
}

// n of so many rows, ascending: one of each stretch, at random.
inline std::vector<int64_t> one_of_each_stretch(int64_t n_rows, int64_t n, Philox& random) {
  std::vector<int64_t> picked(n);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t begin = n_rows / n * i + n_rows % n * i / n,
                  end = n_rows / n * (i + 1) + n_rows % n * (i + 1) / n;
    picked[i] = begin + int64_t(random.below(uint64_t(end - begin)));
  }
  return picked;
}

// Copies of the values of rows: copy(all, picked), and lend_to(rows) to point to them.
template <class R>
class RowValues;

template <class T>
class RowValues<Rows<T>> {
 public:
  void copy(const Rows<T>& all, const std::vector<int64_t>& picked) {
    for (const int64_t i : picked) x_.insert(x_.end(), all.row(i), all.row(i) + all.n_features);
  }
  void lend_to(Rows<T>& rows) const { rows.x = x_.data(); }

 private:
  std::vector<T> x_;
};

template <class T>
class RowValues<SparseRows<T>> {
 public:
  void copy(const SparseRows<T>& all, const std::vector<int64_t>& picked) {
    for (const int64_t i : picked) {
      const SparseRow<T> row = all.row(i);
      values_.insert(values_.end(), row.values, row.values + row.n_entries);
      columns_.insert(columns_.end(), row.columns, row.columns + row.n_entries);
      starts_.push_back(int64_t(values_.size()));
    }
  }
  void lend_to(SparseRows<T>& rows) const {
    rows.values = values_.data();
    rows.columns = columns_.data();
    rows.starts = starts_.data();
  }

 private:
  std::vector<T> values_;
  std::vector<int32_t> columns_;
  std::vector<int64_t> starts_{0};
};

// To be moved, not copied: its rows lie where they were put.
template <class R>
class RowSample {
 public:
  RowSample(RowSample&&) = default;
  RowSample& operator=(RowSample&&) = default;
  RowSample(const R& all, const std::vector<int64_t>& picked) : rows_(all) {
    values_.copy(all, picked);
    for (const int64_t i : picked) {
      labels_.push_back(all.labels[i]);
      if (all.weights) weights_.push_back(all.weights[i]);
    }
    values_.lend_to(rows_);
    rows_.n_rows = int64_t(picked.size());
    rows_.weights = all.weights ? weights_.data() : nullptr;
    rows_.labels = labels_.data();
  }
  const R& rows() const { return rows_; }

 private:
  RowValues<R> values_;
  std::vector<double> weights_;
  std::vector<int32_t> labels_;
  R rows_;
};

}  // namespace centroids
