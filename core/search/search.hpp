// A whole fit, for every kind of rows: the optimum of one column, or a run and what may follow one
// that converged, a look for a better optimum.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "first_centers.hpp"
#include "search/breathing.hpp"
#include "search/row_access.hpp"

namespace centroids {

// Work is counted in multiply-adds, never in seconds: a result must not depend on the machine.
// What a budgeted search may cost: a share of the run before it, or some hundredths of a second
// where that is more. A multiply-add of the search takes ten to fifty times as long as one of the
// run, which has whole tiles and skips rows. Hence a small part of that share until something is
// found; the whole of it is for an inertia lower by one in fifty.
inline constexpr double kShareOfRun = 0.06, kMoment = 1.2e8;
inline constexpr double kShareUnproven = 0.004, kGainForAll = 0.02;
// Less than this is not worth another run over many rows.
inline constexpr double kLeastGainOfMany = 1e-4;
// A search on its own ends when nothing helps, and at the latest here.
inline constexpr double kManyRuns = 100;
inline constexpr int kMostAtOnce = 5;  // m of the paper
inline constexpr int kRounds = 8;      // of search and run

// Of a run and its seeding, which compares every row with 2 + ln k candidates a center. Sparse rows
// count as if they were dense, as in RowAccess::work_per_row.
inline double work_of(const LoopResult& run, int64_t n_rows) {
  const double k = double(run.centers.n_clusters);
  return (double(run.n_iter) + 2 + std::log(k)) * k * double(n_rows) *
         double(run.centers.n_features);
}

// What a search after a run may spend, in multiply-adds; `begin`: on its first look at all rows.
inline SearchSettings search_settings(LocalSearch search, double run, double begin) {
  SearchSettings settings{search == LocalSearch::swap ? 1 : kMostAtOnce, 0, 0, 0, 0};
  if (search == LocalSearch::budgeted) {
    settings.budget = std::max(kMoment, kShareOfRun * run);
    settings.unproven = std::max(kMoment, begin + kShareUnproven * run);
    settings.for_gain = settings.budget / kGainForAll;
  } else {
    settings.budget = settings.unproven = kManyRuns * std::max(kMoment, run);
  }
  return settings;
}

// run(centers, loop options, control) is the loop on these rows, and leaves the labels of what it
// returns in rows.labels. The iterations and the history stay those of the first run.
template <class R, class Run>
LoopResult search_from(LoopResult first, const R& rows, const std::vector<double>& origin,
                       const FitOptions& options, Dtype dtype, const Control& control, Run run) {
  if (options.search == LocalSearch::none || !first.converged || first.interrupted ||
      options.n_clusters == 1 || rows.n_rows > std::numeric_limits<int32_t>::max())
    return first;
  const Control quiet{control.should_stop, nullptr};  // progress is of the run, not of the search
  const RowAccessOf<R> access(rows, origin);
  const double own_work = work_of(first, rows.n_rows),
               begin = LocalPartition::work_to_begin(access);
  SearchSettings settings = search_settings(options.search, own_work, begin);
  const bool is_long = options.search == LocalSearch::budgeted && settings.budget > kMoment;
  LoopOptions plain = options.loop;  // never to a higher inertia
  plain.momentum = false;
  LoopResult best = first;
  for (int round = 0; round < kRounds && !control.stop(); ++round) {
    // A budget that the first look would use up finds nothing.
    if (settings.budget < 2 * begin) break;
    settings.seed = options.seed + uint64_t(round);
    std::vector<int32_t> labels;
    if (is_long) labels.assign(rows.labels, rows.labels + rows.n_rows);
    LocalPartition partition(access, rows.labels, options.n_clusters, options.loop.unit_centers,
                             settings.seed);
    const double before = partition.error();
    if (!improve(partition, settings, control)) break;  // the labels are as they were
    if (is_long && partition.error() > before * (1 - kLeastGainOfMany)) {
      std::copy(labels.begin(), labels.end(), rows.labels);
      break;
    }
    LoopResult next = run(partition.centers(dtype), options.loop, quiet);
    settings.budget -= partition.work() + work_of(next, rows.n_rows);
    const bool is_better = next.inertia < best.inertia;
    if (!is_better) next = run(best.centers, plain, quiet);
    best = std::move(next);
    if (!is_better) break;
  }
  best.n_iter = first.n_iter;
  best.converged = true;
  best.history = std::move(first.history);
  return best;
}

// The centers after a run on a sample. A budgeted search goes on there, where it costs least; what
// it finds counts if it is more than the sample alone can pretend: K centers of n rows fit these
// rows better than others by K / n of the inertia, or thereabouts.
template <class R, class Run>
Centers searched_on_sample(LoopResult first, const R& sample, const std::vector<double>& origin,
                           const FitOptions& options, Dtype dtype, const Control& control,
                           Run run) {
  if (options.search != LocalSearch::budgeted) return std::move(first.centers);
  constexpr double kPretended = 4;
  const double n = double(sample.n_rows), k = double(options.n_clusters),
               enough = first.inertia * (1 - kPretended * k / n);
  Centers centers = first.centers;
  LoopResult searched = search_from(std::move(first), sample, origin, options, dtype, control, run);
  return searched.inertia < enough ? std::move(searched.centers) : centers;
}

// start() gives the first centers; the other arguments are those of search_from.
template <class R, class Start, class Run>
LoopResult fit_rows(const R& rows, const std::vector<double>& origin, const FitOptions& options,
                    Dtype dtype, const Control& control, Start start, Run run) {
  if (auto optimal = optimal_first_centers(rows, options, dtype)) {
    LoopOptions once = options.loop;  // one iteration gives labels, numbers and history
    once.max_iter = 1;
    LoopResult result = run(std::move(*optimal), once, control);
    result.converged = true;
    return result;
  }
  return search_from(run(start(), options.loop, control), rows, origin, options, dtype, control,
                     run);
}

}  // namespace centroids
