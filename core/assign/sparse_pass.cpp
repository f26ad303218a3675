#include "assign/sparse_pass.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "assign/farthest.hpp"
#include "renumber.hpp"
#include "threads/pool.hpp"
#include "update/compensated.hpp"

namespace centroids {

template <class T>
void SparseCenters<T>::pack(const Centers& centers) {
  constexpr int64_t kLine = 64 / int64_t(sizeof(T));
  const int64_t k = centers.n_clusters, d = centers.n_features;
  centers_ = &centers;
  view_.lines = k <= kLine ? 1 : k <= 2 * kLine ? 2 : 4;
  const int64_t group = view_.lines * kLine;
  view_.n_groups = (k + group - 1) / group;
  packed_.resize(n_lanes() * d);
  half_norms_.resize(n_lanes());
  std::fill_n(half_norms_.data(), n_lanes(), std::numeric_limits<T>::infinity());
  exact_half_norms_ = squared_norms(centers);
  max_norm_ = 0;
  for (int64_t j = 0; j < n_lanes(); ++j) {
    T* lane = packed_.data() + j / group * group * d + j % group;
    for (int64_t t = 0; t < d; ++t) lane[t * group] = j < k ? T(centers.row(j)[t]) : T(0);
    if (j >= k) continue;
    max_norm_ = std::max(max_norm_, std::sqrt(exact_half_norms_[j]));
    exact_half_norms_[j] /= 2;
    half_norms_.data()[j] = T(exact_half_norms_[j]);
  }
  view_.packed = packed_.data();
  view_.half_norms = half_norms_.data();
}

template <class T>
void SparseCenters<T>::score(const SparseRow<T>& row, T* scores) const {
  kernels<T>().sparse_scores(row.values, row.columns, row.n_entries, centers_->n_features, view_,
                             scores);
}

template <class T>
SparseNearest SparseCenters<T>::nearest(const SparseRow<T>& row, T* scores,
                                        double most_doubt) const {
  score(row, scores);
  const int32_t k = int32_t(centers_->n_clusters);
  SparseNearest best{0, -1};
  T second = std::numeric_limits<T>::infinity();
  for (int32_t j = 1; j < k; ++j) {
    if (scores[j] < scores[best.label]) {
      second = scores[best.label];
      best = {j, best.label};
    } else if (best.second_label < 0 || scores[j] < second) {
      second = scores[j];
      best.second_label = j;
    }
  }
  // False for whatever is not a number.
  const double lead = double(second) - double(scores[best.label]);
  if (k == 1 || lead > 2 * most_doubt) return best;
  const double error = doubt(std::sqrt(squared_norm(row)), double(row.n_entries));
  return lead > 2 * error ? best : settle(row, scores, double(second) + 2 * error);
}

// |error of a score| <= (n + 2) eps (|x| |c| + |c|^2 / 2), for n rounded steps (Higham, Accuracy
// and Stability of Numerical Algorithms, 2002, section 3.1); the baseline rounds twice a step.
template <class T>
double SparseCenters<T>::doubt(double norm, double n_entries) const {
  return (n_entries + 2) * double(std::numeric_limits<T>::epsilon()) * (norm + max_norm_) *
         max_norm_;
}

template <class T>
SparseNearest SparseCenters<T>::settle(const SparseRow<T>& row, const T* scores,
                                       double limit) const {
  SparseNearest best{-1, -1};
  double nearest = 0, second = 0;
  for (int32_t j = 0; j < int32_t(centers_->n_clusters); ++j) {
    if (double(scores[j]) > limit) continue;  // what is not a number is not known to be
    const double distance =
        squared_distance(row, centers_->row(j), 2 * exact_half_norms_[j], centers_->n_features);
    if (best.label < 0 || distance < nearest) {
      best = {j, best.label};
      second = nearest;
      nearest = distance;
    } else if (best.second_label < 0 || distance < second) {
      best.second_label = j;
      second = distance;
    }
  }
  return best;
}

template <class T>
SparsePass<T>::SparsePass(const SparseRows<T>& rows, int64_t n_clusters, std::vector<double> origin)
    : rows_(rows), origin_(std::move(origin)), total_(n_clusters, rows.n_features) {
  std::fill_n(rows_.labels, rows_.n_rows, -1);
}

namespace {

constexpr double kOutward = 1e-6;  // more than a float rounds

float upward(double value) {
  return float(value * (1 + kOutward)) + std::numeric_limits<float>::min();
}

// Never infinite: what a lower bound loses as the centers move would not show.
float downward(double value) {
  const double finite = std::min(value * (1 - kOutward), double(std::numeric_limits<float>::max()));
  return float(finite) - std::numeric_limits<float>::min();
}

// Moves the bounds along with the centers. Whether they prove that the row keeps its label: no
// other score comes near its own by what rounding may change.
bool advance(SparseBounds& bounds, int64_t i, int32_t label, double doubt) {
  const double upper = bounds.upper[i] = upward(double(bounds.upper[i]) + bounds.own_shift[label]);
  const double lower = bounds.lower[i] =
      downward(double(bounds.lower[i]) - bounds.other_shift[label]);
  return lower > upper &&
         (lower - upper) * (lower + upper) > 8 * (doubt + kOutward * upper * upper);
}

// |x - c|^2 = |x|^2 + 2 score.
template <class T>
void set_bounds(SparseBounds& bounds, int64_t i, const SparseRow<T>& row, const T* scores,
                const SparseNearest& found, double doubt) {
  const double norm = squared_norm(row);
  const double noise =
      2 * doubt + 4 * bounds.most_entries * std::numeric_limits<double>::epsilon() * norm;
  const double own = norm + 2 * double(scores[found.label]);
  bounds.upper[i] = upward(std::sqrt(std::max(0.0, own + noise)));
  bounds.lower[i] = std::numeric_limits<float>::infinity();
  if (found.second_label < 0) return;
  const double other = norm + 2 * double(scores[found.second_label]);
  bounds.lower[i] = downward(std::sqrt(std::max(0.0, other - noise)));
}

}  // namespace

template <class T>
int64_t SparsePass<T>::label(const SparseRows<T>& rows, const SparseCenters<T>& centers,
                             std::vector<char>& touched, SparseBounds* bounds) {
  const double doubt = bounds ? centers.doubt(bounds->largest_norm, bounds->most_entries)
                              : std::numeric_limits<double>::infinity();
  const Shards shards(rows.n_rows, kBlockRows);
  const int n_threads =
      worthwhile_threads(rows.n_threads, rows.n_entries() * double(centers.n_lanes()) / 4);
  std::vector<AlignedBuffer<T>> scores(n_threads);
  std::vector<std::vector<char>> touched_by(n_threads, std::vector<char>(touched.size()));
  std::vector<int64_t> n_changed(shards.count());
  parallel_for(n_threads, shards.count(), [&](int worker, int64_t shard) {
    scores[worker].resize(centers.n_lanes());
    for (int64_t i = shards.begin(shard); i < shards.end(shard); ++i) {
      const int32_t old_label = rows.labels[i];
      if (bounds && !bounds->own_shift.empty() && advance(*bounds, i, old_label, doubt)) continue;
      const SparseNearest found = centers.nearest(rows.row(i), scores[worker].data(), doubt);
      const int32_t label = found.label;
      if (bounds) set_bounds(*bounds, i, rows.row(i), scores[worker].data(), found, doubt);
      if (label == old_label) continue;
      rows.labels[i] = label;
      ++n_changed[shard];
      if (touched.empty()) continue;
      touched_by[worker][label] = 1;
      if (old_label >= 0) touched_by[worker][old_label] = 1;
    }
  });
  for (const auto& flags : touched_by)
    for (size_t j = 0; j < flags.size(); ++j) touched[j] |= flags[j];
  return std::accumulate(n_changed.begin(), n_changed.end(), int64_t(0));
}

template <class T>
void SparsePass<T>::assign(const Centers& centers, Partials& out) {
  centers_.pack(centers);
  std::vector<char> touched(centers.n_clusters);
  measure_shifts(centers);
  const int64_t n_changed = label(rows_, centers_, touched, &bounds_);
  previous_ = centers;
  if (n_changed > 0) sum_again(touched);
  out = total_;
  out.n_changed = n_changed;
}

template <class T>
void SparsePass<T>::measure_shifts(const Centers& centers) {
  if (bounds_.upper.empty()) {
    bounds_.upper.resize(rows_.n_rows);
    bounds_.lower.resize(rows_.n_rows);
    for (int64_t i = 0; i < rows_.n_rows; ++i) {
      const SparseRow<T> row = rows_.row(i);
      bounds_.largest_norm = std::max(bounds_.largest_norm, std::sqrt(squared_norm(row)));
      bounds_.most_entries = std::max(bounds_.most_entries, double(row.n_entries));
    }
    return;
  }
  const int64_t k = centers.n_clusters, d = centers.n_features;
  std::vector<float>& shift = bounds_.own_shift;
  shift.assign(k, 0);
  int64_t farthest = 0;
  for (int64_t j = 0; j < k; ++j) {
    double squares = 0;
    for (int64_t t = 0; t < d; ++t) {
      const double gap = centers.row(j)[t] - previous_.row(j)[t];
      squares += gap * gap;
    }
    shift[j] = upward(std::sqrt(squares));
    if (shift[j] > shift[farthest]) farthest = j;
  }
  float second = 0;
  for (int64_t j = 0; j < k; ++j)
    if (j != farthest) second = std::max(second, shift[j]);
  bounds_.other_shift.assign(k, shift[farthest]);
  bounds_.other_shift[farthest] = second;
}

// The clusters that changed are summed anew, each by one thread in row order: no number of threads
// changes a sum, and no drift builds up. With what rounding takes from a sum beside it, so that the
// mean of equal rows is such a row.
template <class T>
void SparsePass<T>::sum_again(const std::vector<char>& touched) {
  const int64_t k = total_.n_clusters, d = total_.n_features;
  std::vector<int64_t> start(k + 1), list(rows_.n_rows);  // rows by cluster, in row order
  for (int64_t i = 0; i < rows_.n_rows; ++i) ++start[rows_.labels[i] + 1];
  std::partial_sum(start.begin(), start.end(), start.begin());
  std::vector<int64_t> next = start;
  for (int64_t i = 0; i < rows_.n_rows; ++i) list[next[rows_.labels[i]]++] = i;

  const int n_threads = worthwhile_threads(rows_.n_threads, 4 * rows_.n_entries());
  std::vector<std::vector<CompensatedSum>> scratch(n_threads);
  parallel_for(n_threads, k, [&](int worker, int64_t j) {
    if (!touched[j]) return;
    std::vector<CompensatedSum>& sums = scratch[worker];
    sums.assign(d, {});
    CompensatedSum weight;
    total_.counts[j] = start[j + 1] - start[j];
    for (int64_t at = start[j]; at < start[j + 1]; ++at) {
      const SparseRow<T> row = rows_.row(list[at]);
      const double w = rows_.weight(list[at]);
      origin_.for_values(row, [&](int32_t t, double value) { sums[t].add(w * value); });
      weight.add(w);
    }
    total_.weights[j] = weight.value();
    for (int64_t t = 0; t < d; ++t) total_.sums[j * d + t] = sums[t].value();
  });
}

template <class T>
double SparsePass<T>::sum_squares(const SparseRows<T>& rows, const Centers& centers) {
  const std::vector<double> norms = squared_norms(centers);
  const Shards shards(rows.n_rows);
  std::vector<double> part(shards.count());
  parallel_for(worthwhile_threads(rows.n_threads, 4 * rows.n_entries()), shards.count(),
               [&](int, int64_t shard) {
                 for (int64_t i = shards.begin(shard); i < shards.end(shard); ++i) {
                   const int32_t j = rows.labels[i];
                   part[shard] += rows.weight(i) * squared_distance(rows.row(i), centers.row(j),
                                                                    norms[j], rows.n_features);
                 }
               });
  return std::accumulate(part.begin(), part.end(), 0.0);
}

template <class T>
std::vector<FarRow> SparsePass<T>::farthest(const Centers& centers, int64_t n) const {
  const std::vector<double> norms = squared_norms(centers);
  const auto measure = [&](int64_t first, int m, double* out) {
    for (int i = 0; i < m; ++i) {
      const int32_t j = rows_.labels[first + i];
      out[i] = squared_distance(rows_.row(first + i), centers.row(j), norms[j], rows_.n_features);
    }
  };
  const auto compare = [&](int64_t a, int64_t b) {
    return compare_rows(rows_.row(a), rows_.row(b));
  };
  std::vector<FarRow> far;
  for (const FarGroup& g : farthest_groups(rows_.n_rows, n, rows_.weights, measure, compare)) {
    std::vector<double> values(rows_.n_features);
    copy_row(rows_, g.row, values.data());
    far.push_back(
        {g.row, rows_.labels[g.row], g.squared_distance, g.weight, g.count, std::move(values)});
  }
  return far;
}

template <class T>
void SparsePass<T>::renumber(const std::vector<int32_t>& order) {
  const std::vector<int32_t> number = new_numbers(order);
  for (int64_t i = 0; i < rows_.n_rows; ++i) rows_.labels[i] = number[rows_.labels[i]];
  centroids::renumber(total_, order);
  centroids::renumber(previous_, order);
}

template class SparseCenters<float>;
template class SparseCenters<double>;
template class SparsePass<float>;
template class SparsePass<double>;

}  // namespace centroids
