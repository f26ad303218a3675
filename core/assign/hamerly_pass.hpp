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

#include <vector>

#include "aligned.hpp"
#include "assign/bounds_balance.hpp"
#include "assign/brute_force_pass.hpp"

namespace centroids {

// Rows with bounds on the distance to the own center and to every other.
template <class T>
struct BoundedRows {
  const T* x;
  int32_t* labels;
  float *upper, *lower;
};

template <class T>
class HamerlyPass final : public BruteForcePass<T> {
 public:
  // With `adaptive`, visits are plain brute force until bounds pay: a sample of the rows has bounds
  // from the start and tells what visits with bounds would cost. That changes no label.
  HamerlyPass(const Rows<T>& rows, int64_t n_clusters, std::vector<double> origin, bool adaptive);

  void renumber(const std::vector<int32_t>& order) override;

 protected:
  void prepare(const Centers& centers, int n_workers) override;
  int64_t assign_shard(int worker, int64_t shard) override;
  void finish() override;

 private:
  // What a visit does: search all rows; search all and set the bounds; search rows in doubt.
  enum class Mode { search_all, set_bounds, use_bounds };
  // Rows copied, with bounds of their own.
  struct Sample {
    int64_t n_rows = 0;
    AlignedBuffer<T> x;
    std::vector<int32_t> labels;
    std::vector<float> upper, lower;
    bool has_bounds = false;
    BoundedRows<T> from(int64_t row, int64_t n_features) {
      return {x.data() + row * n_features, labels.data() + row, upper.data() + row,
              lower.data() + row};
    }
  };
  struct alignas(64) Worker {
    std::vector<int32_t> in_doubt;
    VisitCounts counts;  // of the visit under way
  };

  Mode choose_mode(const Centers& centers);
  void start_sample();
  VisitCounts visit_sample(const Centers& centers);
  VisitCounts take_counts();
  VisitCosts costs() const;
  BoundedRows<T> rows_from(int64_t row) {
    return {this->rows_.row(row), this->rows_.labels + row, upper_.data() + row,
            lower_.data() + row};
  }

  void measure_motion(const Centers& centers, const BoundedRows<T>& rows, int64_t n);
  void measure_neighbors(const Centers& centers);
  void choose_fast(const Centers& centers, const BoundedRows<T>& rows, int64_t n);
  std::vector<float> sample_margins(const BoundedRows<T>& rows, int64_t n) const;
  // Whether a row of this cluster, at most `upper` from it and at least `lower` from all others,
  // keeps its label.
  bool is_settled(int32_t cluster, float upper, float lower) const;
  // Moves the bounds of the first n rows; what is left in doubt gets a new label, by
  // set_label(row, label), and new bounds.
  template <class F>
  void use_bounds(int worker, const BoundedRows<T>& rows, int n, F set_label);
  // Labels and bounds of the listed rows (null: the first n).
  template <class F>
  void search_rows(int worker, const BoundedRows<T>& rows, const int32_t* listed, int n,
                   F set_label);
  int drop_settled(int worker, const BoundedRows<T>& rows, int32_t* listed, int n);
  int drop_by_distance(const BoundedRows<T>& rows, int32_t* listed, int n);
  int drop_by_fast(int worker, const BoundedRows<T>& rows, int32_t* listed, int n);

  bool adaptive_;
  Mode mode_ = Mode::search_all;
  bool has_bounds_ = false;
  std::vector<float> upper_, lower_;  // n_rows; empty until first set
  const Centers* centers_ = nullptr;  // of the visit under way
  Centers previous_;                  // of the visit before
  std::vector<CenterMotion> moved_;   // per cluster
  std::vector<int32_t> fast_;         // the centers compared first; empty: none
  float slow_shift_ = 0;              // largest shift among the others
  CenterPack<T> fast_pack_;
  Motion motion_{};
  std::vector<Worker> workers_;
  bool distance_first_ = true;
  int64_t n_visits_ = 0;
  Sample sample_;
  BoundsBalance balance_;
};

}  // namespace centroids
