// What parts of the rows and their fit tell one another, as arrays and as values of the core.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cmath>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "parts/parts.hpp"

namespace centroids {

using Integers = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Numbers = nb::ndarray<nb::numpy, double>;

inline void require(bool condition, const char* what) {
  if (!condition) throw std::invalid_argument(what);
}

// The loop orders centers, and orders of numbers that are none are none.
inline void require_finite(const std::vector<double>& values) {
  for (const double v : values) require(std::isfinite(v), "parts gave back what is no number");
}

// What Python has answered.
template <class T>
T read(nb::handle answer) {
  T value;
  require(nb::try_cast(answer, value), "parts gave back what was not asked for");
  return value;
}

inline Centers copied_centers(const Matrix& values, Dtype dtype) {
  Centers centers(int64_t(values.shape(0)), int64_t(values.shape(1)), dtype);
  copy_values(values, centers.values.data());
  return centers;
}

inline Numbers array_of(const std::vector<double>& values) {
  return copied_array(values, {values.size()});
}

inline Candidates candidates_of(const Integers& rows, const Matrix& values, Dtype dtype) {
  require(rows.shape(0) == values.shape(0), "each candidate needs a row number and values");
  Candidates out{std::vector<int64_t>(rows.size()), copied_centers(values, dtype)};
  copy_values(rows, out.rows.data());
  return out;
}

inline nb::tuple tuple_of(const Candidates& found) {
  return nb::make_tuple(copied_array(found.rows, {found.rows.size()}), centers_array(found.values));
}

// Sums, errors of the sums, weights, errors of the weights, counts.
using TotalsTuple = std::tuple<Matrix, Matrix, Vector, Vector, Integers>;

inline Totals totals_of(const TotalsTuple& arrays) {
  const auto& [sums, sum_errors, weights, weight_errors, counts] = arrays;
  const int64_t k = int64_t(sums.shape(0)), d = int64_t(sums.shape(1));
  require(int64_t(sum_errors.shape(0)) == k && int64_t(sum_errors.shape(1)) == d &&
              int64_t(weights.shape(0)) == k && int64_t(weight_errors.shape(0)) == k &&
              int64_t(counts.shape(0)) == k,
          "the totals differ in their number of clusters");
  Totals totals(k, d);
  copy_values(sums, totals.sums.sums.data());
  copy_values(sum_errors, totals.sum_errors.data());
  copy_values(weights, totals.sums.weights.data());
  copy_values(weight_errors, totals.weight_errors.data());
  copy_values(counts, totals.sums.counts.data());
  return totals;
}

inline nb::tuple tuple_of(const Totals& totals) {
  const size_t k = size_t(totals.sums.n_clusters), d = size_t(totals.sums.n_features);
  return nb::make_tuple(copied_array(totals.sums.sums, {k, d}),
                        copied_array(totals.sum_errors, {k, d}), array_of(totals.sums.weights),
                        array_of(totals.weight_errors), copied_array(totals.sums.counts, {k}));
}

}  // namespace centroids
