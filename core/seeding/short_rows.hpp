// A copy of the rows in 8-bit integers that tells which rows may be nearer to a point than they are
// to their seed. With many columns it saves nearly all visits of the rows themselves.
#pragma once

#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "kernels/kernels.hpp"
#include "kernels/short_rows.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {

template <class T>
class ShortRows {
 public:
  // Whether the copy is worth making, and fits a quarter of the free memory.
  static bool pays(const Rows<T>& rows, int64_t n_clusters, int n_points);

  // Leaves it unpacked when values are too far apart for float32.
  void pack(const Rows<T>& rows);
  bool is_packed() const { return kernels_ != nullptr; }
  // These rows, one after the other, are the points.
  void choose(const T* points, int n_points);
  // Lists the rows among n from `begin` (a multiple of the block) that may be nearer to a point
  // than current[row], counted from `begin`.
  int select(int64_t begin, int n, const T* current, int32_t* out) const;

 private:
  const ShortRowKernels<T>* kernels_ = nullptr;
  int64_t n_features_ = 0;
  std::vector<T> shift_;
  AlignedBuffer<uint8_t> blocks_;
  AlignedBuffer<ShortNorms> norms_;
  AlignedBuffer<int8_t> points_;
  ShortNorms point_norms_{};
  int32_t point_sums_[kMostShortPoints] = {};
  int n_points_ = 0;
};

}  // namespace centroids
