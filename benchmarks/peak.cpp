// What the machine can do at most: fused multiply-adds in registers, and one read of rows from
// memory, on all threads at once. Prints JSON; benchmarks/peak.py compiles and runs it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>
#ifdef __linux__
#include <sys/mman.h>
#endif

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

namespace {

constexpr int kRounds = 15;

// Seconds of the fastest of several rounds of work(thread) on all threads.
template <class F>
double fastest(int n_threads, F work) {
  double best = 1e30;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> others;
    for (int t = 1; t < n_threads; ++t) others.emplace_back(work, t);
    work(0);
    for (std::thread& other : others) other.join();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

// The compiler may neither know the value nor leave out what it was computed by.
template <class V>
void hide(V& value) {
  asm volatile("" : "+m"(value) : : "memory");
}

template <class T>
double fma_gflops(int n_threads) {
  typedef T Vector __attribute__((vector_size(VECTOR_BYTES)));
  constexpr int kChains = 12, kLanes = VECTOR_BYTES / int(sizeof(T));  // enough to hide the latency
  constexpr long kSteps = 4'000'000;
  const double seconds = fastest(n_threads, [](int) {
    Vector sum[kChains] = {}, a = Vector{} + T(1e-9), b = Vector{} + T(0.999);
    hide(a);
    hide(b);
    hide(sum);
    for (long i = 0; i < kSteps; ++i)
#pragma GCC unroll 12
      for (int c = 0; c < kChains; ++c) sum[c] = sum[c] * b + a;
    hide(sum);
  });
  return 2.0 * kChains * kLanes * double(kSteps) * n_threads / seconds / 1e9;
}

double read_gbytes(int n_threads) {
  typedef float Vector __attribute__((vector_size(VECTOR_BYTES)));
  constexpr size_t kPage = size_t(2) << 20, kBytes = 192 * kPage;
  char* const data = static_cast<char*>(std::aligned_alloc(kPage, kBytes));
#ifdef __linux__
  madvise(data, kBytes, MADV_HUGEPAGE);  // as NumPy does for large arrays
#endif
  std::memset(data, 1, kBytes);
  const double seconds = fastest(n_threads, [&](int thread) {
    constexpr int kSums = 8;
    const size_t part = kBytes / size_t(n_threads) / (kSums * VECTOR_BYTES);  // steps
    const Vector* v = reinterpret_cast<const Vector*>(data) + size_t(thread) * part * kSums;
    Vector sum[kSums] = {};
    for (size_t i = 0; i < part; ++i, v += kSums)
#pragma GCC unroll 8
      for (int s = 0; s < kSums; ++s) sum[s] += v[s];
    hide(sum);
  });
  std::free(data);
  return double(kBytes) / seconds / 1e9;
}

}  // namespace

int main(int, char** arguments) {
  const int n_threads = std::atoi(arguments[1]);
  std::printf("{\"fma_gflops\": {\"f4\": %.1f, \"f8\": %.1f}, \"read_gbytes\": %.1f}\n",
              fma_gflops<float>(n_threads), fma_gflops<double>(n_threads), read_gbytes(n_threads));
}
