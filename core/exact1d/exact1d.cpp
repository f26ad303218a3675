#include "exact1d/exact1d.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "exact1d/double_double.hpp"
#include "exact1d/layers.hpp"
#include "threads/pool.hpp"

namespace centroids {
namespace {

constexpr int64_t kFiner = 8;                 // buckets from one
constexpr double kMultiplyAddsPerState = 50;  // of the recursion

// The rounding of a sum in Real.
template <class Real>
constexpr double kRounding = std::numeric_limits<double>::epsilon();
template <>
constexpr double kRounding<DoubleDouble> = 0x1p-100;

template <class Real>
using Edges = std::vector<Edge<Real>>;

// Seen from the largest value. Only differences of the sums count.
template <class Real>
Edges<Real> mirrored(const Edges<Real>& edges) {
  Edges<Real> mirror;
  for (auto edge = edges.rbegin(); edge != edges.rend(); ++edge)
    mirror.push_back({-edge->position, -edge->weight, -edge->sum, -edge->squares});
  return mirror;
}
std::vector<Window> mirrored(const std::vector<Window>& windows, int64_t n_buckets) {
  std::vector<Window> mirror;
  for (auto window = windows.rbegin(); window != windows.rend(); ++window)
    mirror.push_back({n_buckets - 1 - window->last, n_buckets - 1 - window->first});
  return mirror;
}

enum class Outcome { found, too_few_digits, too_much_work };

template <class Real>
class Narrowing {
 public:
  Narrowing(const WeightedValues& values, int64_t n_clusters, int n_threads, int64_t n_first_edges)
      // Sums about the median: an offset common to all values costs no digits.
      : values_(values), shift_(values.values[values.size() / 2]), n_threads_(n_threads) {
    const int64_t n = values.size();
    edges_.push_back({});
    first_cut(n_first_edges);
    const auto& w = values.weights;
    const double smallest = w.empty() ? 1.0 : *std::min_element(w.begin(), w.end());
    noise_ = kRounding<Real> * std::sqrt(double(n) * double(edges_.back().weight) / smallest) *
             double(edges_.back().squares);
    windows_.resize(n_clusters - 1);
    for (int64_t q = 0; q + 1 < n_clusters; ++q) windows_[q] = window_of(q, 0, n);
  }

  Outcome run() {
    if (windows_.empty()) return Outcome::found;
    const bool is_small = values_.size() < kMostExactStates / int64_t(windows_.size() + 1);
    for (;;) {
      const int64_t most = is_small ? n_values() : kMostExactStates;
      if (n_values() < kFiner * n_states()) {  // narrowing would cost more than it saves
        if (n_values() > most) return Outcome::too_much_work;
        refine(values_.size());
        break;
      }
      if (n_states() > most / kFiner) return Outcome::too_much_work;
      if (!narrow()) return Outcome::too_few_digits;
      refine(kFiner);
    }
    const auto best = Layers<Real>(edges_, windows_).best();
    borders_ = best.borders;
    return has_digits_for(best.error) ? Outcome::found : Outcome::too_few_digits;
  }

  std::vector<double> centers() const {
    std::vector<double> centers;
    const Edge<Real>* begin = &edges_.front();
    const auto add_cluster_up_to = [&](const Edge<Real>& end) {
      const Real mean = (end.sum - begin->sum) / (end.weight - begin->weight);
      centers.push_back(double(mean + Real(shift_)));
      begin = &end;
    };
    for (const int64_t border : borders_) add_cluster_up_to(edges_[border]);
    add_cluster_up_to(edges_.back());
    return centers;
  }

 private:
  // Where the clusters are narrow against their distances, the sums need more digits.
  bool has_digits_for(double error) const {
    return std::is_same_v<Real, DoubleDouble> || error > 1e4 * noise_;
  }

  // Of all windows: the buckets, and the values in them.
  int64_t n_states() const {
    int64_t n = 0;
    for (const Window& window : windows_) n += window.size();
    return n;
  }
  int64_t n_values() const {
    int64_t n = 0;
    for (const Window& window : windows_)
      n += edges_[window.last + 1].position - edges_[window.first].position;
    return n;
  }
  int64_t bucket_of(int64_t position) const {
    return std::upper_bound(edges_.begin(), edges_.end(), position,
                            [](int64_t p, const Edge<Real>& e) { return p < e.position; }) -
           edges_.begin() - 1;
  }

  // The buckets with positions first .. last, without those where a cluster would hold no value.
  Window window_of(int64_t q, int64_t first, int64_t last) const {
    const int64_t n_later = int64_t(windows_.size()) - q;
    return {bucket_of(std::max(first, q + 1)), bucket_of(std::min(last, values_.size() - n_later))};
  }

  // Buckets of as many values each; those of sparse values are cut finer. The density of the best
  // centers is that of the values to the power of 1/3 (Panter & Dite, Proc. IRE 39, 1951), and as
  // many buckets a cluster make the bounds as good everywhere.
  void first_cut(int64_t n_edges) {
    const int64_t n = values_.size();
    n_edges = std::min(n, n_edges);
    std::vector<double> share(n_edges);
    double total = 0;
    const auto begin = [&](int64_t b) { return n / n_edges * b + n % n_edges * b / n_edges; };
    for (int64_t b = 0; b < n_edges; ++b) {
      const double width =
          std::cbrt(values_.values[std::min(begin(b + 1), n - 1)] - values_.values[begin(b)]);
      total += share[b] = width * width * std::cbrt(double(begin(b + 1) - begin(b)));
    }
    const double scale = std::isfinite(total) && total > 0 ? double(n_edges) / total : 0;
    for (int64_t b = 0; b < n_edges; ++b) cut_up_to(begin(b + 1), 1 + int64_t(share[b] * scale));
  }

  // Adds the edge at `end` and those between it and the last, if so many values are there. From the
  // smallest value on in one order, whatever the edges: they all have the same sums.
  void cut_up_to(int64_t end, int64_t n_parts) {
    Edge<Real> edge = edges_.back();
    const int64_t begin = edge.position, n = end - begin;
    n_parts = std::min(n_parts, n);
    for (int64_t part = 1; part <= n_parts; ++part) {
      for (const int64_t next = begin + n * part / n_parts; edge.position < next; ++edge.position) {
        const Real x = Real(values_.values[edge.position]) - Real(shift_),
                   w = Real(values_.weight(edge.position));
        edge.weight = edge.weight + w;
        edge.sum = edge.sum + w * x;
        edge.squares = edge.squares + w * x * x;
      }
      edges_.push_back(edge);
    }
  }

  // Drops the buckets, from both ends of each window, in which no border of the best clusters is.
  // False when there are too few digits to tell.
  bool narrow() {
    const int64_t n_buckets = int64_t(edges_.size()) - 1, n_borders = int64_t(windows_.size());
    std::vector<std::vector<double>> before, after;
    double some = 0;
    parallel_for(worthwhile_threads(n_threads_, kMultiplyAddsPerState * double(n_states())), 3,
                 [&](int, int64_t task) {
                   if (task == 0) some = Layers<Real>(edges_, windows_).best().error;
                   if (task == 1) before = Layers<Real>(edges_, windows_).lower_bounds();
                   if (task == 2) {
                     const Edges<Real> edges = mirrored(edges_);
                     const std::vector<Window> windows = mirrored(windows_, n_buckets);
                     after = Layers<Real>(edges, windows).lower_bounds();
                   }
                 });
    least_known_ = std::min(least_known_, some);
    if (!has_digits_for(least_known_)) return false;
    // Outward, by far more than what rounding does to sums and comparisons.
    const double most = least_known_ * (1 + 1e-12) + double(16 + n_borders) * noise_;
    for (int64_t q = 0; q < n_borders; ++q) {
      const Window all = windows_[q];
      const auto is_possible = [&](int64_t b) {
        return !(before[q][b - all.first] + after[n_borders - 1 - q][all.last - b] > most);
      };
      Window& window = windows_[q];
      while (window.first < all.last && !is_possible(window.first)) ++window.first;
      while (window.last > window.first && !is_possible(window.last)) --window.last;
    }
    return true;
  }

  // Cuts the buckets of the windows finer, and forgets the edges elsewhere.
  void refine(int64_t n_parts) {
    const Edges<Real> coarse = std::exchange(edges_, {edges_.front()});
    int64_t done = 0;
    for (const Window& window : windows_) {
      if (window.first > done) edges_.push_back(coarse[window.first]);
      for (done = std::max(done, window.first); done <= window.last; ++done)
        cut_up_to(coarse[done + 1].position, n_parts);
    }
    if (done + 1 < int64_t(coarse.size())) edges_.push_back(coarse.back());
    const int64_t n_borders = int64_t(windows_.size());
    for (int64_t q = 0; q < n_borders; ++q) {
      const Window window = windows_[q];
      windows_[q] =
          window_of(q, coarse[window.first].position, coarse[window.last + 1].position - 1);
    }
  }

  const WeightedValues& values_;
  double shift_;
  int n_threads_;
  double noise_ = 0;   // of a difference of sums of squares
  Edges<Real> edges_;  // ascending
  std::vector<Window> windows_;
  double least_known_ = std::numeric_limits<double>::infinity();
  std::vector<int64_t> borders_;
};

}  // namespace

std::optional<std::vector<double>> optimal_centers(WeightedValues rows, int64_t n_clusters,
                                                   int n_threads, int64_t n_first_edges) {
  const WeightedValues values = sorted_distinct(std::move(rows), n_threads);
  if (values.size() <= n_clusters) return values.values;
  n_first_edges = std::max(n_first_edges, 4 * n_clusters);
  {
    Narrowing<double> narrowing(values, n_clusters, n_threads, n_first_edges);
    const Outcome outcome = narrowing.run();
    if (outcome == Outcome::found) return narrowing.centers();
    if (outcome == Outcome::too_much_work) return std::nullopt;
  }
  Narrowing<DoubleDouble> narrowing(values, n_clusters, n_threads, n_first_edges);
  if (narrowing.run() == Outcome::found) return narrowing.centers();
  return std::nullopt;
}

}  // namespace centroids
