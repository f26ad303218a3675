// Breathing K-Means (Fritzke, arXiv 2006.15666): from a converged run, add a few centers where the
// error is largest, run the loop, take as many of the least useful away, run the loop again; keep
// what got better, and with fewer centers at a time what did not. A round ends when no center is
// left to add; the next begins at the best. In every second round new centers are put not beside
// old ones but at the farthest rows of their clusters, which frees groups that are few and far out.
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

// When to end. Work is counted in multiply-adds, never in seconds: a result must not depend on the
// machine.
struct SearchBudget {
  double multiply_adds;
  int n_quiet_rounds;  // rounds in a row that found nothing better
};

// Until nothing better is found.
SearchBudget whole_search();
// In proportion to the work of a run and its seeding, or a moment where that is little.
SearchBudget budget_for(double own_work);
double work_of(const LoopResult& start, double multiply_adds);
// Multiply-adds that take some hundredths of a second.
inline constexpr double kMoment = 1e9;
// And from which on a run takes long: a second or so.
inline constexpr double kLongRun = 2e10;

// Never returns a higher inertia than `start`; the labels are left to a last run of the caller.
Centers search_breathing(const SearchRows& rows, const LoopResult& start,
                         const SearchBudget& budget, double total_weight, uint64_t seed,
                         const LoopOptions& options, const Control& control);

}  // namespace centroids
