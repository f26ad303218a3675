// Centers prepared for a certified filter, and the bound on its error.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "assign/block_scratch.hpp"
#include "assign/center_pack.hpp"
#include "assign/search_cost.hpp"
#include "kernels/filter.hpp"

namespace centroids {

// A worker's memory for the filter.
struct FilterScratch {
  AlignedBuffer<char> packed;
  FilterRows rows{};
  FilterNearest nearest;
  double error[kBlockRows];  // the scores of listed centers are off by at most this
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

  // Approximate scores of up to kBlockRows rows, with their errors: at most this far are they from
  // exact ones and from those of the tile. FilterNearest::others are lower bounds on those.
  void nearest(const RowBlock<T>& rows, const T* shift, FilterScratch& scratch) const;

  // Scores of pairs of rows, counted from `base`, and centers: those of the tile, or estimates that
  // are at most estimate_error(length) from exact ones and from those of the tile.
  void score_pairs(const T* base, const std::vector<Pair>& pairs, const CenterPack<T>& pack,
                   T* out) const;
  void estimate_pairs(const T* base, const std::vector<Pair>& pairs, const CenterPack<T>& pack,
                      T* out) const;
  double estimate_error(double norm) const {
    return max_estimate_error_.at_zero + max_estimate_error_.by_length * row_length(norm);
  }
  // Whether `nearest` shall tell the second nearest center as well as it can.
  void want_second(bool wanted) { with_second_ = wanted; }
  bool lists_centers() const { return filter_->score_pairs; }

  // At most this far is FilterRows::norm from |x - s|^2 = length^2.
  double norm_error(double length) const;

 private:
  // Of a score in short numbers, as a function of |x - s|, with the tile's own; what is left over
  // of rows comes on top of it.
  struct Error {
    double at_zero = 0, by_length = 0;
    void grow(const Error& other) {
      at_zero = std::max(at_zero, other.at_zero);
      by_length = std::max(by_length, other.by_length);
    }
  };
  // Given |c|, the lengths of c up to each column added up, and what a score in short numbers, or
  // an estimate, is off by as a share of |c|^2 / 2 + |x - s| |c|.
  Error rounding_error(double norm, double path, double by_sizes) const;
  Error error_of_center(double norm, double rest, double path) const;
  // Whether what short numbers leave over is measured; else it is a share of the lengths.
  bool measures_rests() const { return digits_ == Digits::one || filter_->by_product == 0; }
  double row_length(double norm) const;
  bool is_in_reach(double length) const;
  void set_errors(int n, FilterScratch& scratch) const;
  void set_errors_in_place(int n, FilterScratch& scratch) const;

  const FilterKernels<T>* filter_ = nullptr;
  Digits digits_ = Digits::one;
  bool with_second_ = false;
  int64_t n_features_ = 0, n_lanes_ = 0;
  double max_norm_ = 0;                   // largest |c - s|
  Error max_error_, max_estimate_error_;  // of all centers
  AlignedBuffer<char> packed_;
  AlignedBuffer<float> half_norms_, errors_, errors_by_length_;
  std::vector<T> rows_;  // the centers one after the other, for pairs
};

}  // namespace centroids
