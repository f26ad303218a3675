// Rows in 8-bit integers on AVX2: eight rows in the lanes, four columns a lane.
#include <immintrin.h>

#define CENTROIDS_SHORT_OFFSET 0
#include "kernels/short_rows.inl"

namespace centroids {
namespace {

constexpr int kLanes = 8;

struct Lanes {
  using Vector = __m256;
  static CENTROIDS_INLINE __m256 spread(float x) { return _mm256_set1_ps(x); }
  static CENTROIDS_INLINE __m256 multiply_add(__m256 a, __m256 b, __m256 c) {
    return _mm256_fmadd_ps(a, b, c);
  }
  static CENTROIDS_INLINE __m256 subtract_product(__m256 a, __m256 b, __m256 c) {
    return _mm256_fnmadd_ps(a, b, c);
  }
};

CENTROIDS_INLINE __m256 load_current(const float* current) {
  return _mm256_loadu_ps(current);
}
CENTROIDS_INLINE __m256 load_current(const double* current) {
  return _mm256_set_m128(_mm256_cvtpd_ps(_mm256_loadu_pd(current + 4)),
                         _mm256_cvtpd_ps(_mm256_loadu_pd(current)));
}

// The least of the lower bounds of half a block's rows, from row `first`, to POINTS points.
template <int POINTS>
CENTROIDS_INLINE __m256 least_bounds(const uint8_t* block, const ShortNorms& norms, int first,
                                     int64_t fours, const int8_t* points,
                                     const ShortNorms& point_norms, float slack) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i dot[POINTS] = {};
  const uint8_t* rows = block + first * kFour;
  for (int64_t t = 0; t < fours; ++t, rows += kShortBlock * kFour) {
    const __m256i row = _mm256_load_si256(reinterpret_cast<const __m256i*>(rows));
    const __m256i size = _mm256_abs_epi8(row);
    const int32_t* four = reinterpret_cast<const int32_t*>(points + t * kMostShortPoints * kFour);
#pragma GCC unroll 16
    for (int p = 0; p < POINTS; ++p) {
      // The sign moves from row to point: two products of at most 127 * 127 fit 16 bits.
      const __m256i point = _mm256_sign_epi8(_mm256_set1_epi32(four[p]), row);
      dot[p] = _mm256_add_epi32(dot[p], _mm256_madd_epi16(_mm256_maddubs_epi16(size, point), ones));
    }
  }
  const __m256 norm = _mm256_load_ps(norms.norm + first), rest = _mm256_load_ps(norms.rest + first);
  const __m256 scale = _mm256_load_ps(norms.scale + first);
  __m256 least = _mm256_set1_ps(__builtin_inff());
#pragma GCC unroll 16
  for (int p = 0; p < POINTS; ++p) {
    const __m256 products = _mm256_cvtepi32_ps(dot[p]);
    const __m256 bound = lower_bound<Lanes>(norm, rest, scale, products, point_norms, p, slack);
    least = _mm256_min_ps(bound, least);
  }
  return least;
}

template <class T, int POINTS>
int select_by(const uint8_t* blocks, const ShortNorms* norms, int n_rows, int64_t n_cols,
              const int8_t* points, const ShortNorms& point_norms, const int32_t*, float slack,
              const T* current, int32_t* out) {
  const int64_t fours = n_fours(n_cols), bytes = block_bytes(n_cols);
  int count = 0;
  for (int row = 0; row < n_rows; row += kLanes) {
    const int block = row / kShortBlock;
    const __m256 least = least_bounds<POINTS>(blocks + block * bytes, norms[block],
                                              row % kShortBlock, fours, points, point_norms, slack);
    const int left = n_rows - row;
    alignas(32) T last[kLanes] = {};
    const T* now = current + row;
    if (left < kLanes) {
      __builtin_memcpy(last, now, size_t(left) * sizeof(T));
      now = last;
    }
    // Whatever is not a number may be nearer.
    const __m256 may = _mm256_cmp_ps(least, load_current(now), _CMP_NGE_UQ);
    unsigned bits = unsigned(_mm256_movemask_ps(may));
    if (left < kLanes) bits &= (1u << left) - 1;
    for (; bits; bits &= bits - 1) out[count++] = row + __builtin_ctz(bits);
  }
  return count;
}

}  // namespace

extern const ShortRowKernels<float> short8_f32;
extern const ShortRowKernels<double> short8_f64;
const ShortRowKernels<float> short8_f32 = make_short_rows<float>();
const ShortRowKernels<double> short8_f64 = make_short_rows<double>();

}  // namespace centroids
