// The sums of the clusters over all rows, with what rounding has left out of them.
#pragma once

#include <cstdint>
#include <vector>

#include "partials.hpp"

namespace centroids {

struct Totals {
  Partials sums;
  std::vector<double> sum_errors, weight_errors;  // compensation of the sums

  Totals(int64_t n_clusters, int64_t n_features)
      : sums(n_clusters, n_features),
        sum_errors(n_clusters * n_features),
        weight_errors(n_clusters) {}

  void clear();
  // After the last row. `smallest_weight` is that of a row whose weight is not zero.
  void settle(bool is_full, bool is_weighted, double smallest_weight);
  void write(int64_t n_changed, Partials& out) const;
  // Cluster order[j] gets the number j.
  void renumber(const std::vector<int32_t>& order);

 private:
  void clear_weightless(double smallest_weight);
};

// Whether to add every row anew rather than to move the rows that changed their cluster: when
// enough of them did in the visit before.
bool adds_all_rows(int64_t n_changed, int64_t n_rows, int64_t n_features);

// 1 without weights.
double smallest_positive(const double* weights, int64_t n_rows);

}  // namespace centroids
