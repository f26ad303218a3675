// Where to compare the rows next: means, moved on along the way they came.
//
// Lloyd's algorithm creeps where clusters overlap: the means move a little and always the same way
// for a hundred iterations. Nesterov's momentum takes the steps in one, and begins anew when the
// means got worse (O'Donoghue & Candes, "Adaptive Restart for Accelerated Gradient Schemes",
// Foundations of Computational Mathematics 15, 2015, section 3; Lloyd's update is a step of
// Newton's method for the inertia: Bottou & Bengio, NIPS 1994).
#pragma once

#include <cstdint>
#include <vector>

#include "centers.hpp"

namespace centroids {

class Momentum {
 public:
  // `explained` is how far the means lower the inertia; more is better.
  Centers next(const Centers& means, double explained);
  // The next point will be the means themselves.
  void restart() { n_steps_ = 0; }
  // Whether the last point lay beyond the means.
  bool is_moving() const { return factor_ > 0; }
  // Cluster order[j] gets the number j.
  void renumber(const std::vector<int32_t>& order);

 private:
  Centers previous_;
  double explained_ = 0, factor_ = 0;
  int64_t n_steps_ = 0;
};

}  // namespace centroids
