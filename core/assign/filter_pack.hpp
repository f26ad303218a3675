// Centers prepared for a certified filter, and the bound on its error.
#pragma once

#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "assign/center_pack.hpp"
#include "assign/search_cost.hpp"
#include "kernels/filter.hpp"

namespace centroids {

// A worker's memory for the filter.
struct FilterScratch {
  AlignedBuffer<char> packed;
  FilterRows rows{};
  FilterNearest nearest;
  double error[kBlockRows];  // FilterPack::error of the rows
};

template <class T>
class FilterPack {
 public:
  // The cheapest filter, if it is cheaper than the tile by enough to try; null if there is none.
  static const FilterKernels<T>* choose(const Kernels<T>& kernels, int64_t n_centers,
                                        int64_t n_features);
  // In the digits that come first.
  static SearchCost search_cost(const FilterKernels<T>& filter, int64_t n_centers,
                                int64_t n_features);
  // Whether one digit is not worth a try: the second digits of few columns cost next to nothing,
  // and bytes leave too much over of many columns.
  static bool prefers_two_digits(const FilterKernels<T>& filter, int64_t n_features) {
    return filter.has_two_digits &&
           (n_features < filter.one_digit_from || n_features > filter.one_digit_to);
  }

  // `pack` holds the same centers for the tile.
  void pack(const Centers& centers, const CenterPack<T>& pack, const FilterKernels<T>& filter,
            Digits digits, int n_threads);
  void resize(FilterScratch& scratch) const;
  Digits digits() const { return digits_; }

  // Approximate scores of up to kBlockRows rows.
  void nearest(const T* base, const int32_t* rows, int n, const T* shift,
               FilterScratch& scratch) const;

  // Scores of pairs of rows, counted from `base`, and centers: those of the tile.
  void score_pairs(const T* base, const std::vector<Pair>& pairs, const CenterPack<T>& pack,
                   T* out) const;
  // Whether `nearest` shall tell the second nearest center as well as it can.
  void want_second(bool wanted) { with_second_ = wanted; }
  bool lists_centers() const { return filter_->score_pairs; }
  // Whether `nearest` fetches the rows that come next by itself.
  bool fetches_rows() const { return filter_->nearest_in_place; }

  // At most this far is FilterRows::norm from |x - s|^2 = length^2.
  double norm_error(double length) const;
  // At most this far are the scores of a row, |x - s| = length, from exact ones, those of the tile
  // and half of norm_error included; `rest` is FilterRows::rest.
  double error(double length, double rest) const;

 private:
  const FilterKernels<T>* filter_ = nullptr;
  Digits digits_ = Digits::one;
  bool with_second_ = false;
  int64_t n_features_ = 0, n_lanes_ = 0;
  double max_norm_ = 0;  // largest |c - s|
  double max_rest_ = 0;  // largest |c - s - c'|
  double by_sizes_ = 0;  // rounding, as a share of |c - s|^2 / 2 + |x - s| |c - s|
  double tile_by_norm_ = 0, tile_by_length_ = 0;  // the tile's rounding, of |x - s| = 0 and more
  double by_product_ = 0;  // what digits leave out, as a share of |x - s| |c - s|
  AlignedBuffer<char> packed_;
  AlignedBuffer<float> half_norms_;
  std::vector<T> rows_;  // the centers one after the other, for pairs
};

}  // namespace centroids
