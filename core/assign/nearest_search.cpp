#include "assign/nearest_search.hpp"

#include <algorithm>

namespace centroids {
namespace {

// The most rows that one digit may leave in doubt. It costs a third of two digits, and where there
// are none, up to seven tenths of the tile.
constexpr double kMostLeft = 0.6, kMostLeftToTile = 0.3;
constexpr int kVisitsWithout = 10;

}  // namespace

template <class T>
void NearestSearch<T>::prepare(const Centers& centers, int n_workers) {
  n_features_ = centers.n_features;
  score_error_ = centroids::score_error<T>(n_features_);
  pack_.pack(centers, kernels_, n_workers);
  close_.find(centers, pack_);
  while (int(scratch_.size()) < n_workers) {
    scratch_.emplace_back();
    scratch_.back().block.packed.resize(kBlockRows * n_features_);
  }
  n_filters_ = 0;
  filter_ = FilterPack<T>::choose(kernels_, centers.n_clusters, n_features_);
  if (!filter_) return;
  if (one_digit_helps())
    filters_[n_filters_++].pack(centers, pack_, *filter_, Digits::one, n_workers);
  if (filter_->has_two_digits)
    filters_[n_filters_++].pack(centers, pack_, *filter_, Digits::two, n_workers);
  for (Worker& worker : scratch_)
    for (int level = 0; level < n_filters_; ++level) filters_[level].resize(worker.filter);
}

// Whether to try one digit before two: measured in the last searches, and tried again later.
template <class T>
bool NearestSearch<T>::one_digit_helps() {
  if (FilterPack<T>::prefers_two_digits(*filter_, n_features_)) return false;
  int64_t n_tried = 0, n_left = 0;
  for (Worker& worker : scratch_) {
    n_tried += worker.n_tried;
    n_left += worker.n_left;
    worker.n_tried = worker.n_left = 0;
  }
  const double most_left = filter_->has_two_digits ? kMostLeft : kMostLeftToTile;
  if (double(n_left) > most_left * double(n_tried)) visits_without_ = kVisitsWithout;
  return visits_without_ == 0 || --visits_without_ == 0;
}

template <class T>
SearchCost NearestSearch<T>::cost() const {
  const int64_t k = pack_.view().n_centers;
  return is_filtered() ? FilterPack<T>::search_cost(*filter_, k, n_features_)
                       : TileCost<T>(kernels_.tile_costs, n_features_).search(k);
}

template <class T>
const BlockNearest<T>& NearestSearch<T>::search_block(int worker, const RowBlock<T>& rows,
                                                      const PackedCenters<T>& centers,
                                                      Search search) {
  BlockScratch<T>& block = scratch_[worker].block;
  block.find(kernels_, rows, pack_.shift(), centers, search);
  return block.nearest;
}

template <class T>
const BlockNearest<T>& NearestSearch<T>::search_all(int worker, const RowBlock<T>& rows,
                                                    Search search) {
  search_block(worker, rows, pack_.view(), search);
  Worker& w = scratch_[worker];
  close_.settle(rows, w.close, w.block.nearest.label);
  return w.block.nearest;
}

template class NearestSearch<float>;
template class NearestSearch<double>;

}  // namespace centroids
