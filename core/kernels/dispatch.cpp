// Chooses the kernels once per process.
#include <array>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "kernels/filter.hpp"
#include "kernels/kernels.hpp"
#include "kernels/short_rows.hpp"

namespace centroids {

#if defined(__x86_64__)
extern const Kernels<float> avx512_f32, avx2_f32;
extern const Kernels<double> avx512_f64, avx2_f64;
extern const FilterKernels<float> amx_filter_f32;
extern const FilterKernels<double> amx_filter_f64;
extern const FilterKernels<float> short16_filter_f32;
extern const FilterKernels<float> avx2_row_filter_f32;
extern const FilterKernels<double> short16_filter_f64, avx2_float_filter, avx2_row_filter_f64;
extern const ShortRowKernels<float> vnni_f32, short8_f32;
extern const ShortRowKernels<double> vnni_f64, short8_f64;
#elif defined(__aarch64__)
extern const Kernels<float> neon_f32;
extern const Kernels<double> neon_f64;
#endif
extern const Kernels<float> baseline_f32;
extern const Kernels<double> baseline_f64;

namespace {

struct Isa {
  const char* name;
  bool runs_here;
  const Kernels<float>* f32;
  const Kernels<double>* f64;
};

#if defined(__x86_64__)
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}

// Tiles need the processor and a permission of the kernel (Linux 5.16), asked for once.
bool has_amx() {
#if defined(__linux__)
  constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;  // leaf 7, edx
  constexpr int kRequestPermission = 0x1023, kTileData = 18;    // ARCH_REQ_XCOMP_PERM
  unsigned a, b, c, d, wanted = kAmxBf16 | kAmxTile;
  if (!has_avx512() || !__builtin_cpu_supports("avx512bf16")) return false;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & wanted) != wanted) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#endif

// The kernels of one instruction set with what others add to it.
template <class T>
Kernels<T> extended(Kernels<T> kernels, const char* isa,
                    std::array<const FilterKernels<T>*, kMostFilters> filters,
                    const ShortRowKernels<T>* short_rows) {
  kernels.isa = isa;
  for (int i = 0; i < kMostFilters; ++i) kernels.filters[i] = filters[i];
  kernels.short_rows = short_rows;
  return kernels;
}

// Best first.
const Isa* isas(int& n) {
#if defined(__x86_64__)
  const bool has_vnni = __builtin_cpu_supports("avx512vnni");
  const ShortRowKernels<float>* const short32 = has_vnni ? &vnni_f32 : nullptr;
  const ShortRowKernels<double>* const short64 = has_vnni ? &vnni_f64 : nullptr;
  static const Kernels<float> amx32 = extended(avx512_f32, "amx", {&amx_filter_f32}, short32),
                              wide32 = extended<float>(avx512_f32, "avx512", {}, short32),
                              narrow32 = extended<float>(
                                  avx2_f32, "avx2", {&short16_filter_f32, &avx2_row_filter_f32},
                                  &short8_f32);
  static const Kernels<double> amx64 = extended(avx512_f64, "amx", {&amx_filter_f64}, short64),
                               wide64 = extended<double>(avx512_f64, "avx512", {}, short64),
                               narrow64 = extended<double>(
                                   avx2_f64, "avx2",
                                   {&short16_filter_f64, &avx2_float_filter, &avx2_row_filter_f64},
                                   &short8_f64);
#endif
  static const Isa table[] = {
#if defined(__x86_64__)
      {"amx", has_amx(), &amx32, &amx64},
      {"avx512", has_avx512(), &wide32, &wide64},
      {"avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), &narrow32,
       &narrow64},
#elif defined(__aarch64__)
      {"neon", true, &neon_f32, &neon_f64},
#endif
      {"baseline", true, &baseline_f32, &baseline_f64},
  };
  n = int(sizeof(table) / sizeof(table[0]));
  return table;
}

const Isa& chosen() {
  static const Isa& isa = []() -> const Isa& {
    int n;
    const Isa* table = isas(n);
    const char* forced = std::getenv("CENTROIDS_ISA");
    for (int i = 0; i < n; ++i)
      if (table[i].runs_here && (!forced || !*forced || !std::strcmp(forced, table[i].name)))
        return table[i];
    throw std::runtime_error(std::string("CENTROIDS_ISA=") + forced +
                             " names no instruction set that this build has and this machine runs");
  }();
  return isa;
}

template <class T>
const Kernels<T>* pick(const Isa& isa);
template <>
const Kernels<float>* pick<float>(const Isa& isa) {
  return isa.f32;
}
template <>
const Kernels<double>* pick<double>(const Isa& isa) {
  return isa.f64;
}

}  // namespace

template <class T>
const Kernels<T>& kernels() {
  return *pick<T>(chosen());
}

int available_isas(const char** names) {
  int n, written = 0;
  const Isa* table = isas(n);
  for (int i = 0; i < n; ++i)
    if (table[i].runs_here) names[written++] = table[i].name;
  return written;
}

template <class T>
const Kernels<T>* kernels_for(const char* isa) {
  int n;
  const Isa* table = isas(n);
  for (int i = 0; i < n; ++i)
    if (table[i].runs_here && !std::strcmp(isa, table[i].name)) return pick<T>(table[i]);
  return nullptr;
}

template const Kernels<float>& kernels<float>();
template const Kernels<double>& kernels<double>();
template const Kernels<float>* kernels_for<float>(const char*);
template const Kernels<double>* kernels_for<double>(const char*);

}  // namespace centroids
