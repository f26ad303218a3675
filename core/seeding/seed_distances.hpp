// The squared distance D of each row to its nearest seed, and the visits of the rows that bring it
// up to date: what greedy k-means++ draws from.
//
// A row with nearest seed c need not be compared with a point z when |z - c| >= 2 |x - c|: then
// |x - z| >= |x - c| (triangle inequality). After Raff, "Exact Acceleration of K-Means++ and
// K-Means||" (IJCAI 2021) and Rodriguez Corominas, Blesa & Blum (arXiv 2408.13189).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "aligned.hpp"
#include "seeding/gains.hpp"
#include "seeding/point_distances.hpp"
#include "threads/pool.hpp"
#include "threads/shards.hpp"

namespace centroids {

template <template <class> class R, class T>
class SeedDistances {
 public:
  static constexpr int64_t kNone = -1;

  SeedDistances(const R<T>& rows, int64_t n_clusters, int most_candidates)
      : rows_(rows),
        point_distances_(rows),
        kernels_(kernels<T>()),
        shards_(rows.n_rows),
        most_candidates_(most_candidates),
        distance_(rows.n_rows, std::numeric_limits<T>::infinity()),
        potential_(shards_.count()),
        gains_(shards_.count() * (most_candidates + 1)) {
    point_distances_.prepare(n_clusters, most_candidates + 1);
    std::fill(rows_.labels, rows_.labels + rows_.n_rows, 0);
  }

  // Brings D up to date with a new seed (a row, or kNone) and returns, for each candidate row, by
  // how much it would lower the potential. One visit of the rows.
  std::vector<double> visit(int64_t seed, const std::vector<int64_t>& candidates) {
    new_seed_ = seed;
    points_.assign(seed == kNone ? 0 : 1, seed);
    points_.insert(points_.end(), candidates.begin(), candidates.end());
    point_distances_.choose(points_);
    if (!point_distances_.is_bounded()) set_thresholds();
    rounder_ = gain_rounder(total_);
    parallel_for(prepare_workers(), shards_.count(),
                 [&](int worker, int64_t shard) { visit_shard(workers_[worker], shard); });
    if (seed != kNone) {
      seeds_.push_back(seed);
      total_ = 0;
      for (const double p : potential_) total_ += p;
    }
    return summed_gains(candidates.size());
  }

  // The potential: the sum of w * D.
  double total() const { return total_; }
  double of(int64_t row) const { return double(distance_[row]); }
  double weighted(int64_t row) const {
    return (rows_.weights ? rows_.weights[row] : 1.0) * double(distance_[row]);
  }
  double between(int64_t a, int64_t b) {
    return double(point_distances_.between(a, b, workers_[0].scratch.data()));
  }

  // The row at which the running sum of w * D passes `sum`; kNone when rounding runs past the end.
  int64_t row_at(double sum) const {
    int64_t shard = 0;
    for (; shard + 1 < shards_.count() && sum >= potential_[shard]; ++shard)
      sum -= potential_[shard];
    int64_t last = kNone;
    for (int64_t i = shards_.begin(shard); i < shards_.end(shard); ++i) {
      const double mass = weighted(i);
      if (mass <= 0) continue;
      last = i;
      if ((sum -= mass) < 0) break;
    }
    return last;
  }

 private:
  struct Worker {
    AlignedBuffer<T> scratch, out;
    std::vector<int32_t> active;
  };

  // Returns how many threads are worth their while.
  int prepare_workers() {
    const double work =
        3.0 * double(rows_.n_rows) + point_distances_.work_per_point() * double(points_.size());
    const int n_threads = worthwhile_threads(rows_.n_threads, work);
    while (int(workers_.size()) < n_threads) {
      workers_.emplace_back();
      workers_.back().scratch.resize(point_distances_.scratch_size());
      workers_.back().out.resize(kBlockRows * (most_candidates_ + 1));
      // Lanes without a row are never written in blocks of wide rows, but add_gains reads them.
      std::fill_n(workers_.back().out.data(), kBlockRows * (most_candidates_ + 1), T(0));
      workers_.back().active.resize(shards_.shard_rows);
    }
    return n_threads;
  }

  // threshold[c]: rows of seed c with D at or below it cannot gain from any of the points. The
  // margin covers the rounding of the distances.
  void set_thresholds() {
    const int64_t n_seeds = int64_t(seeds_.size());
    const T margin = T(1) - T(8 + rows_.n_features) * std::numeric_limits<T>::epsilon();
    threshold_.assign(std::max<int64_t>(n_seeds, 1), T(-1));
    if (n_seeds == 0) return;
    AlignedBuffer<T> scratch(point_distances_.scratch_size()), out(kBlockRows * points_.size());
    for (int64_t first = 0; first < n_seeds; first += kBlockRows) {
      const int n = int(std::min<int64_t>(kBlockRows, n_seeds - first));
      point_distances_.measure_listed(seeds_.data() + first, n, scratch.data(), out.data());
      for (int i = 0; i < n; ++i) {
        T nearest = out.data()[i];
        for (size_t p = 1; p < points_.size(); ++p)
          nearest = std::min(nearest, out.data()[p * kBlockRows + i]);
        threshold_[first + i] = nearest / 4 * margin;
      }
    }
  }

  void visit_shard(Worker& worker, int64_t shard) {
    const int64_t begin = shards_.begin(shard);
    const int n = int(shards_.end(shard) - begin);
    double* gains = gains_.data() + shard * (most_candidates_ + 1);
    std::fill_n(gains, most_candidates_ + 1, 0.0);
    const int n_active =
        point_distances_.select(begin, n, distance_.data() + begin, rows_.labels + begin,
                                threshold_.data(), worker.active.data());
    const int enough = point_distances_.rows_worth_a_block();
    for (int next = 0; next < n_active;) {
      const int32_t* active = worker.active.data() + next;
      const int end = active[0] + kBlockRows;
      if (end <= n && next + enough <= n_active && active[enough - 1] < end) {
        visit_stretch(worker, begin + active[0], gains);
        for (next += enough; next < n_active && worker.active[next] < end;) ++next;
      } else {
        const int m = std::min(kBlockRows, n_active - next);
        visit_scattered(worker, begin, active, m, gains);
        next += m;
      }
    }
    if (new_seed_ != kNone && n_active > 0)
      potential_[shard] = kernels_.weighted_sum(distance_.data() + begin,
                                                rows_.weights ? rows_.weights + begin : nullptr, n);
  }

  // A block of rows from `begin`.
  void visit_stretch(Worker& worker, int64_t begin, double* gains) {
    point_distances_.measure(begin, nullptr, kBlockRows, worker.scratch.data(), worker.out.data());
    settle(distance_.data() + begin, rows_.weights ? rows_.weights + begin : nullptr,
           worker.out.data(), gains, [&](int i, T) { rows_.labels[begin + i] = new_label(); });
  }

  // The m rows begin + active[i].
  void visit_scattered(Worker& worker, int64_t begin, const int32_t* active, int m, double* gains) {
    T current[kBlockRows] = {};  // lanes without a row gain nothing
    double w[kBlockRows] = {};
    for (int i = 0; i < m; ++i) current[i] = distance_[begin + active[i]];
    if (rows_.weights)
      for (int i = 0; i < m; ++i) w[i] = rows_.weights[begin + active[i]];
    point_distances_.measure(begin, active, m, worker.scratch.data(), worker.out.data());
    settle(current, rows_.weights ? w : nullptr, worker.out.data(), gains, [&](int i, T lowered) {
      distance_[begin + active[i]] = lowered;
      rows_.labels[begin + active[i]] = new_label();
    });
  }

  // D = min(D, distance to the new seed), then the gain of each candidate. Calls settled(lane, D)
  // where D is lower now.
  template <class Settled>
  void settle(T* current, const double* weights, const T* out, double* gains, Settled settled) {
    int n_tried = int(points_.size());
    if (new_seed_ != kNone) {
      for (uint64_t bits = kernels_.lower(current, out); bits; bits &= bits - 1) {
        const int lane = std::countr_zero(bits);
        settled(lane, current[lane]);
      }
      out += kBlockRows;
      --n_tried;
    }
    kernels_.add_gains(current, out, n_tried, weights, rounder_, gains);
  }

  int32_t new_label() const { return int32_t(seeds_.size()); }

  std::vector<double> summed_gains(size_t n_candidates) const {
    std::vector<double> sums(n_candidates, 0.0);
    for (int64_t shard = 0; shard < shards_.count(); ++shard)
      for (size_t p = 0; p < n_candidates; ++p)
        sums[p] += gains_[shard * (most_candidates_ + 1) + p];
    return sums;
  }

  R<T> rows_;
  PointDistances<R<T>> point_distances_;
  const Kernels<T>& kernels_;
  Shards shards_;
  int most_candidates_;
  std::vector<int64_t> seeds_;     // that D counts: row numbers, by label
  std::vector<T> distance_;        // D
  std::vector<double> potential_;  // per shard: sum of w * D
  std::vector<double> gains_;      // per shard and candidate
  double total_ = 0;
  // Of this visit.
  int64_t new_seed_ = kNone;
  std::vector<int64_t> points_;  // the new seed, if any, and the candidates
  double rounder_ = 0;           // of gains
  std::vector<T> threshold_;
  std::vector<Worker> workers_;
};

}  // namespace centroids
