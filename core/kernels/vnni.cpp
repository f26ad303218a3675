// Rows in 8-bit integers on AVX-512 VNNI: rows in the lanes, four columns a lane.

// GCC 12 warns of the undefined pass-through operands inside its own AVX-512 header.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include <immintrin.h>

// The instruction wants one side unsigned.
#define CENTROIDS_SHORT_OFFSET 128
#include "kernels/short_rows.inl"

namespace centroids {
namespace {

struct Lanes {
  using Vector = __m512;
  static CENTROIDS_INLINE __m512 spread(float x) { return _mm512_set1_ps(x); }
  static CENTROIDS_INLINE __m512 multiply_add(__m512 a, __m512 b, __m512 c) {
    return _mm512_fmadd_ps(a, b, c);
  }
  static CENTROIDS_INLINE __m512 subtract_product(__m512 a, __m512 b, __m512 c) {
    return _mm512_fnmadd_ps(a, b, c);
  }
};

CENTROIDS_INLINE __m512 load_current(const float* current, __mmask16 m) {
  return _mm512_maskz_loadu_ps(m, current);
}
CENTROIDS_INLINE __m512 load_current(const double* current, __mmask16 m) {
  const __m256 low = _mm512_cvtpd_ps(_mm512_maskz_loadu_pd(__mmask8(m), current));
  const __mmask8 high = __mmask8(m >> 8);
  const __m256 up =
      high ? _mm512_cvtpd_ps(_mm512_maskz_loadu_pd(high, current + 8)) : _mm256_setzero_ps();
  return _mm512_insertf32x8(_mm512_castps256_ps512(low), up, 1);
}

// The least of the lower bounds of a block's rows to POINTS points.
template <int POINTS>
CENTROIDS_INLINE __m512 least_bounds(const uint8_t* block, const ShortNorms& norms, int64_t fours,
                                     const int8_t* points, const ShortNorms& point_norms,
                                     const int32_t* point_sums, float slack) {
  __m512i dot[POINTS];
#pragma GCC unroll 16
  for (int p = 0; p < POINTS; ++p) dot[p] = _mm512_set1_epi32(-kOffset * point_sums[p]);
  for (int64_t t = 0; t < fours; ++t) {
    const __m512i row = _mm512_load_si512(block + t * kShortBlock * kFour);
    const int32_t* four = reinterpret_cast<const int32_t*>(points + t * kMostShortPoints * kFour);
#pragma GCC unroll 16
    for (int p = 0; p < POINTS; ++p)
      dot[p] = _mm512_dpbusd_epi32(dot[p], row, _mm512_set1_epi32(four[p]));
  }
  const __m512 norm = _mm512_load_ps(norms.norm), rest = _mm512_load_ps(norms.rest);
  const __m512 scale = _mm512_load_ps(norms.scale);
  __m512 least = _mm512_set1_ps(__builtin_inff());
#pragma GCC unroll 16
  for (int p = 0; p < POINTS; ++p) {
    const __m512 products = _mm512_cvtepi32_ps(dot[p]);
    const __m512 bound = lower_bound<Lanes>(norm, rest, scale, products, point_norms, p, slack);
    least = _mm512_min_ps(bound, least);
  }
  return least;
}

template <class T, int POINTS>
int select_by(const uint8_t* blocks, const ShortNorms* norms, int n_rows, int64_t n_cols,
              const int8_t* points, const ShortNorms& point_norms, const int32_t* point_sums,
              float slack, const T* current, int32_t* out) {
  const int64_t fours = n_fours(n_cols), bytes = block_bytes(n_cols);
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  int count = 0;
  for (int first = 0; first < n_rows; first += kShortBlock, blocks += bytes, ++norms) {
    const int left = n_rows - first;
    const __mmask16 m = left >= kShortBlock ? __mmask16(0xffff) : __mmask16((1u << left) - 1);
    const __m512 least =
        least_bounds<POINTS>(blocks, *norms, fours, points, point_norms, point_sums, slack);
    const __mmask16 may =
        m & __mmask16(~_mm512_cmp_ps_mask(least, load_current(current + first, m), _CMP_GE_OQ));
    _mm512_mask_compressstoreu_epi32(out + count, may,
                                     _mm512_add_epi32(lanes, _mm512_set1_epi32(first)));
    count += __builtin_popcount(may);
  }
  return count;
}

}  // namespace

extern const ShortRowKernels<float> vnni_f32;
extern const ShortRowKernels<double> vnni_f64;
const ShortRowKernels<float> vnni_f32 = make_short_rows<float>();
const ShortRowKernels<double> vnni_f64 = make_short_rows<double>();

}  // namespace centroids
