// Sums of gains that do not depend on the order of the rows, so that rows that gain nothing may be
// left out or not, whichever is faster.
#pragma once

#include <cmath>

namespace centroids {

// For gains of at most `total` in all: a number r such that (gain + r) - r is the gain rounded to a
// multiple of a quantum, 2^-51 to 2^-50 of the total, and sums of these are exact in float64.
inline double gain_rounder(double total) {
  return std::isfinite(total) && total > 0 ? std::ldexp(1.5, std::ilogb(total) + 2) : 0.0;
}

}  // namespace centroids
