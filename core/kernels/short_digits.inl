// What the filters in 16-bit integers and in bytes share (short16.cpp, byte_scan.inl).

#define CENTROIDS_INLINE inline __attribute__((always_inline))

#include "kernels/columns.inl"

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
CENTROIDS_INLINE double lane_sum(__m256d v) {
  const __m128d s = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
  return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
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

// GCC 12 adds into another register and copies it back, and loads a center anew for each row: a
// third of the instructions of the loop below. These leave it no choice.
CENTROIDS_INLINE void add_in_place(__m256i& sum, __m256i value) {
  __asm__("vpaddd %1, %0, %0" : "+x"(sum) : "x"(value));
}
CENTROIDS_INLINE void add_words_in_place(__m256i& sum, __m256i value) {
  __asm__("vpaddw %1, %0, %0" : "+x"(sum) : "x"(value));
}
CENTROIDS_INLINE __m256i in_register(__m256i value) {
  __asm__("" : "+x"(value));
  return value;
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

void clear(int n_rows, FilterNearest& out) {
  for (int i = 0; i < n_rows; ++i) {
    for (int l = 0; l < kListed; ++l) out.score[l][i] = kFilterFar;
    out.others[i] = kFilterFar;
  }
}
