// Centers prepared for the assignment tile.
//
// Distances are compared as |c - s|^2 / 2 - (x - s).(c - s), with the shift s = median of the
// centers in each column: large offsets common to all rows cancel before anything is squared. (A
// mean would follow one far center, and the rows of all others would lose their digits.) Because s
// depends on the centers alone, the label of a row is a function of (row, centers): the same in fit
// and predict, in memory and from blocks. It does not depend on how the centers are numbered.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "centers.hpp"
#include "kernels/kernels.hpp"

namespace centroids {

template <class T>
class CenterPack {
 public:
  void pack(const Centers& centers, const Kernels<T>& kernels) {
    set_shift(centers);
    pack_some(centers, nullptr, centers.n_clusters, kernels);
  }

  // Only the k centers listed in `which`, with the shift of another pack of the same centers.
  void pack_subset(const Centers& centers, const int32_t* which, int64_t k, const CenterPack& whole,
                   const Kernels<T>& kernels) {
    n_features_ = centers.n_features;
    shift_ = whole.shift_;
    pack_some(centers, which, k, kernels);
  }

  PackedCenters<T> view() const {
    return {packed_.data(), half_norms_.data(), n_centers_, group_size_};
  }
  const T* shift() const { return shift_.data(); }
  // Largest |c - s| of the packed centers, for error bounds.
  double max_norm() const { return max_norm_; }

 private:
  void pack_some(const Centers& centers, const int32_t* which, int64_t k,
                 const Kernels<T>& kernels) {
    const int64_t n_groups = (k + kernels.max_group_size - 1) / kernels.max_group_size;
    n_centers_ = int32_t(k);
    group_size_ = int32_t((k + n_groups - 1) / n_groups);
    packed_.resize(n_groups * group_size_ * n_features_);
    half_norms_.assign(n_groups * group_size_, std::numeric_limits<T>::infinity());
    max_norm_ = 0;
    for (int64_t j = 0; j < n_groups * group_size_; ++j)
      pack_center(j < k ? centers.row(which ? which[j] : j) : nullptr, j);
  }

  void set_shift(const Centers& centers) {
    n_features_ = centers.n_features;
    shift_.resize(n_features_);
    std::vector<T> column(centers.n_clusters);
    const auto middle = column.begin() + (centers.n_clusters - 1) / 2;  // the lower of two
    for (int64_t t = 0; t < n_features_; ++t) {
      for (int64_t j = 0; j < centers.n_clusters; ++j) column[j] = T(centers.row(j)[t]);
      std::nth_element(column.begin(), middle, column.end());
      shift_[t] = *middle;
    }
  }

  // A null center is padding and keeps its infinite half norm.
  void pack_center(const double* center, int64_t j) {
    T* lane = packed_.data() + j / group_size_ * group_size_ * n_features_ + j % group_size_;
    double norm = 0;
    for (int64_t t = 0; t < n_features_; ++t) {
      const T value = center ? T(center[t] - double(shift_[t])) : T(0);
      lane[t * group_size_] = value;
      norm += double(value) * double(value);
    }
    if (!center) return;
    half_norms_[j] = T(0.5 * norm);
    max_norm_ = std::max(max_norm_, std::sqrt(norm));
  }

  int64_t n_features_ = 0;
  int32_t n_centers_ = 0;
  int32_t group_size_ = 1;
  double max_norm_ = 0;
  std::vector<T> shift_, packed_, half_norms_;
};

}  // namespace centroids
