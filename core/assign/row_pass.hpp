// What all passes over rows in memory share: shards, labels, sums, inertia. A subclass says how the
// rows of one shard find their nearest center.
#pragma once

#include <vector>

#include "aligned.hpp"
#include "assign/center_pack.hpp"
#include "assign/pass.hpp"
#include "kernels/kernels.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {

template <class T>
class RowPass : public Pass {
 public:
  RowPass(const Rows<T>& rows, int64_t n_clusters, std::vector<double> origin);

  int64_t n_rows() const final { return rows_.n_rows; }
  void assign(const Centers& centers, Partials& out) final;
  double inertia(const Centers& centers) final { return sum_squares(rows_, centers); }
  std::vector<FarRow> farthest(const Centers& centers, int64_t n) const final;
  void renumber(const std::vector<int32_t>& order) override;
  const std::vector<double>& origin() const final { return origin_; }

  // Weighted sum of squared distances to the centers of the rows' labels. Its shards depend on the
  // number of rows only, so that score() of a model gives the bits of inertia_.
  static double sum_squares(const Rows<T>& rows, const Centers& centers);
  static std::vector<double> squares_by_shard(const Rows<T>& rows, const Centers& centers);

  // The same for a part of the rows (see ClusterSums).
  int64_t assign_part(const Centers& centers, bool is_full);
  void add_to(Totals& totals) const { sums_.add_to(totals); }

 protected:
  // Called once before the shards of a visit.
  virtual void prepare(const Centers& centers, int n_workers) = 0;
  // Finds the labels of the rows of one shard and hands them to set_labels or set_label and, with
  // sums_.is_full(), every row to the sums. Returns how many labels changed.
  virtual int64_t assign_shard(int worker, int64_t shard) = 0;
  // Called after a visit.
  virtual void finish() {}

  // New labels of n consecutive rows: stored, and added to the sums. Returns the changes.
  int64_t set_labels(int worker, int64_t shard, int64_t first, int n, const int32_t* labels);
  // The label of one row, which is added to the sums with its whole shard later. Returns whether
  // it changed. Rows may come in any order.
  bool set_label(int64_t shard, int64_t row, int32_t label);
  void add_shard(int worker, int64_t shard);

  void visit(const Centers& centers, bool is_full);

  Rows<T> rows_;
  int64_t n_clusters_;
  std::vector<double> origin_;
  const Kernels<T>& kernels_;
  ClusterSums<T> sums_;
};

}  // namespace centroids
