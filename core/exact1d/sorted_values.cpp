#include "exact1d/sorted_values.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>
#include <utility>

#include "threads/pool.hpp"

namespace centroids {
namespace {

constexpr uint64_t kSign = uint64_t(1) << 63;
constexpr int kDigitBits = 11, kDigits = 1 << kDigitBits, kPasses = 3;
using Places = std::array<int64_t, kDigits>;

// Unsigned integers in the order of the values; both zeros are one.
uint64_t key_of(double value) {
  const uint64_t bits = std::bit_cast<uint64_t>(value + 0.0);
  return bits ^ (uint64_t(int64_t(bits) >> 63) | kSign);  // all of a negative one's
}

void leave_out_weightless(WeightedValues& rows) {
  if (rows.weights.empty()) return;
  size_t n = 0;
  for (size_t i = 0; i < rows.weights.size(); ++i) {
    if (!(rows.weights[i] > 0)) continue;
    rows.values[n] = rows.values[i];
    rows.weights[n++] = rows.weights[i];
  }
  rows.values.resize(n);
  rows.weights.resize(n);
}

class RadixSort {
 public:
  RadixSort(WeightedValues& rows, int n_threads)
      : rows_(rows),
        n_parts_(worthwhile_threads(n_threads, double(rows.size()) * kWorkPerValue)),
        places_(n_parts_),
        other_{std::vector<double>(rows.values.size()), std::vector<double>(rows.weights.size())} {}

  // By the highest bits that differ, from the lowest of them on. That leaves few values for a sort
  // by comparison, unless most of them are close together and some are far.
  void run() {
    const uint64_t differing = differing_bits();
    const int lowest = std::max(0, int(std::bit_width(differing)) - kPasses * kDigitBits);
    for (int shift = lowest; shift < 64; shift += kDigitBits)
      if ((differing >> shift) & (kDigits - 1)) sort_by_digit(shift);
    if (lowest > 0) sort_alike(lowest);
  }

 private:
  static constexpr double kWorkPerValue = 8;

  uint64_t differing_bits() const {
    uint64_t differing = 0;
    if (rows_.values.empty()) return 0;
    const uint64_t first = key_of(rows_.values[0]);
    for (const double value : rows_.values) differing |= key_of(value) ^ first;
    return differing;
  }

  // Calls body(part, i, digit) for every row, the parts at once.
  template <class F>
  void for_digits(int shift, F body) {
    parallel_for(n_parts_, n_parts_, [&](int, int64_t part) {
      const int64_t end = rows_.size() * (part + 1) / n_parts_;
      for (int64_t i = rows_.size() * part / n_parts_; i < end; ++i)
        body(part, i, (key_of(rows_.values[i]) >> shift) & (kDigits - 1));
    });
  }

  void sort_by_digit(int shift) {
    for (Places& places : places_) places.fill(0);
    for_digits(shift, [&](int64_t part, int64_t, uint64_t digit) { ++places_[part][digit]; });
    int64_t place = 0;
    for (int digit = 0; digit < kDigits; ++digit)
      for (Places& places : places_) place += std::exchange(places[digit], place);
    const bool has_weights = !rows_.weights.empty();
    for_digits(shift, [&](int64_t part, int64_t i, uint64_t digit) {
      const int64_t to = places_[part][digit]++;
      other_.values[to] = rows_.values[i];
      if (has_weights) other_.weights[to] = rows_.weights[i];
    });
    std::swap(rows_, other_);
  }

  // Values that differ below bit `lowest` only.
  void sort_alike(int lowest) {
    const auto& values = rows_.values;
    for (int64_t begin = 0, end; begin < rows_.size(); begin = end) {
      const uint64_t high = key_of(values[begin]) >> lowest;
      bool is_sorted = true;
      for (end = begin + 1; end < rows_.size() && key_of(values[end]) >> lowest == high; ++end)
        is_sorted &= values[end - 1] <= values[end];
      if (!is_sorted) sort_range(begin, end);
    }
  }
  void sort_range(int64_t begin, int64_t end) {
    if (rows_.weights.empty()) {
      std::sort(rows_.values.begin() + begin, rows_.values.begin() + end);
      return;
    }
    std::vector<std::pair<double, double>> pairs;
    for (int64_t i = begin; i < end; ++i) pairs.emplace_back(rows_.values[i], rows_.weights[i]);
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (int64_t i = begin; i < end; ++i)
      std::tie(rows_.values[i], rows_.weights[i]) = pairs[i - begin];
  }

  WeightedValues& rows_;
  int n_parts_;
  std::vector<Places> places_;  // by part and digit: the counts, then where the next row goes
  WeightedValues other_;
};

void join_equal(WeightedValues& rows) {
  const auto first = std::adjacent_find(rows.values.begin(), rows.values.end());
  if (first == rows.values.end()) return;
  if (rows.weights.empty()) rows.weights.assign(rows.values.size(), 1.0);
  size_t n = size_t(first - rows.values.begin());
  for (size_t i = n + 1; i < rows.values.size(); ++i) {
    if (rows.values[i] == rows.values[n]) {
      rows.weights[n] += rows.weights[i];
    } else {
      rows.values[++n] = rows.values[i];
      rows.weights[n] = rows.weights[i];
    }
  }
  rows.values.resize(n + 1);
  rows.weights.resize(n + 1);
}

}  // namespace

WeightedValues sorted_distinct(WeightedValues rows, int n_threads) {
  leave_out_weightless(rows);
  RadixSort(rows, n_threads).run();
  join_equal(rows);
  return rows;
}

}  // namespace centroids
