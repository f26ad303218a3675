// The best partition found for every number of clusters, each started from its neighbours: what
// choosing the number of clusters looks at. No opinions here.
#pragma once

#include <cstdint>
#include <vector>

#include "centers.hpp"
#include "kmeans.hpp"

namespace centroids {

struct SweepFit {
  Centers centers;
  std::vector<double> weights;  // of the clusters
  double inertia = 0;
};

struct SweepOptions {
  bool starts_afresh = true;  // also from k-means++, besides from the neighbours
  uint64_t seed = 0;
  LoopOptions loop;
};

// Borrows the data.
class Sweep {
 public:
  Sweep(const Data& data, const SweepOptions& options)
      : data_(data), options_(options), labels_(data.x.n_rows) {}

  // Sweeps up to k_max clusters; what is known already is kept or improved. Ends early when every
  // row lies on a center, or when it is told to stop; one cluster is fitted in any case.
  // draws[k]: numbers in [0, 1) that choose the center added to k clusters, for each k below k_max.
  // Gives the numbers of clusters with a new fit, ascending.
  std::vector<int64_t> extend(int64_t k_max, const std::vector<std::vector<double>>& draws,
                              const Control& control);

  int64_t k_max() const { return int64_t(fits_.size()); }
  // k from 1 to k_max().
  const SweepFit& fit(int64_t k) const { return fits_[k - 1]; }

 private:
  struct Run {
    SweepFit fit;
    bool has_rows_everywhere;
  };

  Run run(int64_t k, const double* init, const Control& control);
  bool add_next(const std::vector<double>& draws, const Control& control);
  bool split(int64_t k, const std::vector<double>& draws, Centers& out) const;
  void merge_down(int64_t known, const Control& control);
  void repair(const std::vector<std::vector<double>>& draws, const Control& control);
  void keep(SweepFit fit);

  const Data& data_;
  SweepOptions options_;
  std::vector<int32_t> labels_;
  std::vector<SweepFit> fits_;
  std::vector<bool> is_new_;
};

}  // namespace centroids
