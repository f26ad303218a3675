// Some of the rows, copied, with their weights and labels: dense or sparse.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "assign/sparse_rows.hpp"
#include "random.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {

// Whether rows drawn evenly stand for all: not where a few have most of the weight.
template <class R>
bool weighs_evenly(const R& rows) {
  if (!rows.weights) return true;
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < rows.n_rows; ++i) {
    sum += rows.weights[i];
    squares += rows.weights[i] * rows.weights[i];
  }
  return 2 * sum * sum >= double(rows.n_rows) * squares;
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

// To be moved, not copied: its rows lie where they were put.
template <class R>
class RowSample;

template <class T>
class RowSample<Rows<T>> {
 public:
  RowSample(RowSample&&) = default;
  RowSample& operator=(RowSample&&) = default;
  RowSample(const Rows<T>& all, const std::vector<int64_t>& picked)
      : x_(picked.size() * all.n_features), labels_(picked.size()), rows_(all) {
    for (size_t i = 0; i < picked.size(); ++i) {
      std::copy_n(all.row(picked[i]), all.n_features, x_.data() + i * all.n_features);
      labels_[i] = all.labels[picked[i]];
      if (all.weights) weights_.push_back(all.weights[picked[i]]);
    }
    rows_.x = x_.data();
    rows_.n_rows = int64_t(picked.size());
    rows_.weights = all.weights ? weights_.data() : nullptr;
    rows_.labels = labels_.data();
  }
  const Rows<T>& rows() const { return rows_; }

 private:
  std::vector<T> x_;
  std::vector<double> weights_;
  std::vector<int32_t> labels_;
  Rows<T> rows_;
};

template <class T>
class RowSample<SparseRows<T>> {
 public:
  RowSample(RowSample&&) = default;
  RowSample& operator=(RowSample&&) = default;
  RowSample(const SparseRows<T>& all, const std::vector<int64_t>& picked)
      : starts_{0}, labels_(picked.size()), rows_(all) {
    for (size_t i = 0; i < picked.size(); ++i) {
      const SparseRow<T> row = all.row(picked[i]);
      values_.insert(values_.end(), row.values, row.values + row.n_entries);
      columns_.insert(columns_.end(), row.columns, row.columns + row.n_entries);
      starts_.push_back(int64_t(values_.size()));
      labels_[i] = all.labels[picked[i]];
      if (all.weights) weights_.push_back(all.weights[picked[i]]);
    }
    rows_.values = values_.data();
    rows_.columns = columns_.data();
    rows_.starts = starts_.data();
    rows_.n_rows = int64_t(picked.size());
    rows_.weights = all.weights ? weights_.data() : nullptr;
    rows_.labels = labels_.data();
  }
  const SparseRows<T>& rows() const { return rows_; }

 private:
  std::vector<T> values_;
  std::vector<int32_t> columns_;
  std::vector<int64_t> starts_;
  std::vector<double> weights_;
  std::vector<int32_t> labels_;
  SparseRows<T> rows_;
};

}  // namespace centroids
