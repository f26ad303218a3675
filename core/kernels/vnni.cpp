// Rows in 8-bit integers on AVX-512 VNNI: rows in the lanes, four columns a lane.

// GCC 12 warns of the undefined pass-through operands inside its own AVX-512 header.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include <immintrin.h>

#include "kernels/short_rows.hpp"

namespace centroids {
namespace {

#define CENTROIDS_INLINE inline __attribute__((always_inline))

constexpr int kFour = 4;      // columns a lane holds
constexpr int kOffset = 128;  // q is stored as q + 128: the instruction wants one side unsigned

int64_t n_fours(int64_t n_cols) {
  return (n_cols + kFour - 1) / kFour;
}
int64_t block_bytes(int64_t n_cols) {
  return n_fours(n_cols) * kShortBlock * kFour;
}
int64_t point_bytes(int64_t n_cols) {
  return n_fours(n_cols) * kMostShortPoints * kFour;
}

// Writes q of one row through put(column, q), and its scale, norm and rest. False for values whose
// squares do not fit float32.
template <class T, class Put>
CENTROIDS_INLINE bool quantize(const T* x, int64_t n_cols, const T* shift, ShortNorms& norms, int i,
                               Put put) {
  float largest = 0, norm = 0, rest = 0;
  for (int64_t t = 0; t < n_cols; ++t) {
    const float y = float(x[t] - shift[t]), size = y < 0 ? -y : y;
    largest = size > largest ? size : largest;
    norm += y * y;
  }
  if (!(largest < 1e16f)) return false;
  const bool is_zero = !(largest > 1e-30f);
  const float scale = is_zero ? 0.0f : largest / 127, inverse = is_zero ? 0.0f : 127 / largest;
  for (int64_t t = 0; t < n_cols; ++t) {
    const float y = float(x[t] - shift[t]);
    const int32_t q = int32_t(y * inverse + (y < 0 ? -0.5f : 0.5f));
    const float over = y - scale * float(q);
    rest += over * over;
    put(t, q);
  }
  norms.norm[i] = __builtin_sqrtf(norm);
  norms.rest[i] = __builtin_sqrtf(rest) + 1e-6f * __builtin_sqrtf(norm);
  norms.scale[i] = scale;
  return true;
}

template <class T>
bool pack_block(const T* x, int64_t n_cols, int n_rows, const T* shift, uint8_t* packed,
                ShortNorms& norms) {
  __builtin_memset(packed, kOffset, size_t(block_bytes(n_cols)));
  __builtin_memset(&norms, 0, sizeof norms);
  bool is_known = true;
  for (int i = 0; i < n_rows; ++i)
    is_known &= quantize(x + i * n_cols, n_cols, shift, norms, i, [&](int64_t t, int32_t q) {
      packed[(t / kFour * kShortBlock + i) * kFour + t % kFour] = uint8_t(q + kOffset);
    });
  return is_known;
}

template <class T>
void pack_points(const T* x, int64_t n_cols, int n_points, const T* shift, int8_t* packed,
                 ShortNorms& norms, int32_t* sums) {
  __builtin_memset(packed, 0, size_t(point_bytes(n_cols)));
  for (int p = 0; p < n_points; ++p) {
    sums[p] = 0;
    quantize(x + p * n_cols, n_cols, shift, norms, p, [&](int64_t t, int32_t q) {
      packed[(t / kFour * kMostShortPoints + p) * kFour + t % kFour] = int8_t(q);
      sums[p] += q;
    });
  }
}

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
  const __m512 scale = _mm512_load_ps(norms.scale), longest = _mm512_add_ps(norm, rest);
  const __m512 square = _mm512_mul_ps(norm, norm);
  __m512 least = _mm512_set1_ps(__builtin_inff());
#pragma GCC unroll 16
  for (int p = 0; p < POINTS; ++p) {
    const float z = point_norms.norm[p];
    const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(dot[p]), scale);
    __m512 most = _mm512_mul_ps(product, _mm512_set1_ps(point_norms.scale[p]));
    most = _mm512_fmadd_ps(rest, _mm512_set1_ps(z), most);
    most = _mm512_fmadd_ps(longest, _mm512_set1_ps(point_norms.rest[p]), most);
    const __m512 sum = _mm512_add_ps(norm, _mm512_set1_ps(z));
    __m512 bound = _mm512_add_ps(square, _mm512_set1_ps(z * z));
    bound = _mm512_fnmadd_ps(_mm512_set1_ps(2), most, bound);
    bound = _mm512_fnmadd_ps(_mm512_mul_ps(sum, sum), _mm512_set1_ps(slack), bound);
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

template <class T, int POINTS = 1>
int select(const uint8_t* blocks, const ShortNorms* norms, int n_rows, int64_t n_cols,
           const int8_t* points, const ShortNorms& point_norms, const int32_t* point_sums,
           int n_points, float slack, const T* current, int32_t* out) {
  if constexpr (POINTS < kMostShortPoints)
    if (n_points > POINTS)
      return select<T, POINTS + 1>(blocks, norms, n_rows, n_cols, points, point_norms, point_sums,
                                   n_points, slack, current, out);
  return select_by<T, POINTS>(blocks, norms, n_rows, n_cols, points, point_norms, point_sums, slack,
                              current, out);
}

template <class T>
constexpr ShortRowKernels<T> make_short_rows() {
  return {block_bytes, point_bytes, pack_block<T>, pack_points<T>, select<T>};
}

}  // namespace

extern const ShortRowKernels<float> vnni_f32;
extern const ShortRowKernels<double> vnni_f64;
const ShortRowKernels<float> vnni_f32 = make_short_rows<float>();
const ShortRowKernels<double> vnni_f64 = make_short_rows<double>();

}  // namespace centroids
