#include "bisecting/two_means.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace centroids {
namespace {

double squared_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t t = 0; t < a.size(); ++t) sum += (a[t] - b[t]) * (a[t] - b[t]);
  return sum;
}

}  // namespace

double Group::error() const {
  if (!(weight > 0)) return 0;
  double norm = 0;
  for (const double s : sums) norm += s * s;
  return error_left(squares, norm / weight);
}

Group TwoMeans::group(const std::vector<int32_t>& rows) const {
  Group group;
  group.sums.resize(rows_.n_features());
  for (const int32_t row : rows) {
    const double w = rows_.weight(row);
    group.weight += w;
    group.squares += rows_.add(row, w, group.sums.data());
  }
  group.n_rows = int64_t(rows.size());
  return group;
}

std::vector<double> TwoMeans::center(const Group& group) const {
  std::vector<double> center(group.sums.size());
  mean_of(group.sums, group.weight, rows_.origin(), false, center);
  return center;
}

std::vector<double> TwoMeans::distances(const std::vector<int32_t>& rows,
                                        const std::vector<double>& point) {
  std::vector<double> distances(rows.size());
  probe_->choose({make_point(point)});
  probe_blocks(*probe_, rows,
               [&](size_t place, const double* squared) { distances[place] = squared[0]; });
  work_ += double(rows.size()) * rows_.work_per_row();
  return distances;
}

TwoMeans::Plane TwoMeans::plane_between(const TwoPoints& points,
                                        const std::vector<double>& center) {
  Plane plane{std::vector<double>(center.size()), 0};
  for (size_t t = 0; t < center.size(); ++t) {
    plane.normal[t] = points[1][t] - points[0][t];
    plane.offset += (center[t] - (points[0][t] + points[1][t]) / 2) * plane.normal[t];
  }
  return plane;
}

Split TwoMeans::run(const Cluster& cluster, TwoPoints points, const Ending& ending) {
  const int64_t few = ending.settled ? int64_t(cluster.rows.size()) / ending.settled : 0;
  Split split;
  split.side.assign(cluster.rows.size(), 0);
  split.parts[0] = cluster.group;
  split.parts[1].sums.resize(cluster.center.size());
  slack_.assign(cluster.rows.size(), -std::numeric_limits<double>::infinity());
  turned_ = shifted_ = 0;
  plane_ = plane_between(points, cluster.center);
  int64_t n_moved = assign(cluster, split);
  bool is_still = false;
  for (int64_t i = 0; split.is_split() && !is_still && n_moved > few && i < ending.max_iter; ++i) {
    TwoPoints means{center(split.parts[0]), center(split.parts[1])};
    is_still =
        squared_distance(means[0], points[0]) + squared_distance(means[1], points[1]) <= ending.tol;
    points = std::move(means);
    Plane next = plane_between(points, cluster.center);
    turned_ += std::sqrt(squared_distance(next.normal, plane_.normal));
    shifted_ += std::abs(next.offset - plane_.offset);
    plane_ = std::move(next);
    n_moved = assign(cluster, split);
  }
  split.error = split.parts[0].error() + split.parts[1].error();
  split.run_error = split.error;
  if (split.is_split())
    for (const int p : {0, 1})
      split.run_error +=
          split.parts[p].weight * squared_distance(center(split.parts[p]), points[p]);
  return split;
}

// Most rows are far from the plane, on the side where they were: only the others are looked at, and
// only those that change sides are added. A row at distance r from the center sees its score change
// by no more than r times what the normal moves, and what the offset moves.
int64_t TwoMeans::assign(const Cluster& cluster, Split& split) {
  double base = plane_.offset;  // without the center
  for (size_t t = 0; t < cluster.center.size(); ++t) base -= cluster.center[t] * plane_.normal[t];
  Group& second = split.parts[1];
  int64_t n_moved = 0, n_looked_at = 0;
  for (size_t i = 0; i < cluster.rows.size(); ++i) {
    const double moved = cluster.radii[i] * turned_ + shifted_;
    if (slack_[i] > moved) continue;
    ++n_looked_at;
    const int32_t row = cluster.rows[i];
    const double score = rows_.dot(row, plane_.normal.data()) + base;
    slack_[i] = std::abs(score) + moved;
    const char side = score > 0;
    if (side == split.side[i]) continue;
    split.side[i] = side;
    ++n_moved;
    const double w = side ? rows_.weight(row) : -rows_.weight(row);
    second.squares += rows_.add(row, w, second.sums.data());
    second.weight += w;
    second.n_rows += side ? 1 : -1;
  }
  work_ += 2 * double(cluster.rows.size()) + double(n_looked_at + n_moved) * rows_.work_per_row();
  Group& first = split.parts[0];
  first = cluster.group;
  for (size_t t = 0; t < first.sums.size(); ++t) first.sums[t] -= second.sums[t];
  first.weight -= second.weight;
  first.squares -= second.squares;
  first.n_rows -= second.n_rows;
  for (Group& part : split.parts)
    if (part.n_rows == 0) part.weight = 0;  // not what rounding has left
  return n_moved;
}

}  // namespace centroids
