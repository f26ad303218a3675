#include "search/two_halves.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

namespace centroids {
namespace {

constexpr int kStarts = 2, kMostIterations = 6;
constexpr double kLeastGain = 0.01;  // of an iteration, relative to the gain so far

class Splitter {
 public:
  Splitter(const RowAccess& rows, Probe& probe, const std::vector<int32_t>& members, double error,
           bool unit_centers)
      : rows_(rows),
        probe_(probe),
        members_(members),
        error_(error),
        unit_centers_(unit_centers),
        d_(rows.n_features()),
        sums_{std::vector<double>(d_), std::vector<double>(d_)} {}

  // Squared distances of the rows to a point.
  std::vector<double> distances(const Point& center) {
    std::vector<double> distances(members_.size());
    probe_.choose({center});
    probe_blocks(probe_, members_,
                 [&](size_t place, const double* squared) { distances[place] = squared[0]; });
    return distances;
  }

  Halves run(const Point& center, int32_t row) {
    Halves halves{0, {center.values, center.values + d_}, std::vector<double>(d_)};
    rows_.copy(row, halves.second.data());
    for (int iteration = 0; iteration < kMostIterations; ++iteration) {
      const double gain = improve(halves);
      if (!(gain > halves.gain)) break;
      const double more = gain - halves.gain;
      halves.gain = gain;
      if (more < kLeastGain * gain) break;
    }
    return halves;
  }

 private:
  // One iteration. Returns what the halves gain against the whole; 0 when one of them is empty.
  double improve(Halves& halves) {
    std::vector<double>* centers[2] = {&halves.first, &halves.second};
    double weights[2] = {}, error = 0;
    for (auto& sums : sums_) std::fill(sums.begin(), sums.end(), 0.0);
    probe_.choose({make_point(halves.first), make_point(halves.second)});
    probe_blocks(probe_, members_, [&](size_t place, const double* squared) {
      const int h = squared[kBlockRows] < squared[0] * kSameDistance;
      const double w = rows_.weight(members_[place]);
      weights[h] += w;
      error += rows_.add(members_[place], w, sums_[h].data());
    });
    if (!(weights[0] > 0) || !(weights[1] > 0)) return 0;
    for (int h = 0; h < 2; ++h)
      error -= mean_of(sums_[h], weights[h], rows_.origin(), unit_centers_, *centers[h]).explained;
    return error_ - error;
  }

  const RowAccess& rows_;
  Probe& probe_;
  const std::vector<int32_t>& members_;
  double error_;
  bool unit_centers_;
  int64_t d_;
  std::vector<double> sums_[2];
};

// So that rounding puts no row before another at the same distance.
double without_last_bits(double distance) {
  constexpr uint64_t kStep = uint64_t(1) << 24;
  uint64_t bits;
  std::memcpy(&bits, &distance, sizeof bits);
  bits = (bits + kStep / 2) / kStep * kStep;
  std::memcpy(&distance, &bits, sizeof bits);
  return distance;
}

// Draws rows with probability in proportion to w |x - c|^2, in ascending order of the distance:
// where a row stands makes no difference, nor whether it stands there twice or has twice the
// weight.
class RowDraw {
 public:
  RowDraw(const RowAccess& rows, const std::vector<int32_t>& members,
          const std::vector<double>& distances) {
    for (size_t i = 0; i < members.size(); ++i)
      if (rows.weight(members[i]) > 0 && distances[i] > 0)
        rows_.emplace_back(without_last_bits(distances[i]), members[i]);
    std::sort(rows_.begin(), rows_.end());
    for (const auto& [distance, row] : rows_) {
      total_ += rows.weight(row) * distance;
      up_to_.push_back(total_);
    }
  }
  bool is_empty() const { return rows_.empty(); }
  int32_t draw(Philox& random) const {
    const auto found = std::upper_bound(up_to_.begin(), up_to_.end(), random.uniform() * total_);
    return rows_[std::min(size_t(found - up_to_.begin()), rows_.size() - 1)].second;
  }

 private:
  std::vector<std::pair<double, int32_t>> rows_;
  std::vector<double> up_to_;
  double total_ = 0;
};

}  // namespace

Halves split_in_two(const RowAccess& rows, Probe& probe, const std::vector<int32_t>& members,
                    const Point& center, double error, bool unit_centers, Philox random) {
  Halves best;
  if (!(error > 0) || members.size() < 2) return best;
  Splitter splitter(rows, probe, members, error, unit_centers);
  const RowDraw draw(rows, members, splitter.distances(center));
  if (draw.is_empty()) return best;
  for (int start = 0; start < kStarts; ++start) {
    Halves halves = splitter.run(center, draw.draw(random));
    if (is_clearly_less(best.gain, halves.gain)) best = std::move(halves);
  }
  return best;
}

double work_to_split(const RowAccess& rows, double n_members) {
  return n_members * rows.work_per_row() * (1 + 3 * kStarts * kMostIterations);
}

}  // namespace centroids
