#include "assign/hamerly_pass.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "assign/rounding.hpp"
#include "threads/pool.hpp"

namespace centroids {
namespace {

// From this many clusters on, one exact distance to the own center is cheap against a full search.
constexpr int64_t kTightenFrom = 24;
// Below this many clusters there is nothing to gain from looking at some of them first.
constexpr int64_t kFewClusters = 12;

// Rows that stay in the second-level cache while several tests look at them.
constexpr int64_t kCacheBytes = 512 * 1024;
// The distance to the own center comes first while it settles one row in so many.
constexpr int64_t kDistanceSettlesOneIn = 8;

// What fetching and packing a row costs, in comparisons with a center.
constexpr double kPackCost = 4;

// Squares below this lose digits in float32: rows so near to two centers stay in doubt.
constexpr float kTinySquare = 1e-36f;

// Bounds on the distance to the center of a score: |x - c|^2 = norm + 2 score.
float at_most(const Found& found, double score) {
  return round_up(std::sqrt(std::max(0.0, found.norm + 2 * score) + 2 * found.error));
}
float at_least(const Found& found, double score) {
  return round_down(std::sqrt(std::max(0.0, found.norm + 2 * score - 2 * found.error)));
}

double distance(const double* a, const double* b, int64_t n) {
  double sum = 0;
  for (int64_t t = 0; t < n; ++t) sum += (a[t] - b[t]) * (a[t] - b[t]);
  return std::sqrt(sum);
}

}  // namespace

template <class T>
HamerlyPass<T>::HamerlyPass(const Rows<T>& rows, int64_t n_clusters, std::vector<double> origin,
                            bool adaptive)
    : BruteForcePass<T>(rows, n_clusters, std::move(origin)),
      adaptive_(adaptive),
      score_error_(double(rows.n_features + 8) * double(std::numeric_limits<T>::epsilon()) / 2) {}

template <class T>
void HamerlyPass<T>::renumber(const std::vector<int32_t>& order) {
  BruteForcePass<T>::renumber(order);
  const Centers old = previous_;
  for (size_t j = 0; j < order.size(); ++j)
    std::copy_n(old.row(order[j]), old.n_features, previous_.row(int64_t(j)));
}

template <class T>
typename HamerlyPass<T>::Mode HamerlyPass<T>::choose_mode() const {
  if (has_bounds_) return Mode::use_bounds;
  if (!adaptive_) return Mode::set_bounds;
  const double share = double(this->sums_.n_changed()) / double(this->rows_.n_rows);
  return n_visits_ > 0 && share <= share_to_try_ ? Mode::set_bounds : Mode::search_all;
}

template <class T>
void HamerlyPass<T>::prepare(const Centers& centers, int n_workers) {
  mode_ = choose_mode();
  this->search_.want_second(mode_ != Mode::search_all);
  BruteForcePass<T>::prepare(centers, n_workers);
  centers_ = &centers;
  in_doubt_.resize(std::max<size_t>(in_doubt_.size(), n_workers));
  if (mode_ == Mode::set_bounds) {
    upper_.resize(this->rows_.n_rows);
    lower_.resize(this->rows_.n_rows);
  }
  if (mode_ == Mode::use_bounds) measure_motion(centers);
  if (mode_ != Mode::search_all) previous_ = centers;
}

// How far each center has moved, how far the others have, and how near its nearest neighbor is.
template <class T>
void HamerlyPass<T>::measure_motion(const Centers& centers) {
  const int64_t k = centers.n_clusters;
  own_shift_.resize(k);
  other_shift_.resize(k);
  neighbor_.assign(k, 0.0f);
  float largest = 0, second = 0;
  int64_t farthest = -1;
  for (int64_t j = 0; j < k; ++j) {
    own_shift_[j] = round_up(distance(centers.row(j), previous_.row(j), centers.n_features));
    if (own_shift_[j] > largest) {
      second = largest;
      largest = own_shift_[j];
      farthest = j;
    } else {
      second = std::max(second, own_shift_[j]);
    }
  }
  for (int64_t j = 0; j < k; ++j) other_shift_[j] = j == farthest ? second : largest;
  // Worth k^2 distances only where they are few against n * k.
  if (k * 16 <= this->rows_.n_rows) measure_neighbors(centers);
  // |score error| <= error * M * (u + 2 M) with M = largest |c - s| and |x - s| <= u + M; a label
  // is certain when lower^2 - upper^2 exceeds four times that (two scores, each half a squared
  // distance).
  choose_fast(centers);
  const double m = this->search_.pack().max_norm();
  motion_ = {own_shift_.data(), other_shift_.data(), neighbor_.data(),
             round_up(4 * score_error_ * m), round_up(8 * score_error_ * m * m) + kTinySquare};
}

// Splits the centers into fast and slow ones so that the expected work is least: a sample of the
// rows tells how many are in doubt for a given shift.
template <class T>
void HamerlyPass<T>::choose_fast(const Centers& centers) {
  const int64_t k = centers.n_clusters;
  fast_.clear();
  if (k < kFewClusters) return;
  std::vector<int32_t> by_shift(k);
  std::iota(by_shift.begin(), by_shift.end(), 0);
  std::sort(by_shift.begin(), by_shift.end(), [&](int32_t a, int32_t b) {
    return own_shift_[a] != own_shift_[b] ? own_shift_[a] > own_shift_[b] : a < b;
  });
  const std::vector<float> margins = sample_margins();
  const auto share_in_doubt = [&](float shift) {
    return double(std::upper_bound(margins.begin(), margins.end(), shift) - margins.begin()) /
           double(margins.size());
  };
  const double all_in_doubt = share_in_doubt(own_shift_[by_shift[0]]);
  const double full = kPackCost + this->search_.comparisons();
  double least = all_in_doubt * full;
  int64_t n_fast = 0;
  for (int64_t f = 1; f <= k / 2; f = std::max(f + 1, f * 3 / 2)) {
    const double work =
        all_in_doubt * (kPackCost + double(f)) + share_in_doubt(own_shift_[by_shift[f]]) * full;
    if (work >= least) continue;
    least = work;
    n_fast = f;
  }
  if (n_fast == 0) return;
  slow_shift_ = own_shift_[by_shift[n_fast]];
  fast_.assign(by_shift.begin(), by_shift.begin() + n_fast);
  std::sort(fast_.begin(), fast_.end());
  fast_pack_.pack_subset(centers, fast_.data(), n_fast, this->search_.pack(), this->kernels_);
}

// How far the other centers may move before a row is in doubt, for some rows, ascending.
template <class T>
std::vector<float> HamerlyPass<T>::sample_margins() const {
  const int64_t n = this->rows_.n_rows, step = std::max<int64_t>(1, n / 4096);
  std::vector<float> margins;
  for (int64_t i = 0; i < n; i += step)
    margins.push_back(lower_[i] - upper_[i] - own_shift_[this->rows_.labels[i]]);
  std::sort(margins.begin(), margins.end());
  return margins;
}

template <class T>
void HamerlyPass<T>::measure_neighbors(const Centers& centers) {
  const int64_t k = centers.n_clusters, d = centers.n_features;
  const std::vector<T> rows(centers.values.begin(), centers.values.end());
  const int64_t n_blocks = (k + kBlockRows - 1) / kBlockRows;
  const int n_threads =
      std::min<int>(this->search_.n_workers(),
                    worthwhile_threads(this->rows_.n_threads, double(k) * double(k) * double(d)));
  parallel_for(n_threads, n_blocks, [&](int worker, int64_t block) {
    const int64_t first = block * kBlockRows;
    const int n = int(std::min<int64_t>(kBlockRows, k - first));
    this->search_.find(worker, rows.data() + first * d, nullptr, n, [&](const Found& found) {
      const bool is_self = found.label == first + found.row;
      neighbor_[first + found.row] = at_least(found, is_self ? found.second_score : found.score);
    });
  });
}

template <class T>
int64_t HamerlyPass<T>::assign_shard(int worker, int64_t shard) {
  if (mode_ == Mode::search_all) return BruteForcePass<T>::assign_shard(worker, shard);
  const Shards& shards = this->sums_.shards();
  const int64_t begin = shards.begin(shard);
  const int n = int(shards.end(shard) - begin);
  if (mode_ == Mode::set_bounds) {
    const int64_t n_changed = search_rows(worker, shard, nullptr, n);
    if (this->sums_.is_full()) this->add_shard(worker, shard);
    return n_changed;
  }
  std::vector<int32_t>& rows = in_doubt_[worker];
  rows.resize(std::max<size_t>(rows.size(), n));
  int m = this->kernels_.advance_bounds(motion_, this->rows_.labels + begin, n,
                                        upper_.data() + begin, lower_.data() + begin, rows.data());
  m = drop_settled(worker, shard, rows.data(), m);
  const int64_t n_changed = search_rows(worker, shard, rows.data(), m);
  if (this->sums_.is_full()) this->add_shard(worker, shard);
  return n_changed;
}

template <class T>
bool HamerlyPass<T>::is_settled(int32_t cluster, float upper, float lower) const {
  const double u = upper, gap = std::max(lower, neighbor_[cluster] - upper);
  const double doubt = double(motion_.doubt_slope) * u + double(motion_.doubt);
  return gap > 0 && gap * gap * (1 - 1e-6) - u * u > doubt * (1 + 1e-6);
}

// Looks closer at the rows in doubt, cheap tests first, and keeps those that only a full search can
// settle. Some rows at a time go through all tests, so that they are fetched from memory once.
template <class T>
int HamerlyPass<T>::drop_settled(int worker, int64_t shard, int32_t* rows, int n) {
  const bool tightens = this->n_clusters_ >= kTightenFrom;
  if (!tightens && fast_.empty()) return n;
  const int64_t fits = kCacheBytes / (this->rows_.n_features * int64_t(sizeof(T)) * kBlockRows);
  const int chunk = int(std::clamp<int64_t>(fits, 1, 16) * kBlockRows);
  int kept = 0;
  for (int first = 0; first < n; first += chunk) {
    int m = std::min(chunk, n - first);
    std::copy_n(rows + first, m, rows + kept);
    int32_t* part = rows + kept;
    if (tightens && distance_first_) {
      const int left = drop_by_distance(shard, part, m);
      n_settled_by_distance_ += m - left;
      n_tried_by_distance_ += m;
      m = left;
    }
    if (!fast_.empty()) m = drop_by_fast(worker, shard, part, m);
    if (tightens && !distance_first_) m = drop_by_distance(shard, part, m);
    kept += m;
  }
  return kept;
}

// Replaces the upper bounds of these rows by their distances and keeps the rows still in doubt.
template <class T>
int HamerlyPass<T>::drop_by_distance(int64_t shard, int32_t* rows, int n) {
  const int64_t begin = this->sums_.shards().begin(shard);
  int kept = 0;
  for (int first = 0; first < n; first += kBlockRows) {
    const int m = std::min(kBlockRows, n - first);
    int32_t labels[kBlockRows];
    double squared[kBlockRows];
    for (int i = 0; i < m; ++i) labels[i] = this->rows_.labels[begin + rows[first + i]];
    this->kernels_.squared_distances(this->rows_.row(begin), this->rows_.n_features, rows + first,
                                     m, centers_->values.data(), labels, squared);
    for (int i = 0; i < m; ++i) {
      const int32_t row = rows[first + i];
      const float u = round_up(std::sqrt(squared[i]));
      upper_[begin + row] = u;
      const float l = lower_[begin + row] * (1.0f - 0x1p-22f) - other_shift_[labels[i]];
      if (is_settled(labels[i], u, l))
        lower_[begin + row] = l;
      else
        rows[kept++] = row;
    }
  }
  return kept;
}

// Compares the rows with the fast centers only and keeps those still in doubt.
template <class T>
int HamerlyPass<T>::drop_by_fast(int worker, int64_t shard, int32_t* rows, int n) {
  const int64_t begin = this->sums_.shards().begin(shard);
  int kept = 0;
  for (int first = 0; first < n; first += kBlockRows) {
    const int m = std::min(kBlockRows, n - first);
    alignas(64) T norms[kBlockRows];
    const BlockNearest<T>& nearest =
        this->search_.search_block(worker, this->rows_.row(begin), rows + first, m,
                                   fast_pack_.view(), Search::with_second_score);
    this->search_.block_norms(worker, norms);
    for (int i = 0; i < m; ++i) {
      const int32_t row = rows[first + i], label = this->rows_.labels[begin + row];
      const bool is_own = fast_[nearest.label[i]] == label;
      const double norm = double(norms[i]);
      const Found found{row,
                        label,
                        norm,
                        double(nearest.score[i]),
                        double(nearest.second_score[i]),
                        this->search_.tile_error(norm)};
      const float fast = at_least(found, is_own ? found.second_score : found.score);
      const float slow = lower_[begin + row] * (1.0f - 0x1p-22f) - slow_shift_;
      const float l = std::min(fast, slow);
      if (is_settled(label, upper_[begin + row], l))
        lower_[begin + row] = l;
      else
        rows[kept++] = row;
    }
  }
  return kept;
}

template <class T>
int64_t HamerlyPass<T>::search_rows(int worker, int64_t shard, const int32_t* rows, int n) {
  const int64_t begin = this->sums_.shards().begin(shard);
  int64_t n_changed = 0;
  this->search_.find(worker, this->rows_.row(begin), rows, n, [&](const Found& found) {
    upper_[begin + found.row] = at_most(found, found.score);
    lower_[begin + found.row] = at_least(found, found.second_score);
    n_changed += this->set_label(shard, begin + found.row, found.label);
  });
  return n_changed;
}

// Bounds that cost more than they save are given up until only half as many rows move.
template <class T>
void HamerlyPass<T>::finish(double seconds) {
  ++n_visits_;
  if (mode_ == Mode::use_bounds)  // looked at again from time to time
    distance_first_ =
        n_visits_ % 8 == 0 || n_settled_by_distance_ * kDistanceSettlesOneIn > n_tried_by_distance_;
  n_tried_by_distance_ = n_settled_by_distance_ = 0;
  if (mode_ == Mode::search_all || all_seconds_ == 0) all_seconds_ = seconds;
  if (mode_ == Mode::set_bounds) has_bounds_ = true;
  if (mode_ != Mode::use_bounds || !adaptive_ || seconds <= all_seconds_) return;
  has_bounds_ = false;
  share_to_try_ =
      std::min(share_to_try_, double(this->sums_.n_changed()) / double(this->rows_.n_rows)) / 2;
}

template class HamerlyPass<float>;
template class HamerlyPass<double>;

}  // namespace centroids
