// The recursion over a grid of edges between the sorted values, and bounds from it.
//
//   D[q][b] = min over j of D[q-1][j] + ssq(j, b)         (Wang & Song, The R Journal 3(2), 2011)
//
// is the least error of the values before edge b in q clusters, the borders between clusters lying
// on edges. The best j never decreases with b, so one row of D takes O(m log m) steps by divide and
// conquer (Gronlund et al., arXiv 1701.07204, section 2). Where border q may lie in the bucket
// that begins at edge b, and not only on its edges, the same recursion with that bucket left out,
// ssq(j + 1, b), is a lower bound: fewer values cannot have a larger error.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace centroids {

// Sums over the values before it, in Real.
template <class Real>
struct Edge {
  int64_t position = 0;  // how many these are
  Real weight{}, sum{}, squares{};
};

// Sum of squared distances of the values between two edges from their mean.
template <class Real>
double error(const Edge<Real>& begin, const Edge<Real>& end) {
  if (end.position - begin.position < 2) return 0;
  const Real s = end.sum - begin.sum;
  const Real squares = end.squares - begin.squares;
  return std::max(0.0, double(squares - s * s / (end.weight - begin.weight)));
}

// The edges where a border may lie, or the buckets that begin there: both ends are included.
struct Window {
  int64_t first, last;
  int64_t size() const { return last - first + 1; }
};

// The step from one row of D to the next. All pointers are offset, to be indexed by edge.
template <class Real>
struct Step {
  const Edge<Real>* edges;
  const double* from;
  double* to;
  int32_t* starts;     // where the last cluster begins; or null
  int64_t n_left_out;  // buckets at the beginning of each cluster

  struct Candidate {
    double error;
    int64_t start;
  };
  // Of the clusters before edge b, the last beginning within [low, high].
  Candidate best_start(int64_t b, int64_t low, int64_t high) const {
    Candidate best{std::numeric_limits<double>::infinity(), low};
    const Edge<Real>* begin = edges + n_left_out;
    const Edge<Real> end = edges[b];
    for (int64_t j = low, last = std::min(high, b - 1 + n_left_out); j <= last; ++j) {
      const double candidate = from[j] + error(begin[j], end);
      if (candidate < best.error) best = {candidate, j};
    }
    return best;
  }

  void fill(int64_t first, int64_t last, int64_t low, int64_t high) const {
    if (first > last) return;
    const int64_t middle = first + (last - first) / 2;
    const auto [least, start] = best_start(middle, low, high);
    to[middle] = least;
    if (starts) starts[middle] = int32_t(start);
    fill(first, middle - 1, low, start);
    fill(middle + 1, last, start, high);
  }
};

template <class Real>
class Layers {
 public:
  // windows[q] is that of the border between clusters q and q + 1.
  Layers(const std::vector<Edge<Real>>& edges, const std::vector<Window>& windows)
      : edges_(edges), windows_(windows), n_borders_(int64_t(windows.size())) {}

  struct Best {
    double error;
    std::vector<int64_t> borders;  // edges
  };
  // The best clusters with borders on edges of the windows; the lowest border on ties.
  Best best() const {
    std::vector<std::vector<int32_t>> starts(n_borders_);
    std::vector<double> least = first_layer(), next;
    for (int64_t q = 1; q < n_borders_; ++q) {
      starts[q].resize(windows_[q].size());
      next_layer(q, 0, least, next, &starts[q]);
      std::swap(least, next);
    }
    const Window& last = windows_.back();
    const Step<Real> to_end{edges_.data(), least.data() - last.first, nullptr, nullptr, 0};
    const auto [error, start] =
        to_end.best_start(int64_t(edges_.size()) - 1, last.first, last.last);
    std::vector<int64_t> borders(n_borders_, start);
    for (int64_t q = n_borders_ - 1; q > 0; --q)
      borders[q - 1] = starts[q][borders[q] - windows_[q].first];
    return {error, std::move(borders)};
  }

  // By border and bucket of its window: no clusters of the values before the border have less.
  std::vector<std::vector<double>> lower_bounds() const {
    std::vector<std::vector<double>> bounds(n_borders_);
    bounds[0] = first_layer();
    for (int64_t q = 1; q < n_borders_; ++q) next_layer(q, 1, bounds[q - 1], bounds[q], nullptr);
    return bounds;
  }

 private:
  std::vector<double> first_layer() const {
    std::vector<double> least(windows_[0].size());
    for (int64_t b = windows_[0].first; b <= windows_[0].last; ++b)
      least[b - windows_[0].first] = error(edges_[0], edges_[b]);
    return least;
  }

  void next_layer(int64_t q, int64_t n_left_out, const std::vector<double>& from,
                  std::vector<double>& to, std::vector<int32_t>* starts) const {
    const Window window = windows_[q], before = windows_[q - 1];
    to.resize(window.size());
    const Step<Real> step{edges_.data(), from.data() - before.first, to.data() - window.first,
                          starts ? starts->data() - window.first : nullptr, n_left_out};
    step.fill(window.first, window.last, before.first, before.last);
  }

  const std::vector<Edge<Real>>& edges_;
  const std::vector<Window>& windows_;
  int64_t n_borders_;
};

}  // namespace centroids
