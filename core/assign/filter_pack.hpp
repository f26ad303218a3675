// Centers prepared for a certified filter, and the bound on its error.
#pragma once

#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "assign/center_pack.hpp"
#include "kernels/filter.hpp"

namespace centroids {

// A worker's memory for the filter.
struct FilterScratch {
  AlignedBuffer<char> packed;
  FilterRows rows{};
  FilterNearest nearest;
};

template <class T>
class FilterPack {
 public:
  // Whether there is a filter and it is cheaper than the tile by enough to try.
  static bool pays(const Kernels<T>& kernels, int64_t n_centers, int64_t n_features) {
    return kernels.filter && relative_cost(kernels, n_centers, n_features) < 0.8;
  }
  // Cost of a row against all centers, the tile's being 1.
  static double relative_cost(const Kernels<T>& kernels, int64_t n_centers, int64_t n_features);
  // The second digits of few columns cost next to nothing.
  static constexpr int64_t kFewColumns = 32;
  static bool prefers_two_digits(int64_t n_features) { return n_features <= kFewColumns; }

  // `pack` holds the same centers for the tile.
  void pack(const Centers& centers, const CenterPack<T>& pack, const Kernels<T>& kernels,
            Digits digits, int n_threads);
  void resize(FilterScratch& scratch) const;

  // Approximate scores of up to kBlockRows rows.
  void nearest(const T* base, const int32_t* rows, int n, const T* shift,
               FilterScratch& scratch) const;

  // At most this far are the scores of a row, |x - s| = length, from exact ones, those of the tile
  // included; `rest` is FilterRows::rest.
  double error(double length, double rest) const;

 private:
  const FilterKernels<T>* filter_ = nullptr;
  Digits digits_ = Digits::one;
  int64_t n_features_ = 0, n_lanes_ = 0;
  double max_norm_ = 0;    // largest |c - s|
  double max_rest_ = 0;    // largest |c - s - c'|
  double by_sizes_ = 0;    // rounding, as a share of |c - s|^2 / 2 + |x - s| |c - s|
  double by_product_ = 0;  // what digits leave out, as a share of |x - s| |c - s|
  AlignedBuffer<char> packed_;
  AlignedBuffer<float> half_norms_;
};

}  // namespace centroids
