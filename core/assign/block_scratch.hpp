// One block of packed rows and its nearest centers, private to a worker.
#pragma once

#include <algorithm>

#include "aligned.hpp"
#include "kernels/kernels.hpp"

namespace centroids {

// Up to kBlockRows rows, and how many come after them.
template <class T>
struct RowBlock {
  const T* base;
  int64_t n_features;
  const int32_t* listed;  // numbers of the rows; null: 0 .. n-1
  int n;
  int64_t n_after;

  // From `first` on, of n rows; these follow one another or are listed.
  static RowBlock at(const T* base, int64_t n_features, const int32_t* listed, int64_t first,
                     int64_t n) {
    const int64_t left = n - first, in_block = std::min<int64_t>(kBlockRows, left);
    return {listed ? base : base + first * n_features, n_features,
            listed ? listed + first : nullptr, int(in_block), left - in_block};
  }

  // The next block, to be fetched.
  NextRows next() const {
    return {.base = listed ? base : base + n * n_features,
            .row_bytes = n_features * int64_t(sizeof(T)),
            .listed = listed ? listed + n : nullptr,
            .n = int(std::min<int64_t>(kBlockRows, n_after))};
  }
};

template <class T>
struct BlockScratch {
  AlignedBuffer<T> packed;
  BlockNearest<T> nearest;

  // Packs the rows and finds their nearest centers; `shift` is that of the centers.
  void find(const Kernels<T>& kernels, const RowBlock<T>& rows, const T* shift,
            const PackedCenters<T>& centers, Search search) {
    kernels.pack_block(rows.base, rows.n_features, rows.listed, rows.n, shift, packed.data());
    kernels.assign_block(packed.data(), rows.n_features, rows.n, centers, search, rows.next(),
                         nearest);
  }
};

}  // namespace centroids
