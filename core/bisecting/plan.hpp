// Which splits in two lead from one cluster of all rows to the best leaves.
//
// The best split of a cluster need not be the one that leads to the best leaves, and Lloyd's
// algorithm with two centers has several optima. So a tree is grown, and then, from the root down
// and again, other optima are drawn for its splits; one is kept where the error of all leaves falls
// with it. When nothing helps any more, another tree is grown.
#pragma once

#include <cstdint>
#include <vector>

#include "kmeans.hpp"

namespace centroids {

struct PlanOptions {
  int64_t n_leaves = 8;
  bool by_inertia = true;  // the leaf of the largest inertia is split next; else of most weight
  Seeding seeding = Seeding::random;
  int64_t n_starts = 1;  // of each split, at least
  uint64_t seed = 0;
  // What the search may cost beyond the first tree: a share of that, and multiply-adds for each
  // leaf.
  double share = 0, work_per_leaf = 0;
};

// Nodes in preorder, the larger part of a split first. Some have parts that are not needed for
// n_leaves leaves.
struct Plan {
  std::vector<int64_t> parts;   // per node: the numbers of its two parts, or -1, -1
  std::vector<double> centers;  // n_nodes x n_features
  int64_t n_nodes() const { return int64_t(parts.size()) / 2; }
};

Plan plan_bisecting(const Data& data, const PlanOptions& options, const Control& control);
Plan plan_bisecting(const SparseData& data, const PlanOptions& options, const Control& control);

}  // namespace centroids
