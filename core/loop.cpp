#include "loop.hpp"

#include <algorithm>
#include <numeric>

#include "last_visits.hpp"
#include "renumber.hpp"
#include "update/averaging.hpp"
#include "update/momentum.hpp"

namespace centroids {
namespace {

double squared_shift(const Centers& a, const Centers& b) {
  double sum = 0;
  for (size_t i = 0; i < a.values.size(); ++i)
    sum += (a.values[i] - b.values[i]) * (a.values[i] - b.values[i]);
  return sum;
}

// sum of w |x - c|^2 = sum of w |x|^2 - sum over clusters of (2 c.S - W |c|^2), about the origin.
double inertia_from_sums(const Partials& partials, const Centers& centers,
                         const std::vector<double>& origin, double total_squares) {
  double sum = total_squares;
  for (int64_t j = 0; j < centers.n_clusters; ++j) {
    const double* s = partials.sums.data() + j * centers.n_features;
    double dot = 0, norm = 0;
    for (int64_t t = 0; t < centers.n_features; ++t) {
      const double c = centers.row(j)[t] - (origin.empty() ? 0.0 : origin[t]);
      dot += c * s[t];
      norm += c * c;
    }
    sum -= 2 * dot - partials.weights[j] * norm;
  }
  return std::max(0.0, sum);
}

// Of an inertia that is so small a share of the squares about the origin, too few digits are left.
constexpr double kCancelled = 1e-10;

// How far the means of the clusters lower the inertia below that of the origin.
double explained_by_means(const Partials& partials) {
  double sum = 0;
  for (int64_t j = 0; j < partials.n_clusters; ++j) {
    if (!(partials.weights[j] > 0)) continue;
    const double* s = partials.sums.data() + j * partials.n_features;
    double norm = 0;
    for (int64_t t = 0; t < partials.n_features; ++t) norm += s[t] * s[t];
    sum += norm / partials.weights[j];
  }
  return sum;
}

// The empty clusters' centers move to far rows; the others stay. True when any moved.
bool fill_empty_clusters(Pass& pass, Centers& centers, const Partials& partials) {
  Partials filled = partials;
  if (relocate_empty_clusters(pass, centers, filled) == 0) return false;
  Centers moved = centers;
  average(filled, pass.origin(), centers, moved);
  for (int64_t j = 0; j < centers.n_clusters; ++j)
    if (!(partials.weights[j] > 0)) std::copy_n(moved.row(j), centers.n_features, centers.row(j));
  return true;
}

// True when any number changed.
bool renumber(Pass& pass, Centers& centers, const std::vector<int32_t>& order) {
  if (std::is_sorted(order.begin(), order.end())) return false;
  renumber(centers, order);
  pass.renumber(order);
  return true;
}

// Clusters that stay empty, for want of distinct rows, come last; the others keep their order.
std::vector<int32_t> empty_last(const Partials& partials) {
  std::vector<int32_t> order(partials.n_clusters);
  std::iota(order.begin(), order.end(), 0);
  std::stable_partition(order.begin(), order.end(),
                        [&](int32_t j) { return partials.counts[j] > 0; });
  return order;
}

std::vector<int32_t> numbering(const Centers& centers, const Partials& partials,
                               const LoopOptions& options) {
  return options.number_by_size ? by_weight(centers, partials.weights, partials.counts)
                                : empty_last(partials);
}

// The last visits: until the labels are those of the final centers, no cluster is empty and the
// numbers are right. Filling a cluster lowers the inertia, so this ends; the bound is for rounding.
void settle(Pass& pass, Centers& centers, Partials& partials, bool labels_are_current,
            const LoopOptions& options) {
  for (int64_t round = 0; round < 2 * centers.n_clusters + 8; ++round) {
    if (!labels_are_current) pass.assign(centers, partials);
    labels_are_current = !fill_empty_clusters(pass, centers, partials) &&
                         !renumber(pass, centers, numbering(centers, partials, options));
    if (labels_are_current) return;
  }
  pass.assign(centers, partials);
}

}  // namespace

LoopResult run_loop(Pass& pass, Centers centers, double total_squares, const LoopOptions& options,
                    const Control& control) {
  LoopResult result;
  Partials partials;
  Momentum momentum;
  Centers compared = centers;  // what the rows are compared with; `centers` become their means
  bool labels_are_current = false;

  while (result.n_iter < options.max_iter && !result.converged && !result.interrupted) {
    const Stopwatch visit;
    pass.assign(compared, partials);
    const int64_t n_relocated = relocate_empty_clusters(pass, compared, partials);
    average(partials, pass.origin(), compared, centers);
    if (options.unit_centers) make_unit(centers, compared);

    const double shift = squared_shift(compared, centers);
    double inertia = inertia_from_sums(partials, compared, pass.origin(), total_squares);
    if (n_relocated || !(inertia > kCancelled * total_squares)) inertia = pass.inertia(compared);
    result.history.push_back({++result.n_iter, inertia, shift, partials.n_changed});

    const bool labels_repeat = partials.n_changed == 0 && n_relocated == 0;
    labels_are_current = labels_repeat && shift == 0;
    // Beyond the means labels may repeat that the means would change.
    result.converged = shift <= options.tol || (labels_repeat && !momentum.is_moving());
    result.interrupted =
        (control.on_iteration && control.on_iteration(result.history.back(), compared)) ||
        (!result.converged && control.stop(kLastVisits * visit.seconds()));
    // Nearly settled, or over: number now, so that the last visits find the numbers right.
    if (options.number_by_size && !labels_repeat &&
        (result.interrupted || partials.n_changed * 200 < pass.n_rows())) {
      const std::vector<int32_t> order = by_weight(centers, partials.weights, partials.counts);
      if (renumber(pass, centers, order)) momentum.renumber(order);
    }
    if (labels_repeat || n_relocated) momentum.restart();
    compared = options.momentum ? momentum.next(centers, explained_by_means(partials)) : centers;
  }

  settle(pass, centers, partials, labels_are_current, options);
  result.counts = partials.counts;
  result.inertia = pass.inertia(centers);
  result.centers = std::move(centers);
  return result;
}

}  // namespace centroids
