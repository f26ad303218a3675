// From sums to centers, and what to do with clusters that lost all their rows.
#pragma once

#include "assign/pass.hpp"
#include "centers.hpp"
#include "partials.hpp"

namespace centroids {

// New centers: origin + sums / weights, rounded to the dtype of the rows. A cluster without weight
// keeps its old center.
void average(const Partials& partials, const std::vector<double>& origin,
             const Centers& old_centers, Centers& out);

// Scales each center to length one; one without a direction (the rows cancel) becomes the old one.
// With unit rows this is the update of spherical K-Means (Dhillon & Modha, "Concept Decompositions
// for Large Sparse Text Data Using Clustering", Machine Learning 42, 2001, section 3).
void make_unit(Centers& centers, const Centers& old_centers);

// Gives each empty cluster one of the rows farthest from their centers, farthest first, taken out
// of the sums of its old cluster (scikit-learn's rule). Rows that equal it go with it, as a row of
// their weight would, unless nothing would be left of their cluster. Returns how many clusters were
// filled.
int64_t relocate_empty_clusters(Pass& pass, const Centers& centers, Partials& partials);

}  // namespace centroids
