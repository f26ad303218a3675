#include "seeding/next_center.hpp"

#include <algorithm>

#include "assign/block_scratch.hpp"
#include "assign/center_pack.hpp"
#include "seeding/gains.hpp"
#include "threads/pool.hpp"
#include "threads/shards.hpp"

namespace centroids {
namespace {

template <class T>
class NextCenter {
 public:
  NextCenter(const MatrixView& x, const double* weights, int n_threads)
      : x_(x), weights_(weights), n_threads_(n_threads), shards_(x.n_rows), distance_(x.n_rows) {}

  int64_t find(const Centers& centers, const std::vector<double>& draws) {
    measure_distances(centers);
    const std::vector<int64_t> rows = draw_rows(draws);
    if (rows.empty()) return -1;
    const std::vector<double> gains = measure_gains(rows);
    return rows[std::max_element(gains.begin(), gains.end()) - gains.begin()];
  }

 private:
  double weight(int64_t row) const { return weights_ ? weights_[row] : 1.0; }

  // Calls block(worker, shard, first, n) for every block of rows.
  template <class F>
  void for_blocks(int n_threads, F block) {
    parallel_for(n_threads, shards_.count(), [&](int worker, int64_t shard) {
      for (int64_t first = shards_.begin(shard); first < shards_.end(shard); first += kBlockRows)
        block(worker, shard, first, int(std::min<int64_t>(kBlockRows, shards_.end(shard) - first)));
    });
  }

  int threads_for(int64_t n_points) const {
    return worthwhile_threads(n_threads_,
                              double(x_.n_rows) * double(x_.n_cols) * double(n_points + 4));
  }

  void measure_distances(const Centers& centers) {
    CenterPack<T> pack;
    pack.pack(centers, kernel_);
    const int n_threads = threads_for(centers.n_clusters);
    std::vector<BlockScratch<T>> scratch(n_threads);
    for (BlockScratch<T>& s : scratch) s.packed.resize(kBlockRows * x_.n_cols);
    for_blocks(n_threads, [&](int worker, int64_t shard, int64_t first, int n) {
      BlockScratch<T>& s = scratch[worker];
      double squared[kBlockRows];
      s.find(kernel_, {x_.row<T>(first), x_.n_cols, nullptr, n, shards_.end(shard) - first - n},
             pack.shift(), pack.view(), Search::nearest);
      kernel_.squared_distances(x_.row<T>(first), x_.n_cols, nullptr, n, centers.values.data(),
                                s.nearest.label, squared);
      for (int i = 0; i < n; ++i) distance_[first + i] = T(squared[i]);
    });
  }

  // None where there is nothing to draw from.
  std::vector<int64_t> draw_rows(const std::vector<double>& draws) {
    std::vector<double> cumulated(x_.n_rows);
    total_ = 0;
    for (int64_t i = 0; i < x_.n_rows; ++i)
      cumulated[i] = total_ += weight(i) * double(distance_[i]);
    std::vector<int64_t> rows;
    if (!(total_ > 0)) return rows;
    for (const double draw : draws) {
      const auto at = std::upper_bound(cumulated.begin(), cumulated.end(), draw * total_);
      rows.push_back(std::min<int64_t>(at - cumulated.begin(), x_.n_rows - 1));
    }
    return rows;
  }

  // By how much each of these rows as a center would lower the inertia.
  std::vector<double> measure_gains(const std::vector<int64_t>& rows) {
    const int64_t n_points = int64_t(rows.size()), n_shards = shards_.count();
    std::vector<T> points(n_points * x_.n_cols);
    for (int64_t p = 0; p < n_points; ++p)
      std::copy_n(x_.row<T>(rows[p]), x_.n_cols, points.data() + p * x_.n_cols);
    std::vector<double> part(n_shards * n_points, 0.0);
    const double rounder = gain_rounder(total_);
    const int n_threads = threads_for(n_points);
    std::vector<AlignedBuffer<T>> scratch(n_threads), tried(n_threads);
    for (int worker = 0; worker < n_threads; ++worker) {
      scratch[worker].resize(kBlockRows * x_.n_cols);
      tried[worker].resize(kBlockRows * n_points);
      // Lanes without a row are never written in blocks of wide rows, but add_gains reads them.
      std::fill_n(tried[worker].data(), kBlockRows * n_points, T(0));
    }
    for_blocks(n_threads, [&](int worker, int64_t shard, int64_t first, int n) {
      T* out = tried[worker].data();
      kernel_.point_distances(x_.row<T>(first), x_.n_cols, nullptr, n, points.data(), int(n_points),
                              scratch[worker].data(), out);
      add_gains(first, n, out, int(n_points), rounder, part.data() + shard * n_points);
    });
    std::vector<double> gains(n_points, 0.0);
    for (int64_t shard = 0; shard < n_shards; ++shard)
      for (int64_t p = 0; p < n_points; ++p) gains[p] += part[shard * n_points + p];
    return gains;
  }

  void add_gains(int64_t first, int n, const T* tried, int n_points, double rounder,
                 double* sums) const {
    T current[kBlockRows] = {};  // lanes without a row gain nothing
    double w[kBlockRows] = {};
    std::copy_n(distance_.data() + first, n, current);
    if (weights_) std::copy_n(weights_ + first, n, w);
    kernel_.add_gains(current, tried, n_points, weights_ ? w : nullptr, rounder, sums);
  }

  const Kernels<T>& kernel_ = kernels<T>();
  const MatrixView& x_;
  const double* weights_;
  int n_threads_;
  Shards shards_;
  std::vector<T> distance_;  // squared, to the nearest center
  double total_ = 0;         // of weight times that
};

}  // namespace

int64_t next_center(const MatrixView& x, const double* weights, const Centers& centers,
                    const std::vector<double>& draws, int n_threads) {
  return with_dtype(x.dtype, [&](auto zero) {
    return NextCenter<decltype(zero)>(x, weights, n_threads).find(centers, draws);
  });
}

}  // namespace centroids
