// Greedy k-means++, pruned (seed_distances.hpp) and with one visit of the rows per center, drawing
// from the exact distribution of the plain method: the squared distances D are brought up to date
// with the last center in the same visit that tries the next candidates. Candidates are therefore
// drawn with the D of one center ago and accepted with probability D_now / D_then: rejection
// sampling. The deferred update is ours.
#include <algorithm>
#include <cmath>

#include "last_visits.hpp"
#include "random.hpp"
#include "seeding/seed_distances.hpp"
#include "seeding/seeding.hpp"

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
        random_(seed, kStream),
        n_clusters_(n_clusters),
        n_candidates_(2 + int(std::log(double(n_clusters)))),
        distances_(rows, n_clusters, n_candidates_) {}

  std::vector<int64_t> run(const Control& control) {
    add(draw_first());
    visit({});
    while (int64_t(seeds_.size()) < n_clusters_ &&
           !control.stop(kLastVisits * seconds_of_assignment())) {
      if (potential_ < kStaleEnough * distances_.total()) visit({});
      if (!(potential_ > 0)) {  // every row lies on a seed: any row is as good as another
        seeds_.push_back(int64_t(random_.below(uint64_t(rows_.n_rows))));
        continue;
      }
      const std::vector<int64_t> candidates = draw_candidates();
      choose(candidates, visit(candidates));
    }
    if (int64_t(seeds_.size()) < n_clusters_) draw_the_rest();
    return std::move(seeds_);
  }

 private:
  static constexpr int64_t kNone = SeedDistances<R, T>::kNone;

  // What it will take to compare all rows with all centers, by what the seeds have taken: each is
  // chosen among candidates, and so compared more than once.
  double seconds_of_assignment() const {
    const double n_compared = double(seeds_.size()) * double(n_candidates_ + 1);
    return watch_.seconds() * double(n_clusters_) / n_compared;
  }

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

  void add(int64_t row) {
    seeds_.push_back(row);
    pending_ = row;
  }

  // Brings D up to date and returns the gains of the candidates.
  std::vector<double> visit(const std::vector<int64_t>& candidates) {
    const std::vector<double> gains = distances_.visit(pending_, candidates);
    if (pending_ != kNone) potential_ = distances_.total();
    pending_ = kNone;
    return gains;
  }

  // The candidate of the largest gain is the next seed.
  void choose(const std::vector<int64_t>& candidates, const std::vector<double>& gains) {
    const auto largest = std::max_element(gains.begin(), gains.end());
    add(candidates[largest - gains.begin()]);
    potential_ = std::max(0.0, distances_.total() - *largest);
  }

  std::vector<int64_t> draw_candidates() {
    std::vector<int64_t> rows;
    for (int i = 0; i < n_candidates_; ++i) rows.push_back(draw_row());
    return rows;
  }

  // A row with probability proportional to w * D, D counting the pending seed.
  int64_t draw_row() {
    for (;;) {
      const int64_t row = draw_stale_row();
      if (pending_ == kNone) return row;
      if (random_.uniform() * distances_.of(row) < distances_.between(row, pending_)) return row;
    }
  }

  int64_t draw_stale_row() {
    for (;;) {
      const int64_t row = distances_.row_at(random_.uniform() * distances_.total());
      if (row != kNone) return row;
    }
  }

  // Time is up: the missing seeds at once, in row order, each row still with a probability
  // proportional to w * D. Fewer, where some rows have more than their share.
  void draw_the_rest() {
    if (pending_ != kNone) visit({});
    const double step = potential_ / double(n_clusters_ - int64_t(seeds_.size()));
    double passed = 0, next = random_.uniform() * step;
    for (int64_t i = 0; i < rows_.n_rows && int64_t(seeds_.size()) < n_clusters_; ++i) {
      const double mass = distances_.weighted(i);
      if (!(mass > 0) || (passed += mass) <= next) continue;
      seeds_.push_back(i);
      next += step * (1 + std::floor((passed - next) / step));
    }
  }

  R<T> rows_;
  const Stopwatch watch_;
  Philox random_;
  int64_t n_clusters_;
  int n_candidates_;
  SeedDistances<R, T> distances_;  // D
  std::vector<int64_t> seeds_;
  int64_t pending_ = kNone;  // the seed not yet in D
  double potential_ = 0;     // sum of w * D, the pending seed counted
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
