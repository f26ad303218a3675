// What 8-bit rows are the same in on every instruction set: how they are rounded and where they
// lie.
//
// The including file defines
//   CENTROIDS_SHORT_OFFSET  added to each q of a row (not of a point): some instructions want one
//                           side unsigned
//   select_by               ShortRowKernels::select for POINTS points

#include "kernels/short_rows.hpp"

namespace centroids {
namespace {

#define CENTROIDS_INLINE inline __attribute__((always_inline))

constexpr int kFour = 4;  // columns a lane holds
constexpr int kOffset = CENTROIDS_SHORT_OFFSET;

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

// The lower bound of short_rows.hpp for some rows and point p, from the products of their q. Lanes:
// vectors of float32 and what one instruction does with them.
template <class Lanes, class V = typename Lanes::Vector>
CENTROIDS_INLINE V lower_bound(V norm, V rest, V scale, V products, const ShortNorms& points, int p,
                               float slack) {
  const float z = points.norm[p];
  const V sum = norm + Lanes::spread(z);
  V most = products * scale * Lanes::spread(points.scale[p]);
  most = Lanes::multiply_add(rest, Lanes::spread(z), most);
  most = Lanes::multiply_add(norm + rest, Lanes::spread(points.rest[p]), most);
  V bound = norm * norm + Lanes::spread(z * z);
  bound = Lanes::subtract_product(Lanes::spread(2), most, bound);
  return Lanes::subtract_product(sum * sum, Lanes::spread(slack), bound);
}

template <class T, int POINTS>
int select_by(const uint8_t* blocks, const ShortNorms* norms, int n_rows, int64_t n_cols,
              const int8_t* points, const ShortNorms& point_norms, const int32_t* point_sums,
              float slack, const T* current, int32_t* out);

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
}  // namespace centroids
