#include "loop.hpp"

#include <algorithm>
#include <numeric>

#include "update/averaging.hpp"

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

// Cluster order[j] gets the number j. True when any number changed.
bool renumber(Pass& pass, Centers& centers, const std::vector<int32_t>& order) {
  if (std::is_sorted(order.begin(), order.end())) return false;
  const Centers old = centers;
  for (int64_t j = 0; j < centers.n_clusters; ++j)
    std::copy_n(old.row(order[j]), centers.n_features, centers.row(j));
  pass.renumber(order);
  return true;
}

// Numbers the clusters by decreasing size, equal sizes by center.
bool number_by_size(Pass& pass, Centers& centers, const Partials& partials) {
  std::vector<int32_t> order(centers.n_clusters);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    if (partials.counts[a] != partials.counts[b]) return partials.counts[a] > partials.counts[b];
    const double *x = centers.row(a), *y = centers.row(b);
    const auto [first, second] = std::mismatch(x, x + centers.n_features, y);
    return first == x + centers.n_features ? a < b : *first < *second;
  });
  return renumber(pass, centers, order);
}

// Clusters that stay empty, for want of distinct rows, get the last numbers; the others keep their
// order.
bool number_empty_last(Pass& pass, Centers& centers, const Partials& partials) {
  std::vector<int32_t> order(centers.n_clusters);
  std::iota(order.begin(), order.end(), 0);
  std::stable_partition(order.begin(), order.end(),
                        [&](int32_t j) { return partials.counts[j] > 0; });
  return renumber(pass, centers, order);
}

// The last visits: until the labels are those of the final centers, no cluster is empty and the
// numbers are right. Filling a cluster lowers the inertia, so this ends; the bound is for rounding.
void settle(Pass& pass, Centers& centers, Partials& partials, bool labels_are_current,
            const LoopOptions& options) {
  for (int64_t round = 0; round < 2 * centers.n_clusters + 8; ++round) {
    if (!labels_are_current) pass.assign(centers, partials);
    const auto number = options.number_by_size ? number_by_size : number_empty_last;
    labels_are_current =
        !fill_empty_clusters(pass, centers, partials) && !number(pass, centers, partials);
    if (labels_are_current) return;
  }
  pass.assign(centers, partials);
}

}  // namespace

LoopResult run_loop(Pass& pass, Centers centers, double total_squares, const LoopOptions& options,
                    const Control& control) {
  LoopResult result;
  Partials partials;
  Centers next = centers;
  bool labels_are_current = false;

  while (result.n_iter < options.max_iter && !result.converged && !result.interrupted) {
    pass.assign(centers, partials);
    const int64_t n_relocated = relocate_empty_clusters(pass, centers, partials);
    average(partials, pass.origin(), centers, next);
    if (options.unit_centers) make_unit(next, centers);

    const double shift = squared_shift(centers, next);
    const double inertia = n_relocated
                               ? pass.inertia(centers)
                               : inertia_from_sums(partials, centers, pass.origin(), total_squares);
    result.history.push_back({++result.n_iter, inertia, shift, partials.n_changed});
    std::swap(centers, next);  // from here on `next` is what the rows were compared with

    const bool labels_repeat = partials.n_changed == 0 && n_relocated == 0;
    labels_are_current = labels_repeat && shift == 0;
    result.converged = labels_repeat || shift <= options.tol;
    // Nearly settled: number now, so that the last visits find the numbers right.
    if (options.number_by_size && !labels_repeat && partials.n_changed * 200 < pass.n_rows())
      number_by_size(pass, centers, partials);
    result.interrupted =
        (control.on_iteration && control.on_iteration(result.history.back(), next)) ||
        control.stop();
  }

  settle(pass, centers, partials, labels_are_current, options);
  result.counts = partials.counts;
  result.inertia = pass.inertia(centers);
  result.centers = std::move(centers);
  return result;
}

}  // namespace centroids
