#include "seeding/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <type_traits>

#include "threads/pool.hpp"

namespace centroids {

bool Round::draws(int64_t row, double mass) const {
  const double expected = rate * mass;
  if (!(expected > 0)) return false;
  const double u = uniform(row);
  // 1 - exp(-x) <= x: most rows need no exponential.
  return u < expected && u < -std::expm1(-expected);
}

ShareOfWeight find_share(const std::vector<double>& shard_weights, double share) {
  ShareOfWeight at{0, share * std::accumulate(shard_weights.begin(), shard_weights.end(), 0.0)};
  int64_t last = 0;  // with weight
  for (int64_t shard = 0; shard < int64_t(shard_weights.size()); ++shard) {
    if (!(shard_weights[shard] > 0)) continue;
    last = shard;
    if (at.left < shard_weights[shard]) break;
    at.left -= shard_weights[shard];
  }
  at.shard = last;
  return at;
}

int64_t row_at_share(int64_t n_rows, double share) {
  return std::min(n_rows - 1, int64_t(share * double(n_rows)));
}

template <template <class> class R, class T>
CandidateRows<R, T>::CandidateRows(const R<T>& rows, int64_t first_row, const Shards& shards)
    : rows_(rows),
      first_row_(first_row),
      shards_(shards),
      nearest_(rows),
      distance_(rows.n_rows, std::numeric_limits<double>::infinity()) {
  std::fill_n(rows_.labels, rows_.n_rows, -1);
}

template <template <class> class R, class T>
Candidates CandidateRows<R, T>::at_share(double share) {
  if (!rows_.weights) return values_of({row_at_share(rows_.n_rows, share)});
  std::vector<double> weights;
  for (int64_t shard = 0; shard < shards_.count(); ++shard)
    weights.push_back(std::accumulate(rows_.weights + shards_.begin(shard),
                                      rows_.weights + shards_.end(shard), 0.0));
  const ShareOfWeight at = find_share(weights, share);
  return in_shard(at.shard, at.left);
}

template <template <class> class R, class T>
Candidates CandidateRows<R, T>::in_shard(int64_t shard, double left) const {
  int64_t last = shards_.begin(shard);
  for (int64_t i = last; i < shards_.end(shard); ++i) {
    if (!(weight(i) > 0)) continue;
    last = i;
    if ((left -= weight(i)) < 0) break;
  }
  return values_of({last});
}

template <template <class> class R, class T>
double CandidateRows<R, T>::add(const Candidates& more) {
  const std::vector<double> potential = add_by_shard(more);
  return std::accumulate(potential.begin(), potential.end(), 0.0);
}

template <template <class> class R, class T>
std::vector<double> CandidateRows<R, T>::add_by_shard(const Candidates& more) {
  const double work = nearest_.work(more.values.n_clusters);
  const int n_threads = worthwhile_threads(rows_.n_threads, work);
  nearest_.prepare(more.values, n_threads);
  parallel_for(n_threads, shards_.count(),
               [&](int worker, int64_t shard) { compare_shard(worker, shard); });
  // A candidate is its own nearest, whatever rounding says: no row is drawn twice.
  for (size_t p = 0; p < more.rows.size(); ++p) {
    const int64_t i = more.rows[p] - first_row_;
    if (i < 0 || i >= rows_.n_rows || distance_[i] == 0) continue;
    distance_[i] = 0;
    rows_.labels[i] = n_candidates_ + int32_t(p);
  }
  n_candidates_ += int32_t(more.rows.size());
  std::vector<double> potential(shards_.count());
  for (int64_t shard = 0; shard < shards_.count(); ++shard)
    for (int64_t i = shards_.begin(shard); i < shards_.end(shard); ++i)
      potential[shard] += weight(i) * distance_[i];
  return potential;
}

template <template <class> class R, class T>
void CandidateRows<R, T>::compare_shard(int worker, int64_t shard) {
  int32_t labels[kBlockRows];
  double distances[kBlockRows];
  for (int64_t first = shards_.begin(shard); first < shards_.end(shard); first += kBlockRows) {
    const int n = int(std::min<int64_t>(kBlockRows, shards_.end(shard) - first));
    nearest_.find(worker, first, n, labels, distances);
    for (int i = 0; i < n; ++i) {
      if (!(distances[i] < distance_[first + i])) continue;
      distance_[first + i] = distances[i];
      rows_.labels[first + i] = n_candidates_ + labels[i];
    }
  }
}

template <template <class> class R, class T>
Candidates CandidateRows<R, T>::draw(const Round& round) {
  std::vector<std::vector<int64_t>> drawn(shards_.count());
  const int n_threads = worthwhile_threads(rows_.n_threads, 50.0 * double(rows_.n_rows));
  parallel_for(n_threads, shards_.count(), [&](int, int64_t shard) {
    for (int64_t i = shards_.begin(shard); i < shards_.end(shard); ++i)
      if (round.draws(first_row_ + i, weight(i) * distance_[i])) drawn[shard].push_back(i);
  });
  std::vector<int64_t> rows;
  for (const auto& part : drawn) rows.insert(rows.end(), part.begin(), part.end());
  return values_of(std::move(rows));
}

template <template <class> class R, class T>
std::vector<double> CandidateRows<R, T>::weights(int64_t n_candidates) {
  std::vector<double> sums(n_candidates);
  add_weights(sums);
  return sums;
}

template <template <class> class R, class T>
void CandidateRows<R, T>::add_weights(std::vector<double>& sums) const {
  for (int64_t i = 0; i < rows_.n_rows; ++i)
    if (rows_.labels[i] >= 0) sums[rows_.labels[i]] += weight(i);  // -1: no distance was finite
}

template <template <class> class R, class T>
Candidates CandidateRows<R, T>::values_of(std::vector<int64_t> rows) const {
  constexpr Dtype dtype = std::is_same_v<T, float> ? Dtype::f32 : Dtype::f64;
  Candidates found{{}, Centers(int64_t(rows.size()), rows_.n_features, dtype)};
  for (size_t p = 0; p < rows.size(); ++p) copy_row(rows_, rows[p], found.values.row(int64_t(p)));
  for (int64_t& row : rows) row += first_row_;
  found.rows = std::move(rows);
  return found;
}

template class CandidateRows<Rows, float>;
template class CandidateRows<Rows, double>;
template class CandidateRows<SparseRows, float>;
template class CandidateRows<SparseRows, double>;

}  // namespace centroids
