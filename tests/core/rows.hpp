// Rows of a test, kept where views of them can point.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "kmeans.hpp"
#include "measures/summary.hpp"
#include "update/cluster_sums.hpp"

namespace check {

template <class T>
struct RowsWithLabels {
  std::vector<T> x;
  std::vector<double> weights;  // or empty
  int64_t n, d;
  std::vector<int32_t> labels;

  RowsWithLabels(std::vector<T> values, int64_t columns, std::vector<double> w = {})
      : x(std::move(values)),
        weights(std::move(w)),
        n(int64_t(x.size()) / columns),
        d(columns),
        labels(n) {}

  const double* weight(int64_t i = 0) const {
    return weights.empty() ? nullptr : weights.data() + i;
  }
  centroids::Rows<T> rows(int n_threads = 1) {
    return {x.data(), n, d, weight(), labels.data(), n_threads};
  }
  centroids::MatrixView view(int64_t first, int64_t count) const {
    const auto dtype = sizeof(T) == 4 ? centroids::Dtype::f32 : centroids::Dtype::f64;
    return {x.data() + first * d, dtype, count, d};
  }
  centroids::Data data(int n_threads = 1) const {
    centroids::Data all{view(0, n), weight(), {}, n_threads};
    all.summary = summarize(all.x, all.weights, n_threads);
    return all;
  }
};

}  // namespace check
