// One block of packed rows and its nearest centers, private to a worker.
#pragma once

#include "aligned.hpp"
#include "kernels/kernels.hpp"

namespace centroids {

template <class T>
struct BlockScratch {
  AlignedBuffer<T> packed;
  BlockNearest<T> nearest;
};

}  // namespace centroids
