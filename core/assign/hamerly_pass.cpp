#include "assign/hamerly_pass.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/rounding.hpp"
#include "renumber.hpp"
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

// Costs in the unit of search_cost.hpp. Of the second best score, as a share of the comparison; of
// a label; of making bounds, of the first time that they are written, and of moving them; of a row
// that is listed, not one of many that follow one another; of a test and its outcome.
constexpr double kSecond = 0.2, kLabel = 40, kMakeBounds = 80, kFirstWrite = 400, kMoveBounds = 140,
                 kGather = 400, kTest = 150;

// One row in so many is in the sample, which has at most so many rows, and of wide rows fewer: so
// many bytes a row of all, but no less than a few centers take.
constexpr int64_t kSampleOneIn = 64, kSmallestSample = 32, kLargestSample = 4096,
                  kSampleBytesARow = 8, kWideSample = 256;
constexpr int kSampleBlock = 4 * kBlockRows;

// Squares below this lose digits in float32: rows so near to two centers stay in doubt.
constexpr float kTinySquare = 1e-36f;

double distance(const double* a, const double* b, int64_t n) {
  double sum = 0;
  for (int64_t t = 0; t < n; ++t) sum += (a[t] - b[t]) * (a[t] - b[t]);
  return std::sqrt(sum);
}

}  // namespace

template <class T>
HamerlyPass<T>::HamerlyPass(const Rows<T>& rows, int64_t n_clusters, std::vector<double> origin,
                            bool adaptive)
    : BruteForcePass<T>(rows, n_clusters, std::move(origin)), adaptive_(adaptive) {}

template <class T>
void HamerlyPass<T>::renumber(const std::vector<int32_t>& order) {
  BruteForcePass<T>::renumber(order);
  centroids::renumber(previous_, order);
  const std::vector<int32_t> number = new_numbers(order);
  for (int32_t& label : sample_.labels) label = number[label];
}

template <class T>
void HamerlyPass<T>::prepare(const Centers& centers, int n_workers) {
  BruteForcePass<T>::prepare(centers, n_workers);
  centers_ = &centers;
  workers_.resize(std::max<size_t>(workers_.size(), n_workers));
  mode_ = choose_mode(centers);
  this->search_.want_bounds(mode_ != Mode::search_all);
  if (mode_ == Mode::set_bounds) {
    upper_.resize(this->rows_.n_rows);
    lower_.resize(this->rows_.n_rows);
  }
  if (mode_ == Mode::use_bounds) measure_motion(centers, rows_from(0), this->rows_.n_rows);
  previous_ = centers;
}

template <class T>
typename HamerlyPass<T>::Mode HamerlyPass<T>::choose_mode(const Centers& centers) {
  if (has_bounds_) return Mode::use_bounds;
  if (!adaptive_) return Mode::set_bounds;
  if (sample_.n_rows == 0) start_sample();
  const bool had_bounds = sample_.has_bounds;
  const VisitCounts counts = visit_sample(centers);
  return had_bounds && balance_.would_have_paid(costs(), counts, sample_.n_rows) ? Mode::set_bounds
                                                                                 : Mode::search_all;
}

template <class T>
void HamerlyPass<T>::start_sample() {
  const int64_t n = this->rows_.n_rows, d = this->rows_.n_features;
  const int64_t width = d * int64_t(sizeof(T));
  const int64_t wanted = std::min(
      std::clamp(n / kSampleOneIn, kSmallestSample, kLargestSample),
      std::max(kWideSample, int64_t(double(n) * double(kSampleBytesARow) / double(width))));
  const int64_t step = std::max<int64_t>(1, n / wanted);
  sample_.n_rows = (n + step - 1) / step;
  sample_.x.resize(sample_.n_rows * d);
  for (int64_t i = 0; i < sample_.n_rows; ++i)
    std::copy_n(this->rows_.row(i * step), d, sample_.x.data() + i * d);
  sample_.labels.resize(sample_.n_rows);
  sample_.upper.resize(sample_.n_rows);
  sample_.lower.resize(sample_.n_rows);
}

// What the bounds of the sample cost in this visit.
template <class T>
VisitCounts HamerlyPass<T>::visit_sample(const Centers& centers) {
  const int64_t n = sample_.n_rows, d = centers.n_features;
  this->search_.want_bounds(true);
  if (sample_.has_bounds) measure_motion(centers, sample_.from(0, d), n);
  const int n_threads =
      std::min<int>(this->search_.n_workers(),
                    worthwhile_threads(this->rows_.n_threads,
                                       double(n) * double(d) * double(centers.n_clusters + 4)));
  parallel_for(n_threads, (n + kSampleBlock - 1) / kSampleBlock, [&](int worker, int64_t block) {
    const int64_t first = block * kSampleBlock;
    const BoundedRows<T> rows = sample_.from(first, d);
    const int m = int(std::min<int64_t>(kSampleBlock, n - first));
    const auto set_label = [&](int32_t row, int32_t label) { rows.labels[row] = label; };
    if (sample_.has_bounds)
      use_bounds(worker, rows, m, set_label);
    else
      search_rows(worker, rows, nullptr, m, set_label);
  });
  sample_.has_bounds = true;
  return take_counts();
}

// The workers' counts, which begin anew.
template <class T>
VisitCounts HamerlyPass<T>::take_counts() {
  VisitCounts counts;
  for (Worker& worker : workers_) {
    counts.add(worker.counts);
    worker.counts = {};
  }
  // Which test comes first is looked at again from time to time.
  distance_first_ =
      n_visits_ % 8 == 0 || counts.settled_by_distance * kDistanceSettlesOneIn > counts.distances;
  return counts;
}

template <class T>
VisitCosts HamerlyPass<T>::costs() const {
  const TileCost<T> tile(this->kernels_.tile_costs, this->rows_.n_features);
  const SearchCost nearest = this->search_.cost();
  const double search = nearest.sum() + kLabel;
  const double with_bounds = search + kSecond * nearest.compare + kMakeBounds;
  const double test = 2 * tile.read() + kGather + kTest;
  return {.search_all = search,
          .set_bounds = with_bounds + kFirstWrite,
          .advance = kMoveBounds,
          .search = with_bounds + tile.read() + kGather,
          .distance = test + 2 * tile.score(),
          .fast = test + tile.pack() + double(fast_.size()) * tile.score() + kMakeBounds};
}

// How far each center has moved, how far the others have, and how near its nearest neighbor is.
template <class T>
void HamerlyPass<T>::measure_motion(const Centers& centers, const BoundedRows<T>& rows, int64_t n) {
  const int64_t k = centers.n_clusters;
  moved_.assign(k, {});
  float largest = 0, second = 0;
  int64_t farthest = -1;
  for (int64_t j = 0; j < k; ++j) {
    const float shift = round_up(distance(centers.row(j), previous_.row(j), centers.n_features));
    moved_[j].own_shift = shift;
    if (shift > largest) {
      second = largest;
      largest = shift;
      farthest = j;
    } else {
      second = std::max(second, shift);
    }
  }
  for (int64_t j = 0; j < k; ++j) moved_[j].other_shift = j == farthest ? second : largest;
  // Worth k^2 distances only where they are few against n * k.
  if (k * 64 <= this->rows_.n_rows) measure_neighbors(centers);
  // |score error| <= error * M * (u + 2 M) with M = largest |c - s| and |x - s| <= u + M; a label
  // is certain when lower^2 - upper^2 exceeds four times that (two scores, each half a squared
  // distance).
  choose_fast(centers, rows, n);
  const double m = this->search_.pack().max_norm(), error = this->search_.score_error();
  motion_ = {moved_.data(), round_up(4 * error * m), round_up(8 * error * m * m) + kTinySquare};
}

// Splits the centers into fast and slow ones so that the expected work is least: a sample of the
// rows tells how many are in doubt for a given shift.
template <class T>
void HamerlyPass<T>::choose_fast(const Centers& centers, const BoundedRows<T>& rows, int64_t n) {
  const int64_t k = centers.n_clusters;
  fast_.clear();
  if (k < kFewClusters) return;
  std::vector<int32_t> by_shift(k);
  std::iota(by_shift.begin(), by_shift.end(), 0);
  std::sort(by_shift.begin(), by_shift.end(), [&](int32_t a, int32_t b) {
    const float x = moved_[a].own_shift, y = moved_[b].own_shift;
    return x != y ? x > y : a < b;
  });
  const std::vector<float> margins = sample_margins(rows, n);
  const auto share_in_doubt = [&](float shift) {
    return double(std::upper_bound(margins.begin(), margins.end(), shift) - margins.begin()) /
           double(margins.size());
  };
  const double all_in_doubt = share_in_doubt(moved_[by_shift[0]].own_shift);
  const VisitCosts cost = costs();
  const double score = TileCost<T>(this->kernels_.tile_costs, centers.n_features).score();
  double least = all_in_doubt * cost.search;
  int64_t n_fast = 0;
  for (int64_t f = 1; f <= k / 2; f = std::max(f + 1, f * 3 / 2)) {
    const double work = all_in_doubt * (cost.fast + double(f) * score) +
                        share_in_doubt(moved_[by_shift[f]].own_shift) * cost.search;
    if (work >= least) continue;
    least = work;
    n_fast = f;
  }
  if (n_fast == 0) return;
  slow_shift_ = moved_[by_shift[n_fast]].own_shift;
  fast_.assign(by_shift.begin(), by_shift.begin() + n_fast);
  std::sort(fast_.begin(), fast_.end());
  fast_pack_.pack_subset(centers, fast_.data(), n_fast, this->search_.pack(), this->kernels_);
}

// How far the other centers may move before a row is in doubt, for some rows, ascending.
template <class T>
std::vector<float> HamerlyPass<T>::sample_margins(const BoundedRows<T>& rows, int64_t n) const {
  const int64_t step = std::max<int64_t>(1, n / kLargestSample);
  std::vector<float> margins;
  for (int64_t i = 0; i < n; i += step)
    margins.push_back(rows.lower[i] - rows.upper[i] - moved_[rows.labels[i]].own_shift);
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
      // A center that is not its own nearest has one at the same place.
      if (found.label == first + found.row) moved_[found.label].neighbor = found.lower;
    });
  });
}

template <class T>
int64_t HamerlyPass<T>::assign_shard(int worker, int64_t shard) {
  if (mode_ == Mode::search_all) return BruteForcePass<T>::assign_shard(worker, shard);
  const Shards& shards = this->sums_.shards();
  const int64_t begin = shards.begin(shard);
  const int n = int(shards.end(shard) - begin);
  int64_t n_changed = 0;
  const auto set_label = [&](int32_t row, int32_t label) {
    n_changed += this->set_label(shard, begin + row, label);
  };
  if (mode_ == Mode::set_bounds)
    search_rows(worker, rows_from(begin), nullptr, n, set_label);
  else
    use_bounds(worker, rows_from(begin), n, set_label);
  if (this->sums_.is_full()) this->add_shard(worker, shard);
  return n_changed;
}

template <class T>
template <class F>
void HamerlyPass<T>::use_bounds(int worker, const BoundedRows<T>& rows, int n, F set_label) {
  std::vector<int32_t>& listed = workers_[worker].in_doubt;
  listed.resize(std::max<size_t>(listed.size(), n));
  int m =
      this->kernels_.advance_bounds(motion_, rows.labels, n, rows.upper, rows.lower, listed.data());
  m = drop_settled(worker, rows, listed.data(), m);
  workers_[worker].counts.searched += m;
  search_rows(worker, rows, listed.data(), m, set_label);
}

template <class T>
template <class F>
void HamerlyPass<T>::search_rows(int worker, const BoundedRows<T>& rows, const int32_t* listed,
                                 int n, F set_label) {
  this->search_.find(worker, rows.x, listed, n, [&](const Found& found) {
    rows.upper[found.row] = found.upper;
    rows.lower[found.row] = found.lower;
    if (rows.labels[found.row] != found.label) set_label(found.row, found.label);
  });
}

template <class T>
bool HamerlyPass<T>::is_settled(int32_t cluster, float upper, float lower) const {
  const double u = upper, gap = std::max(lower, moved_[cluster].neighbor - upper);
  const double doubt = double(motion_.doubt_slope) * u + double(motion_.doubt);
  return (gap > 0) & (gap * gap * (1 - 1e-6) - u * u > doubt * (1 + 1e-6));
}

// Looks closer at the rows in doubt, cheap tests first, and keeps those that only a full search can
// settle. Some rows at a time go through all tests, so that they are fetched from memory once.
template <class T>
int HamerlyPass<T>::drop_settled(int worker, const BoundedRows<T>& rows, int32_t* listed, int n) {
  const bool tightens = this->n_clusters_ >= kTightenFrom;
  if (!tightens && fast_.empty()) return n;
  VisitCounts& counts = workers_[worker].counts;
  const auto by_distance = [&](int32_t* part, int m) {
    const int left = drop_by_distance(rows, part, m);
    counts.distances += m;
    counts.settled_by_distance += m - left;
    return left;
  };
  const int64_t fits = kCacheBytes / (this->rows_.n_features * int64_t(sizeof(T)) * kBlockRows);
  const int chunk = int(std::clamp<int64_t>(fits, 1, 16) * kBlockRows);
  int kept = 0;
  for (int first = 0; first < n; first += chunk) {
    int m = std::min(chunk, n - first);
    std::copy_n(listed + first, m, listed + kept);
    int32_t* part = listed + kept;
    if (tightens && distance_first_) m = by_distance(part, m);
    if (!fast_.empty()) {
      counts.fast += m;
      m = drop_by_fast(worker, rows, part, m);
    }
    if (tightens && !distance_first_) m = by_distance(part, m);
    kept += m;
  }
  return kept;
}

// Replaces the upper bounds of these rows by their distances and keeps the rows still in doubt.
template <class T>
int HamerlyPass<T>::drop_by_distance(const BoundedRows<T>& rows, int32_t* listed, int n) {
  int kept = 0;
  for (int first = 0; first < n; first += kBlockRows) {
    const int m = std::min(kBlockRows, n - first);
    int32_t labels[kBlockRows];
    double squared[kBlockRows];
    for (int i = 0; i < m; ++i) labels[i] = rows.labels[listed[first + i]];
    this->kernels_.squared_distances(rows.x, this->rows_.n_features, listed + first, m,
                                     centers_->values.data(), labels, squared);
    for (int i = 0; i < m; ++i) {
      const int32_t row = listed[first + i];
      const float u = round_up(std::sqrt(squared[i]));
      rows.upper[row] = u;
      const float before = rows.lower[row];
      const float l = before * kDown - moved_[labels[i]].other_shift;
      // No branches: nobody can foresee them.
      const bool settled = is_settled(labels[i], u, l);
      rows.lower[row] = settled ? l : before;
      listed[kept] = row;
      kept += !settled;
    }
  }
  return kept;
}

// Compares the rows with the fast centers only and keeps those still in doubt.
template <class T>
int HamerlyPass<T>::drop_by_fast(int worker, const BoundedRows<T>& rows, int32_t* listed, int n) {
  int kept = 0;
  for (int first = 0; first < n; first += kBlockRows) {
    const auto some = RowBlock<T>::at(rows.x, this->rows_.n_features, listed, first, n);
    const int m = some.n;
    const BlockNearest<T>& nearest =
        this->search_.search_block(worker, some, fast_pack_.view(), Search::with_second_score);
    alignas(64) T other_score[kBlockRows] = {};
    alignas(64) float upper[kBlockRows], lower[kBlockRows];
    for (int i = 0; i < m; ++i) {
      const bool is_own = fast_[nearest.label[i]] == rows.labels[listed[first + i]];
      other_score[i] = is_own ? nearest.second_score[i] : nearest.score[i];
    }
    this->search_.bound_block(worker, nearest.score, other_score, upper, lower);
    for (int i = 0; i < m; ++i) {
      const int32_t row = listed[first + i], label = rows.labels[row];
      const float before = rows.lower[row];
      const float l = std::min(lower[i], before * kDown - slow_shift_);
      const bool settled = is_settled(label, rows.upper[row], l);
      rows.lower[row] = settled ? l : before;
      listed[kept] = row;
      kept += !settled;
    }
  }
  return kept;
}

template <class T>
void HamerlyPass<T>::finish() {
  ++n_visits_;
  if (mode_ == Mode::set_bounds) {
    has_bounds_ = true;
    sample_.has_bounds = false;
  }
  if (mode_ != Mode::use_bounds) return;
  const VisitCounts counts = take_counts();
  if (adaptive_ && balance_.has_lost(costs(), counts, this->rows_.n_rows)) has_bounds_ = false;
}

template class HamerlyPass<float>;
template class HamerlyPass<double>;

}  // namespace centroids
