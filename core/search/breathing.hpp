// Breathing K-Means (Fritzke, arXiv 2006.15666): from a converged run, add a few centers where the
// error is largest, run the loop, take as many of the least useful away, run the loop again; keep
// what got better, and with fewer centers at a time what did not. A round ends when no center is
// left to add; the next begins at the best with other offsets.
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
  double multiply_adds;  // of one row against all columns of one center, over all rows
};

// Work is counted in multiply-adds, never in seconds: a result must not depend on the machine.
// Those of a run and its seeding, given what one center costs on all rows.
double work_of(const LoopResult& run, double multiply_adds);
// What a search may cost: in proportion to the run, or a moment where that is little.
double budget_for(double own_work);
// Multiply-adds that take some hundredths of a second.
inline constexpr double kMoment = 1e9;

// Until some rounds in a row found nothing better, or `budget` multiply-adds are spent. Never
// returns a higher inertia than `start`; the labels are left to a last run of the caller.
Centers search_breathing(const SearchRows& rows, const LoopResult& start, double budget,
                         double total_weight, uint64_t seed, const LoopOptions& options,
                         const Control& control);

}  // namespace centroids
