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
  const char* const end = reinterpret_cast<const char*>(values + n);
  const char* line = reinterpret_cast<const char*>(values) -
                     int64_t(reinterpret_cast<uintptr_t>(values) % uint64_t(kLineBytes));
  for (; line < end; line += kLineBytes) __builtin_prefetch(line, 0, CACHE);
}

}  // namespace centroids
