#include "assign/brute_force_pass.hpp"

#include <algorithm>

namespace centroids {

template <class T>
void BruteForcePass<T>::prepare(const Centers& centers, int n_workers) {
  pack_.pack(centers, this->kernels_);
  while (int(scratch_.size()) < n_workers) {
    scratch_.emplace_back();
    scratch_.back().packed.resize(kBlockRows * this->rows_.n_features);
  }
}

template <class T>
const BlockNearest<T>& BruteForcePass<T>::search(int worker, const T* base, const int32_t* rows,
                                                 int n, Search search) {
  BlockScratch<T>& scratch = scratch_[worker];
  const int64_t d = this->rows_.n_features;
  this->kernels_.pack_block(base, d, rows, n, pack_.shift(), scratch.packed.data());
  this->kernels_.assign_block(scratch.packed.data(), d, n, pack_.view(), search, scratch.nearest);
  return scratch.nearest;
}

template <class T>
int64_t BruteForcePass<T>::assign_shard(int worker, int64_t shard) {
  const Shards& shards = this->sums_.shards();
  int64_t n_changed = 0;
  for (int64_t first = shards.begin(shard); first < shards.end(shard); first += kBlockRows) {
    const int n = int(std::min<int64_t>(kBlockRows, shards.end(shard) - first));
    const auto& nearest = search(worker, this->rows_.row(first), nullptr, n, Search::nearest);
    n_changed += this->set_labels(worker, shard, first, n, nearest.label);
  }
  return n_changed;
}

template class BruteForcePass<float>;
template class BruteForcePass<double>;

}  // namespace centroids
