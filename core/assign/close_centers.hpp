// Centers so near to each other, against how far they are from the shift, that rounding may take
// one for the other: two groups of rows a thousand times as far apart as they are wide, say, with
// several centers in each, in float32. A row whose score is the least of such a center is compared
// once more with those near it, in float64 and with a shift that lies among them; and so on with
// the groups within.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "aligned.hpp"
#include "assign/block_scratch.hpp"
#include "assign/center_pack.hpp"
#include "centers.hpp"
#include "kernels/kernels.hpp"

namespace centroids {

class Sets;

// Private to a worker.
struct CloseScratch {
  std::vector<std::pair<int32_t, int32_t>> places;  // group and place in the block
  AlignedBuffer<double> rows;
  BlockScratch<double> block;
  std::unique_ptr<CloseScratch> inner;
};

template <class T>
class CloseCenters {
 public:
  // Those of these centers, packed. Both are to stay where they are.
  void find(const Centers& centers, const CenterPack<T>& pack);
  // Only those near the centers of the labels of n rows, for a few of these. The second labels may
  // be null.
  void find_around(const Centers& centers, const CenterPack<T>& pack, const int32_t* labels,
                   const int32_t* second_labels, int n);

  bool empty() const { return groups_.empty(); }
  bool has(int32_t label) const { return !empty() && group_of(label) >= 0; }

  // Sets the labels of a block right, given those of the least scores; and those of the second
  // least, if not null.
  void settle(const RowBlock<T>& rows, CloseScratch& scratch, int32_t* labels,
              int32_t* second_labels = nullptr) const;

 private:
  struct Group {
    Centers centers;
    std::vector<int32_t> members;  // their numbers, ascending
    CenterPack<double> pack;
    std::unique_ptr<CloseCenters<double>> inner;  // groups within; null: none
  };
  void begin(const Centers& centers, const CenterPack<T>& pack);
  bool are_close(int32_t a, int32_t b) const;
  double reach(int32_t center) const;
  void join_few(Sets& sets) const;
  void join_many(Sets& sets) const;
  void add_groups(Sets& sets);
  void add_group(std::vector<int32_t> members);
  void look_within(Group& group) const;
  int32_t group_of(int32_t label) const { return label < 0 ? -1 : group_of_[label]; }
  // Calls take(place, nearest, second nearest) of its group for each row whose label is in one.
  template <class F>
  void search_groups(const RowBlock<T>& rows, CloseScratch& scratch, const int32_t* labels,
                     Search search, F take) const;
  void settle_seconds(const RowBlock<T>& rows, CloseScratch& scratch, int32_t* labels,
                      int32_t* second_labels) const;

  const Centers* centers_ = nullptr;
  const CenterPack<T>* pack_ = nullptr;
  double share_ = 0;  // of the larger |c - s|^2, that |a - b|^2 of close centers is at most
  std::vector<Group> groups_;
  std::vector<int32_t> group_of_;  // per center: the number of its group, or -1
};

}  // namespace centroids
