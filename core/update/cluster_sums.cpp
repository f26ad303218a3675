#include "update/cluster_sums.hpp"

#include <algorithm>
#include <thread>

#include "threads/pool.hpp"
#include "update/compensated.hpp"

namespace centroids {
namespace {

// A shard is long enough to be worth handing to a thread (some 20 microseconds), and so long that
// merging it, n_clusters rows of sums, is little against adding its rows.
int64_t shard_rows_for(int64_t n_clusters, int64_t n_features) {
  const int64_t cost_of_row = n_features * (n_clusters + 4) + 20;
  return std::max<int64_t>({1024, 4 * n_clusters, 300000 / cost_of_row});
}

// Moved rows of several shards are added at once, so that they can be fetched ahead.
constexpr int64_t kManyAddends = 1024;

}  // namespace

Shards sum_shards(int64_t n_rows, int64_t n_features, int64_t n_clusters) {
  return Shards::joined(n_rows, shard_rows_for(n_clusters, n_features));
}

template <class T>
ClusterSums<T>::ClusterSums(const Rows<T>& rows, int64_t n_clusters, const double* origin,
                            const Kernels<T>& kernels)
    : rows_(rows),
      n_clusters_(n_clusters),
      origin_(origin),
      kernels_(kernels),
      shards_(
          sum_shards(rows.n_all_rows ? rows.n_all_rows : rows.n_rows, rows.n_features, n_clusters)
              .of_part(rows.n_rows)),
      n_changed_(rows.n_rows),
      totals_(n_clusters, rows.n_features),
      shard_sums_(is_part() ? shards_.count() : 0),
      smallest_weight_(smallest_positive(rows.weights, rows.n_rows)),
      moved_(shards_.count()) {}

template <class T>
void ClusterSums<T>::begin(int n_workers, bool is_full) {
  is_full_ = is_full;
  n_changed_ = 0;
  next_commit_ = 0;
  for (auto& list : moved_) list.clear();
  if (!is_full_) return;
  totals_.clear();
  while (int(worker_sums_.size()) < n_workers)
    worker_sums_.emplace_back(n_clusters_, rows_.n_features);
}

template <class T>
void ClusterSums<T>::add_block(int worker, int64_t first, int n) {
  Partials& sums = worker_sums_[worker];
  const int32_t* labels = rows_.labels + first;
  const double* weights = rows_.weights ? rows_.weights + first : nullptr;
  kernels_.add_rows(rows_.row(first), rows_.n_features, n, labels, weights, origin_,
                    sums.sums.data());
  for (int i = 0; i < n; ++i) ++sums.counts[labels[i]];
  if (weights)
    for (int i = 0; i < n; ++i) sums.weights[labels[i]] += weights[i];
}

template <class T>
void ClusterSums<T>::end_shard(int worker, int64_t shard, int64_t n_changed) {
  n_changed_ += n_changed;
  if (!is_full_) {
    // In row order, however the rows came.
    auto& moved = moved_[shard];
    const auto is_before = [](const MovedRow& a, const MovedRow& b) { return a.row < b.row; };
    if (!std::is_sorted(moved.begin(), moved.end(), is_before))
      std::sort(moved.begin(), moved.end(), is_before);
    return;
  }
  if (is_part()) {
    shard_sums_[shard] = worker_sums_[worker];
    worker_sums_[worker].clear();
    return;
  }
  // Shards are claimed in ascending order, so the one waited for is always being worked on.
  int64_t turn;
  for (int spins = 0; (turn = next_commit_.load(std::memory_order_acquire)) < shard; ++spins)
    if (spins > 1000) std::this_thread::yield();
  if (turn == kAbandoned) return;
  totals_.sums.merge(worker_sums_[worker]);
  worker_sums_[worker].clear();
  next_commit_.compare_exchange_strong(turn, shard + 1, std::memory_order_release);
}

template <class T>
void ClusterSums<T>::apply_moves_of(int32_t first_cluster, int32_t last_cluster,
                                    Totals& totals) const {
  std::vector<Addend> addends;
  const auto list = [&](int32_t cluster, const MovedRow& moved, int64_t begin, double sign) {
    if (cluster < first_cluster || cluster >= last_cluster) return;
    const double factor = rows_.weights ? sign * rows_.weights[begin + moved.row] : sign;
    addends.push_back({begin + moved.row, factor, cluster});
    if (rows_.weights)
      add_compensated(factor, totals.sums.weights[cluster], totals.weight_errors[cluster]);
    totals.sums.counts[cluster] += sign > 0 ? 1 : -1;
  };
  for (int64_t shard = 0; shard < shards_.count(); ++shard) {
    for (const MovedRow& moved : moved_[shard]) {
      list(moved.old_label, moved, shards_.begin(shard), -1.0);
      list(moved.label, moved, shards_.begin(shard), +1.0);
    }
    if (int64_t(addends.size()) < kManyAddends && shard + 1 < shards_.count()) continue;
    kernels_.add_compensated_rows(rows_.x, rows_.n_features, addends.data(),
                                  int64_t(addends.size()), origin_, totals.sums.sums.data(),
                                  totals.sum_errors.data());
    addends.clear();
  }
}

template <class T>
void ClusterSums<T>::apply_moves(Totals& totals) const {
  // Each cluster has one owner that adds its rows in row order: no thread count changes the sums.
  const int threads = int(std::min<int64_t>(
      n_clusters_, worthwhile_threads(rows_.n_threads,
                                      8.0 * double(n_changed_.load()) * double(rows_.n_features))));
  parallel_for(threads, threads, [&](int, int64_t owner) {
    apply_moves_of(int32_t(n_clusters_ * owner / threads),
                   int32_t(n_clusters_ * (owner + 1) / threads), totals);
  });
}

template <class T>
void ClusterSums<T>::finish(Partials& out) {
  if (!is_full_) apply_moves(totals_);
  totals_.settle(is_full_, rows_.weights != nullptr, smallest_weight_);
  totals_.write(n_changed_, out);
}

template <class T>
void ClusterSums<T>::add_to(Totals& totals) const {
  if (!is_full_) return apply_moves(totals);
  for (const Partials& sums : shard_sums_) totals.sums.merge(sums);
}

template <class T>
void ClusterSums<T>::renumber(const std::vector<int32_t>& order) {
  totals_.renumber(order);
}

template class ClusterSums<float>;
template class ClusterSums<double>;

}  // namespace centroids
