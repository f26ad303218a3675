// Fixed shards of the rows. Their bounds depend on the size of the problem only, never on the
// number of threads, and whatever is summed over shards is merged in index order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/kernels.hpp"

namespace centroids {

struct Shards {
  int64_t n_rows;
  int64_t shard_rows;  // a multiple of kBlockRows

  // At least `min_rows` a shard, at most 256 shards.
  explicit Shards(int64_t rows, int64_t min_rows = 1024) : n_rows(rows) {
    const int64_t wanted = std::max(min_rows, (rows + 255) / 256);
    shard_rows = (wanted + kBlockRows - 1) / kBlockRows * kBlockRows;
  }
  // Some whole shards of the rows together, at least `min_rows`.
  static Shards joined(int64_t rows, int64_t min_rows) {
    Shards shards(rows);
    const int64_t unit = shards.shard_rows;
    shards.shard_rows = (std::max(min_rows, unit) + unit - 1) / unit * unit;
    return shards;
  }
  // Those of the first rows; or of any part of the rows that begins where a shard does.
  Shards of_part(int64_t part_rows) const {
    Shards part = *this;
    part.n_rows = part_rows;
    return part;
  }
  int64_t count() const { return (n_rows + shard_rows - 1) / shard_rows; }
  int64_t begin(int64_t shard) const { return shard * shard_rows; }
  int64_t end(int64_t shard) const { return std::min(n_rows, (shard + 1) * shard_rows); }
};

}  // namespace centroids
