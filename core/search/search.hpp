// A whole fit, for every kind of rows: the optimum of one column, or a run and what may follow one
// that converged, a look for a better optimum.
#pragma once

#include <limits>
#include <utility>

#include "first_centers.hpp"
#include "search/breathing.hpp"

namespace centroids {

// With few clusters, other starts find more than a search from one of them.
inline constexpr int64_t kFewClusters = 16;
inline constexpr int kStarts = 4;

// From this many multiply-adds of the run on, a search in proportion cannot get anywhere: a few
// iterations without bounds cost as much as many with them.
inline constexpr double kTooLong = 5e10;

// run(centers, loop options, control) is the loop on these rows; `work` the multiply-adds of all
// rows against one center. The iterations and the history stay those of the first run.
template <class R, class Run>
LoopResult search_from(LoopResult first, const R& rows, double work, double total_weight,
                       const FitOptions& options, Dtype dtype, const Control& control, Run run) {
  if (options.search == LocalSearch::none || !first.converged || first.interrupted ||
      options.n_clusters == 1)
    return first;
  const Control quiet{control.should_stop, nullptr};  // progress is of the run, not of the search
  const double own_work = work_of(first, work);
  if (options.search == LocalSearch::budgeted && own_work >= kTooLong) return first;
  LoopResult best = first;
  if (!options.init && options.n_clusters <= kFewClusters && own_work < kMoment)
    for (int start = 1; start < kStarts && !control.stop(); ++start) {
      FitOptions other = options;
      other.seed += uint64_t(start) << 16;  // far from those of restarts
      LoopResult next = run(first_centers(rows, other, dtype, quiet), options.loop, quiet);
      if (next.inertia < best.inertia) best = std::move(next);
    }
  const SearchRows search{[&](Centers centers, const LoopOptions& loop) {
                            return run(std::move(centers), loop, quiet);
                          },
                          [&](const Centers& centers) { return measure_errors(rows, centers); },
                          work};
  const double budget = options.search == LocalSearch::budgeted
                            ? budget_for(own_work)
                            : std::numeric_limits<double>::infinity();
  LoopResult found =
      run(search_breathing(search, best, budget, total_weight, options.seed, options.loop, control),
          options.loop, quiet);
  found.n_iter = first.n_iter;
  found.converged = true;
  found.history = std::move(first.history);
  return found;
}

// The arguments are those of search_from.
template <class R, class Run>
LoopResult fit_rows(const R& rows, double work, double total_weight, const FitOptions& options,
                    Dtype dtype, const Control& control, Run run) {
  if (auto optimal = optimal_first_centers(rows, options, dtype)) {
    LoopOptions once = options.loop;  // one iteration gives labels, numbers and history
    once.max_iter = 1;
    LoopResult result = run(std::move(*optimal), once, control);
    result.converged = true;
    return result;
  }
  return search_from(run(first_centers(rows, options, dtype, control), options.loop, control), rows,
                     work, total_weight, options, dtype, control, run);
}

}  // namespace centroids
