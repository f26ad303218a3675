// Sums that keep what rounding takes from them.
#pragma once

namespace centroids {

// (sum, error) += value without rounding error beyond the pair's (Knuth's TwoSum).
inline void add_compensated(double value, double& sum, double& error) {
  const double total = sum + value;
  const double part = total - sum;
  error += (sum - (total - part)) + (value - part);
  sum = total;
}

struct CompensatedSum {
  double sum = 0, error = 0;

  void add(double value) { add_compensated(value, sum, error); }
  double value() const { return sum + error; }
};

}  // namespace centroids
