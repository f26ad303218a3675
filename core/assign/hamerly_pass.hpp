// Rows that cannot have another nearest center are skipped; the others are packed densely and go
// through the same tile as in the brute-force pass.
//
// Hamerly, "Making k-means even faster" (SDM 2010): per row an upper bound on the distance to its
// own center and a lower bound on the distance to every other. Both are rounded outward and a row
// is skipped only if the gap exceeds the rounding error of the scores, so the labels are those of
// brute force, bit for bit. Memory: 8 bytes a row.
//
// Late in a fit a few centers still move far while the others hardly move, and the lower bounds of
// all rows suffer from those few. So rows in doubt are first compared with the fast centers alone:
// what is left of their lower bound then shrinks only by the largest shift among the slow ones.
#pragma once

#include <atomic>
#include <vector>

#include "assign/brute_force_pass.hpp"

namespace centroids {

template <class T>
class HamerlyPass final : public BruteForcePass<T> {
 public:
  // With `adaptive`, visits are plain brute force while too many rows would have to be searched
  // anyway; decided by the measured cost of the visits, which changes no label.
  HamerlyPass(const Rows<T>& rows, int64_t n_clusters, std::vector<double> origin, bool adaptive);

  void renumber(const std::vector<int32_t>& order) override;

 protected:
  void prepare(const Centers& centers, int n_workers) override;
  int64_t assign_shard(int worker, int64_t shard) override;
  void finish(double seconds) override;

 private:
  // What a visit does: search all rows; search all and set the bounds; search rows in doubt.
  enum class Mode { search_all, set_bounds, use_bounds };

  Mode choose_mode() const;
  void measure_motion(const Centers& centers);
  void measure_neighbors(const Centers& centers);
  void choose_fast(const Centers& centers);
  std::vector<float> sample_margins() const;
  // Whether a row of this cluster, at most `upper` from it and at least `lower` from all others,
  // keeps its label.
  bool is_settled(int32_t cluster, float upper, float lower) const;
  // Labels and bounds of these rows of a shard (null: the first n); returns how many labels
  // changed.
  int64_t search_rows(int worker, int64_t shard, const int32_t* rows, int n);
  int drop_settled(int worker, int64_t shard, int32_t* rows, int n);
  int drop_by_distance(int64_t shard, int32_t* rows, int n);
  int drop_by_fast(int worker, int64_t shard, int32_t* rows, int n);

  bool adaptive_;
  Mode mode_ = Mode::search_all;
  bool has_bounds_ = false;
  std::vector<float> upper_, lower_;  // n_rows; empty until first set
  const Centers* centers_ = nullptr;  // of the visit under way
  Centers previous_;                  // of the visit before
  std::vector<float> own_shift_, other_shift_, neighbor_;
  std::vector<int32_t> fast_;  // the centers compared first; empty: none
  float slow_shift_ = 0;       // largest shift among the others
  CenterPack<T> fast_pack_;
  Motion motion_{};
  double score_error_ = 0;                      // relative rounding error of a score
  std::vector<std::vector<int32_t>> in_doubt_;  // per worker
  bool distance_first_ = true;
  std::atomic<int64_t> n_tried_by_distance_{0}, n_settled_by_distance_{0};  // in this visit
  // The controller's memory.
  int64_t n_visits_ = 0;
  double all_seconds_ = 0;     // of the last visit that searched all rows
  double share_to_try_ = 0.4;  // set bounds once at most this share of the rows moves
};

}  // namespace centroids
