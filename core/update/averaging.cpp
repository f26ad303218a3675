#include "update/averaging.hpp"

#include <algorithm>
#include <cmath>

namespace centroids {

void average(const Partials& partials, const std::vector<double>& origin,
             const Centers& old_centers, Centers& out) {
  const int64_t d = partials.n_features;
  for (int64_t j = 0; j < partials.n_clusters; ++j) {
    if (!(partials.weights[j] > 0)) {
      std::copy_n(old_centers.row(j), d, out.row(j));
      continue;
    }
    for (int64_t t = 0; t < d; ++t) {
      const double mean = partials.sums[j * d + t] / partials.weights[j];
      out.row(j)[t] = out.rounded(origin.empty() ? mean : origin[t] + mean);
    }
  }
}

void make_unit(Centers& centers, const Centers& old_centers) {
  for (int64_t j = 0; j < centers.n_clusters; ++j) {
    double* center = centers.row(j);
    double squares = 0;
    for (int64_t t = 0; t < centers.n_features; ++t) squares += center[t] * center[t];
    // What rounding leaves of unit rows that cancel is no direction.
    if (std::sqrt(squares) < 1e-12) {
      std::copy_n(old_centers.row(j), centers.n_features, center);
      continue;
    }
    for (int64_t t = 0; t < centers.n_features; ++t)
      center[t] = centers.rounded(center[t] / std::sqrt(squares));
  }
}

int64_t relocate_empty_clusters(Pass& pass, const Centers& centers, Partials& partials) {
  const int64_t d = partials.n_features;
  std::vector<int64_t> empty;
  for (int64_t j = 0; j < partials.n_clusters; ++j)
    if (!(partials.weights[j] > 0)) empty.push_back(j);
  if (empty.empty()) return 0;

  // More candidates than needed: some will be passed over.
  const std::vector<FarRow> far = pass.farthest(centers, 4 * int64_t(empty.size()) + 16);
  const std::vector<double>& origin = pass.origin();
  const std::vector<double> before = partials.weights;
  int64_t n_filled = 0;
  for (const FarRow& row : far) {
    if (n_filled == int64_t(empty.size())) break;
    // A rest that rounding may have left is none: these weights were added in another order.
    const double rest = partials.weights[row.label] - row.weight;
    if (partials.counts[row.label] <= row.count || !(rest > 1e-12 * before[row.label])) continue;
    const int64_t to = empty[n_filled++];
    for (int64_t t = 0; t < d; ++t) {
      const double value = origin.empty() ? row.values[t] : row.values[t] - origin[t];
      partials.sums[row.label * d + t] -= row.weight * value;
      partials.sums[to * d + t] = row.weight * value;
    }
    partials.weights[row.label] -= row.weight;
    partials.weights[to] = row.weight;
    partials.counts[row.label] -= row.count;
    partials.counts[to] = row.count;
  }
  return n_filled;
}

}  // namespace centroids
