// Centers in float64, each value representable in the dtype of the rows: what `assign` compares
// with is exactly what the caller gets back, so labels_ == predict(X).
#pragma once

#include <cstdint>
#include <vector>

#include "matrix_view.hpp"

namespace centroids {

struct Centers {
  std::vector<double> values;  // n_clusters x n_features
  int64_t n_clusters = 0;
  int64_t n_features = 0;
  Dtype dtype = Dtype::f64;

  Centers() = default;
  Centers(int64_t clusters, int64_t features, Dtype type)
      : values(clusters * features), n_clusters(clusters), n_features(features), dtype(type) {}

  double* row(int64_t j) { return values.data() + j * n_features; }
  const double* row(int64_t j) const { return values.data() + j * n_features; }
  double rounded(double value) const { return dtype == Dtype::f32 ? double(float(value)) : value; }
};

}  // namespace centroids
