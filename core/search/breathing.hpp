// Breathing K-Means (Fritzke, arXiv 2006.15666): from a converged run, add a few centers where the
// error is largest, run the loop, take as many of the least useful away, run the loop again; keep
// what got better, and with fewer centers at a time what did not.
#pragma once

#include <cstdint>
#include <functional>

#include "loop.hpp"
#include "measures/errors.hpp"

namespace centroids {

// What the search needs of the rows. It calls the loop and knows nothing of passes or dtypes.
struct SearchRows {
  // Runs the loop from these centers.
  std::function<LoopResult(Centers, const LoopOptions&)> run;
  std::function<CenterErrors(const Centers&)> measure;
};

// Never returns a higher inertia than `start`; the labels are left to a last run of the caller.
Centers search_breathing(const SearchRows& rows, const LoopResult& start, double total_weight,
                         uint64_t seed, const LoopOptions& options, const Control& control);

}  // namespace centroids
