// The certified filter in bfloat16 on AMX tiles; everything else of this instruction set is
// avx512.cpp's.
//
// Rows are the tile's rows, centers its columns, 32 short numbers a step. While the tile unit works
// on 32 rows x 32 centers, the vector unit looks through the scores of the 32 centers before.

// GCC 12 warns of the undefined pass-through operands inside its own AVX-512 header.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include <immintrin.h>

#include "kernels/filter.hpp"
#include "prefetch.hpp"

namespace centroids {
namespace {

#define CENTROIDS_INLINE inline __attribute__((always_inline))

#include "kernels/ahead.inl"

constexpr int kStep = 32;      // short numbers in a tile row
constexpr int kTileRows = 16;  // rows, and centers, of a tile
constexpr int64_t kTileBytes = 1024;
constexpr int kRows = 2 * kTileRows, kCenters = int(kFilterCenters);
// The lowest bits of a score make room for the number of its group of 16 centers.
constexpr int32_t kGroupBits = 6;
constexpr int64_t kChunk = kTileRows << kGroupBits;

struct __attribute__((packed)) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t column_bytes[16] = {};
  uint8_t rows[16] = {};
};

int64_t n_slots(int64_t n_cols, Digits digits) {
  return digits == Digits::two ? 3 * n_cols : n_cols;
}
int64_t n_steps(int64_t n_cols, Digits digits) {
  return (n_slots(n_cols, digits) + kStep - 1) / kStep;
}

// Rows lie one after the other, an odd number of cache lines apart: the rows of a tile shall not
// fall into the same places of the cache.
int64_t row_stride(int64_t n_cols, Digits digits) {
  return (n_steps(n_cols, digits) | 1) * 64;
}
int64_t row_bytes(int64_t n_cols, Digits digits) {
  return row_stride(n_cols, digits) * kBlockRows;
}
int64_t center_bytes(int64_t n_cols, Digits digits, int64_t n_lanes) {
  return n_lanes / kTileRows * n_steps(n_cols, digits) * kTileBytes;
}

// TDPBF16PS adds the 32 products of a step in two chains of fused multiply-adds that start at zero,
// adds the two, and adds that to the tile: 17 roundings of what belongs to the step, and one of the
// whole for each step. Then the group number takes the place of some bits.
double by_sizes(int64_t n_cols, Digits digits) {
  return double(n_steps(n_cols, digits) + 20) * 0x1p-24 + double(1 << kGroupBits) * 0x1p-23;
}

// ---------------------------------------------------------------- packing

CENTROIDS_INLINE __mmask16 first_lanes(int64_t n) {
  return n >= 16 ? __mmask16(0xffff) : __mmask16((1u << n) - 1);
}

CENTROIDS_INLINE __m512 load_y(const float* x, const float* shift, __mmask16 m) {
  return _mm512_sub_ps(_mm512_maskz_loadu_ps(m, shift), _mm512_maskz_loadu_ps(m, x));
}
CENTROIDS_INLINE __m256 load_eight(const double* x, const double* shift, __mmask8 m) {
  return _mm512_cvtpd_ps(
      _mm512_sub_pd(_mm512_maskz_loadu_pd(m, shift), _mm512_maskz_loadu_pd(m, x)));
}
CENTROIDS_INLINE __m512 load_y(const double* x, const double* shift, __mmask16 m) {
  const __m512 low = _mm512_castps256_ps512(load_eight(x, shift, __mmask8(m)));
  const __mmask8 high = __mmask8(m >> 8);
  return high ? _mm512_insertf32x8(low, load_eight(x + 8, shift + 8, high), 1)
              : _mm512_insertf32x8(low, _mm256_setzero_ps(), 1);
}

// The bits of a bfloat16 stand in the upper half of a float32; ties go away from zero.
CENTROIDS_INLINE __m512i rounded_bits(__m512 v) {
  return _mm512_add_epi32(_mm512_castps_si512(v), _mm512_set1_epi32(0x8000));
}
CENTROIDS_INLINE __m512 bits_to_short(__m512i bits) {
  return _mm512_castsi512_ps(_mm512_and_si512(bits, _mm512_set1_epi32(int32_t(0xffff0000))));
}
// The upper halves of a, then those of b.
CENTROIDS_INLINE __m512i join_shorts(__m512i a, __m512i b) {
  const __m512i odd =
      _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27,
                       25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
  return _mm512_permutex2var_epi16(a, odd, b);
}

// One row: [y'], or [y' y'' y'] to meet [c' c' c''].
template <class T, Digits DIGITS>
CENTROIDS_INLINE void pack_row(const T* x, int64_t n_cols, const T* shift, uint16_t* out,
                               float& norm, float& rest) {
  __m512 norms[2] = {}, rests[2] = {};
  for (int64_t t = 0; t < n_cols; t += kStep) {
    const int64_t left = n_cols - t;
    __m512i first[2], second[2];
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      const bool is_empty = left <= 16 * h;
      const __m512 y = is_empty
                           ? _mm512_setzero_ps()
                           : load_y(x + t + 16 * h, shift + t + 16 * h, first_lanes(left - 16 * h));
      first[h] = rounded_bits(y);
      const __m512 over = _mm512_sub_ps(y, bits_to_short(first[h]));
      norms[h] = _mm512_fmadd_ps(y, y, norms[h]);
      rests[h] = _mm512_fmadd_ps(over, over, rests[h]);
      if (DIGITS == Digits::two) second[h] = rounded_bits(over);
    }
    const __mmask32 m = left >= kStep ? __mmask32(-1) : (__mmask32(1) << left) - 1;
    const __m512i joined = join_shorts(first[0], first[1]);
    if (DIGITS == Digits::one) {
      _mm512_store_si512(out + t, joined);  // beyond the last column are zeros
      continue;
    }
    _mm512_mask_storeu_epi16(out + t, m, joined);
    _mm512_mask_storeu_epi16(out + n_cols + t, m, join_shorts(second[0], second[1]));
    _mm512_mask_storeu_epi16(out + 2 * n_cols + t, m, joined);
  }
  norm = _mm512_reduce_add_ps(_mm512_add_ps(norms[0], norms[1]));
  rest = _mm512_reduce_add_ps(_mm512_add_ps(rests[0], rests[1]));
}

template <class T, Digits DIGITS>
void pack_rows_of(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* shift,
                  FilterRows& out) {
  const int64_t stride = row_stride(n_cols, DIGITS), last = (n_steps(n_cols, DIGITS) - 1) * kStep;
  for (int i = 0; i < n_rows; ++i) {
    uint16_t* row = reinterpret_cast<uint16_t*>(static_cast<char*>(out.packed) + i * stride);
    _mm512_store_si512(row + last, _mm512_setzero_si512());
    fetch_row(out.next, i);
    pack_row<T, DIGITS>(x + int64_t(rows ? rows[i] : i) * n_cols, n_cols, shift, row, out.norm[i],
                        out.rest[i]);
  }
}

template <class T>
void pack_rows(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* shift,
               Digits digits, FilterRows& out) {
  if (digits == Digits::two)
    pack_rows_of<T, Digits::two>(x, n_cols, rows, n_rows, shift, out);
  else
    pack_rows_of<T, Digits::one>(x, n_cols, rows, n_rows, shift, out);
}

inline uint16_t short_of(float v) {
  uint32_t bits;
  __builtin_memcpy(&bits, &v, 4);
  return uint16_t((bits + 0x8000) >> 16);
}
inline float value_of(uint16_t v) {
  const uint32_t bits = uint32_t(v) << 16;
  float out;
  __builtin_memcpy(&out, &bits, 4);
  return out;
}

// Tile of 16 centers and one step: two consecutive numbers of each center, then the next two.
template <class T>
void pack_centers(const T* centers, int64_t n_centers, int64_t n_cols, int64_t n_lanes,
                  Digits digits, void* packed, double* rests) {
  const int64_t steps = n_steps(n_cols, digits);
  uint16_t* out = static_cast<uint16_t*>(packed);
  __builtin_memset(packed, 0, size_t(center_bytes(n_cols, digits, n_lanes)));
  for (int64_t j = 0; j < n_centers; ++j) {
    uint16_t* lane = out + j / kTileRows * steps * kTileBytes / 2 + j % kTileRows * 2;
    const auto put = [&](int64_t slot, uint16_t value) {
      const int64_t place = slot % kStep;
      lane[slot / kStep * kTileBytes / 2 + place / 2 * 2 * kTileRows + place % 2] = value;
    };
    rests[j] = 0;
    for (int64_t t = 0; t < n_cols; ++t) {
      const uint16_t first = short_of(float(centers[j * n_cols + t]));
      const double over = double(centers[j * n_cols + t]) - double(value_of(first));
      rests[j] += over * over;
      put(t, first);
      if (digits == Digits::one) continue;
      put(n_cols + t, first);
      put(2 * n_cols + t, short_of(float(over)));
    }
  }
}

// ---------------------------------------------------------------- scores

// Per lane the nearest and second nearest of 32 rows, among the centers of a chunk.
struct Running {
  __m512 best[kRows], second[kRows];
};

// Looks through the scores of rows [first, last) against 32 centers, the groups `group` and the
// next one of their chunk.
CENTROIDS_INLINE void scan(const float* scores, int64_t group, int first, int last, Running& run) {
  const __m512i keep = _mm512_set1_epi32(-(1 << kGroupBits));
  const __m512i number[2] = {_mm512_set1_epi32(int32_t(group)),
                             _mm512_set1_epi32(int32_t(group) + 1)};
  for (int i = first; i < last; ++i) {
    __m512 best = run.best[i], second = run.second[i];
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      const __m512i bits = _mm512_load_si512(scores + i * kCenters + h * kTileRows);
      // (bits & keep) | number
      const __m512 score =
          _mm512_castsi512_ps(_mm512_ternarylogic_epi32(bits, keep, number[h], 0xEA));
      second = _mm512_min_ps(second, _mm512_max_ps(best, score));
      best = _mm512_min_ps(best, score);
    }
    run.best[i] = best;
    run.second[i] = second;
  }
}

// Joins what the chunk's lanes found with what the chunks before it have.
CENTROIDS_INLINE void finish_chunk(const Running& run, int64_t chunk, int n, int row,
                                   FilterNearest& out) {
  for (int i = 0; i < n; ++i) {
    const float least = _mm512_reduce_min_ps(run.best[i]);
    const __mmask16 winners = _mm512_cmp_ps_mask(run.best[i], _mm512_set1_ps(least), _CMP_EQ_OQ);
    const int lane = winners ? __builtin_ctz(winners) : 0;
    const float second =
        _mm512_reduce_min_ps(_mm512_mask_mov_ps(run.best[i], __mmask16(1u << lane), run.second[i]));
    int32_t bits;
    __builtin_memcpy(&bits, &least, 4);
    const int32_t label = int32_t(chunk) + (bits & ((1 << kGroupBits) - 1)) * kTileRows + lane;
    float& best = out.score[0][row + i];
    float& others = out.others[row + i];
    if (chunk == 0 || least < best) {
      others = chunk == 0 || second < best ? second : best;
      best = least;
      out.label[0][row + i] = label;
    } else if (least < others) {
      others = least;
    }
  }
}

// 32 rows against the 32 centers whose tiles begin at `tiles`, into the four tiles of scores; on
// the way scan_rows(first, last) is called for all rows in turn.
template <class Scan>
CENTROIDS_INLINE void score(const char* rows, int64_t stride, const char* tiles, int64_t steps,
                            const float* half_norms, float* scores, Scan scan_rows) {
  _tile_loadd(0, half_norms, 0);
  _tile_loadd(1, half_norms + kTileRows, 0);
  _tile_loadd(2, half_norms, 0);
  _tile_loadd(3, half_norms + kTileRows, 0);
  const char* next_tiles = tiles + steps * kTileBytes;
  for (int64_t s = 0; s < steps; ++s) {
    _tile_loadd(4, rows + s * 64, stride);
    _tile_loadd(6, tiles + s * kTileBytes, 64);
    _tile_loadd(7, next_tiles + s * kTileBytes, 64);
    _tile_loadd(5, rows + kTileRows * stride + s * 64, stride);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    scan_rows(int(kRows * s / steps), int(kRows * (s + 1) / steps));
  }
  _tile_stored(0, scores, kCenters * 4);
  _tile_stored(1, scores + kTileRows, kCenters * 4);
  _tile_stored(2, scores + kTileRows * kCenters, kCenters * 4);
  _tile_stored(3, scores + kTileRows * kCenters + kTileRows, kCenters * 4);
}

void nearest_of_rows(const char* rows, int64_t stride, const FilterCenters& centers, int n, int row,
                     FilterNearest& out) {
  const int64_t steps = n_steps(centers.n_cols, centers.digits);
  const char* tiles = static_cast<const char*>(centers.packed);
  alignas(64) float scores[2][kRows * kCenters];
  Running run;
  for (int64_t chunk = 0; chunk < centers.n_lanes; chunk += kChunk) {
    const int64_t end = chunk + kChunk < centers.n_lanes ? chunk + kChunk : centers.n_lanes;
    for (int i = 0; i < kRows; ++i) run.best[i] = run.second[i] = _mm512_set1_ps(kFilterFar);
    int64_t group = -2;  // of the scores that wait to be looked at
    int turn = 0;
    for (int64_t j = chunk; j < end; j += kCenters, group += 2, turn ^= 1) {
      const float* waiting = scores[turn ^ 1];
      score(rows, stride, tiles, steps, centers.half_norms + j, scores[turn],
            [&](int first, int last) {
              if (group >= 0) scan(waiting, group, first, last, run);
            });
      tiles += 2 * steps * kTileBytes;
    }
    scan(scores[turn ^ 1], group, 0, kRows, run);
    finish_chunk(run, chunk, n, row, out);
  }
}

void nearest(const FilterRows& rows, int n_rows, const FilterCenters& centers, FilterNearest& out) {
  TileConfig config;
  for (int i = 0; i < 8; ++i) {
    config.column_bytes[i] = 64;
    config.rows[i] = kTileRows;
  }
  _tile_loadconfig(&config);
  const int64_t stride = row_stride(centers.n_cols, centers.digits);
  for (int l = 1; l < kListed; ++l)
    for (int i = 0; i < n_rows; ++i) out.score[l][i] = kFilterFar;
  for (int first = 0; first < n_rows; first += kRows)
    nearest_of_rows(static_cast<const char*>(rows.packed) + first * stride, stride, centers,
                    n_rows - first < kRows ? n_rows - first : kRows, first, out);
  _tile_release();
}

template <class T>
constexpr FilterKernels<T> make_filter() {
  // What two digits leave over of a value, 2^-18 of it on either side, and the product of the
  // second digits.
  return {
      .cost_per_product = 0.08,
      .cost_per_score = 5.0,
      .cost_per_row = 1500.0,
      .cost_per_column = 30.0,
      .products_at_once = kStep,
      .centers_at_once = kFilterCenters,
      .has_two_digits = true,
      .one_digit_from = 33,
      .one_digit_to = INT64_MAX,
      .by_sizes = by_sizes,
      .by_product = 3.1 * 0x1p-18,
      .row_bytes = row_bytes,
      .center_bytes = center_bytes,
      .pack_rows = pack_rows<T>,
      .pack_centers = pack_centers<T>,
      .nearest = nearest,
  };
}

}  // namespace

extern const FilterKernels<float> amx_filter_f32;
extern const FilterKernels<double> amx_filter_f64;
const FilterKernels<float> amx_filter_f32 = make_filter<float>();
const FilterKernels<double> amx_filter_f64 = make_filter<double>();

}  // namespace centroids
