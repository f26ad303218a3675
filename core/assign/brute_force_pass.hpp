// Every row against every center, through the register tile. The definition of the labels: whatever
// other passes do, they give these.
#pragma once

#include "assign/row_pass.hpp"

namespace centroids {

template <class T>
class BruteForcePass : public RowPass<T> {
 public:
  using RowPass<T>::RowPass;

 protected:
  void prepare(const Centers& centers, int n_workers) override;
  int64_t assign_shard(int worker, int64_t shard) override;

  // The nearest centers of up to kBlockRows rows, counted from `base`; rows null: consecutive ones.
  const BlockNearest<T>& search(int worker, const T* base, const int32_t* rows, int n,
                                Search search);

  CenterPack<T> pack_;
  std::vector<BlockScratch<T>> scratch_;
};

}  // namespace centroids
