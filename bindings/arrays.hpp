// NumPy arrays in and out of the core. What is checked here only keeps memory safe.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <optional>
#include <stdexcept>
#include <vector>

#include "centers.hpp"
#include "matrix_view.hpp"

namespace nb = nanobind;

namespace centroids {

using AnyRows = nb::ndarray<nb::ro, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Vector = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Matrix = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Labels = nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// NumPy makes arrays that start at any byte; reading numbers there is undefined.
template <class Array>
void check_aligned(const Array& array) {
  if (reinterpret_cast<uintptr_t>(array.data()) % (array.dtype().bits / 8) != 0)
    throw std::invalid_argument("arrays must be aligned to their numbers");
}

inline void check_aligned(const std::optional<Vector>& array) {
  if (array) check_aligned(*array);
}

// Rows are drawn in proportion to these.
inline void check_weights(const Vector& weights) {
  double sum = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!(weights.data()[i] >= 0)) throw std::invalid_argument("weights must not be negative");
    sum += weights.data()[i];
  }
  if (!(sum > 0 && sum < std::numeric_limits<double>::infinity()))
    throw std::invalid_argument("weights must be finite and not all zero");
}

inline MatrixView view_of(const AnyRows& x) {
  const bool is_f32 = x.dtype() == nb::dtype<float>();
  if (!is_f32 && x.dtype() != nb::dtype<double>())
    throw std::invalid_argument("rows must be float32 or float64");
  check_aligned(x);
  return {x.data(), is_f32 ? Dtype::f32 : Dtype::f64, int64_t(x.shape(0)), int64_t(x.shape(1))};
}

template <class View>
Centers centers_of(const Matrix& values, const View& x) {
  if (int64_t(values.shape(1)) != x.n_cols || values.shape(0) == 0)
    throw std::invalid_argument("centers and rows differ in their number of columns");
  check_aligned(values);
  Centers centers(int64_t(values.shape(0)), x.n_cols, x.dtype);
  std::copy_n(values.data(), centers.values.size(), centers.values.data());
  return centers;
}

// Also of arrays that start at any byte, as what comes off the wire may.
template <class Array, class T>
void copy_values(const Array& array, T* out) {
  if (array.size() > 0) std::memcpy(out, array.data(), array.size() * sizeof(T));
}

inline std::vector<double> vector_of(const Vector& array) {
  std::vector<double> values(array.size());
  copy_values(array, values.data());
  return values;
}

// A NumPy array that owns a new buffer of this shape.
template <class T>
nb::ndarray<nb::numpy, T> new_array(std::initializer_list<size_t> shape, T** data) {
  size_t size = 1;
  for (const size_t s : shape) size *= s;
  *data = new T[size ? size : 1];
  nb::capsule owner(*data, [](void* p) noexcept { delete[] static_cast<T*>(p); });
  return nb::ndarray<nb::numpy, T>(*data, shape, owner);
}

template <class T>
nb::ndarray<nb::numpy, T> copied_array(const std::vector<T>& values,
                                       std::initializer_list<size_t> shape) {
  T* data;
  auto array = new_array<T>(shape, &data);
  std::copy(values.begin(), values.end(), data);
  return array;
}

inline nb::ndarray<nb::numpy, double> centers_array(const Centers& centers) {
  return copied_array(centers.values, {size_t(centers.n_clusters), size_t(centers.n_features)});
}

}  // namespace centroids
