// The public API of the core: rows in, validated by the caller -> seed -> repeat { assign, update,
// stop? } -> result. Knows nothing of Python, files or printing; keeps no global state but the
// pool.
#pragma once

#include <cstdint>
#include <vector>

#include "centers.hpp"
#include "loop.hpp"
#include "matrix_view.hpp"
#include "measures/summary.hpp"
#include "options.hpp"
#include "sparse_view.hpp"

namespace centroids {

// The rows of a problem and what is known about them. Borrowed: the caller keeps them alive.
template <class View>
struct DataOf {
  View x;
  const double* weights = nullptr;  // n_rows, or null for one each
  Summary summary;                  // of these rows: summarize(x, weights, n_threads)
  int n_threads = 1;
};
using Data = DataOf<MatrixView>;
using SparseData = DataOf<SparseView>;

struct FitOptions {
  int64_t n_clusters = 8;
  Seeding seeding = Seeding::kmeans_plus_plus;
  const double* init = nullptr;  // n_clusters x n_features; instead of seeding
  uint64_t seed = 0;
  Algorithm algorithm = Algorithm::automatic;
  LocalSearch search = LocalSearch::none;  // after a run that converged
  LoopOptions loop;
};

// One run: first centers, then the loop. Writes n_rows labels.
LoopResult fit(const Data& data, const FitOptions& options, const Control& control,
               int32_t* labels);

// Row numbers of the first centers.
std::vector<int64_t> seed(const Data& data, int64_t n_clusters, Seeding seeding, uint64_t seed,
                          const Control& control);

// labels[i] = index of the center nearest to row i, the lowest on ties. The same bits as in fit.
void assign(const MatrixView& x, const Centers& centers, int n_threads, int32_t* labels);

// Nearest and second nearest center of every row; distances are Euclidean, in float64. With one
// center the second label is -1 and its distance infinite.
struct NearestOut {
  int32_t* labels;
  double* distances;
  int32_t* second_labels;
  double* second_distances;
};
void nearest(const MatrixView& x, const Centers& centers, int n_threads, const NearestOut& out);

// out[i * n_clusters + j] = Euclidean distance of row i to center j, in the dtype of the rows.
void distances(const MatrixView& x, const Centers& centers, int n_threads, void* out);

// Weighted sum of squared distances of the rows to the centers of their labels.
double inertia(const MatrixView& x, const double* weights, const Centers& centers,
               const int32_t* labels, int n_threads);

// The sums, weights and counts of the clusters that the labels form, added in row order.
Partials cluster_sums(const MatrixView& x, const double* weights, const int32_t* labels,
                      int64_t n_clusters);

// The same for sparse rows.
LoopResult fit(const SparseData& data, const FitOptions& options, const Control& control,
               int32_t* labels);
std::vector<int64_t> seed(const SparseData& data, int64_t n_clusters, Seeding seeding,
                          uint64_t seed, const Control& control);
void assign(const SparseView& x, const Centers& centers, int n_threads, int32_t* labels);
void nearest(const SparseView& x, const Centers& centers, int n_threads, const NearestOut& out);
void distances(const SparseView& x, const Centers& centers, int n_threads, void* out);
double inertia(const SparseView& x, const double* weights, const Centers& centers,
               const int32_t* labels, int n_threads);
Partials cluster_sums(const SparseView& x, const double* weights, const int32_t* labels,
                      int64_t n_clusters);

}  // namespace centroids
