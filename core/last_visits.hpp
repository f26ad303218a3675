// What a fit must leave time for, to end when its time is over.
#pragma once

#include <chrono>

namespace centroids {

// Visits of all rows that end a fit: one more iteration, labels of the final centers, and the same
// again under other numbers.
constexpr double kLastVisits = 3;

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace centroids
