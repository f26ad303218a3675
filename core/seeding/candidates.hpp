// What k-means|| asks of the rows, so that one algorithm serves rows in memory, dense and sparse,
// and rows that many workers hold.
//
// Candidates are rows drawn so far, numbered in the order of their draws. Of each row are known its
// nearest candidate and D, the squared distance to it.
#pragma once

#include <cstdint>
#include <vector>

#include "assign/nearest_search.hpp"
#include "assign/sparse_pass.hpp"
#include "centers.hpp"
#include "random.hpp"
#include "threads/shards.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {

struct Candidates {
  std::vector<int64_t> rows;  // their numbers, ascending within a draw
  Centers values;
};

// One round of draws. Row i draws number i of the round's own stream, so that whoever holds the row
// can draw for it.
struct Round {
  uint64_t seed;
  uint64_t number;  // from 1
  double rate;      // row i is expected rate * weight[i] * D[i] times

  static constexpr uint64_t kStream = 5;
  double uniform(int64_t row) const {
    return Philox(seed, kStream | number << 32, uint64_t(row)).uniform();
  }
  // Whether a row of this mass = weight * D is drawn at least once. As a Poisson process gives it,
  // a row of weight w is drawn as often as one of w equal rows.
  bool draws(int64_t row, double mass) const;
};

// Where in the rows this share of all weight is passed, in row order: a shard, and what is left of
// the share there. Given the weight of each shard.
struct ShareOfWeight {
  int64_t shard;
  double left;
};
ShareOfWeight find_share(const std::vector<double>& shard_weights, double share);
// The same where each row counts as one.
int64_t row_at_share(int64_t n_rows, double share);

class CandidateSource {
 public:
  virtual ~CandidateSource() = default;
  // The row at this share of all weight, in row order.
  virtual Candidates at_share(double share) = 0;
  // Compares every row with candidates that are new. Returns the sum of weight times D.
  virtual double add(const Candidates& more) = 0;
  virtual Candidates draw(const Round& round) = 0;
  // Weight of the rows that are nearest to each candidate.
  virtual std::vector<double> weights(int64_t n_candidates) = 0;
};

// Some rows among new candidates: which is the nearest, and how far.
template <class R>
class NearestAdded;

template <class T>
class NearestAdded<Rows<T>> {
 public:
  explicit NearestAdded(const Rows<T>& rows) : rows_(rows), search_(kernels<T>()) {}
  double work(int64_t n_added) const {
    return double(rows_.n_rows) * double(rows_.n_features) * double(n_added + 4);
  }
  void prepare(const Centers& added, int n_workers) {
    added_ = &added;
    search_.prepare(added, n_workers);
  }
  // n <= kBlockRows rows from `first` on.
  void find(int worker, int64_t first, int n, int32_t* labels, double* squared_distances) {
    search_.find(worker, rows_.row(first), nullptr, n,
                 [&](const Found& found) { labels[found.row] = found.label; });
    kernels<T>().squared_distances(rows_.row(first), rows_.n_features, nullptr, n,
                                   added_->values.data(), labels, squared_distances);
  }

 private:
  Rows<T> rows_;
  const Centers* added_ = nullptr;
  NearestSearch<T> search_;
};

template <class T>
class NearestAdded<SparseRows<T>> {
 public:
  explicit NearestAdded(const SparseRows<T>& rows) : rows_(rows) {}
  double work(int64_t n_added) const { return rows_.n_entries() * double(n_added + 4) / 4; }
  void prepare(const Centers& added, int n_workers) {
    added_ = &added;
    packed_.pack(added);
    norms_ = squared_norms(added);
    scores_.resize(n_workers);
    for (AlignedBuffer<T>& scores : scores_) scores.resize(packed_.n_lanes());
  }
  void find(int worker, int64_t first, int n, int32_t* labels, double* squared_distances) {
    for (int i = 0; i < n; ++i) {
      const SparseRow<T> row = rows_.row(first + i);
      const int32_t j = labels[i] = packed_.nearest(row, scores_[worker].data()).label;
      squared_distances[i] = squared_distance(row, added_->row(j), norms_[j], rows_.n_features);
    }
  }

 private:
  SparseRows<T> rows_;
  const Centers* added_ = nullptr;
  SparseCenters<T> packed_;
  std::vector<double> norms_;
  std::vector<AlignedBuffer<T>> scores_;
};

// Rows in memory. rows.labels is used for the nearest candidates.
template <template <class> class R, class T>
class CandidateRows final : public CandidateSource {
 public:
  // Of a part of the rows: the number of its first row, and the shards of the part.
  CandidateRows(const R<T>& rows, int64_t first_row, const Shards& shards);
  explicit CandidateRows(const R<T>& rows) : CandidateRows(rows, 0, Shards(rows.n_rows)) {}

  Candidates at_share(double share) override;
  // The row of a shard at which so much of its weight is passed.
  Candidates in_shard(int64_t shard, double weight) const;
  double add(const Candidates& more) override;
  std::vector<double> add_by_shard(const Candidates& more);
  Candidates draw(const Round& round) override;
  std::vector<double> weights(int64_t n_candidates) override;
  void add_weights(std::vector<double>& sums) const;
  int32_t n_candidates() const { return n_candidates_; }

 private:
  double weight(int64_t row) const { return rows_.weights ? rows_.weights[row] : 1.0; }
  void compare_shard(int worker, int64_t shard);
  Candidates values_of(std::vector<int64_t> rows) const;

  R<T> rows_;
  int64_t first_row_;
  Shards shards_;
  NearestAdded<R<T>> nearest_;
  int32_t n_candidates_ = 0;
  std::vector<double> distance_;  // D
};

}  // namespace centroids
