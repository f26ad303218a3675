// The table of native kernels, one per element type, filled in once per process for the best
// instruction set of the machine. Formulas and bounds: README.md in this folder.
#pragma once

#include <cstdint>

namespace centroids {

// Rows are visited in blocks of this many; it is a multiple of every vector length.
inline constexpr int kBlockRows = 64;

// Some kernels are compiled for each number of columns up to this one.
inline constexpr int kKnownColumns = 16;

// point_distances sums features in ascending order for rows narrower than this many cache lines,
// and in one partial sum for each place of a cache line for wider ones.
inline constexpr int kNarrowLines = 6;

// How much of the nearest-center search a caller needs.
enum class Search { nearest, with_second_score, with_second };

// Rows that will be wanted next: who computes with others meanwhile fetches them (ahead.inl).
struct NextRows {
  const void* base = nullptr;
  int64_t row_bytes = 0;
  const int32_t* listed = nullptr;  // numbers of the rows; null: 0 .. n-1
  int n = 0;
};

// Nearest centers of one block, by score = |c|^2 / 2 - x.c (smaller is nearer).
template <class T>
struct BlockNearest {
  alignas(64) T score[kBlockRows];
  alignas(64) T second_score[kBlockRows];
  alignas(64) int32_t label[kBlockRows];
  alignas(64) int32_t second_label[kBlockRows];
};

// A row to be added to the sums of a cluster.
struct Addend {
  int64_t row;
  double factor;
  int32_t cluster;
};

// Centers, shifted, half-squared and interleaved for the assignment tile:
// packed[group][feature][lane], `group_size` lanes a group, half_norms[group * group_size + lane];
// lanes past n_centers have a half norm of +infinity and never win.
template <class T>
struct PackedCenters {
  const T* packed;
  const T* half_norms;
  int32_t n_centers;
  int32_t group_size;
};

// Bounds in float32 are multiplied by these, which is outward whatever the rounding.
inline constexpr float kUp = 1.0f + 0x1p-22f, kDown = 1.0f - 0x1p-22f;

// How a center has moved, each number rounded to the safe side.
struct alignas(16) CenterMotion {
  float own_shift;    // distance the center moved
  float other_shift;  // largest distance any other center moved
  float neighbor;     // distance to the nearest other center; 0 where unknown
};

// How the centers have moved, and the rounding error of the scores: a row keeps its label when
// lower^2 - upper^2 > doubt_slope * upper + doubt.
struct Motion {
  const CenterMotion* centers;
  float doubt_slope;
  float doubt;
};

// Centers by column, for sparse rows: packed[group][column][lane], `lines` (1, 2 or 4) cache lines
// of lanes a group, half_norms[group][lane]; both aligned to a cache line. Lanes past the last
// center have a half norm of +infinity.
template <class T>
struct SparsePackedCenters {
  const T* packed;
  const T* half_norms;
  int64_t n_groups;
  int lines;
};

// What a row of many columns costs the tile besides its products, in multiply-adds of the tile in
// float32: packing a float32 column (a narrow row's, and another's), and reading a byte, which goes
// on while the tile multiplies.
struct TileCosts {
  double pack_narrow, pack, read;
};

inline constexpr int kMostFilters = 3;
template <class T>
struct FilterKernels;  // filter.hpp
template <class T>
struct ShortRowKernels;  // short_rows.hpp

template <class T>
struct Kernels {
  const char* isa;
  // Largest group_size that assign_block accepts.
  int32_t max_group_size;
  TileCosts tile_costs;

  // out[feature][lane] = shift[feature] - x[row][feature] for up to kBlockRows rows; the remaining
  // lanes are zero. `rows` lists the row numbers, or is null for 0 .. n_rows-1.
  void (*pack_block)(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* shift,
                     T* out);
  // Squared norms |x - shift|^2 of a packed block, in T.
  void (*block_norms)(const T* packed_rows, int64_t n_cols, T* out);
  // Bounds on the distances of a block of rows, rounded outward: `upper` is at least the distance
  // to the center of score[i], `lower` at most that of second_score[i]. |x - c|^2 = norms[i] + 2
  // score, where a score may be off by relative_error * (|x - shift| + max_norm)^2. All kBlockRows
  // lanes.
  void (*bound_distances)(const T* norms, const T* score, const T* second_score,
                          double relative_error, double max_norm, float* upper, float* lower);
  // Nearest center for each of the first n_rows lanes of a packed block; the lowest index wins
  // ties. Fetches the next rows meanwhile.
  void (*assign_block)(const T* packed_rows, int64_t n_cols, int n_rows,
                       const PackedCenters<T>& centers, Search search, const NextRows& next,
                       BlockNearest<T>& out);
  // scores[lane * stride + j] for every center j: what `transform` and the tests need.
  void (*score_block)(const T* packed_rows, int64_t n_cols, const PackedCenters<T>& centers,
                      T* scores, int64_t stride);

  // sums[label[i]] += w[i] * (x[i] - origin), in row order, in float64. w null: weights of one.
  void (*add_rows)(const T* x, int64_t n_cols, int n_rows, const int32_t* labels, const double* w,
                   const double* origin, double* sums);
  // (sums, errors)[cluster] += factor * (x[row] - origin) for each addend, in order, as error-free
  // transformations (Knuth's TwoSum). Fetches rows ahead.
  void (*add_compensated_rows)(const T* x, int64_t n_cols, const Addend* addends, int64_t n,
                               const double* origin, double* sums, double* errors);
  // out[p * kBlockRows + i] = |x[rows[i]] - points[p]|^2 in T, for up to kBlockRows rows, without
  // cancellation; `scratch` holds n_cols * kBlockRows values. Both are aligned to a cache line.
  void (*point_distances)(const T* x, int64_t n_cols, const int32_t* rows, int n_rows,
                          const T* points, int n_points, T* scratch, T* out);
  // current[i] = min(current[i], tried[i]) for a whole block; bit i says that tried[i] was less.
  uint64_t (*lower)(T* current, const T* tried);
  // sums[p] += w[i] * max(0, current[i] - tried[p * kBlockRows + i]) for a whole block. Each term
  // is first rounded by adding and subtracting `rounder` (seeding/gains.hpp), so that sums are
  // exact and neither the order nor the lanes of rows count. w null: weights of one.
  void (*add_gains)(const T* current, const T* tried, int n_points, const double* w, double rounder,
                    double* sums);
  // Sum of w[i] * values[i]. w null: weights of one.
  double (*weighted_sum)(const T* values, const double* w, int64_t n);
  // Lists the i in [0, n) with values[i] > threshold[labels[i]], ascending; returns how many.
  int (*select_above)(const T* values, const int32_t* labels, const T* threshold, int n,
                      int32_t* out);
  // Hamerly's bounds of rows 0 .. n-1 after the centers have moved; see Motion. Lists the rows that
  // may have another nearest center and returns how many. Updates upper for all rows, but lower
  // only for those not listed: a closer look at the others may cost them less than other_shift.
  int (*advance_bounds)(const Motion& motion, const int32_t* labels, int n, float* upper,
                        float* lower, int32_t* out);
  // sum[t] += w * v, square_sum[t] += w * v * v with v = x[i][t] - reference[t].
  void (*add_moments)(const T* x, int64_t n_cols, int n_rows, const double* w,
                      const double* reference, double* sum, double* square_sum);
  // out[i] = |x[i] - centers[labels[i]]|^2 in float64, the same bits on every instruction set.
  void (*squared_distances)(const T* x, int64_t n_cols, const int32_t* rows, int n_rows,
                            const double* centers, const int32_t* labels, double* out);

  // scores[j] = |c_j|^2 / 2 - x.c_j for every lane, x being one sparse row; entries are added in
  // order. `scores` is aligned to a cache line.
  void (*sparse_scores)(const T* values, const int32_t* columns, int64_t n_entries, int64_t n_cols,
                        const SparsePackedCenters<T>& centers, T* scores);

  // Certified filters, to choose from by their cost, and rows in 8-bit integers; null where there
  // are none.
  const FilterKernels<T>* filters[kMostFilters];
  const ShortRowKernels<T>* short_rows;
};

// The kernels for this machine, or those forced by CENTROIDS_ISA =
// amx | avx512 | avx2 | neon | baseline.
template <class T>
const Kernels<T>& kernels();

// Names of the instruction sets this build has and this machine can run, best first.
// Returns the number written (at most kMostIsas).
inline constexpr int kMostIsas = 8;
int available_isas(const char** names);

// Kernels of one instruction set by name; null when the build or the machine lacks it.
template <class T>
const Kernels<T>* kernels_for(const char* isa);

// The plain reference: scalar loops with a correctly rounded fused multiply-add.
template <class T>
const Kernels<T>& reference_kernels();

}  // namespace centroids
