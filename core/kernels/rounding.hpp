// float64 to float32 bounds, rounded to the safe side.
#pragma once

#include <algorithm>

namespace centroids {

inline float round_up(double value) {
  return float(value) * (1.0f + 0x1p-22f);
}
inline float round_down(double value) {
  return std::max(0.0f, float(value) * (1.0f - 0x1p-22f));
}

}  // namespace centroids
