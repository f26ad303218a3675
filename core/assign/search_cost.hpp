// What it costs to find the nearest center of a row, in multiply-adds of the register tile in
// float32, measured on AVX2.
#pragma once

#include <algorithm>
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
  TileCost(const TileCosts& costs, int64_t n_features)
      : costs_(costs), n_features_(double(n_features)) {}

  // Where nothing else goes on meanwhile.
  double read() const { return kByte * double(sizeof(T)) * n_features_; }
  double pack() const {
    return kWidth * (n_features_ <= kKnownColumns ? costs_.pack_narrow : costs_.pack) * n_features_;
  }
  double score() const { return kWidth * (n_features_ + kScore); }
  SearchCost search(int64_t n_centers) const {
    const double compare = double(n_centers) * score();
    const double read = costs_.read * double(sizeof(T)) * n_features_;
    return {pack() + std::max(0.0, read - compare), compare};
  }

 private:
  // Of a byte; of a score, besides its products.
  static constexpr double kByte = 1, kScore = 4;
  static constexpr double kWidth = double(sizeof(T)) / 4;

  TileCosts costs_;
  double n_features_;
};

}  // namespace centroids
