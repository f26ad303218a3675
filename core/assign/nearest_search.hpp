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
#include "assign/filter_pack.hpp"
#include "kernels/kernels.hpp"

namespace centroids {

// What a search tells of one row, about the shift s. Scores are off by at most `error`.
struct Found {
  int32_t row;
  int32_t label;
  double norm;  // |x - s|^2
  double score, second_score;
  double error;
};

template <class T>
class NearestSearch {
 public:
  explicit NearestSearch(const Kernels<T>& kernels) : kernels_(kernels) {}

  // Whether the second score shall be as large as it can be told: bounds are made of it. The
  // nearest center alone costs less.
  void want_second(bool wanted) { wants_second_ = wanted; }
  // Once before the searches among these centers.
  void prepare(const Centers& centers, int n_workers);

  // Calls take(Found) for each of the n rows `rows` (counted from `base`; null: 0 .. n-1), in any
  // order.
  template <class F>
  void find(int worker, const T* base, const int32_t* rows, int n, F take);

  // One block through the tile, against these centers or some of them: a pack with the same shift.
  const BlockNearest<T>& search_block(int worker, const T* base, const int32_t* rows, int n,
                                      const PackedCenters<T>& centers, Search search);
  // |x - s|^2 of the block that search_block has just looked at.
  void block_norms(int worker, T* out) const {
    kernels_.block_norms(scratch_[worker].block.packed.data(), n_features_, out);
  }

  const CenterPack<T>& pack() const { return pack_; }
  int n_workers() const { return int(scratch_.size()); }
  bool is_filtered() const { return n_filters_ > 0; }
  // What a row costs against all centers, in comparisons of the tile.
  double comparisons() const;
  // |computed - exact| of the tile's scores of a row, given |x - s|^2.
  double tile_error(double norm) const {
    const double reach = std::sqrt(norm) + pack_.max_norm();
    return score_error_ * reach * reach;
  }

 private:
  bool one_digit_helps();

  // A row of which the tile's scores of some pairs are wanted.
  struct Listed {
    int32_t row;
    int first, last;  // of its pairs
    double norm, error;
    double least_of_others;  // no other center scores less
  };
  struct Worker {
    BlockScratch<T> block;
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
  void list_pairs(const FilterPack<T>& filter, Worker& worker, int32_t row, int i, double error);
  template <class F>
  void take_pairs(const FilterPack<T>& filter, Worker& worker, const T* base, F take);
  // Fetches listed rows that the next block will ask for.
  void prefetch(const T* base, const int32_t* rows, int n) const {
    for (int i = 0; i < n && i < kBlockRows; ++i)
      for (int64_t t = 0; t < n_features_; t += 64 / int64_t(sizeof(T)))
        __builtin_prefetch(base + int64_t(rows[i]) * n_features_ + t, 0, 2);
  }
  template <class F>
  void tile_rows(int worker, const T* base, const int32_t* rows, int n, F take);

  const Kernels<T>& kernels_;
  int64_t n_features_ = 0;
  double score_error_ = 0;  // as a share of (|x - s| + |c - s|)^2
  CenterPack<T> pack_;
  const FilterKernels<T>* filter_ = nullptr;
  FilterPack<T> filters_[2];  // the first to try, and a finer one for what it leaves in doubt
  int n_filters_ = 0;
  bool wants_second_ = false;
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
    const int m = n - first < kBlockRows ? n - first : kBlockRows;
    if (rows && !filter.fetches_rows()) prefetch(base, rows + first + m, n - first - m);
    // Without a list the rows follow one another.
    const T* from = rows ? base : base + int64_t(first) * n_features_;
    filter.nearest(from, rows ? rows + first : nullptr, m, pack_.shift(), s);
    for (int i = 0; i < m; ++i) {
      const int32_t row = rows ? rows[first + i] : first + i;
      const double norm = s.rows.norm[i], error = s.error[i];
      const double score = s.nearest.score[0][i], others = s.nearest.others[i];
      const double second = std::min(double(s.nearest.score[1][i]), others);
      const double reach = score + 2 * error;
      if (second > reach)  // false for whatever is not a number
        take(Found{row, s.nearest.label[0][i], norm, score, second, error});
      else if (filter.lists_centers() && others > reach)
        list_pairs(filter, worker, row, i, error);
      else
        in_doubt.push_back(row);
    }
    take_pairs(filter, worker, base, take);
  }
}

// The few centers that may be the nearest to row i of the block get the score of the tile.
template <class T>
void NearestSearch<T>::list_pairs(const FilterPack<T>& filter, Worker& worker, int32_t row, int i,
                                  double error) {
  const FilterNearest& nearest = worker.filter.nearest;
  const double norm = worker.filter.rows.norm[i], reach = nearest.score[0][i] + 2 * error;
  const int first = int(worker.pairs.size());
  int l = 0;
  for (; l < kListed && nearest.score[l][i] <= reach; ++l)
    worker.pairs.push_back({row, nearest.label[l][i]});
  const float others =
      l < kListed ? std::min(nearest.score[l][i], nearest.others[i]) : nearest.others[i];
  worker.listed.push_back({row, first, int(worker.pairs.size()), norm,
                           tile_error(norm) + filter.norm_error(std::sqrt(norm)),
                           double(others) - error});
}

template <class T>
template <class F>
void NearestSearch<T>::take_pairs(const FilterPack<T>& filter, Worker& worker, const T* base,
                                  F take) {
  if (worker.listed.empty()) return;
  worker.scores.resize(worker.pairs.size());
  filter.score_pairs(base, worker.pairs, pack_, worker.scores.data());
  for (const Listed& row : worker.listed) {
    int32_t label = std::numeric_limits<int32_t>::max();
    T score = std::numeric_limits<T>::infinity(), second = score;
    for (int p = row.first; p < row.last; ++p) {
      const T tried = worker.scores[p];
      const int32_t tried_label = worker.pairs[p].label;
      if (tried < score || (tried == score && tried_label < label)) {
        second = score;
        score = tried;
        label = tried_label;
      } else {
        second = std::min(second, tried);
      }
    }
    take(Found{row.row, label, row.norm, double(score),
               std::min(double(second), row.least_of_others + row.error), row.error});
  }
  worker.pairs.clear();
  worker.listed.clear();
}

template <class T>
template <class F>
void NearestSearch<T>::tile_rows(int worker, const T* base, const int32_t* rows, int n, F take) {
  alignas(64) T norms[kBlockRows];
  for (int first = 0; first < n; first += kBlockRows) {
    const int m = n - first < kBlockRows ? n - first : kBlockRows;
    if (rows) prefetch(base, rows + first + m, n - first - m);
    const T* from = rows ? base : base + int64_t(first) * n_features_;
    const BlockNearest<T>& nearest = search_block(worker, from, rows ? rows + first : nullptr, m,
                                                  pack_.view(), Search::with_second_score);
    block_norms(worker, norms);
    for (int i = 0; i < m; ++i) {
      const double norm = double(norms[i]);
      take(Found{rows ? rows[first + i] : first + i, nearest.label[i], norm,
                 double(nearest.score[i]), double(nearest.second_score[i]), tile_error(norm)});
    }
  }
}

}  // namespace centroids
