// Rows in 8-bit integers, a quarter of the memory of float32: they tell from below how far a row is
// from some points, so that most rows need not be fetched to learn that a point is no nearer.
//
// y = x - shift is kept as scale * q with whole q in [-127, 127]. With ry = |y - scale q|, and the
// same for a point z,  y.z <= scale_y scale_z q_y.q_z + ry |z| + (|y| + ry) rz  (Cauchy-Schwarz),
// so
//
//     |y - z|^2 >= |y|^2 + |z|^2 - 2 (scale_y scale_z q_y.q_z + ry |z| + (|y| + ry) rz)
//
// and `slack` times (|y| + |z|)^2 covers every rounding, that of the exact distances included.
#pragma once

#include <cstdint>

namespace centroids {

inline constexpr int kShortBlock = 16;                 // rows of a block
inline constexpr int kMostShortPoints = 16;            // points looked at in one visit
inline constexpr int64_t kMostShortColumns = 1 << 15;  // sums of products must fit 32 bits

// Of kShortBlock rows, one value a row.
struct ShortNorms {
  alignas(64) float norm[kShortBlock];  // |y|
  alignas(64) float rest[kShortBlock];  // |y - scale q|
  alignas(64) float scale[kShortBlock];
};

template <class T>
struct ShortRowKernels {
  // Bytes of a block, and of the points.
  int64_t (*block_bytes)(int64_t n_cols);
  int64_t (*point_bytes)(int64_t n_cols);
  // Packs up to kShortBlock rows; those that are missing count as zero rows. False when a value is
  // too far from the shift for squares in float32: such rows cannot be packed.
  bool (*pack_block)(const T* x, int64_t n_cols, int n_rows, const T* shift, uint8_t* packed,
                     ShortNorms& norms);
  // Packs up to kMostShortPoints rows, of those that could be packed, as points; `sums` are those
  // of their q.
  void (*pack_points)(const T* x, int64_t n_cols, int n_points, const T* shift, int8_t* packed,
                      ShortNorms& norms, int32_t* sums);
  // Lists the rows of consecutive blocks (counted from the first) that may be nearer than
  // current[row] to one of the points, ascending; returns how many.
  int (*select)(const uint8_t* blocks, const ShortNorms* norms, int n_rows, int64_t n_cols,
                const int8_t* points, const ShortNorms& point_norms, const int32_t* point_sums,
                int n_points, float slack, const T* current, int32_t* out);
};

}  // namespace centroids
