// Which splits in two lead from one cluster of all rows to the best leaves.
//
// The best split of a cluster need not be the one that leads to the best leaves, and Lloyd's
// algorithm with two centers has several optima. So a tree is grown, and then, from the root down
// and again, other optima are drawn for its splits; one is kept where the error of all leaves falls
// with it. When nothing helps any more, another tree is grown.
//
// The first tree can be the one that scikit-learn would draw.
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
  // Numbers in [0, 1), as NumPy's RandomState draws them. The starts of the first tree are made of
  // these as scikit-learn's are, and its runs end as those do. Empty: it is as the others.
  std::vector<double> draws;
  int64_t max_iter = 300;  // of scikit-learn's runs
  double tol = 1e-4;       // the same: sum of squared shifts of the centers
  // What the search may cost beyond the first tree: a share of that, and multiply-adds for each
  // leaf.
  double share = 0, work_per_leaf = 0;
};

// Nodes in preorder. Some have parts that are not needed for n_leaves leaves.
struct Plan {
  std::vector<int64_t> parts;   // per node: the numbers of its two parts, or -1, -1
  std::vector<double> centers;  // n_nodes x n_features
  double first_error = 0;       // of the leaves of the first tree
  double error = 0;             // of the leaves
  int64_t n_nodes() const { return int64_t(parts.size()) / 2; }
};

Plan plan_bisecting(const Data& data, const PlanOptions& options, const Control& control);
Plan plan_bisecting(const SparseData& data, const PlanOptions& options, const Control& control);

}  // namespace centroids
