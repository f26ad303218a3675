// The certified filter in 16-bit integers on AVX2, whose multiply-and-add of pairs does twice the
// products of a float32 instruction.
//
// A row or center v is kept as scale * q with whole q, the scale so that |q| stays below 46,340:
// the sum of all products then fits 32 bits (Cauchy-Schwarz), whatever wraps around on the way.
// Centers lie in the lanes, two columns a lane; the two columns of a row are broadcast.

#include <immintrin.h>

#include "kernels/filter.hpp"
#include "prefetch.hpp"

namespace centroids {
namespace {

#include "kernels/short_digits.inl"
// The chosen of eight.
#include "kernels/set_bits.inl"
// What comes next is fetched.
#include "kernels/ahead.inl"

// Packed rows: the scales of a block, then q of one row after the other.
int64_t row_stride(int64_t n_cols) {
  return padded(n_cols);
}
constexpr int64_t kScaleBytes = kBlockRows * int64_t(sizeof(float));
int64_t short_row_bytes(int64_t n_cols) {
  return kScaleBytes + kBlockRows * row_stride(n_cols) * int64_t(sizeof(int16_t));
}

// Packed centers: for each kGroup of them the scales, then their q, two columns of all at a time.
int64_t group_bytes(int64_t n_cols) {
  return kGroup * (int64_t(sizeof(float)) + padded(n_cols) * int64_t(sizeof(int16_t)));
}

#include "kernels/byte_scan.inl"

int64_t row_bytes(int64_t n_cols, Digits digits) {
  return short_row_bytes(n_cols) + (digits == Digits::one ? byte_row_bytes(n_cols) : 0);
}
int64_t center_bytes(int64_t n_cols, Digits digits, int64_t n_lanes) {
  return n_lanes / kGroup *
         (digits == Digits::one ? byte_group_bytes(n_cols) : group_bytes(n_cols));
}

// A score takes four roundings and gives some bits to the number of its group; what is left over
// of a row is computed to 2^-23 of the row.
double by_sizes(int64_t, Digits) {
  return 0x1p-21 + double(1 << kGroupBits) * 0x1p-23;
}

// ---------------------------------------------------------------- packing

// Sums of squares, and what the bytes have to know.
struct RowSize {
  float norm, largest;
  float longest_half;  // squared; see byte_scan.inl
};

template <class T>
CENTROIDS_INLINE RowSize measure_row(const T* x, const T* shift, int64_t n_cols) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  __m256 largest = _mm256_setzero_ps();
  __m128 longest = _mm_setzero_ps(), sum = longest;
  for (int64_t first = 0; first < n_cols; first += kPiece) {
    __m256 squares[2] = {};
    for_columns<kColumns>(x + first, shift + first,
                          n_cols - first < kPiece ? n_cols - first : kPiece,
                          [&](int64_t, const T* from, const T* s) {
#pragma GCC unroll 2
                            for (int h = 0; h < 2; ++h) {
                              const __m256 y = load_y(from + h * kLanes, s + h * kLanes);
                              squares[h] = _mm256_fmadd_ps(y, y, squares[h]);
                              largest = _mm256_max_ps(largest, _mm256_andnot_ps(sign, y));
                            }
                          });
    const __m256 both = _mm256_add_ps(squares[0], squares[1]);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(both), _mm256_extractf128_ps(both, 1));
    const __m128 halves = _mm_add_ps(four, _mm_movehdup_ps(four));
    sum = _mm_add_ps(sum, halves);
    longest = _mm_max_ps(halves, longest);
  }
  return {_mm_cvtss_f32(_mm_add_ss(sum, _mm_movehl_ps(sum, sum))), lane_max(largest),
          _mm_cvtss_f32(_mm_max_ss(longest, _mm_movehl_ps(longest, longest)))};
}

// Rounds y to whole numbers times a scale.
struct Rounding {
  __m256 inverse, by;
  __m256 rests[2] = {};
  explicit CENTROIDS_INLINE Rounding(float& scale)
      : inverse(_mm256_set1_ps(inverse_of(scale))), by(_mm256_set1_ps(scale)) {}
  // 16 columns; what is left over of them joins the rests.
  CENTROIDS_INLINE __m256i round(const __m256 (&&y)[2]) {
    __m256i q[2];
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      q[h] = _mm256_cvtps_epi32(_mm256_mul_ps(y[h], inverse));
      const __m256 over = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(q[h]), by, y[h]);
      rests[h] = _mm256_fmadd_ps(over, over, rests[h]);
    }
    // Packing interleaves the halves of the two; the quarters are put in order again.
    return _mm256_permute4x64_epi64(_mm256_packs_epi32(q[0], q[1]), 0xD8);
  }
  CENTROIDS_INLINE float rest() const { return lane_sum(_mm256_add_ps(rests[0], rests[1])); }
};

// Rounds the 16-bit integers of a row to bytes, which takes half of the instructions that rounding
// the row once more would: q * share / 2^15 with a whole share.
class ByteRounding {
 public:
  // `scale` is that of the 16-bit integers, `byte_scale` the least for the bytes: 45 to 1500 times
  // as much, or both are zero. Rows of larger scales are out of reach, and no number overflows.
  CENTROIDS_INLINE ByteRounding(float scale, float byte_scale)
      : share_(scale > 0 && scale < 0x1p100f ? int(scale * 0x1p15f / byte_scale) : 0),
        unit_(share_ > 0 ? scale / float(share_) : 0.0f),
        factor_(_mm256_set1_epi16(int16_t(share_))),
        doubled_(_mm256_set1_epi16(int16_t(2 * share_))) {}
  CENTROIDS_INLINE float scale() const { return unit_ * 0x1p15f; }
  // 16 columns; what is left over of them joins the rest.
  CENTROIDS_INLINE __m128i round(__m256i q) {
    const __m256i bytes = _mm256_mulhrs_epi16(q, factor_);
    // Twice what q * share exceeds bytes * 2^15 by is all that the lower half of the product holds.
    const __m256i over = _mm256_srai_epi16(_mm256_mullo_epi16(q, doubled_), kDropped);
    rest_ = _mm256_add_epi32(rest_, _mm256_madd_epi16(over, over));
    return _mm_packs_epi16(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
  }
  // No less than the length of what is left over of the 16-bit integers.
  CENTROIDS_INLINE float rest(int64_t n_cols) const {
    const float squares = lane_sum(_mm256_cvtepi32_ps(rest_));
    const float length = __builtin_sqrtf(squares) + __builtin_sqrtf(float(n_cols));
    return length * unit_ * float(1 << (kDropped - 1)) * (1 + 0x1p-18f);
  }

 private:
  static constexpr int kDropped = 4;  // bits, so that the sum of squares fits
  static_assert(kMostByteColumns / kColumns * 2 * (int64_t(1) << 2 * (15 - kDropped)) < INT32_MAX);
  int share_;
  float unit_;
  __m256i factor_, doubled_, rest_ = _mm256_setzero_si256();
};

template <bool BYTES, class T>
CENTROIDS_INLINE void pack_row(const T* x, const T* shift, int64_t n_cols, int16_t* out,
                               uint8_t* out_bytes, int i, float* scales, ByteRows* byte_rows,
                               FilterRows& rows) {
  const RowSize size = measure_row(x, shift, n_cols);
  rows.norm[i] = size.norm;
  scales[i] = scale_of(__builtin_sqrtf(size.norm), size.largest, n_cols);
  Rounding shorts(scales[i]);
  ByteRounding bytes(scales[i], scale_of_bytes(__builtin_sqrtf(size.longest_half), size.largest));
  for_columns<kColumns>(x, shift, n_cols, [&](int64_t t, const T* from, const T* s) {
    const __m256i q = shorts.round({load_y(from, s), load_y(from + kLanes, s + kLanes)});
    _mm256_store_si256(reinterpret_cast<__m256i*>(out + t), q);
    if constexpr (BYTES)
      _mm_store_si128(reinterpret_cast<__m128i*>(out_bytes + t),
                      _mm_add_epi8(bytes.round(q), _mm_set1_epi8(kLargestByte)));
  });
  rows.rest[i] = shorts.rest();
  if constexpr (BYTES) {
    byte_rows->scale[i] = bytes.scale();
    byte_rows->rest[i] = bytes.rest(n_cols) + __builtin_sqrtf(rows.rest[i]) * (1 + 0x1p-18f);
  }
}

template <bool BYTES, class T>
void pack_rows_as(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* shift,
                  FilterRows& out) {
  const int64_t stride = row_stride(n_cols);
  float* scales = static_cast<float*>(out.packed);
  int16_t* packed = reinterpret_cast<int16_t*>(static_cast<char*>(out.packed) + kScaleBytes);
  ByteRows* bytes = reinterpret_cast<ByteRows*>(packed + kBlockRows * stride);
  uint8_t* packed_bytes = reinterpret_cast<uint8_t*>(bytes + 1);
  for (int i = 0; i < n_rows; ++i) {
    fetch_row(out.next, i);
    pack_row<BYTES>(x + int64_t(rows ? rows[i] : i) * n_cols, shift, n_cols, packed + i * stride,
                    packed_bytes + i * stride, i, scales, bytes, out);
  }
  for (int i = n_rows; i % kRows; ++i) {
    scales[i] = 0;
    __builtin_memset(packed + i * stride, 0, size_t(stride) * sizeof(int16_t));
    if constexpr (BYTES) {
      bytes->scale[i] = 0;
      __builtin_memset(packed_bytes + i * stride, 0, size_t(stride));
    }
  }
}

template <class T>
void pack_rows(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* shift,
               Digits digits, FilterRows& out) {
  if (digits == Digits::one)
    pack_rows_as<true>(x, n_cols, rows, n_rows, shift, out);
  else
    pack_rows_as<false>(x, n_cols, rows, n_rows, shift, out);
}

template <class T>
void pack_centers(const T* centers, int64_t n_centers, int64_t n_cols, int64_t n_lanes,
                  Digits digits, void* packed, double* rests) {
  const int64_t bytes = center_bytes(n_cols, digits, kGroup), stride = padded(n_cols);
  __builtin_memset(packed, 0, size_t(n_lanes / kGroup * bytes));
  for (int64_t j = 0; j < n_centers; ++j) {
    char* group = static_cast<char*>(packed) + j / kGroup * bytes;
    const int64_t lane = j % kGroup;
    const T* center = centers + j * n_cols;
    double norm = 0;
    float largest = 0;
    for (int64_t t = 0; t < n_cols; ++t) {
      const float size = float(center[t] < 0 ? -center[t] : center[t]);
      largest = size > largest ? size : largest;
      norm += double(center[t]) * double(center[t]);
    }
    const float length = float(__builtin_sqrt(norm));
    float scale = scale_of(length, largest, n_cols);
    const float inverse = inverse_of(scale);
    float* scales = reinterpret_cast<float*>(group);
    int16_t* q = reinterpret_cast<int16_t*>(group + kGroup * sizeof(float));
    if (digits == Digits::one) {
      ByteGroup& head = *reinterpret_cast<ByteGroup*>(group);
      char* block = group + sizeof(ByteGroup);
      const double rest =
          __builtin_sqrt(pack_center_bytes(center, n_cols, largest, lane, head, block));
      set_length(length, rest, lane, head);
      scales = head.short_scale;
      q = reinterpret_cast<int16_t*>(block + byte_block(n_cols)) + lane * stride;
    }
    scales[lane] = scale;
    rests[j] = 0;
    for (int64_t t = 0; t < n_cols; ++t) {
      // Centers out of reach of the filter may be anything; no cast of theirs shall overflow.
      const float scaled = float(center[t]) * inverse;
      const int32_t whole = __builtin_fabsf(scaled) <= kLargest + 1
                                ? int32_t(scaled + (scaled < 0 ? -0.5f : 0.5f))
                                : 0;
      const int64_t place = digits == Digits::one ? t : (t / 2 * kGroup + lane) * 2 + t % 2;
      q[place] = int16_t(whole);
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

// kRows rows against the kGroup centers of the group `number` of a chunk.
CENTROIDS_INLINE void tile(const int16_t* rows, int64_t stride, const float* row_scales,
                           const char* group, const float* half_norms, int64_t n_cols,
                           int32_t number, int row, Running& run) {
  const __m256i* q = reinterpret_cast<const __m256i*>(group + kGroup * sizeof(float));
  __m256i sum[kRows][kVectors] = {};
#pragma GCC unroll 4
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
  if (centers.digits == Digits::one) return nearest_by_bytes(rows, n_rows, centers, out);
  const float* scales = static_cast<const float*>(rows.packed);
  const int16_t* packed = reinterpret_cast<const int16_t*>(scales + kBlockRows);
  const int64_t stride = row_stride(centers.n_cols), bytes = group_bytes(centers.n_cols);
  const char* group = static_cast<const char*>(centers.packed);
  Running run;
  clear(n_rows, out);
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

CENTROIDS_INLINE __m256 fused(__m256 a, __m256 b, __m256 c) {
  return _mm256_fmadd_ps(a, b, c);
}
CENTROIDS_INLINE __m256d fused(__m256d a, __m256d b, __m256d c) {
  return _mm256_fmadd_pd(a, b, c);
}

template <class T>
void estimate_pairs(const T* x, int64_t n_cols, const T* shift, const T* centers,
                    const T* half_norms, const Pair* pairs, int n_pairs, T* out) {
  typedef T Lanes __attribute__((vector_size(32)));
  typedef T Unaligned __attribute__((vector_size(32), aligned(sizeof(T))));
  constexpr int64_t n_lanes = 32 / sizeof(T);
  const auto load = [](const T* p) -> Lanes { return *reinterpret_cast<const Unaligned*>(p); };
  for (int p = 0; p < n_pairs; ++p) {
    const T* row = x + int64_t(pairs[p].row) * n_cols;
    const T* center = centers + int64_t(pairs[p].label) * n_cols;
    const auto add = [&](int64_t t, Lanes sum) -> Lanes {
      return fused(load(shift + t) - load(row + t), load(center + t), sum);
    };
    Lanes even = {}, odd = {};
    int64_t t = 0;
    for (; t + 2 * n_lanes <= n_cols; t += 2 * n_lanes) {
      even = add(t, even);
      odd = add(t + n_lanes, odd);
    }
    T score = half_norms[pairs[p].label] + lane_sum(even + odd);
    for (; t < n_cols; ++t) score = fused(shift[t] - row[t], center[t], score);
    out[p] = score;
  }
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
  return {
      .cost_per_product = 0.4,
      .cost_per_score = 4.0,
      .cost_per_row = 5500.0,
      .cost_per_column = 20.0,
      .products_at_once = kColumns,
      .centers_at_once = kFilterCenters,
      .has_two_digits = true,
      .one_digit_from = 17,
      .one_digit_to = kMostByteColumns,
      .by_sizes = by_sizes,
      .row_bytes = row_bytes,
      .center_bytes = center_bytes,
      .pack_rows = pack_rows<T>,
      .pack_centers = pack_centers<T>,
      .nearest = nearest,
      .estimate_pairs = estimate_pairs<T>,
      .score_pairs = score_pairs<T>,
  };
}

}  // namespace

extern const FilterKernels<float> short16_filter_f32;
extern const FilterKernels<double> short16_filter_f64;
const FilterKernels<float> short16_filter_f32 = make_filter<float>();
const FilterKernels<double> short16_filter_f64 = make_filter<double>();

}  // namespace centroids
