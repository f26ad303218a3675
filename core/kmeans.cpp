#include "kmeans.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "assign/close_centers.hpp"
#include "assign/hamerly_pass.hpp"
#include "first_centers.hpp"
#include "refined_start.hpp"
#include "search/search.hpp"
#include "threads/pool.hpp"

namespace centroids {
namespace {

// Up to so many multiply-adds a visit, bounds cost more than the comparisons that they save.
constexpr double kSmallVisit = 4e6;

template <class T>
std::unique_ptr<Pass> make_pass(const Rows<T>& rows, const FitOptions& options,
                                const std::vector<double>& origin) {
  switch (options.algorithm) {
    case Algorithm::brute_force:
      return std::make_unique<BruteForcePass<T>>(rows, options.n_clusters, origin);
    case Algorithm::hamerly:
      return std::make_unique<HamerlyPass<T>>(rows, options.n_clusters, origin, false);
    case Algorithm::automatic:
      break;
  }
  const double visit = double(rows.n_rows) * double(rows.n_features) * double(options.n_clusters);
  if (visit <= kSmallVisit)
    return std::make_unique<BruteForcePass<T>>(rows, options.n_clusters, origin);
  return std::make_unique<HamerlyPass<T>>(rows, options.n_clusters, origin, true);
}

template <class T>
LoopResult fit_as(const Data& data, const FitOptions& asked, const Control& control,
                  int32_t* labels) {
  const FitOptions options = with_momentum(asked, data.x.n_rows, data.x.n_cols);
  const Rows<T> rows = rows_of<T>(data.x, data.weights, labels, data.n_threads);
  const auto loop_on = [&](const Rows<T>& some) {
    return [&, some](Centers centers, const LoopOptions& loop, const Control& hooks) {
      FitOptions sized = options;
      sized.n_clusters = centers.n_clusters;
      const auto pass = make_pass(some, sized, data.summary.origin);
      return run_loop(*pass, std::move(centers), data.summary.total_squares, loop, hooks);
    };
  };
  const auto start = [&] {
    Centers centers = first_centers(rows, options, data.x.dtype, control);
    if (options.init || options.seeding != Seeding::kmeans_plus_plus || control.stop())
      return centers;
    FitOptions settings = options;
    settings.loop.number_by_size = false;
    const Control quiet{control.should_stop, nullptr};
    const auto run_on_sample = [&](const Rows<T>& sample, Centers first) {
      const auto run = loop_on(sample);
      return searched_on_sample(run(std::move(first), settings.loop, quiet), sample,
                                data.summary.origin, settings, data.x.dtype, quiet, run);
    };
    return refined_start(rows, std::move(centers), options.seed, run_on_sample);
  };
  return fit_rows(rows, data.summary.origin, options, data.x.dtype, control, start, loop_on(rows));
}

// Calls block(nearest, first_row, n) for each block of rows with its nearest centers.
template <class T, class F>
void for_blocks(const MatrixView& x, const Centers& centers, int n_threads, Search search,
                F block) {
  CenterPack<T> pack;
  pack.pack(centers, kernels<T>());
  CloseCenters<T> close;
  const bool is_one_block = x.n_rows <= kBlockRows;
  if (!is_one_block) close.find(centers, pack);
  const Shards shards(x.n_rows, kBlockRows);
  n_threads = worthwhile_threads(
      n_threads, double(x.n_rows) * double(x.n_cols) * double(centers.n_clusters + 4));
  struct Scratch {
    BlockScratch<T> block;
    CloseScratch close;
  };
  std::vector<Scratch> scratch(n_threads);
  parallel_for(n_threads, shards.count(), [&](int worker, int64_t shard) {
    Scratch& s = scratch[worker];
    s.block.packed.resize(kBlockRows * x.n_cols);
    for (int64_t first = shards.begin(shard); first < shards.end(shard); first += kBlockRows) {
      const auto rows = RowBlock<T>::at(x.row<T>(0), x.n_cols, nullptr, first, shards.end(shard));
      s.block.find(kernels<T>(), rows, pack.shift(), pack.view(), search);
      BlockNearest<T>& nearest = s.block.nearest;
      int32_t* second = search == Search::with_second ? nearest.second_label : nullptr;
      if (is_one_block) close.find_around(centers, pack, nearest.label, second, rows.n);
      close.settle(rows, s.close, nearest.label, second);
      block(nearest, first, rows.n);
    }
  });
}

template <class T>
void nearest_as(const MatrixView& x, const Centers& centers, int n_threads, const NearestOut& out) {
  const auto measure = [&](const int32_t* labels, int64_t first, int n, double* distances) {
    kernels<T>().squared_distances(x.row<T>(first), x.n_cols, nullptr, n, centers.values.data(),
                                   labels, distances + first);
    for (int i = 0; i < n; ++i) distances[first + i] = std::sqrt(distances[first + i]);
  };
  const auto take = [&](const BlockNearest<T>& nearest, int64_t first, int n) {
    std::copy_n(nearest.label, n, out.labels + first);
    measure(nearest.label, first, n, out.distances);
    if (centers.n_clusters == 1) {
      std::fill_n(out.second_labels + first, n, -1);
      std::fill_n(out.second_distances + first, n, std::numeric_limits<double>::infinity());
      return;
    }
    std::copy_n(nearest.second_label, n, out.second_labels + first);
    measure(nearest.second_label, first, n, out.second_distances);
  };
  for_blocks<T>(x, centers, n_threads, Search::with_second, take);
}

template <class T>
void distances_as(const MatrixView& x, const Centers& centers, int n_threads, T* out) {
  const Kernels<T>& kernel = kernels<T>();
  const int64_t k = centers.n_clusters;
  std::vector<T> points(centers.values.begin(), centers.values.end());
  const Shards shards(x.n_rows, kBlockRows);
  n_threads = worthwhile_threads(n_threads, double(x.n_rows) * double(x.n_cols) * double(k));
  parallel_for(n_threads, shards.count(), [&](int, int64_t shard) {
    constexpr int kPoints = 16;
    AlignedBuffer<T> scratch(kBlockRows * x.n_cols), block(kBlockRows * kPoints);
    for (int64_t first = shards.begin(shard); first < shards.end(shard); first += kBlockRows) {
      const int n = int(std::min<int64_t>(kBlockRows, shards.end(shard) - first));
      for (int64_t j = 0; j < k; j += kPoints) {
        const int m = int(std::min<int64_t>(kPoints, k - j));
        kernel.point_distances(x.row<T>(first), x.n_cols, nullptr, n, points.data() + j * x.n_cols,
                               m, scratch.data(), block.data());
        for (int i = 0; i < n; ++i)
          for (int p = 0; p < m; ++p)
            out[(first + i) * k + j + p] = std::sqrt(block.data()[p * kBlockRows + i]);
      }
    }
  });
}

}  // namespace

LoopResult fit(const Data& data, const FitOptions& options, const Control& control,
               int32_t* labels) {
  return with_dtype(data.x.dtype, [&](auto zero) {
    return fit_as<decltype(zero)>(data, options, control, labels);
  });
}

std::vector<int64_t> seed(const Data& data, int64_t n_clusters, Seeding seeding, uint64_t seed,
                          const Control& control) {
  return with_dtype(data.x.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<int32_t> labels(data.x.n_rows);
    const Rows<T> rows = rows_of<T>(data.x, data.weights, labels.data(), data.n_threads);
    return seed_rows(rows, n_clusters, seeding, seed, control);
  });
}

void assign(const MatrixView& x, const Centers& centers, int n_threads, int32_t* labels) {
  with_dtype(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_blocks<T>(x, centers, n_threads, Search::nearest,
                  [&](const BlockNearest<T>& nearest, int64_t first, int n) {
                    std::copy_n(nearest.label, n, labels + first);
                  });
  });
}

void nearest(const MatrixView& x, const Centers& centers, int n_threads, const NearestOut& out) {
  with_dtype(x.dtype, [&](auto zero) { nearest_as<decltype(zero)>(x, centers, n_threads, out); });
}

void distances(const MatrixView& x, const Centers& centers, int n_threads, void* out) {
  with_dtype(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    distances_as<T>(x, centers, n_threads, static_cast<T*>(out));
  });
}

double inertia(const MatrixView& x, const double* weights, const Centers& centers,
               const int32_t* labels, int n_threads) {
  return with_dtype(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    // The labels are only read: a pass is what knows how to sum over rows.
    return RowPass<T>::sum_squares(rows_of<T>(x, weights, const_cast<int32_t*>(labels), n_threads),
                                   centers);
  });
}

Partials cluster_sums(const MatrixView& x, const double* weights, const int32_t* labels,
                      int64_t n_clusters) {
  Partials partials(n_clusters, x.n_cols);
  with_dtype(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t first = 0; first < x.n_rows; first += kBlockRows) {
      const int n = int(std::min<int64_t>(kBlockRows, x.n_rows - first));
      kernels<T>().add_rows(x.row<T>(first), x.n_cols, n, labels + first,
                            weights ? weights + first : nullptr, nullptr, partials.sums.data());
    }
  });
  for (int64_t i = 0; i < x.n_rows; ++i) {
    partials.weights[labels[i]] += weights ? weights[i] : 1.0;
    ++partials.counts[labels[i]];
  }
  return partials;
}

}  // namespace centroids
