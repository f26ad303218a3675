// Values in ascending order, equal ones together.
#pragma once

#include <cstdint>
#include <vector>

namespace centroids {

struct WeightedValues {
  std::vector<double> values;
  std::vector<double> weights;  // as many, or none: one each

  int64_t size() const { return int64_t(values.size()); }
  double weight(int64_t i) const { return weights.empty() ? 1.0 : weights[i]; }
};

// The distinct values, ascending, with the sums of their weights; values of weight zero are left
// out. By radix sort, from the lowest byte to the highest: stable, so that the sums do not depend
// on the number of threads.
WeightedValues sorted_distinct(WeightedValues rows, int n_threads);

}  // namespace centroids
