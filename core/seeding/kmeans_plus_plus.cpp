// Greedy k-means++, pruned and with one visit of the rows per center, drawing from the exact
// distribution of the plain method:
//
//   pruning     a row x with nearest seed c need not be compared with a candidate z when
//               |z - c| >= 2 |x - c|: then |x - z| >= |x - c| (triangle inequality).
//   stale draw  the squared distances D are brought up to date with the last center in the same
//   visit
//               that tries the next candidates. Candidates are therefore drawn with the D of one
//               center ago and accepted with probability D_now / D_then: rejection sampling.
//
// After Raff, "Exact Acceleration of K-Means++ and K-Means||" (IJCAI 2021) and Rodriguez Corominas,
// Blesa & Blum (arXiv 2408.13189) for the pruning; the deferred update is ours.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "aligned.hpp"
#include "last_visits.hpp"
#include "random.hpp"
#include "seeding/gains.hpp"
#include "seeding/point_distances.hpp"
#include "seeding/seeding.hpp"
#include "threads/pool.hpp"
#include "threads/shards.hpp"

namespace centroids {
namespace {

constexpr uint64_t kStream = 2;
// Below this share of the old potential, drawing from it would reject too often: update first.
constexpr double kStaleEnough = 1.0 / 16;
template <template <class> class R, class T>
class GreedySeeder {
 public:
  GreedySeeder(const R<T>& rows, int64_t n_clusters, uint64_t seed)
      : rows_(rows),
        point_distances_(rows),
        kernels_(kernels<T>()),
        random_(seed, kStream),
        shards_(rows.n_rows),
        n_clusters_(n_clusters),
        n_candidates_(2 + int(std::log(double(n_clusters)))),
        distance_(rows.n_rows),
        potential_(shards_.count()),
        gains_(shards_.count() * (n_candidates_ + 1)) {
    point_distances_.prepare(n_clusters, n_candidates_ + 1);
  }

  std::vector<int64_t> run(const Control& control) {
    start(draw_first());
    while (int64_t(seeds_.size()) < n_clusters_ &&
           !control.stop(kLastVisits * seconds_of_assignment())) {
      if (total_ < kStaleEnough * stale_total_) visit({});
      if (!(total_ > 0)) {  // every row lies on a seed: any row is as good as another
        seeds_.push_back(int64_t(random_.below(uint64_t(rows_.n_rows))));
        continue;
      }
      choose(visit(draw_candidates()));
    }
    if (int64_t(seeds_.size()) < n_clusters_) draw_the_rest();
    return std::move(seeds_);
  }

 private:
  struct Worker {
    AlignedBuffer<T> scratch, out;
    std::vector<int32_t> active;
  };

  // What it will take to compare all rows with all centers, by what the seeds have taken: each is
  // chosen among candidates, and so compared more than once.
  double seconds_of_assignment() const {
    const double n_compared = double(seeds_.size()) * double(n_candidates_ + 1);
    return watch_.seconds() * double(n_clusters_) / n_compared;
  }

  double weight(int64_t row) const { return rows_.weights ? rows_.weights[row] : 1.0; }

  int64_t draw_first() {
    if (!rows_.weights) return int64_t(random_.below(uint64_t(rows_.n_rows)));
    double total = 0;
    for (int64_t i = 0; i < rows_.n_rows; ++i) total += rows_.weights[i];
    double left = random_.uniform() * total;
    int64_t last = 0;
    for (int64_t i = 0; i < rows_.n_rows; ++i) {
      if (rows_.weights[i] == 0) continue;
      last = i;
      if ((left -= rows_.weights[i]) < 0) break;
    }
    return last;
  }

  void start(int64_t first) {
    std::fill(distance_.begin(), distance_.end(), std::numeric_limits<T>::infinity());
    std::fill(rows_.labels, rows_.labels + rows_.n_rows, 0);
    seeds_.push_back(first);
    pending_ = 0;
    visit({});
  }

  // Brings D up to date with the pending seed and returns, for each candidate row, by how much it
  // would lower the potential. One visit of the rows.
  std::vector<double> visit(const std::vector<int64_t>& candidates) {
    points_ = pending_ >= 0 ? std::vector<int64_t>{seeds_[pending_]} : std::vector<int64_t>{};
    points_.insert(points_.end(), candidates.begin(), candidates.end());
    point_distances_.choose(points_);
    if (!point_distances_.is_bounded()) set_thresholds();
    const double work =
        3.0 * double(rows_.n_rows) + point_distances_.work_per_point() * double(points_.size());
    const int n_threads = worthwhile_threads(rows_.n_threads, work);
    while (int(workers_.size()) < n_threads) {
      workers_.emplace_back();
      workers_.back().scratch.resize(point_distances_.scratch_size());
      workers_.back().out.resize(kBlockRows * (n_candidates_ + 1));
      // Lanes without a row are never written in blocks of wide rows, but add_gains reads them.
      std::fill_n(workers_.back().out.data(), kBlockRows * (n_candidates_ + 1), T(0));
      workers_.back().active.resize(shards_.shard_rows);
    }
    rounder_ = gain_rounder(stale_total_);
    parallel_for(n_threads, shards_.count(),
                 [&](int worker, int64_t shard) { visit_shard(workers_[worker], shard); });
    return collect(candidates.size());
  }

  // threshold[c]: rows of seed c with D at or below it cannot gain from any of the points. The
  // margin covers the rounding of the distances.
  void set_thresholds() {
    const int64_t n_settled = int64_t(seeds_.size()) - (pending_ >= 0 ? 1 : 0);
    const T margin = T(1) - T(8 + rows_.n_features) * std::numeric_limits<T>::epsilon();
    threshold_.assign(std::max<int64_t>(n_settled, 1), T(-1));
    if (n_settled == 0) return;
    AlignedBuffer<T> scratch(point_distances_.scratch_size()), out(kBlockRows * points_.size());
    for (int64_t first = 0; first < n_settled; first += kBlockRows) {
      const int n = int(std::min<int64_t>(kBlockRows, n_settled - first));
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
    double* gains = gains_.data() + shard * (n_candidates_ + 1);
    std::fill_n(gains, n_candidates_ + 1, 0.0);
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
    if (pending_ >= 0 && n_active > 0)
      potential_[shard] = kernels_.weighted_sum(distance_.data() + begin,
                                                rows_.weights ? rows_.weights + begin : nullptr, n);
  }

  void visit_stretch(Worker& worker, int64_t begin, double* gains) {
    point_distances_.measure(begin, nullptr, kBlockRows, worker.scratch.data(), worker.out.data());
    settle(distance_.data() + begin, rows_.weights ? rows_.weights + begin : nullptr,
           worker.out.data(), gains,
           [&](int i, T) { rows_.labels[begin + i] = int32_t(pending_); });
  }

  void visit_scattered(Worker& worker, int64_t begin, const int32_t* active, int m, double* gains) {
    T current[kBlockRows] = {};  // lanes without a row gain nothing
    double w[kBlockRows] = {};
    for (int i = 0; i < m; ++i) current[i] = distance_[begin + active[i]];
    if (rows_.weights)
      for (int i = 0; i < m; ++i) w[i] = rows_.weights[begin + active[i]];
    point_distances_.measure(begin, active, m, worker.scratch.data(), worker.out.data());
    settle(current, rows_.weights ? w : nullptr, worker.out.data(), gains, [&](int i, T lowered) {
      distance_[begin + active[i]] = lowered;
      rows_.labels[begin + active[i]] = int32_t(pending_);
    });
  }

  // D = min(D, distance to the pending seed), then the gain of each candidate. Calls
  // settled(lane, D) where D is lower now.
  template <class Settled>
  void settle(T* current, const double* weights, const T* out, double* gains, Settled settled) {
    int n_tried = int(points_.size());
    if (pending_ >= 0) {
      for (uint64_t bits = kernels_.lower(current, out); bits; bits &= bits - 1) {
        const int lane = std::countr_zero(bits);
        settled(lane, current[lane]);
      }
      out += kBlockRows;
      --n_tried;
    }
    kernels_.add_gains(current, out, n_tried, weights, rounder_, gains);
  }

  std::vector<double> collect(size_t n_tried) {
    if (pending_ >= 0) {
      stale_total_ = 0;
      for (const double p : potential_) stale_total_ += p;
      total_ = stale_total_;
      pending_ = -1;
    }
    std::vector<double> gain(n_tried, 0.0);
    for (int64_t shard = 0; shard < shards_.count(); ++shard)
      for (size_t p = 0; p < n_tried; ++p) gain[p] += gains_[shard * (n_candidates_ + 1) + p];
    return gain;
  }

  void choose(const std::vector<double>& gain) {
    const size_t n_candidates = gain.size();
    size_t best = 0;
    for (size_t p = 1; p < n_candidates; ++p)
      if (gain[p] > gain[best]) best = p;
    const int64_t row = points_[points_.size() - n_candidates + best];
    pending_ = int64_t(seeds_.size());
    seeds_.push_back(row);
    total_ = std::max(0.0, stale_total_ - gain[best]);
  }

  std::vector<int64_t> draw_candidates() {
    std::vector<int64_t> rows;
    for (int i = 0; i < n_candidates_; ++i) rows.push_back(draw_row());
    return rows;
  }

  // Time is up: the missing seeds at once, in row order, each row still with a probability
  // proportional to w * D. Fewer, where some rows have more than their share.
  void draw_the_rest() {
    if (pending_ >= 0) visit({});
    const double step = total_ / double(n_clusters_ - int64_t(seeds_.size()));
    double passed = 0, next = random_.uniform() * step;
    for (int64_t i = 0; i < rows_.n_rows && int64_t(seeds_.size()) < n_clusters_; ++i) {
      const double mass = weight(i) * double(distance_[i]);
      if (!(mass > 0) || (passed += mass) <= next) continue;
      seeds_.push_back(i);
      next += step * (1 + std::floor((passed - next) / step));
    }
  }

  // A row with probability proportional to w * D, D counting the pending seed.
  int64_t draw_row() {
    for (;;) {
      const int64_t row = draw_stale_row();
      if (pending_ < 0) return row;
      const T distance =
          point_distances_.between(row, seeds_[pending_], workers_[0].scratch.data());
      if (random_.uniform() * double(distance_[row]) < double(distance)) return row;
    }
  }

  int64_t draw_stale_row() {
    double left = random_.uniform() * stale_total_;
    int64_t shard = 0;
    for (; shard + 1 < shards_.count() && left >= potential_[shard]; ++shard)
      left -= potential_[shard];
    int64_t last = -1;  // the last row that can be drawn, should rounding run past the end
    for (int64_t i = shards_.begin(shard); i < shards_.end(shard); ++i) {
      const double mass = weight(i) * double(distance_[i]);
      if (mass <= 0) continue;
      last = i;
      if ((left -= mass) < 0) break;
    }
    return last >= 0 ? last : draw_stale_row();
  }

  R<T> rows_;
  PointDistances<R<T>> point_distances_;
  const Kernels<T>& kernels_;
  Philox random_;
  Shards shards_;
  int64_t n_clusters_;
  int n_candidates_;
  std::vector<T> distance_;        // D: squared distance to the nearest settled seed
  std::vector<double> potential_;  // per shard: sum of w * D
  std::vector<double> gains_;      // per shard and candidate
  std::vector<int64_t> seeds_;
  const Stopwatch watch_;
  int64_t pending_ = -1;         // index into seeds_ of the one not yet in D, or -1
  double stale_total_ = 0;       // potential of D
  double total_ = 0;             // potential with the pending seed counted
  double rounder_ = 0;           // of gains in this visit
  std::vector<int64_t> points_;  // rows tried in this visit
  std::vector<T> threshold_;
  std::vector<Worker> workers_;
};

}  // namespace

template <template <class> class R, class T>
std::vector<int64_t> seed_kmeans_plus_plus(const R<T>& rows, int64_t n_clusters, uint64_t seed,
                                           const Control& control) {
  return GreedySeeder<R, T>(rows, n_clusters, seed).run(control);
}

template std::vector<int64_t> seed_kmeans_plus_plus(const Rows<float>&, int64_t, uint64_t,
                                                    const Control&);
template std::vector<int64_t> seed_kmeans_plus_plus(const Rows<double>&, int64_t, uint64_t,
                                                    const Control&);
template std::vector<int64_t> seed_kmeans_plus_plus(const SparseRows<float>&, int64_t, uint64_t,
                                                    const Control&);
template std::vector<int64_t> seed_kmeans_plus_plus(const SparseRows<double>&, int64_t, uint64_t,
                                                    const Control&);

}  // namespace centroids
