// Memory fetched ahead of its use, where the processor does not expect it.
#pragma once

#include <cstdint>

namespace centroids {

constexpr int64_t kLineBytes = 64;
// What __builtin_prefetch calls locality.
constexpr int kFirstCache = 3, kSecondCache = 2;

// A line for each 64 bytes of n values: for callers that go on where these end. Static, as kernels
// of several instruction sets call it (kernels/kernels.inl).
template <int CACHE = kFirstCache, class T>
static inline __attribute__((always_inline)) void prefetch(const T* values, int64_t n) {
  constexpr int64_t kStep = kLineBytes / int64_t(sizeof(T));
  for (int64_t t = 0; t < n; t += kStep) __builtin_prefetch(values + t, 0, CACHE);
}

// All lines that n values lie in, wherever they begin.
template <int CACHE = kFirstCache, class T>
static inline __attribute__((always_inline)) void prefetch_all(const T* values, int64_t n) {
  const char* const end = reinterpret_cast<const char*>(values + n);
  const char* const begin = reinterpret_cast<const char*>(values);
  const auto before = int64_t(reinterpret_cast<uintptr_t>(begin) % uint64_t(kLineBytes));
  prefetch<CACHE>(begin - before, end - begin + before);
}

}  // namespace centroids
