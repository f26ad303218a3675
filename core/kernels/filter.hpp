// Certified filters: scores of a row against all centers in short arithmetic, several times as fast
// as the register tile, with what is needed to bound their error. Rows that the bound leaves in
// doubt go through the tile, so a filter changes no label. Formulas: README.md in this folder.
//
// A value v is replaced by v' (a short number), or by v' + v'' (a second short number for what the
// first leaves over; two bytes make one 16-bit integer). What the products of short numbers miss
// follows from the norms of the rests (Cauchy-Schwarz): |y.c - y'.c'| <= |y - y'| |c| + |y'| |c -
// c'|.
#pragma once

#include <cstdint>

#include "kernels/kernels.hpp"

namespace centroids {

// Short numbers that stand for one value.
enum class Digits { one, two };

// One block of rows y = shift - x in short numbers.
struct FilterRows {
  void* packed;                        // row_bytes(n_cols, digits), aligned to a cache line
  alignas(64) float norm[kBlockRows];  // |y|^2, as float32 sums it
  alignas(64) float rest[kBlockRows];  // no less than |y - y'|^2, what the first digit leaves over
  NextRows next;                       // to be fetched while these are scored
  // Centers that score this much more than the nearest are of no interest; set once the rows are
  // packed.
  alignas(64) float margin[kBlockRows];
};

struct FilterCenters {
  const void* packed;       // center_bytes(n_cols, digits, n_lanes), aligned to a cache line
  const float* half_norms;  // n_lanes of them, kFilterFar past the last center
  int64_t n_cols;
  int64_t n_lanes;  // centers with padding: a multiple of kFilterCenters
  Digits digits;
  bool with_second;  // the second nearest is of interest too
  // For nearest_in_place: the scores of center j are off by at most error[j] + |y| *
  // error_by_length[j], and |y| is at most `grow` times what the computed norm says.
  const float* error;
  const float* error_by_length;
  float grow;
};

inline constexpr int kListed = 4;

// The nearest centers of a block, nearest first; those that are not known score kFilterFar.
struct FilterNearest {
  alignas(64) float score[kListed][kBlockRows];
  alignas(64) int32_t label[kListed][kBlockRows];
  // No center that is not listed scores less: by its score, or in place by that less its error.
  alignas(64) float others[kBlockRows];
};

// A row (of a block) and a center.
struct Pair {
  int32_t row, label;
};

inline constexpr int64_t kFilterCenters = 32;  // centers are packed by so many
inline constexpr float kFilterFar = 3e38f;     // the half norm of no center
// Rows and centers farther from the shift than this are not for a filter: squares would overflow.
inline constexpr double kFilterReach = 1e16;

template <class T>
struct FilterKernels {
  // What a filter costs, in multiply-adds of the register tile in float32: per product and per
  // score of a row and a center, and per row and column to pack and judge the row.
  double cost_per_product, cost_per_score, cost_per_row, cost_per_column;
  int64_t products_at_once, centers_at_once;
  bool has_two_digits = false;
  // With two digits to choose from, one is tried first from so many columns to so many.
  int64_t one_digit_from = 0, one_digit_to = 0;
  // |computed - exact| of a score is at most by_sizes(n_cols, digits) * (|c|^2 / 2 + |y| |c|) for
  // rounding, and with two digits by_product * |y| |c| for what they leave out. Where that is zero,
  // whatever the digits, FilterRows::rest and `rests` of the centers say what is left out.
  double (*by_sizes)(int64_t n_cols, Digits digits);
  double by_product = 0;
  // In place: |y - y'| is at most this share of |y|.
  double by_rounding = 0;

  int64_t (*row_bytes)(int64_t n_cols, Digits digits);
  int64_t (*center_bytes)(int64_t n_cols, Digits digits, int64_t n_lanes);
  void (*pack_rows)(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* shift,
                    Digits digits, FilterRows& out) = nullptr;
  // `centers` are n_cols values each, shifted. Writes n_lanes packed centers, and the squared norm
  // of what the first digit of each center leaves over.
  void (*pack_centers)(const T* centers, int64_t n_centers, int64_t n_cols, int64_t n_lanes,
                       Digits digits, void* packed, double* rests);
  // Approximate scores of the centers nearest to the first n_rows rows.
  void (*nearest)(const FilterRows& rows, int n_rows, const FilterCenters& centers,
                  FilterNearest& out) = nullptr;
  // The same for rows where they lie, in one go: sets the norm of `rows` and needs no margin.
  // There is either this or pack_rows and nearest.
  void (*nearest_in_place)(const T* x, const int32_t* listed, int n_rows, const T* shift,
                           const FilterCenters& centers, FilterRows& rows,
                           FilterNearest& out) = nullptr;
  // Scores of pairs, summed in four lanes or more along the columns; rows count from x. Null where
  // `nearest` lists one center a row.
  void (*estimate_pairs)(const T* x, int64_t n_cols, const T* shift, const T* centers,
                         const T* half_norms, const Pair* pairs, int n_pairs, T* out) = nullptr;
  // The same, bit for bit those of the tile, which takes several times as long.
  void (*score_pairs)(const T* x, int64_t n_cols, const T* shift, const T* centers,
                      const T* half_norms, const Pair* pairs, int n_pairs, T* out) = nullptr;
};

}  // namespace centroids
