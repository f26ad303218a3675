// What one visit of the rows leaves behind: the value every pass returns and the loop consumes.
// Each shard of the rows leaves one; merge() joins them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace centroids {

struct Partials {
  int64_t n_clusters = 0;
  int64_t n_features = 0;
  std::vector<double> sums;     // n_clusters x n_features: sum of w * (x - origin)
  std::vector<double> weights;  // n_clusters: sum of w
  std::vector<int64_t> counts;  // n_clusters: rows
  int64_t n_changed = 0;        // rows whose label differs from the previous visit's

  Partials() = default;
  Partials(int64_t clusters, int64_t features)
      : n_clusters(clusters),
        n_features(features),
        sums(clusters * features),
        weights(clusters),
        counts(clusters) {}

  // Adds the rows of `other`, which must stand after this one's in row order.
  void merge(const Partials& other) {
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += other.sums[i];
    for (size_t j = 0; j < weights.size(); ++j) weights[j] += other.weights[j];
    for (size_t j = 0; j < counts.size(); ++j) counts[j] += other.counts[j];
    n_changed += other.n_changed;
  }

  void clear() {
    sums.assign(sums.size(), 0);
    weights.assign(weights.size(), 0);
    counts.assign(counts.size(), 0);
    n_changed = 0;
  }
};

}  // namespace centroids
