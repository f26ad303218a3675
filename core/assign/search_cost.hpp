// What it costs to find the nearest center of a row, in multiply-adds of the register tile in
// float32, measured on AVX2.
#pragma once

#include <cstdint>

#include "kernels/kernels.hpp"

namespace centroids {

struct SearchCost {
  double row;      // reading the row and packing it
  double compare;  // comparing it with the centers
  double sum() const { return row + compare; }
};

// Of the tile, for rows of `n_features` columns.
template <class T>
class TileCost {
 public:
  explicit TileCost(int64_t n_features) : n_features_(double(n_features)) {}

  double read() const { return kByte * double(sizeof(T)) * n_features_; }
  double pack() const {
    return kWidth * (n_features_ <= kKnownColumns ? kPackKnownColumn : kPackColumn) * n_features_;
  }
  double score() const { return kWidth * (n_features_ + kScore); }
  SearchCost search(int64_t n_centers) const {
    return {read() + pack(), double(n_centers) * score()};
  }

 private:
  // Of a byte; of a column, which is packed faster where their number is known to the compiler; of
  // a score, besides its products.
  static constexpr double kByte = 1, kPackKnownColumn = 6, kPackColumn = 20, kScore = 4;
  static constexpr double kWidth = double(sizeof(T)) / 4;

  double n_features_;
};

}  // namespace centroids
