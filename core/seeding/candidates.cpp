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

template <template <class> class R, class T>
CandidateRows<R, T>::CandidateRows(const R<T>& rows)
    : rows_(rows),
      shards_(rows.n_rows),
      nearest_(rows),
      distance_(rows.n_rows, std::numeric_limits<double>::infinity()) {
  std::fill_n(rows_.labels, rows_.n_rows, -1);
}

template <template <class> class R, class T>
Candidates CandidateRows<R, T>::at_share(double share) {
  if (!rows_.weights)
    return values_of({std::min(rows_.n_rows - 1, int64_t(share * double(rows_.n_rows)))});
  // Weights are added by shard, as workers add them.
  std::vector<double> part(shards_.count());
  for (int64_t shard = 0; shard < shards_.count(); ++shard)
    for (int64_t i = shards_.begin(shard); i < shards_.end(shard); ++i)
      part[shard] += rows_.weights[i];
  double left = share * std::accumulate(part.begin(), part.end(), 0.0);
  int64_t shard = 0;
  for (; shard + 1 < shards_.count() && left >= part[shard]; ++shard) left -= part[shard];
  int64_t last = -1;
  for (int64_t i = shards_.begin(shard); i < shards_.end(shard); ++i) {
    if (rows_.weights[i] == 0) continue;
    last = i;
    if ((left -= rows_.weights[i]) < 0) break;
  }
  // Rounding may lead past the last weight of all.
  for (int64_t i = shards_.begin(shard); last < 0; --i)
    if (rows_.weights[i] > 0) last = i;
  return values_of({last});
}

template <template <class> class R, class T>
double CandidateRows<R, T>::add(const Candidates& more) {
  const double work = nearest_.work(more.values.n_clusters);
  const int n_threads = worthwhile_threads(rows_.n_threads, work);
  nearest_.prepare(more.values, n_threads);
  parallel_for(n_threads, shards_.count(),
               [&](int worker, int64_t shard) { compare_shard(worker, shard); });
  // A candidate is its own nearest, whatever rounding says: no row is drawn twice.
  for (size_t p = 0; p < more.rows.size(); ++p) {
    if (distance_[more.rows[p]] == 0) continue;
    distance_[more.rows[p]] = 0;
    rows_.labels[more.rows[p]] = n_candidates_ + int32_t(p);
  }
  n_candidates_ += int32_t(more.rows.size());
  double total = 0;
  for (int64_t shard = 0; shard < shards_.count(); ++shard) {
    double part = 0;
    for (int64_t i = shards_.begin(shard); i < shards_.end(shard); ++i)
      part += weight(i) * distance_[i];
    total += part;
  }
  return total;
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
      if (round.draws(i, weight(i) * distance_[i])) drawn[shard].push_back(i);
  });
  std::vector<int64_t> rows;
  for (const auto& part : drawn) rows.insert(rows.end(), part.begin(), part.end());
  return values_of(std::move(rows));
}

template <template <class> class R, class T>
std::vector<double> CandidateRows<R, T>::weights(int64_t n_candidates) {
  std::vector<double> sums(n_candidates);
  for (int64_t i = 0; i < rows_.n_rows; ++i) sums[rows_.labels[i]] += weight(i);
  return sums;
}

template <template <class> class R, class T>
Candidates CandidateRows<R, T>::values_of(std::vector<int64_t> rows) const {
  constexpr Dtype dtype = std::is_same_v<T, float> ? Dtype::f32 : Dtype::f64;
  Candidates found{{}, Centers(int64_t(rows.size()), rows_.n_features, dtype)};
  for (size_t p = 0; p < rows.size(); ++p) copy_row(rows_, rows[p], found.values.row(int64_t(p)));
  found.rows = std::move(rows);
  return found;
}

template class CandidateRows<Rows, float>;
template class CandidateRows<Rows, double>;
template class CandidateRows<SparseRows, float>;
template class CandidateRows<SparseRows, double>;

}  // namespace centroids
