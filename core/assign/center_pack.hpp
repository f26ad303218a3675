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
#include "threads/pool.hpp"

namespace centroids {

// |computed - exact| of a score, as a share of (|x - s| + |c - s|)^2.
template <class T>
double score_error(int64_t n_features) {
  return double(n_features + 8) * double(std::numeric_limits<T>::epsilon()) / 2;
}

template <class T>
class CenterPack {
 public:
  void pack(const Centers& centers, const Kernels<T>& kernels, int n_threads = 1) {
    set_shift(centers, n_threads);
    pack_some(centers, nullptr, centers.n_clusters, kernels, n_threads);
  }

  // Only the k centers listed in `which`, with the shift of another pack of the same centers.
  void pack_subset(const Centers& centers, const int32_t* which, int64_t k, const CenterPack& whole,
                   const Kernels<T>& kernels) {
    n_features_ = centers.n_features;
    shift_ = whole.shift_;
    pack_some(centers, which, k, kernels, 1);
  }

  PackedCenters<T> view() const {
    return {packed_.data(), half_norms_.data(), n_centers_, group_size_};
  }
  const T* shift() const { return shift_.data(); }
  // A packed center, shifted, as a row.
  void copy_center(int64_t j, T* out) const {
    const T* lane = packed_.data() + j / group_size_ * group_size_ * n_features_ + j % group_size_;
    for (int64_t t = 0; t < n_features_; ++t) out[t] = lane[t * group_size_];
  }
  // Largest |c - s| of the packed centers, for error bounds.
  double max_norm() const { return max_norm_; }
  // |c - s|^2 of one.
  double squared_norm(int64_t j) const { return norms_[j]; }

 private:
  void pack_some(const Centers& centers, const int32_t* which, int64_t k, const Kernels<T>& kernels,
                 int n_threads) {
    const int64_t n_groups = (k + kernels.max_group_size - 1) / kernels.max_group_size;
    n_centers_ = int32_t(k);
    group_size_ = int32_t((k + n_groups - 1) / n_groups);
    packed_.resize(n_groups * group_size_ * n_features_);
    half_norms_.assign(n_groups * group_size_, std::numeric_limits<T>::infinity());
    norms_.assign(n_groups * group_size_, 0.0);
    n_threads = worthwhile_threads(n_threads, 4.0 * double(k) * double(n_features_));
    parallel_for(n_threads, n_groups, [&](int, int64_t group) {
      for (int64_t j = group * group_size_; j < (group + 1) * group_size_; ++j)
        pack_center(j < k ? centers.row(which ? which[j] : j) : nullptr, j);
    });
    max_norm_ = std::sqrt(*std::max_element(norms_.begin(), norms_.end()));
  }

  void set_shift(const Centers& centers, int n_threads) {
    constexpr int64_t kColumns = 16;  // a cache line of them at a time
    n_features_ = centers.n_features;
    shift_.resize(n_features_);
    n_threads =
        worthwhile_threads(n_threads, 20.0 * double(centers.n_clusters) * double(n_features_));
    parallel_for(n_threads, (n_features_ + kColumns - 1) / kColumns, [&](int, int64_t block) {
      const int64_t first = block * kColumns, n = std::min(kColumns, n_features_ - first);
      std::vector<T> columns(n * centers.n_clusters);
      for (int64_t j = 0; j < centers.n_clusters; ++j)
        for (int64_t t = 0; t < n; ++t)
          columns[t * centers.n_clusters + j] = T(centers.row(j)[first + t]);
      for (int64_t t = 0; t < n; ++t) {
        const auto begin = columns.begin() + t * centers.n_clusters;
        const auto middle = begin + (centers.n_clusters - 1) / 2;  // the lower of two
        std::nth_element(begin, middle, begin + centers.n_clusters);
        shift_[first + t] = *middle;
      }
    });
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
    norms_[j] = norm;
  }

  int64_t n_features_ = 0;
  int32_t n_centers_ = 0;
  int32_t group_size_ = 1;
  double max_norm_ = 0;
  std::vector<T> shift_, packed_, half_norms_;
  std::vector<double> norms_;
};

}  // namespace centroids
