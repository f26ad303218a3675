#include "assign/row_pass.hpp"

#include <algorithm>
#include <cstring>

#include "assign/farthest.hpp"
#include "renumber.hpp"
#include "threads/pool.hpp"

namespace centroids {

template <class T>
RowPass<T>::RowPass(const Rows<T>& rows, int64_t n_clusters, std::vector<double> origin)
    : rows_(rows),
      n_clusters_(n_clusters),
      origin_(std::move(origin)),
      kernels_(kernels<T>()),
      sums_(rows, n_clusters, origin_.empty() ? nullptr : origin_.data(), kernels_) {
  std::fill(rows_.labels, rows_.labels + rows_.n_rows, -1);
}

template <class T>
void RowPass<T>::assign(const Centers& centers, Partials& out) {
  visit(centers, adds_all_rows(sums_.n_changed(), rows_.n_rows, rows_.n_features));
  sums_.finish(out);
}

template <class T>
int64_t RowPass<T>::assign_part(const Centers& centers, bool is_full) {
  visit(centers, is_full);
  return sums_.n_changed();
}

template <class T>
void RowPass<T>::visit(const Centers& centers, bool is_full) {
  const double work = double(rows_.n_rows) * double(rows_.n_features) * double(n_clusters_ + 4);
  const int n_threads = worthwhile_threads(rows_.n_threads, work);
  prepare(centers, n_threads);
  sums_.begin(n_threads, is_full);
  parallel_for(n_threads, sums_.shards().count(), [&](int worker, int64_t shard) {
    try {
      const int64_t n_changed = assign_shard(worker, shard);
      sums_.end_shard(worker, shard, n_changed);
    } catch (...) {
      sums_.abandon();
      throw;
    }
  });
  finish();
}

template <class T>
bool RowPass<T>::set_label(int64_t shard, int64_t row, int32_t label) {
  if (rows_.labels[row] == label) return false;
  if (!sums_.is_full())
    sums_.move(shard, {int32_t(row - sums_.shards().begin(shard)), rows_.labels[row], label});
  rows_.labels[row] = label;
  return true;
}

template <class T>
void RowPass<T>::add_shard(int worker, int64_t shard) {
  const int64_t end = sums_.shards().end(shard);
  for (int64_t first = sums_.shards().begin(shard); first < end; first += kBlockRows)
    sums_.add_block(worker, first, int(std::min<int64_t>(kBlockRows, end - first)));
}

template <class T>
int64_t RowPass<T>::set_labels(int worker, int64_t shard, int64_t first, int n,
                               const int32_t* labels) {
  int32_t* old_labels = rows_.labels + first;
  int64_t n_changed = 0;
  if (sums_.is_full()) {
    for (int i = 0; i < n; ++i) n_changed += old_labels[i] != labels[i];
    std::copy(labels, labels + n, old_labels);
    sums_.add_block(worker, first, n);
    return n_changed;
  }
  const int32_t first_in_shard = int32_t(first - sums_.shards().begin(shard));
  MovedRow moved[kBlockRows];
  // Late in a fit, nearly all rows are passed over by eights. Of the others no branch is
  // foreseeable.
  for (int i = 0; i < n; i += 8) {
    const int end = std::min(i + 8, n);
    if (end == i + 8 && std::memcmp(old_labels + i, labels + i, 8 * sizeof(int32_t)) == 0) continue;
    for (int j = i; j < end; ++j) {
      moved[n_changed] = {first_in_shard + j, old_labels[j], labels[j]};
      n_changed += old_labels[j] != labels[j];
    }
  }
  if (n_changed == 0) return 0;
  std::copy(labels, labels + n, old_labels);
  sums_.move(shard, moved, int(n_changed));
  return n_changed;
}

template <class T>
double RowPass<T>::sum_squares(const Rows<T>& rows, const Centers& centers) {
  double total = 0;
  for (const double part : squares_by_shard(rows, centers)) total += part;
  return total;
}

template <class T>
std::vector<double> RowPass<T>::squares_by_shard(const Rows<T>& rows, const Centers& centers) {
  const Kernels<T>& kernel = kernels<T>();
  const Shards shards = rows.shards();
  std::vector<double> part(shards.count());
  const int n_threads =
      worthwhile_threads(rows.n_threads, 4.0 * double(rows.n_rows) * double(rows.n_features));
  parallel_for(n_threads, shards.count(), [&](int, int64_t shard) {
    double distances[kBlockRows];
    double sum = 0;
    for (int64_t first = shards.begin(shard); first < shards.end(shard); first += kBlockRows) {
      const int n = int(std::min<int64_t>(kBlockRows, shards.end(shard) - first));
      kernel.squared_distances(rows.row(first), rows.n_features, nullptr, n, centers.values.data(),
                               rows.labels + first, distances);
      for (int i = 0; i < n; ++i)
        sum += rows.weights ? rows.weights[first + i] * distances[i] : distances[i];
    }
    part[shard] = sum;
  });
  return part;
}

template <class T>
std::vector<FarRow> RowPass<T>::farthest(const Centers& centers, int64_t n) const {
  const auto measure = [&](int64_t first, int m, double* out) {
    kernels_.squared_distances(rows_.row(first), rows_.n_features, nullptr, m,
                               centers.values.data(), rows_.labels + first, out);
  };
  const auto compare = [&](int64_t a, int64_t b) {
    const T *x = rows_.row(a), *y = rows_.row(b);
    const auto [first, second] = std::mismatch(x, x + rows_.n_features, y);
    return first == x + rows_.n_features ? 0 : *first < *second ? -1 : 1;
  };
  std::vector<FarRow> far;
  for (const FarGroup& g : farthest_groups(rows_.n_rows, n, rows_.weights, measure, compare)) {
    std::vector<double> values(rows_.row(g.row), rows_.row(g.row) + rows_.n_features);
    far.push_back(
        {g.row, rows_.labels[g.row], g.squared_distance, g.weight, g.count, std::move(values)});
  }
  return far;
}

template <class T>
void RowPass<T>::renumber(const std::vector<int32_t>& order) {
  const std::vector<int32_t> number = new_numbers(order);
  const Shards& shards = sums_.shards();
  parallel_for(worthwhile_threads(rows_.n_threads, double(rows_.n_rows)), shards.count(),
               [&](int, int64_t shard) {
                 for (int64_t i = shards.begin(shard); i < shards.end(shard); ++i)
                   rows_.labels[i] = number[rows_.labels[i]];
               });
  sums_.renumber(order);
}

template class RowPass<float>;
template class RowPass<double>;

}  // namespace centroids
