// The Lloyd loop: assign, update, stop? It exists once, for every pass.
#pragma once

#include <vector>

#include "assign/pass.hpp"
#include "centers.hpp"
#include "options.hpp"

namespace centroids {

struct LoopResult {
  Centers centers;
  std::vector<int64_t> counts;  // rows per cluster, of the final labels
  double inertia = 0;           // of the final labels and centers
  int64_t n_iter = 0;
  bool converged = false;    // labels repeated, or the shift fell to tol
  bool interrupted = false;  // Control ended it
  std::vector<Iteration> history;
};

// Starts from `centers`. `total_squares` is the weighted sum of squared row norms about
// pass.origin(): with it each iteration's inertia comes free from the sums.
LoopResult run_loop(Pass& pass, Centers centers, double total_squares, const LoopOptions& options,
                    const Control& control);

}  // namespace centroids
