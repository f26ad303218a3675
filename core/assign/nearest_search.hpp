// The nearest and second nearest of the centers, for any rows of a shard: by the register tile, or
// by a certified filter first and the tile for the rows that it leaves in doubt. Either way the
// label is the tile's, bit for bit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "assign/block_scratch.hpp"
#include "assign/center_pack.hpp"
#include "assign/close_centers.hpp"
#include "assign/filter_pack.hpp"
#include "assign/search_cost.hpp"
#include "kernels/kernels.hpp"
#include "kernels/rounding.hpp"

namespace centroids {

// With fewer columns an estimate takes about as long as what it saves.
constexpr int64_t kEstimatedColumns = 64;

// What a search tells of one row. The bounds, rounded outward, are zero unless they were wanted.
struct Found {
  int32_t row;
  int32_t label;
  float upper = 0;  // on the distance to the nearest center
  float lower = 0;  // on the distance to any other
};

template <class T>
class NearestSearch {
 public:
  explicit NearestSearch(const Kernels<T>& kernels) : kernels_(kernels) {}

  // Whether bounds are wanted, as tight as they can be told. The nearest center alone costs less.
  void want_bounds(bool wanted) {
    wants_bounds_ = wanted;
    for (FilterPack<T>& filter : filters_) filter.want_second(wanted);
  }
  // Once before the searches among these centers.
  void prepare(const Centers& centers, int n_workers);

  // Calls take(Found) for each of the n rows `rows` (counted from `base`; null: 0 .. n-1), in any
  // order.
  template <class F>
  void find(int worker, const T* base, const int32_t* rows, int n, F take);

  // One block through the tile, against all centers. Of close ones, the label may be another than
  // that of the least score.
  const BlockNearest<T>& search_all(int worker, const RowBlock<T>& rows, Search search);
  // The same against some of them, by scores alone: a pack with the same shift.
  const BlockNearest<T>& search_block(int worker, const RowBlock<T>& rows,
                                      const PackedCenters<T>& centers, Search search);
  // Bounds on the distances of the block that search_block has just looked at: to the centers of
  // score[i], and to those that score no less than second_score[i].
  void bound_block(int worker, const T* score, const T* second_score, float* upper,
                   float* lower) const {
    alignas(64) T norms[kBlockRows];
    kernels_.block_norms(scratch_[worker].block.packed.data(), n_features_, norms);
    kernels_.bound_distances(norms, score, second_score, score_error_, pack_.max_norm(), upper,
                             lower);
  }

  const CenterPack<T>& pack() const { return pack_; }
  int n_workers() const { return int(scratch_.size()); }
  // |computed - exact| of a score, as a share of (|x - s| + |c - s|)^2.
  double score_error() const { return score_error_; }
  bool is_filtered() const { return n_filters_ > 0; }
  // Of a row against all centers.
  SearchCost cost() const;

 private:
  bool one_digit_helps();
  // |computed - exact| of the tile's scores of a row, given |x - s|^2.
  double tile_error(double norm) const {
    const double reach = std::sqrt(norm) + pack_.max_norm();
    return score_error_ * reach * reach;
  }
  // With bounds from those on the scores of the nearest center and of the others.
  Found found(int32_t row, int32_t label, const FilterPack<T>& filter, double norm, double score,
              double others) const {
    if (!wants_bounds_) return {row, label};
    const double error = filter.norm_error(std::sqrt(norm)) / 2;
    return {row, label, at_most(norm, score, error), at_least(norm, others, error)};
  }

  // A row of which the tile's scores of some pairs are wanted.
  struct Listed {
    int32_t row;
    int first, last;  // of its pairs
    double norm;
    double least_of_others;  // no other center scores less
  };
  struct Worker {
    BlockScratch<T> block;
    CloseScratch close;
    FilterScratch filter;
    std::vector<Pair> pairs;
    std::vector<Listed> listed;
    std::vector<T> scores;
    std::vector<int32_t> in_doubt[2];
    int64_t n_tried = 0, n_left = 0;  // rows tried with one digit, and left in doubt
  };

  template <class F>
  void filter_rows(const FilterPack<T>& filter, Worker& worker, const T* base, const int32_t* rows,
                   int n, F take, std::vector<int32_t>& in_doubt);
  void list_pairs(Worker& worker, int32_t row, int i, double error);
  // Of the pairs of a row: the least score, that of the lowest label on ties, and the next.
  struct BestPair {
    int32_t label = std::numeric_limits<int32_t>::max();
    T score = std::numeric_limits<T>::infinity(), second_score = score;
  };
  static BestPair best_pair(const Worker& worker, const Listed& row);
  template <class F>
  void take_estimated(const FilterPack<T>& filter, Worker& worker, const T* base, F take);
  template <class F>
  void take_pairs(const FilterPack<T>& filter, Worker& worker, const T* base, F take,
                  std::vector<int32_t>& in_doubt);
  template <class F>
  void tile_rows(int worker, const T* base, const int32_t* rows, int n, F take);

  const Kernels<T>& kernels_;
  int64_t n_features_ = 0;
  double score_error_ = 0;  // as a share of (|x - s| + |c - s|)^2
  CenterPack<T> pack_;
  CloseCenters<T> close_;
  const FilterKernels<T>* filter_ = nullptr;
  FilterPack<T> filters_[2];  // the first to try, and a finer one for what it leaves in doubt
  int n_filters_ = 0;
  bool wants_bounds_ = false;
  int visits_without_ = 0;  // visits still to come without trying one digit
  std::vector<Worker> scratch_;
};

template <class T>
template <class F>
void NearestSearch<T>::find(int worker, const T* base, const int32_t* rows, int n, F take) {
  for (int level = 0; level < n_filters_ && n > 0; ++level) {
    std::vector<int32_t>& in_doubt = scratch_[worker].in_doubt[level];
    in_doubt.clear();
    filter_rows(filters_[level], scratch_[worker], base, rows, n, take, in_doubt);
    if (filters_[level].digits() == Digits::one) {
      scratch_[worker].n_tried += n;
      scratch_[worker].n_left += int64_t(in_doubt.size());
    }
    rows = in_doubt.data();
    n = int(in_doubt.size());
  }
  tile_rows(worker, base, rows, n, take);
}

template <class T>
template <class F>
void NearestSearch<T>::filter_rows(const FilterPack<T>& filter, Worker& worker, const T* base,
                                   const int32_t* rows, int n, F take,
                                   std::vector<int32_t>& in_doubt) {
  FilterScratch& s = worker.filter;
  for (int first = 0; first < n; first += kBlockRows) {
    const RowBlock<T> some = RowBlock<T>::at(base, n_features_, rows, first, n);
    filter.nearest(some, pack_.shift(), s);
    for (int i = 0; i < some.n; ++i) {
      const int32_t row = rows ? rows[first + i] : first + i;
      const double norm = s.rows.norm[i], error = s.error[i];
      const double reach = s.nearest.score[0][i] + error, others = s.nearest.others[i];
      const double second = std::min(s.nearest.score[1][i] - error, others);
      if (second > reach)  // false for whatever is not a number
        take(found(row, s.nearest.label[0][i], filter, norm, reach, second));
      else if (filter.lists_centers() && others > reach)
        list_pairs(worker, row, i, error);
      else
        in_doubt.push_back(row);
    }
    take_pairs(filter, worker, base, take, in_doubt);
  }
}

// The few centers that may be the nearest to row i of the block get the score of the tile.
template <class T>
void NearestSearch<T>::list_pairs(Worker& worker, int32_t row, int i, double error) {
  const FilterNearest& nearest = worker.filter.nearest;
  const int first = int(worker.pairs.size());
  double others = nearest.others[i];
  for (int l = 0; l < kListed; ++l) {
    const double least = nearest.score[l][i] - error;
    if (least <= nearest.score[0][i] + error) {
      worker.pairs.push_back({row, nearest.label[l][i]});
    } else {
      others = std::min(others, least);
      break;
    }
  }
  worker.listed.push_back(
      {row, first, int(worker.pairs.size()), worker.filter.rows.norm[i], others});
}

template <class T>
typename NearestSearch<T>::BestPair NearestSearch<T>::best_pair(const Worker& worker,
                                                                const Listed& row) {
  BestPair best;
  for (int p = row.first; p < row.last; ++p) {
    const T tried = worker.scores[p];
    const int32_t label = worker.pairs[p].label;
    if (tried < best.score || (tried == best.score && label < best.label)) {
      best.second_score = best.score;
      best.score = tried;
      best.label = label;
    } else {
      best.second_score = std::min(best.second_score, tried);
    }
  }
  return best;
}

// Of the listed rows, those that estimates settle are taken, and the others stay.
template <class T>
template <class F>
void NearestSearch<T>::take_estimated(const FilterPack<T>& filter, Worker& worker, const T* base,
                                      F take) {
  worker.scores.resize(worker.pairs.size());
  filter.estimate_pairs(base, worker.pairs, pack_, worker.scores.data());
  int n_rows = 0, n_pairs = 0;
  for (const Listed row : worker.listed) {
    const BestPair best = best_pair(worker, row);
    const double error = filter.estimate_error(row.norm), reach = double(best.score) + error;
    const double second = std::min(double(best.second_score) - error, row.least_of_others);
    if (second > reach) {  // false for whatever is not a number
      take(found(row.row, best.label, filter, row.norm, reach, second));
      continue;
    }
    Listed& kept = worker.listed[n_rows++] = row;
    kept.first = n_pairs;
    for (int p = row.first; p < row.last; ++p) worker.pairs[n_pairs++] = worker.pairs[p];
    kept.last = n_pairs;
  }
  worker.listed.resize(n_rows);
  worker.pairs.resize(n_pairs);
}

template <class T>
template <class F>
void NearestSearch<T>::take_pairs(const FilterPack<T>& filter, Worker& worker, const T* base,
                                  F take, std::vector<int32_t>& in_doubt) {
  if (worker.listed.empty()) return;
  if (n_features_ >= kEstimatedColumns) take_estimated(filter, worker, base, take);
  worker.scores.resize(worker.pairs.size());
  filter.score_pairs(base, worker.pairs, pack_, worker.scores.data());
  for (const Listed& row : worker.listed) {
    const BestPair best = best_pair(worker, row);
    if (close_.has(best.label)) {
      in_doubt.push_back(row.row);
      continue;
    }
    const double error = tile_error(row.norm);
    take(found(row.row, best.label, filter, row.norm, best.score + error,
               std::min(best.second_score - error, row.least_of_others)));
  }
  worker.pairs.clear();
  worker.listed.clear();
}

template <class T>
template <class F>
void NearestSearch<T>::tile_rows(int worker, const T* base, const int32_t* rows, int n, F take) {
  const Search search = wants_bounds_ ? Search::with_second_score : Search::nearest;
  alignas(64) float upper[kBlockRows] = {}, lower[kBlockRows] = {};
  for (int first = 0; first < n; first += kBlockRows) {
    const RowBlock<T> some = RowBlock<T>::at(base, n_features_, rows, first, n);
    const BlockNearest<T>& nearest = search_all(worker, some, search);
    // The bounds are those of scores. They hold for a close center as well: it is no farther.
    if (wants_bounds_) bound_block(worker, nearest.score, nearest.second_score, upper, lower);
    for (int i = 0; i < some.n; ++i)
      take(Found{rows ? rows[first + i] : first + i, nearest.label[i], upper[i], lower[i]});
  }
}

}  // namespace centroids
