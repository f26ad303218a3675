// Whether bounds pay. Decided by counted work, never by a clock, so that a busy machine does not
// change what a fit does.
#pragma once

#include <algorithm>
#include <cstdint>

namespace centroids {

// What parts of a visit cost, in multiply-adds of the tile in float32.
struct VisitCosts {
  double search_all;  // a row that is searched, no bounds kept
  double set_bounds;  // a row that is searched, with bounds
  double advance;     // moving the bounds of a row
  double search;      // searching a row in doubt, which has to be gathered first
  double distance;    // its exact distance to the own center
  double fast;        // comparing it with the fast centers
};

// How many rows needed what in a visit with bounds.
struct VisitCounts {
  int64_t searched = 0, distances = 0, settled_by_distance = 0, fast = 0;

  void add(const VisitCounts& other) {
    searched += other.searched;
    distances += other.distances;
    settled_by_distance += other.settled_by_distance;
    fast += other.fast;
  }
};

// Setting bounds is an outlay that visits with bounds must earn, and that is lost when they are
// given up. As in the ski-rental problem, the bounds are set once they would have saved as much as
// that, and given up once they have lost as much: at most twice what hindsight would have paid.
class BoundsBalance {
 public:
  // A visit of n rows without bounds, and what it would have taken with them: set them now?
  bool would_have_paid(const VisitCosts& costs, const VisitCounts& counts, int64_t n) {
    return adds_up(costs, -excess(costs, counts, n));
  }
  // A visit with bounds: give them up?
  bool has_lost(const VisitCosts& costs, const VisitCounts& counts, int64_t n) {
    return adds_up(costs, excess(costs, counts, n));
  }

 private:
  // Of a row, over a visit without bounds.
  static double excess(const VisitCosts& costs, const VisitCounts& counts, int64_t n) {
    const double in_doubt = double(counts.searched) * costs.search +
                            double(counts.distances) * costs.distance +
                            double(counts.fast) * costs.fast;
    return costs.advance + in_doubt / double(n) - costs.search_all;
  }
  bool adds_up(const VisitCosts& costs, double amount) {
    sum_ = std::max(0.0, sum_ + amount);
    if (sum_ < costs.set_bounds - costs.search_all) return false;
    sum_ = 0;
    return true;
  }

  double sum_ = 0;
};

}  // namespace centroids
