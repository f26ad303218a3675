// All parts of the rows, as the one who runs the loop sees them. Lists are in row order.
#pragma once

#include <cstdint>
#include <vector>

#include "kmeans.hpp"
#include "measures/summary.hpp"
#include "parts/part.hpp"

namespace centroids {

class Parts : public SummarySource {
 public:
  virtual int64_t n_features() const = 0;
  virtual double smallest_weight() = 0;  // that is not zero; 1 without weights

  virtual void begin_seeding() = 0;
  virtual std::vector<double> add_candidates(const Candidates& more) = 0;  // potential by shard
  virtual Candidates draw(const Round& round) = 0;
  virtual Candidates in_shard(int64_t shard, double weight) = 0;
  virtual std::vector<double> candidate_weights(int64_t n_candidates) = 0;

  virtual void begin_loop(int64_t n_clusters, const std::vector<double>& origin) = 0;
  // Returns the number of changed labels. The totals go through the parts in row order.
  virtual int64_t assign(const Centers& centers, bool is_full, Totals& totals) = 0;
  virtual std::vector<double> squares(const Centers& centers) = 0;  // by shard
  // Of each part the n farthest; values as they are.
  virtual std::vector<FarRow> farthest(const Centers& centers, int64_t n) = 0;
  virtual void renumber(const std::vector<int32_t>& order) = 0;
};

// One run: given first centers or k-means||, then the loop. The labels stay with the parts.
LoopResult fit(Parts& parts, const Summary& summary, const FitOptions& options, int n_threads,
               const Control& control);

// Weighted sum of squared distances of the rows to the nearest of these centers.
double inertia(Parts& parts, const Centers& centers);

}  // namespace centroids
