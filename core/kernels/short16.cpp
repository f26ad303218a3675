// The certified filter in 16-bit integers on AVX2, whose multiply-and-add of pairs does twice the
// products of a float32 instruction.
//
// A row or center v is kept as scale * q with whole q, the scale so that |q| stays below 46,340:
// the sum of all products then fits 32 bits (Cauchy-Schwarz), whatever wraps around on the way.
// Centers lie in the lanes, two columns a lane; the two columns of a row are broadcast.

#include <immintrin.h>

#include "kernels/filter.hpp"

namespace centroids {
namespace {

#define CENTROIDS_INLINE inline __attribute__((always_inline))

constexpr int kLanes = 8;     // centers of a vector
constexpr int kColumns = 16;  // columns that are packed at once
constexpr int kRows = 4;      // rows of a register tile
constexpr int kVectors = 2;   // center vectors of a register tile
constexpr int kGroup = kVectors * kLanes;
// The lowest bits of a score make room for the number of its group.
constexpr int32_t kGroupBits = 6;
constexpr int64_t kChunk = int64_t(kGroup) << kGroupBits;
constexpr float kLargest = 32760;

// A length that q, once rounded, does not outgrow.
float longest(int64_t n_cols) {
  return 46330 - __builtin_sqrtf(float(n_cols));
}

int64_t padded(int64_t n_cols) {
  return (n_cols + kColumns - 1) / kColumns * kColumns;
}

// Packed rows: the scales of a block, then q of one row after the other.
int64_t row_stride(int64_t n_cols) {
  return padded(n_cols);
}
constexpr int64_t kScaleBytes = kBlockRows * int64_t(sizeof(float));
int64_t row_bytes(int64_t n_cols, Digits) {
  return kScaleBytes + kBlockRows * row_stride(n_cols) * int64_t(sizeof(int16_t));
}

// Packed centers: for each kGroup of them the scales, then their q, two columns of all at a time.
int64_t group_bytes(int64_t n_cols) {
  return kGroup * (int64_t(sizeof(float)) + padded(n_cols) * int64_t(sizeof(int16_t)));
}
int64_t center_bytes(int64_t n_cols, Digits, int64_t n_lanes) {
  return n_lanes / kGroup * group_bytes(n_cols);
}

// A score takes four roundings and gives some bits to the number of its group; what is left over
// of a row is computed to 2^-23 of the row.
double by_sizes(int64_t, Digits) {
  return 0x1p-21 + double(1 << kGroupBits) * 0x1p-23;
}

// ---------------------------------------------------------------- packing

CENTROIDS_INLINE __m256 load_y(const float* x, const float* shift) {
  return _mm256_sub_ps(_mm256_loadu_ps(shift), _mm256_loadu_ps(x));
}
CENTROIDS_INLINE __m256 load_y(const double* x, const double* shift) {
  const __m128 low = _mm256_cvtpd_ps(_mm256_sub_pd(_mm256_loadu_pd(shift), _mm256_loadu_pd(x)));
  const __m128 high =
      _mm256_cvtpd_ps(_mm256_sub_pd(_mm256_loadu_pd(shift + 4), _mm256_loadu_pd(x + 4)));
  return _mm256_set_m128(high, low);
}

CENTROIDS_INLINE float lane_sum(__m256 v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
CENTROIDS_INLINE float lane_min(__m256 v) {
  __m128 s = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_min_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_min_ss(s, _mm_movehdup_ps(s)));
}
CENTROIDS_INLINE float lane_max(__m256 v) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

float scale_of(float norm, float largest, int64_t n_cols) {
  const float by_norm = norm / longest(n_cols), by_largest = largest / kLargest;
  return by_norm > by_largest ? by_norm : by_largest;
}
// Values whose scale has no inverse count as zero.
float inverse_of(float& scale) {
  if (!(scale > 0x1p-120f)) scale = 0;
  return scale > 0 ? 1 / scale : 0.0f;
}

// Calls f(column, x, shift) for every 16 columns; the last ones are padded with zeros.
template <class T, class F>
CENTROIDS_INLINE void for_columns(const T* x, const T* shift, int64_t n_cols, F f) {
  int64_t t = 0;
  for (; t + kColumns <= n_cols; t += kColumns) f(t, x + t, shift + t);
  if (t == n_cols) return;
  alignas(64) T last_x[kColumns] = {}, last_shift[kColumns] = {};
  for (int64_t c = t; c < n_cols; ++c) {
    last_x[c - t] = x[c];
    last_shift[c - t] = shift[c];
  }
  f(t, last_x, last_shift);
}

template <class T>
CENTROIDS_INLINE void pack_row(const T* x, const T* shift, int64_t n_cols, int16_t* out,
                               float& scale, float& norm, float& rest) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  __m256 squares[2] = {}, largest = _mm256_setzero_ps();
  for_columns(x, shift, n_cols, [&](int64_t, const T* from, const T* s) {
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      const __m256 y = load_y(from + h * kLanes, s + h * kLanes);
      squares[h] = _mm256_fmadd_ps(y, y, squares[h]);
      largest = _mm256_max_ps(largest, _mm256_andnot_ps(sign, y));
    }
  });
  norm = lane_sum(_mm256_add_ps(squares[0], squares[1]));
  scale = scale_of(__builtin_sqrtf(norm), lane_max(largest), n_cols);
  const __m256 inverse = _mm256_set1_ps(inverse_of(scale)), by = _mm256_set1_ps(scale);
  __m256 rests[2] = {};
  for_columns(x, shift, n_cols, [&](int64_t t, const T* from, const T* s) {
    __m256i q[2];
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      const __m256 y = load_y(from + h * kLanes, s + h * kLanes);
      q[h] = _mm256_cvtps_epi32(_mm256_mul_ps(y, inverse));
      const __m256 over = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(q[h]), by, y);
      rests[h] = _mm256_fmadd_ps(over, over, rests[h]);
    }
    // Packing interleaves the halves of the two; the quarters are put in order again.
    const __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi32(q[0], q[1]), 0xD8);
    _mm256_store_si256(reinterpret_cast<__m256i*>(out + t), both);
  });
  rest = lane_sum(_mm256_add_ps(rests[0], rests[1]));
}

template <class T>
void pack_rows(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* shift, Digits,
               FilterRows& out) {
  float* scales = static_cast<float*>(out.packed);
  int16_t* packed = reinterpret_cast<int16_t*>(static_cast<char*>(out.packed) + kScaleBytes);
  for (int i = 0; i < n_rows; ++i, packed += row_stride(n_cols)) {
    // The row of the next block, which follows unless the rows are listed.
    if (!rows)
      for (int64_t t = 0; t < n_cols; t += 64 / int64_t(sizeof(T)))
        __builtin_prefetch(x + (i + kBlockRows) * n_cols + t, 0, 2);
    pack_row(x + int64_t(rows ? rows[i] : i) * n_cols, shift, n_cols, packed, scales[i],
             out.norm[i], out.rest[i]);
  }
  for (int i = n_rows; i % kRows; ++i, packed += row_stride(n_cols)) {
    scales[i] = 0;
    __builtin_memset(packed, 0, size_t(row_stride(n_cols)) * sizeof(int16_t));
  }
}

template <class T>
void pack_centers(const T* centers, int64_t n_centers, int64_t n_cols, int64_t n_lanes, Digits,
                  void* packed, double* rests) {
  __builtin_memset(packed, 0, size_t(center_bytes(n_cols, Digits::one, n_lanes)));
  for (int64_t j = 0; j < n_centers; ++j) {
    char* group = static_cast<char*>(packed) + j / kGroup * group_bytes(n_cols);
    const int64_t lane = j % kGroup;
    const T* center = centers + j * n_cols;
    double norm = 0;
    float largest = 0;
    for (int64_t t = 0; t < n_cols; ++t) {
      const float size = float(center[t] < 0 ? -center[t] : center[t]);
      largest = size > largest ? size : largest;
      norm += double(center[t]) * double(center[t]);
    }
    float scale = scale_of(float(__builtin_sqrt(norm)), largest, n_cols);
    const float inverse = inverse_of(scale);
    reinterpret_cast<float*>(group)[lane] = scale;
    int16_t* q = reinterpret_cast<int16_t*>(group + kGroup * sizeof(float));
    rests[j] = 0;
    for (int64_t t = 0; t < n_cols; ++t) {
      // Centers out of reach of the filter may be anything; no cast of theirs shall overflow.
      const float scaled = float(center[t]) * inverse;
      const int32_t whole = __builtin_fabsf(scaled) <= kLargest + 1
                                ? int32_t(scaled + (scaled < 0 ? -0.5f : 0.5f))
                                : 0;
      q[(t / 2 * kGroup + lane) * 2 + t % 2] = int16_t(whole);
      const double over = double(center[t]) - double(scale) * double(whole);
      rests[j] += over * over;
    }
  }
}

// ---------------------------------------------------------------- scores

// Per lane the nearest and second nearest of the rows of a block, among the centers of a chunk.
struct Running {
  __m256 best[kBlockRows][kVectors], second[kBlockRows][kVectors];
};

// GCC 12 adds into another register and copies it back, and loads a center anew for each row: a
// third of the instructions of the loop below. These two leave it no choice.
CENTROIDS_INLINE void add_in_place(__m256i& sum, __m256i value) {
  __asm__("vpaddd %1, %0, %0" : "+x"(sum) : "x"(value));
}
CENTROIDS_INLINE __m256i in_register(__m256i value) {
  __asm__("" : "+x"(value));
  return value;
}

// kRows rows against the kGroup centers of the group `number` of a chunk.
CENTROIDS_INLINE void tile(const int16_t* rows, int64_t stride, const float* row_scales,
                           const char* group, const float* half_norms, int64_t n_cols,
                           int32_t number, int row, Running& run) {
  const __m256i* q = reinterpret_cast<const __m256i*>(group + kGroup * sizeof(float));
  __m256i sum[kRows][kVectors] = {};
  for (int64_t t = 0; t < n_cols; t += 2, q += kVectors) {
    __m256i c[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) c[v] = in_register(_mm256_load_si256(q + v));
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      int32_t pair;
      __builtin_memcpy(&pair, rows + r * stride + t, sizeof pair);
      const __m256i x = _mm256_set1_epi32(pair);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) add_in_place(sum[r][v], _mm256_madd_epi16(x, c[v]));
    }
  }
  const __m256i keep = _mm256_set1_epi32(-(1 << kGroupBits)), bits = _mm256_set1_epi32(number);
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const __m256 scale = _mm256_load_ps(reinterpret_cast<const float*>(group) + v * kLanes);
    const __m256 half_norm = _mm256_load_ps(half_norms + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const __m256 by = _mm256_mul_ps(scale, _mm256_set1_ps(row_scales[r]));
      const __m256 exact = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[r][v]), by, half_norm);
      const __m256 score = _mm256_castsi256_ps(
          _mm256_or_si256(_mm256_and_si256(_mm256_castps_si256(exact), keep), bits));
      __m256& best = run.best[row + r][v];
      __m256& second = run.second[row + r][v];
      second = _mm256_min_ps(second, _mm256_max_ps(best, score));
      best = _mm256_min_ps(best, score);
    }
  }
}

// Lists a center unless kListed are nearer; who falls out joins the others.
CENTROIDS_INLINE void list(float score, int32_t label, int i, FilterNearest& out) {
  for (int l = 0; l < kListed; ++l)
    if (score < out.score[l][i]) {
      const float displaced = out.score[l][i];
      const int32_t displaced_label = out.label[l][i];
      out.score[l][i] = score;
      out.label[l][i] = label;
      score = displaced;
      label = displaced_label;
    }
  out.others[i] = score < out.others[i] ? score : out.others[i];
}

// Joins what the lanes found in a chunk with what the chunks before it have.
CENTROIDS_INLINE void finish_chunk(const Running& run, int64_t chunk, int n, FilterNearest& out) {
  for (int i = 0; i < n; ++i) {
    alignas(32) float best[kGroup];
    __m256 second = run.second[i][0];
    for (int v = 0; v < kVectors; ++v) {
      _mm256_store_ps(best + v * kLanes, run.best[i][v]);
      second = _mm256_min_ps(second, run.second[i][v]);
    }
    const float least = lane_min(second);  // the second of a lane has no known label
    out.others[i] = least < out.others[i] ? least : out.others[i];
    for (int lane = 0; lane < kGroup; ++lane) {
      if (!(best[lane] < out.others[i])) continue;
      int32_t bits;
      __builtin_memcpy(&bits, best + lane, sizeof bits);
      list(best[lane], int32_t(chunk) + (bits & ((1 << kGroupBits) - 1)) * kGroup + lane, i, out);
    }
  }
}

void nearest(const FilterRows& rows, int n_rows, const FilterCenters& centers, FilterNearest& out) {
  const float* scales = static_cast<const float*>(rows.packed);
  const int16_t* packed = reinterpret_cast<const int16_t*>(scales + kBlockRows);
  const int64_t stride = row_stride(centers.n_cols), bytes = group_bytes(centers.n_cols);
  const char* group = static_cast<const char*>(centers.packed);
  Running run;
  for (int i = 0; i < n_rows; ++i) {
    for (int l = 0; l < kListed; ++l) out.score[l][i] = kFilterFar;
    out.others[i] = kFilterFar;
  }
  for (int64_t chunk = 0; chunk < centers.n_lanes; chunk += kChunk) {
    const int64_t end = chunk + kChunk < centers.n_lanes ? chunk + kChunk : centers.n_lanes;
    for (int i = 0; i < kBlockRows; ++i)
      for (int v = 0; v < kVectors; ++v)
        run.best[i][v] = run.second[i][v] = _mm256_set1_ps(kFilterFar);
    // The rows of a block stay near while each group of centers meets all of them.
    for (int64_t j = chunk; j < end; j += kGroup, group += bytes)
      for (int row = 0; row < n_rows; row += kRows)
        tile(packed + row * stride, stride, scales + row, group, centers.half_norms + j,
             centers.n_cols, int32_t((j - chunk) / kGroup), row, run);
    finish_chunk(run, chunk, n_rows, out);
  }
}

// ---------------------------------------------------------------- pairs

CENTROIDS_INLINE float fused(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
CENTROIDS_INLINE double fused(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}

// The chains of the tile, a few of them side by side to hide their latency.
template <class T, int PAIRS>
CENTROIDS_INLINE void score_some(const T* x, int64_t n_cols, const T* shift, const T* centers,
                                 const T* half_norms, const Pair* pairs, T* out) {
  const T *row[PAIRS], *center[PAIRS];
  T score[PAIRS];
  for (int p = 0; p < PAIRS; ++p) {
    row[p] = x + int64_t(pairs[p].row) * n_cols;
    center[p] = centers + int64_t(pairs[p].label) * n_cols;
    score[p] = half_norms[pairs[p].label];
  }
  for (int64_t t = 0; t < n_cols; ++t)
#pragma GCC unroll 8
    for (int p = 0; p < PAIRS; ++p) score[p] = fused(shift[t] - row[p][t], center[p][t], score[p]);
  for (int p = 0; p < PAIRS; ++p) out[p] = score[p];
}

template <class T>
void score_pairs(const T* x, int64_t n_cols, const T* shift, const T* centers, const T* half_norms,
                 const Pair* pairs, int n_pairs, T* out) {
  constexpr int kSome = 4;
  int p = 0;
  for (; p + kSome <= n_pairs; p += kSome)
    score_some<T, kSome>(x, n_cols, shift, centers, half_norms, pairs + p, out + p);
  for (; p < n_pairs; ++p)
    score_some<T, 1>(x, n_cols, shift, centers, half_norms, pairs + p, out + p);
}

template <class T>
constexpr FilterKernels<T> make_filter() {
  return {0.55, 8.0,       800.0,        24.0,         kColumns,        false,   by_sizes,
          0.0,  row_bytes, center_bytes, pack_rows<T>, pack_centers<T>, nearest, score_pairs<T>};
}

}  // namespace

extern const FilterKernels<float> short16_filter_f32;
extern const FilterKernels<double> short16_filter_f64;
const FilterKernels<float> short16_filter_f32 = make_filter<float>();
const FilterKernels<double> short16_filter_f64 = make_filter<double>();

}  // namespace centroids
