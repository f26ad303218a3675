// float64 to float32 bounds, rounded to the safe side.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/kernels.hpp"

namespace centroids {

inline float round_up(double value) {
  return float(value) * kUp;
}
inline float round_down(double value) {
  return std::max(0.0f, float(value) * kDown);
}

// Bounds on the distance to the center of a score that is off by at most `error`:
// |x - c|^2 = norm + 2 score.
inline float at_most(double norm, double score, double error) {
  return round_up(std::sqrt(std::max(0.0, norm + 2 * score) + 2 * error));
}
inline float at_least(double norm, double score, double error) {
  return round_down(std::sqrt(std::max(0.0, norm + 2 * score - 2 * error)));
}

}  // namespace centroids
