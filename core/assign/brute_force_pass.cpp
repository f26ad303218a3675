#include "assign/brute_force_pass.hpp"

#include <algorithm>

namespace centroids {

template <class T>
void BruteForcePass<T>::prepare(const Centers& centers, int n_workers) {
  search_.prepare(centers, n_workers);
}

template <class T>
int64_t BruteForcePass<T>::assign_shard(int worker, int64_t shard) {
  const Shards& shards = this->sums_.shards();
  const int64_t begin = shards.begin(shard), end = shards.end(shard);
  int64_t n_changed = 0;
  if (search_.is_filtered()) {
    search_.find(worker, this->rows_.row(begin), nullptr, int(end - begin),
                 [&](const Found& found) {
                   n_changed += this->set_label(shard, begin + found.row, found.label);
                 });
    if (this->sums_.is_full()) this->add_shard(worker, shard);
    return n_changed;
  }
  for (int64_t first = begin; first < end; first += kBlockRows) {
    const auto rows = RowBlock<T>::at(this->rows_.x, this->rows_.n_features, nullptr, first, end);
    const auto& nearest = search_.search_all(worker, rows, Search::nearest);
    n_changed += this->set_labels(worker, shard, first, rows.n, nearest.label);
  }
  return n_changed;
}

template class BruteForcePass<float>;
template class BruteForcePass<double>;

}  // namespace centroids
