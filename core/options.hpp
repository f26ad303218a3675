// Settings of a fit, and the hooks through which the caller follows and ends it.
#pragma once

#include <cstdint>
#include <functional>

#include "centers.hpp"

namespace centroids {

enum class Seeding { kmeans_plus_plus, kmeans_parallel, random };
enum class Algorithm { automatic, brute_force, hamerly };

// Swaps alone, or breathing, until they help no more; budgeted: breathing while the work stays in
// proportion to that of the run.
enum class LocalSearch { none, swap, breathing, budgeted };

struct LoopOptions {
  int64_t max_iter = 300;
  double tol = 0;               // absolute: the sum of squared center shifts at which to stop
  bool number_by_size = false;  // number the clusters by decreasing weight
  bool unit_centers = false;    // spherical K-Means: means are scaled to length one
  bool momentum = false;        // go beyond the means, in fewer iterations (update/momentum.hpp)
};

// One finished iteration.
struct Iteration {
  int64_t number;       // from 1
  double inertia;       // of the rows' new labels, to the centers they were compared with
  double center_shift;  // sum of squared distances between old and new centers
  int64_t n_changed;    // rows with a new label
};

// Asked after each iteration (and within the seeding): true ends the fit with what there is.
struct Control {
  // Whether time will have run out so many seconds from now, or something else ends the fit.
  std::function<bool(double seconds)> should_stop;
  // Gets the centers that the rows were compared with; true: stop after this iteration.
  std::function<bool(const Iteration&, const Centers&)> on_iteration;
  bool stop(double seconds = 0) const { return should_stop && should_stop(seconds); }
};

}  // namespace centroids
