// k-means|| for rows that may be anywhere. For rows in memory see seeding.hpp.
#pragma once

#include <cstdint>

#include "options.hpp"
#include "seeding/candidates.hpp"

namespace centroids {

// Different rows, with their values. Fewer than n_clusters where all rows lie on those, or when
// control stops it.
Candidates seed_kmeans_parallel(CandidateSource& source, int64_t n_clusters, uint64_t seed,
                                int n_threads, const Control& control);

}  // namespace centroids
