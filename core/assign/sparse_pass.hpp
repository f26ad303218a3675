// The pass over sparse rows in memory: rows against every center, entry by entry.
//
// A row's label is a function of (row, centers). Where rounding could have put scores in the wrong
// order, distances are computed in float64, and column by column where digits cancel. Rows whose
// bounds prove that their label stays are skipped (Hamerly, as in hamerly_pass.hpp), by a margin
// above the rounding error of the scores.
#pragma once

#include <limits>
#include <vector>

#include "aligned.hpp"
#include "assign/pass.hpp"
#include "assign/sparse_rows.hpp"
#include "kernels/kernels.hpp"
#include "threads/shards.hpp"

namespace centroids {

// Nearest centers of one row; the second is -1 where there is none.
struct SparseNearest {
  int32_t label;
  int32_t second_label;
};

// Per row, rounded outward: at most `upper` from its own center, at least `lower` from all others.
// Kept from visit to visit while the centers move by what the shifts say.
struct SparseBounds {
  std::vector<float> upper, lower;            // n_rows; empty: no bounds yet
  std::vector<float> own_shift, other_shift;  // per cluster; empty: search all rows
  double largest_norm = 0, most_entries = 0;  // of the rows
};

// Centers packed for the sparse kernel.
template <class T>
class SparseCenters {
 public:
  explicit SparseCenters(const Centers& centers) { pack(centers); }
  SparseCenters() = default;
  void pack(const Centers& centers);

  // `scores` is scratch of n_lanes() values, aligned to a cache line. `most_doubt`: no less than
  // the doubt of this row, to spare finding that out where it is clear that it does not matter.
  SparseNearest nearest(const SparseRow<T>& row, T* scores,
                        double most_doubt = std::numeric_limits<double>::infinity()) const;
  // scores[j] = |c_j|^2 / 2 - x.c_j
  void score(const SparseRow<T>& row, T* scores) const;
  // Bound of the rounding error of a score of a row of this length and number of entries.
  double doubt(double norm, double n_entries) const;
  int64_t n_lanes() const { return view_.n_groups * view_.lines * 64 / int64_t(sizeof(T)); }

 private:
  SparseNearest settle(const SparseRow<T>& row, const T* scores, double limit) const;

  const Centers* centers_ = nullptr;
  SparsePackedCenters<T> view_{};
  AlignedBuffer<T> packed_, half_norms_;
  std::vector<double> exact_half_norms_;
  double max_norm_ = 0;
};

template <class T>
class SparsePass final : public Pass {
 public:
  SparsePass(const SparseRows<T>& rows, int64_t n_clusters, std::vector<double> origin);

  int64_t n_rows() const override { return rows_.n_rows; }
  void assign(const Centers& centers, Partials& out) override;
  double inertia(const Centers& centers) override { return sum_squares(rows_, centers); }
  std::vector<FarRow> farthest(const Centers& centers, int64_t n) const override;
  void renumber(const std::vector<int32_t>& order) override;
  const std::vector<double>& origin() const override { return origin_.values(); }

  static double sum_squares(const SparseRows<T>& rows, const Centers& centers);
  // Labels all rows; touched[j] is set for each cluster that lost or gained one. Returns how many
  // rows changed their label.
  static int64_t label(const SparseRows<T>& rows, const SparseCenters<T>& centers,
                       std::vector<char>& touched, SparseBounds* bounds = nullptr);

 private:
  void measure_shifts(const Centers& centers);
  void sum_again(const std::vector<char>& touched);

  SparseRows<T> rows_;
  SparseOrigin origin_;
  SparseCenters<T> centers_;
  Centers previous_;  // of the visit before
  SparseBounds bounds_;
  Partials total_;
};

}  // namespace centroids
