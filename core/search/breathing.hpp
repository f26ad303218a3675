// Which changes to a partition local search tries, in which order.
//
// Swaps: split the cluster that gains most by it, remove the one that costs least, let the rows
// around move, and keep that if the error fell. Breathing (Fritzke, arXiv 2006.15666): the same
// with several clusters at once, fewer at a time when that finds nothing. The paper runs the whole
// of Lloyd's algorithm after each half of a breath; here only what is near moves.
#pragma once

#include <cstdint>

#include "options.hpp"
#include "search/local_partition.hpp"

namespace centroids {

struct SearchSettings {
  int64_t most_at_once;  // clusters split at once; 1: swaps alone
  double budget;         // multiply-adds, at the most
  double unproven;       // of them, before anything is found
  double for_gain;       // and more: so many times the share by which the error has fallen
  uint64_t seed;
};

// Until nothing tried helps any more, the budget is spent, or what is found does not pay for more.
// True if the error is lower.
bool improve(LocalPartition& partition, const SearchSettings& settings, const Control& control);

}  // namespace centroids
