// The sums of the clusters, kept from visit to visit.
//
// Two ways to bring them up to date, chosen by how many rows moved in the previous visit (a number
// that no thread count, algorithm or instruction set changes):
//   full   every row is added anew, shard by shard, merged in shard order;
//   moved  only rows that changed their cluster: subtracted from the old, added to the new one, in
//          row order, with error-free sums, so no drift builds up over the iterations.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "kernels/kernels.hpp"
#include "matrix_view.hpp"
#include "partials.hpp"
#include "threads/shards.hpp"
#include "update/totals.hpp"

namespace centroids {

struct MovedRow {
  int32_t row;  // counted from the first row of its shard
  int32_t old_label, label;
};

// The rows a pass works on, and where their labels are kept.
template <class T>
struct Rows {
  const T* x;
  int64_t n_rows;
  int64_t n_features;
  const double* weights;  // n_rows, or null: one each
  int32_t* labels;        // n_rows
  int n_threads;
  int64_t n_all_rows = 0;  // where these are a part of the rows: of all; else 0
  Shards shards() const { return Shards(n_all_rows ? n_all_rows : n_rows).of_part(n_rows); }
  const T* row(int64_t i) const { return x + i * n_features; }
};

template <class T>
Rows<T> rows_of(const MatrixView& x, const double* weights, int32_t* labels, int n_threads) {
  return {x.row<T>(0), x.n_rows, x.n_cols, weights, labels, n_threads};
}

template <class T>
void copy_row(const Rows<T>& rows, int64_t i, double* out) {
  std::copy_n(rows.row(i), rows.n_features, out);
}

// The shards in which sums are added. Parts of the rows must begin and end with one.
Shards sum_shards(int64_t n_rows, int64_t n_features, int64_t n_clusters);

template <class T>
class ClusterSums {
 public:
  // `origin` (n_features, or null for zero) is subtracted from every row before it is summed.
  ClusterSums(const Rows<T>& rows, int64_t n_clusters, const double* origin,
              const Kernels<T>& kernels);

  const Shards& shards() const { return shards_; }

  // A visit: begin, then per shard (in any order, on any thread) add_block/move and end_shard, then
  // finish. With is_full() every row must be given to add_block; otherwise moved rows to move().
  void begin(int n_workers) {
    begin(n_workers, adds_all_rows(n_changed_, rows_.n_rows, rows_.n_features));
  }
  bool is_full() const { return is_full_; }
  // Rows that changed their label in the last visit (all of them before the first).
  int64_t n_changed() const { return n_changed_; }
  // Labels of rows [first, first + n) of the shard are final: adds them.
  void add_block(int worker, int64_t first, int n);
  void move(int64_t shard, const MovedRow& moved) { moved_[shard].push_back(moved); }
  void move(int64_t shard, const MovedRow* moved, int n) {
    moved_[shard].insert(moved_[shard].end(), moved, moved + n);
  }
  void end_shard(int worker, int64_t shard, int64_t n_changed);
  // The visit has failed: whoever waits in end_shard for an earlier shard need not any more.
  void abandon() { next_commit_ = kAbandoned; }
  // Writes the sums of all rows.
  void finish(Partials& out);

  // A part of the rows: whoever knows all parts says whether all rows are added, and carries the
  // totals from part to part in row order.
  void begin(int n_workers, bool is_full);
  void add_to(Totals& totals) const;

  // Cluster order[j] gets the number j.
  void renumber(const std::vector<int32_t>& order);

 private:
  static constexpr int64_t kAbandoned = INT64_MAX;

  bool is_part() const { return rows_.n_all_rows > 0; }
  void apply_moves(Totals& totals) const;
  void apply_moves_of(int32_t first_cluster, int32_t last_cluster, Totals& totals) const;

  Rows<T> rows_;
  int64_t n_clusters_;
  const double* origin_;
  const Kernels<T>& kernels_;
  Shards shards_;
  bool is_full_ = true;
  std::atomic<int64_t> n_changed_;
  Totals totals_;                     // of all rows
  std::vector<Partials> shard_sums_;  // of a part
  double smallest_weight_;
  std::vector<Partials> worker_sums_;
  std::vector<std::vector<MovedRow>> moved_;
  std::atomic<int64_t> next_commit_{0};
};

}  // namespace centroids
