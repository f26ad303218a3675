// The body of every native kernel, compiled once per instruction set (avx512.cpp, avx2.cpp, ...).
//
// The including file defines
//   CENTROIDS_ISA_NAME      the name in the dispatch table
//   CENTROIDS_VECTOR_BYTES  register width
//   CENTROIDS_ROW_VECTORS   row vectors a wide tile holds (tile: ROW_VECTORS x group_size)
//   CENTROIDS_MAX_GROUP     centers a tile holds at most
// Everything here has internal linkage and uses no std:: function: a template instantiated in two
// translation units with different -m flags would be merged by the linker, and the wrong one kept.

#include <cstddef>
#include <cstdint>

#if defined(__FMA__) || defined(__AVX512F__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#include "kernels/kernels.hpp"
#include "prefetch.hpp"

namespace centroids {
namespace {

// The vectors, for all that follows.
#include "kernels/vectors.inl"
// What comes next is fetched.
#include "kernels/ahead.inl"
// Rows as the tile reads them.
#include "kernels/packing.inl"
// Scores, and the nearest centers.
#include "kernels/tile.inl"
// What bounds save of that.
#include "kernels/bounds.inl"
// Float64 in the same order on every instruction set.
#include "kernels/eight.inl"
// Sums of rows.
#include "kernels/sums.inl"
// Distances of rows to centers and to points.
#include "kernels/distances.inl"
// The chosen of eight.
#include "kernels/set_bits.inl"
// The seeding.
#include "kernels/seeding.inl"
// Sparse rows.
#include "kernels/sparse.inl"

// Measured on AVX2. With registers twice as wide they are from before rows were fetched while the
// tile multiplies: there all reading is in the packing.
constexpr TileCosts kTileCosts =
    CENTROIDS_VECTOR_BYTES == 64 ? TileCosts{10, 24, 0} : TileCosts{6, 6, 5};

template <class T>
constexpr Kernels<T> make_kernels() {
  return {CENTROIDS_ISA_NAME,
          CENTROIDS_MAX_GROUP,
          kTileCosts,
          pack_block<T>,
          block_norms<T>,
          bound_distances<T>,
          assign_block<T>,
          score_block<T>,
          add_rows<T>,
          add_compensated_rows<T>,
          point_distances<T>,
          lower<T>,
          add_gains<T>,
          weighted_sum<T>,
          select_above<T>,
          advance_bounds,
          add_moments<T>,
          squared_distances<T>,
          sparse_scores<T>,
          {},
          nullptr};
}

}  // namespace
}  // namespace centroids
