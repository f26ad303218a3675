// A cluster split in two by Lloyd's algorithm on its rows alone.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "search/row_access.hpp"

namespace centroids {

// Sums over some rows.
struct Group {
  std::vector<double> sums;  // about the origin
  double weight = 0, squares = 0;
  int64_t n_rows = 0;

  double error() const;  // weighted sum of squared distances to the mean
};

struct Cluster {
  std::vector<int32_t> rows;
  Group group;
  // A point, and how far the rows are from it.
  std::vector<double> center, radii;
};

struct Split {
  double error = 0;        // of both parts
  double run_error = 0;    // the same, about the two points that the rows are nearest to
  std::vector<char> side;  // of each row of the cluster: 0 or 1
  Group parts[2];          // one without weight: no split was found
  bool is_split() const { return parts[0].weight > 0 && parts[1].weight > 0; }
};

using TwoPoints = std::array<std::vector<double>, 2>;

// When a run ends: after so many moves of the centers; when these move no farther, as a sum of
// squares; or when no more than one row in so many changes sides (0: none at all).
struct Ending {
  int64_t max_iter = 100;
  double tol = 0;
  int64_t settled = 0;
};

class TwoMeans {
 public:
  explicit TwoMeans(const RowAccess& rows) : rows_(rows), probe_(rows.make_probe()) {}

  Group group(const std::vector<int32_t>& rows) const;
  // The mean of a group.
  std::vector<double> center(const Group& group) const;
  // From two points.
  Split run(const Cluster& cluster, TwoPoints points, const Ending& ending);
  // Squared distances of some rows to a point.
  std::vector<double> distances(const std::vector<int32_t>& rows, const std::vector<double>& point);
  // So far, in multiply-adds.
  double work() const { return work_; }

 private:
  // The plane between two points: rows with (x - center) . normal + offset > 0 are nearer to the
  // second.
  struct Plane {
    std::vector<double> normal;
    double offset;
  };
  static Plane plane_between(const TwoPoints& points, const std::vector<double>& center);
  int64_t assign(const Cluster& cluster, Split& split);

  const RowAccess& rows_;
  std::unique_ptr<Probe> probe_;
  double work_ = 0;
  // Of the run: the plane; by how much normal and offset have moved so far; and for each row, how
  // far they may before it can change sides.
  Plane plane_;
  double turned_ = 0, shifted_ = 0;
  std::vector<double> slack_;
};

}  // namespace centroids
