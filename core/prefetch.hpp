// Memory fetched ahead of its use, where the processor does not expect it.
#pragma once

#include <cstdint>

namespace centroids {

// The lines that n values lie in, into the first cache. Static, as kernels of several instruction
// sets call it (kernels/kernels.inl).
template <class T>
static inline __attribute__((always_inline)) void prefetch(const T* values, int64_t n) {
  for (int64_t t = 0; t < n; t += 64 / int64_t(sizeof(T))) __builtin_prefetch(values + t, 0, 3);
}

}  // namespace centroids
