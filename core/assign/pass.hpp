// The seam of the design: the loop is handed a pass and knows nothing else about the rows.
#pragma once

#include <cstdint>
#include <vector>

#include "centers.hpp"
#include "partials.hpp"

namespace centroids {

// A row and all rows equal to it.
struct FarRow {
  int64_t row;  // the first of them
  int32_t label;
  double squared_distance;
  double weight;  // of all of them
  int64_t count;  // how many have a weight
  std::vector<double> values;
};

class Pass {
 public:
  virtual ~Pass() = default;
  virtual int64_t n_rows() const = 0;

  // Visits every row once: gives it to the nearest of `centers` (lowest index on ties), remembers
  // its label, and returns the sums of the clusters so formed.
  virtual void assign(const Centers& centers, Partials& out) = 0;

  // The weighted sum of squared distances of the rows to the centers of their labels, in float64.
  virtual double inertia(const Centers& centers) = 0;

  // Up to n different rows of positive weight, farthest from the centers of their labels first (on
  // ties in the order of their values), rows that lie on their center left out.
  virtual std::vector<FarRow> farthest(const Centers& centers, int64_t n) const = 0;

  // Cluster order[j] gets the number j, in the labels and in everything else remembered.
  virtual void renumber(const std::vector<int32_t>& order) = 0;

  // What is subtracted from the rows before they are summed; empty means zero.
  virtual const std::vector<double>& origin() const = 0;
};

}  // namespace centroids
