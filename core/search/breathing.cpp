#include "search/breathing.hpp"

#include <algorithm>
#include <vector>

#include "random.hpp"

namespace centroids {
namespace {

constexpr uint64_t kStream = 4;
constexpr int kTriesAtOnce = 3;      // of so many clusters at once, before it is fewer
constexpr double kLeastGain = 1e-6;  // relative: less counts as none
// A swap whose price exceeds what the split has gained by more than this share hardly ever helps.
constexpr double kHopelessPrice = 0.25;
// Splits gain more once the rows around have moved, but not so many times as much.
constexpr double kMostUndervalued = 3;
constexpr int kIterationsIn = 4, kIterationsOut = 20;
// An iteration that lowered the error by g is followed by ones that lower it by no more than this
// many times g; and those that add less than this share to the gain are left to the last run.
constexpr double kHope = 8, kWorthwhile = 0.02;

class Searcher {
 public:
  Searcher(LocalPartition& partition, const SearchSettings& settings, const Control& control)
      : partition_(partition),
        settings_(settings),
        control_(control),
        start_(partition.error()),
        random_(settings.seed, kStream) {}

  bool run() {
    bool has_improved = true;
    while (has_improved && !is_over()) {
      has_improved = swap_until_none_helps();
      for (int64_t m = std::min(settings_.most_at_once, partition_.n_clusters()); m > 1;)
        if (!breathe_until_none_helps(m))
          --m;
        else
          has_improved = true;
      partition_.forget_gains();
    }
    return partition_.error() < start_ * (1 - kLeastGain);
  }

 private:
  bool is_over() const { return partition_.work() >= earned() || control_.stop(); }

  // What the search may have spent by now: the more it finds, the longer it goes on.
  double earned() const {
    const double gain = start_ > 0 ? 1 - partition_.error() / start_ : 0;
    return std::min(settings_.budget, settings_.unproven + settings_.for_gain * gain);
  }

  bool swap_until_none_helps() {
    bool has_improved = false;
    while (!is_over()) {
      partition_.measure_gains();
      const int32_t j = most_promising();
      if (j < 0 || kMostUndervalued * partition_.gain(j) < partition_.price(cheapest({}))) break;
      if (breathe({j}))
        has_improved = true;
      else
        partition_.set_tried(j);
    }
    return has_improved;
  }

  // True as soon as one of some tries has helped.
  bool breathe_until_none_helps(int64_t m) {
    for (int i = 0; i < kTriesAtOnce && !is_over(); ++i) {
      partition_.measure_gains();
      if (breathe(draw_by_gain(m))) return true;
    }
    return false;
  }

  // Splits these clusters and removes as many. Keeps what came of it if the error fell.
  bool breathe(const std::vector<int32_t>& chosen) {
    if (chosen.empty()) return false;
    const double before = partition_.error();
    partition_.begin();
    std::vector<int32_t> halves = chosen;
    for (const int32_t j : chosen) halves.push_back(partition_.split(j));
    for (int i = 0; i < kIterationsIn && partition_.relax(); ++i) continue;
    const bool has_improved = remove(chosen.size(), halves, before) && settle(before);
    if (has_improved)
      partition_.keep();
    else
      partition_.take_back();
    return has_improved;
  }

  // Removes the n cheapest clusters one after the other. False: that costs too much.
  bool remove(size_t n, const std::vector<int32_t>& halves, double before) {
    const bool is_swap = n == 1;
    for (size_t i = 0; i < n; ++i) {
      // A swap that joins the halves again would be none.
      const int32_t out = cheapest(is_swap ? halves : std::vector<int32_t>{});
      if (out < 0) return false;
      const double gained = before - partition_.error();
      if (is_swap && partition_.price(out) > (1 + kHopelessPrice) * gained) return false;
      partition_.remove(out);
    }
    return true;
  }

  // Lets the rows move until the error is as low as it gets. False: not below `before`.
  bool settle(double before) {
    double error = partition_.error();
    for (int i = 0; i < kIterationsOut && partition_.relax(); ++i) {
      const double gained = error - partition_.error();
      error -= gained;
      const bool is_hopeless = error - before > kHope * gained;
      const bool is_enough = gained < kWorthwhile * (before - error);
      if (is_hopeless || is_enough) break;
    }
    return partition_.error() < before * (1 - kLeastGain);
  }

  int32_t most_promising() const {
    int32_t best = -1;
    for (int32_t j = 0; j < partition_.n_numbers(); ++j) {
      if (!partition_.is_there(j) || partition_.is_tried(j) || !(partition_.gain(j) > 0)) continue;
      if (best < 0 || is_clearly_less(partition_.gain(best), partition_.gain(j))) best = j;
    }
    return best;
  }

  int32_t cheapest(const std::vector<int32_t>& spared) {
    partition_.measure_prices();
    int32_t best = -1;
    for (int32_t j = 0; j < partition_.n_numbers(); ++j) {
      if (!partition_.is_there(j) || std::count(spared.begin(), spared.end(), j) > 0) continue;
      if (best < 0 || is_clearly_less(partition_.price(j), partition_.price(best))) best = j;
    }
    return best;
  }

  // Up to m different clusters, each drawn in proportion to its gain.
  std::vector<int32_t> draw_by_gain(int64_t m) {
    std::vector<double> gains(partition_.n_numbers(), 0.0);
    for (int32_t j = 0; j < partition_.n_numbers(); ++j)
      if (partition_.is_there(j)) gains[j] = partition_.gain(j);
    std::vector<int32_t> drawn;
    for (int64_t i = 0; i < m; ++i) {
      double left = 0;
      for (const double gain : gains) left += gain;
      if (!(left > 0)) break;
      left *= random_.uniform();
      int32_t next = -1;
      for (int32_t j = 0; j < partition_.n_numbers(); ++j) {
        if (!(gains[j] > 0)) continue;
        next = j;
        if ((left -= gains[j]) < 0) break;
      }
      drawn.push_back(next);
      gains[next] = 0;
    }
    return drawn;
  }

  LocalPartition& partition_;
  const SearchSettings& settings_;
  const Control& control_;
  const double start_;  // the error
  Philox random_;
};

}  // namespace

bool improve(LocalPartition& partition, const SearchSettings& settings, const Control& control) {
  return Searcher(partition, settings, control).run();
}

}  // namespace centroids
