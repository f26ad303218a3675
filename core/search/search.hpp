// A whole fit, for every kind of rows: the optimum of one column, or a run and what may follow one
// that converged, a look for a better optimum.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "first_centers.hpp"
#include "search/breathing.hpp"
#include "search/row_access.hpp"
#include "search/row_sample.hpp"

namespace centroids {

// Work is counted in multiply-adds, never in seconds: a result must not depend on the machine.
// What a budgeted search may cost: a share of the run before it, or some hundredths of a second
// where that is more, but after a short run no more than some runs or first looks, or about a
// millisecond. A multiply-add of the search takes ten to fifty times as long as one of the run,
// which has whole tiles and skips rows. Hence a small part of that until something is found; the
// whole of it is for an inertia lower by one in fifty.
inline constexpr double kShareOfRun = 0.06, kMoment = 1.2e8, kMostRuns = 10, kLooks = 3,
                        kInstant = 3e6;
inline constexpr double kShareUnproven = 0.004, kRunsUnproven = 2, kGainForAll = 0.02;
// Less than this is not worth another run over many rows.
inline constexpr double kLeastGainOfMany = 1e-4;
// A run of less takes a fraction of the time that a search of all its rows takes: some of them are
// searched, more thoroughly. A sample of n rows has gains of some K / n that all rows have not,
// so that half of that has to be promised before all rows are asked.
inline constexpr double kShortRun = 2 * kMoment, kThoroughness = 4, kPromised = 0.5;
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
    const double least = std::min(kMoment, std::max({kMostRuns * run, kLooks * begin, kInstant}));
    settings.budget = std::max(least, kShareOfRun * run);
    settings.unproven = std::max(std::min(least, std::max(kRunsUnproven * run, kInstant)),
                                 begin + kShareUnproven * run);
    settings.for_gain = settings.budget / kGainForAll;
  } else {
    settings.budget = settings.unproven = kManyRuns * std::max(kMoment, run);
  }
  return settings;
}

// Whether rows drawn evenly stand for all in a search: not where a few far rows make up most of the
// inertia.
template <class R>
bool is_spread(const R& rows, const std::vector<double>& origin, const Centers& centers) {
  constexpr double kMostUneven = 16;
  const RowAccessOf<R> access(rows, origin);
  std::vector<std::vector<int32_t>> members(centers.n_clusters);
  for (int64_t i = 0; i < rows.n_rows; ++i) members[rows.labels[i]].push_back(int32_t(i));
  const std::unique_ptr<Probe> probe = access.make_probe();
  Unevenness inertia;
  for (int64_t j = 0; j < centers.n_clusters; ++j) {
    const std::vector<double> center(centers.row(j), centers.row(j) + centers.n_features);
    probe->choose({make_point(center)});
    probe_blocks(*probe, members[j], [&](size_t place, const double* squared) {
      inertia.add(access.weight(members[j][place]) * squared[0]);
    });
  }
  return inertia.is_at_most(kMostUneven);
}

// The rows that a search looks at, where all of them would take many times as long as the run: so
// many, and so many for each cluster. None: all are to be searched.
template <class R>
std::optional<RowSample<R>> sample_to_search(const R& rows, const std::vector<double>& origin,
                                             const Centers& centers, uint64_t seed) {
  constexpr int64_t kFewest = 2048, kOfCluster = 256, kMoreRows = 4;
  constexpr uint64_t kStream = 8;
  const int64_t n = std::max(kFewest, kOfCluster * centers.n_clusters);
  if (rows.n_rows < kMoreRows * n || !weighs_evenly(rows)) return std::nullopt;
  Philox random(seed, kStream);
  std::vector<int64_t> picked = one_of_each_stretch(rows.n_rows, n, random);
  // And the first of each cluster: none shall be without.
  std::vector<char> is_there(centers.n_clusters);
  int64_t n_there = 0;
  for (int64_t i = 0; i < rows.n_rows && n_there < centers.n_clusters; ++i) {
    if (is_there[rows.labels[i]]) continue;
    is_there[rows.labels[i]] = 1;
    ++n_there;
    picked.push_back(i);
  }
  std::sort(picked.begin(), picked.end());
  picked.erase(std::unique(picked.begin(), picked.end()), picked.end());
  std::optional<RowSample<R>> sample(std::in_place, rows, picked);
  if (!is_spread(sample->rows(), origin, centers)) sample.reset();
  return sample;
}

// The centers of a better partition of these rows than that of their labels, by more than
// `least_gain` of the inertia. What it has cost is taken from the budget. The labels are lost where
// there is one, and otherwise as they were.
template <class R>
std::optional<Centers> look_for_better(const R& rows, const std::vector<double>& origin,
                                       const FitOptions& options, Dtype dtype,
                                       SearchSettings& settings, double least_gain,
                                       const Control& control) {
  const RowAccessOf<R> access(rows, origin);
  // A budget that the first look would use up finds nothing.
  if (settings.budget < 2 * LocalPartition::work_to_begin(access)) return std::nullopt;
  std::vector<int32_t> labels;  // an improvement that is too small changes them
  if (least_gain > 0) labels.assign(rows.labels, rows.labels + rows.n_rows);
  LocalPartition partition(access, rows.labels, options.n_clusters, options.loop.unit_centers,
                           settings.seed);
  const double before = partition.error();
  const bool has_improved = improve(partition, settings, control);
  settings.budget -= partition.work();
  if (has_improved && partition.error() <= before * (1 - least_gain))
    return partition.centers(dtype);
  std::copy(labels.begin(), labels.end(), rows.labels);
  return std::nullopt;
}

// The same in a sample of the rows. What a search of all would cost shrinks with their number.
template <class R>
std::optional<Centers> look_in_sample(const R& sample, int64_t n_rows,
                                      const std::vector<double>& origin, const FitOptions& options,
                                      Dtype dtype, SearchSettings& settings,
                                      const Control& control) {
  const double n = double(sample.n_rows), share = kThoroughness * n / double(n_rows);
  SearchSettings scaled = settings;
  scaled.unproven = scaled.budget *= share;
  std::optional<Centers> found = look_for_better(
      sample, origin, options, dtype, scaled, kPromised * double(options.n_clusters) / n, control);
  settings.budget = scaled.budget / share;
  return found;
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
  const double own_work = work_of(first, rows.n_rows);
  SearchSettings settings = search_settings(
      options.search, own_work, LocalPartition::work_to_begin(RowAccessOf<R>(rows, origin)));
  const bool is_budgeted = options.search == LocalSearch::budgeted,
             is_long = is_budgeted && settings.budget > kMoment,
             is_short = is_budgeted && own_work < kShortRun;
  LoopOptions plain = options.loop;  // never to a higher inertia
  plain.momentum = false;
  LoopResult best = first;
  for (int round = 0; round < kRounds && !control.stop(); ++round) {
    settings.seed = options.seed + uint64_t(round);
    std::optional<RowSample<R>> sample;
    if (is_short) sample = sample_to_search(rows, origin, best.centers, settings.seed);
    std::optional<Centers> found =
        sample
            ? look_in_sample(sample->rows(), rows.n_rows, origin, options, dtype, settings, control)
            : look_for_better(rows, origin, options, dtype, settings,
                              is_long ? kLeastGainOfMany : 0.0, control);
    if (!found) break;
    LoopResult next = run(std::move(*found), options.loop, quiet);
    settings.budget -= work_of(next, rows.n_rows);
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
