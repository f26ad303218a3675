#include "unit_rows.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "threads/pool.hpp"
#include "threads/shards.hpp"

namespace centroids {
namespace {

// False when the row has no direction.
template <class T>
bool scale_to_unit(const T* x, int64_t n, T* out) {
  double largest = 0;  // squares of x / largest neither overflow nor vanish
  for (int64_t t = 0; t < n; ++t) largest = std::max(largest, std::abs(double(x[t])));
  if (largest == 0) return false;
  double squares = 0;
  for (int64_t t = 0; t < n; ++t) squares += (double(x[t]) / largest) * (double(x[t]) / largest);
  const double norm = std::sqrt(squares);
  for (int64_t t = 0; t < n; ++t) out[t] = T(double(x[t]) / largest / norm);
  return true;
}

// start(i) .. start(i + 1) are the entries of row i.
template <class T, class F>
int64_t scale_rows(const void* values, int64_t n_rows, int n_threads, void* out, F start) {
  const T* x = static_cast<const T*>(values);
  const Shards shards(n_rows, kBlockRows);
  std::vector<int64_t> first_without(shards.count(), -1);
  parallel_for(worthwhile_threads(n_threads, 8.0 * double(start(n_rows))), shards.count(),
               [&](int, int64_t shard) {
                 for (int64_t i = shards.begin(shard); i < shards.end(shard); ++i) {
                   const bool is_scaled = scale_to_unit(x + start(i), start(i + 1) - start(i),
                                                        static_cast<T*>(out) + start(i));
                   if (!is_scaled && first_without[shard] < 0) first_without[shard] = i;
                 }
               });
  for (const int64_t row : first_without)
    if (row >= 0) return row;
  return -1;
}

}  // namespace

int64_t unit_rows(const MatrixView& x, int n_threads, void* out) {
  return with_dtype(x.dtype, [&](auto zero) {
    return scale_rows<decltype(zero)>(x.data, x.n_rows, n_threads, out,
                                      [&](int64_t i) { return i * x.n_cols; });
  });
}

int64_t unit_rows(const SparseView& x, int n_threads, void* out) {
  return with_dtype(x.dtype, [&](auto zero) {
    return scale_rows<decltype(zero)>(x.values, x.n_rows, n_threads, out,
                                      [&](int64_t i) { return x.starts[i]; });
  });
}

}  // namespace centroids
