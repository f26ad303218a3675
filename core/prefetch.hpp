// Memory fetched ahead of its use, where the processor does not expect it.
#pragma once

#include <cstdint>

namespace centroids {

constexpr int64_t kLineBytes = 64;
// What __builtin_prefetch calls locality.
constexpr int kFirstCache = 3, kSecondCache = 2;

// The lines that n values lie in. Static, as kernels of several instruction sets call it
// (kernels/kernels.inl).
template <int CACHE = kFirstCache, class T>
static inline __attribute__((always_inline)) void prefetch(const T* values, int64_t n) {
  constexpr int64_t kStep = kLineBytes / int64_t(sizeof(T));
  for (int64_t t = 0; t < n; t += kStep) __builtin_prefetch(values + t, 0, CACHE);
}

}  // namespace centroids
