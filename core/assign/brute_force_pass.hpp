// Every row against every center. The definition of the labels: whatever other passes do, they give
// these.
#pragma once

#include "assign/nearest_search.hpp"
#include "assign/row_pass.hpp"

namespace centroids {

template <class T>
class BruteForcePass : public RowPass<T> {
 public:
  BruteForcePass(const Rows<T>& rows, int64_t n_clusters, std::vector<double> origin)
      : RowPass<T>(rows, n_clusters, std::move(origin)), search_(this->kernels_) {}

 protected:
  void prepare(const Centers& centers, int n_workers) override;
  int64_t assign_shard(int worker, int64_t shard) override;

  NearestSearch<T> search_;
};

}  // namespace centroids
