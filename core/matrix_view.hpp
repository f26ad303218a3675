// A borrowed, C-contiguous matrix of the caller's rows. Never owns, never writes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace centroids {

enum class Dtype { f32, f64 };

struct MatrixView {
  const void* data = nullptr;
  Dtype dtype = Dtype::f64;
  int64_t n_rows = 0;
  int64_t n_cols = 0;

  template <class T>
  const T* row(int64_t i) const {
    return static_cast<const T*>(data) + i * n_cols;
  }
};

// Calls f with a value of the element type: `with_dtype(x.dtype, [&](auto zero) { ... })`.
// The one place where the run-time dtype becomes a compile-time type.
template <class F>
auto with_dtype(Dtype dtype, F&& f) {
  return dtype == Dtype::f32 ? f(float{}) : f(double{});
}

}  // namespace centroids
