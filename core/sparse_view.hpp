// A borrowed matrix in compressed sparse row form: columns ascending within a row, none twice.
#pragma once

#include <cstdint>

#include "matrix_view.hpp"

namespace centroids {

struct SparseView {
  const void* values = nullptr;      // starts[n_rows] entries
  const int32_t* columns = nullptr;  // of the entries
  const int64_t* starts = nullptr;   // n_rows + 1: row i has the entries [starts[i], starts[i + 1])
  Dtype dtype = Dtype::f64;
  int64_t n_rows = 0;
  int64_t n_cols = 0;

  int64_t n_entries() const { return starts[n_rows]; }
};

}  // namespace centroids
