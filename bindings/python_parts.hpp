// All parts of the rows, behind the interface that the core asks.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "part_values.hpp"

namespace centroids {

// All parts, reached through a Python object (centroids.distributed.parts.DaskParts).
class PythonParts final : public Parts {
 public:
  explicit PythonParts(nb::object parts) : parts_(std::move(parts)) {
    n_rows_ = read<int64_t>(parts_.attr("n_rows"));
    n_features_ = read<int64_t>(parts_.attr("n_features"));
    is_f32_ = read<bool>(parts_.attr("is_f32"));
    is_weighted_ = read<bool>(parts_.attr("is_weighted"));
    require(n_rows_ > 0 && n_features_ > 0, "rows must not be empty");
  }
  PythonParts(const PythonParts&) = delete;

  int64_t n_rows() const override { return n_rows_; }
  int64_t n_features() const override { return n_features_; }
  Dtype dtype() const override { return is_f32_ ? Dtype::f32 : Dtype::f64; }
  bool is_weighted() const override { return is_weighted_; }

  std::vector<double> row(int64_t i) override { return checked(numbers("row", i), n_features_); }
  int64_t first_with_weight() override {
    const nb::gil_scoped_acquire gil;
    return read<int64_t>(parts_.attr("first_with_weight")());
  }
  double smallest_weight() override {
    const nb::gil_scoped_acquire gil;
    return read<double>(parts_.attr("smallest_weight")());
  }
  std::vector<Moments> shard_moments(const std::vector<double>& reference,
                                     bool is_weighted) override {
    const nb::gil_scoped_acquire gil;
    const auto [weights, sums, squares] = read<std::tuple<Vector, Matrix, Matrix>>(
        parts_.attr("moments")(array_of(reference), is_weighted));
    const size_t n = weights.shape(0), d = size_t(n_features_);
    require(n > 0 && sums.shape(0) == n && squares.shape(0) == n && sums.shape(1) == d &&
                squares.shape(1) == d,
            "there must be moments of each shard");
    const std::vector<double> weight = vector_of(weights);
    std::vector<Moments> out(n);
    for (size_t s = 0; s < n; ++s) {
      out[s] = {weight[s], std::vector<double>(d), std::vector<double>(d)};
      std::memcpy(out[s].sum.data(), sums.data() + s * d, d * sizeof(double));
      std::memcpy(out[s].square_sum.data(), squares.data() + s * d, d * sizeof(double));
    }
    return out;
  }
  Extent extent(const std::vector<double>& reference) override {
    const nb::gil_scoped_acquire gil;
    const auto [distance, offset, row, col] = read<std::tuple<double, double, int64_t, int64_t>>(
        parts_.attr("extent")(array_of(reference)));
    return {distance, offset, row, col};
  }
  Cell first_bad() override {
    const nb::gil_scoped_acquire gil;
    const auto bad = read<std::optional<std::pair<int64_t, int64_t>>>(parts_.attr("first_bad")());
    return bad ? Cell{bad->first, bad->second} : Cell{};
  }

  void begin_seeding() override {
    const nb::gil_scoped_acquire gil;
    parts_.attr("begin_seeding")();
  }
  std::vector<double> add_candidates(const Candidates& more) override {
    const nb::gil_scoped_acquire gil;
    const nb::tuple arrays = tuple_of(more);
    return numbers("add_candidates", arrays[0], arrays[1]);
  }
  Candidates draw(const Round& round) override {
    const nb::gil_scoped_acquire gil;
    return candidates(parts_.attr("draw")(round.seed, round.number, round.rate));
  }
  Candidates in_shard(int64_t shard, double weight) override {
    const nb::gil_scoped_acquire gil;
    return candidates(parts_.attr("in_shard")(Shards(n_rows_).begin(shard), weight));
  }
  std::vector<double> candidate_weights(int64_t n_candidates) override {
    const std::vector<double> weights =
        checked(numbers("candidate_weights", n_candidates), n_candidates);
    require_finite(weights);
    require(*std::max_element(weights.begin(), weights.end()) > 0, "no candidate has any rows");
    return weights;
  }

  void begin_loop(int64_t n_clusters, const std::vector<double>& origin) override {
    const nb::gil_scoped_acquire gil;
    n_clusters_ = n_clusters;
    parts_.attr("begin_loop")(n_clusters, origin.empty() ? nb::none() : nb::cast(array_of(origin)));
  }
  int64_t assign(const Centers& centers, bool is_full, Totals& totals) override {
    const nb::gil_scoped_acquire gil;
    const auto [n_changed, arrays] = read<std::tuple<int64_t, TotalsTuple>>(
        parts_.attr("assign")(centers_array(centers), is_full, tuple_of(totals)));
    require(n_changed >= 0 && n_changed <= n_rows_, "more labels changed than there are");
    Totals found = totals_of(arrays);
    require(found.sums.n_clusters == n_clusters_ && found.sums.n_features == n_features_,
            "the totals are of other clusters");
    require_finite(found.sums.sums);
    require_finite(found.sum_errors);
    require_finite(found.sums.weights);
    require_finite(found.weight_errors);
    totals = std::move(found);
    return n_changed;
  }
  std::vector<double> squares(const Centers& centers) override {
    const nb::gil_scoped_acquire gil;
    return numbers("squares", centers_array(centers));
  }
  std::vector<FarRow> farthest(const Centers& centers, int64_t n) override {
    const nb::gil_scoped_acquire gil;
    using Row = std::tuple<int64_t, int32_t, double, double, int64_t, Vector>;
    std::vector<FarRow> out;
    for (const auto& [row, label, distance, weight, count, values] :
         read<std::vector<Row>>(parts_.attr("farthest")(centers_array(centers), n))) {
      require(label >= 0 && label < n_clusters_, "there is no such cluster");
      out.push_back({row, label, distance, weight, count, checked(vector_of(values), n_features_)});
      require_finite({distance, weight});
      require_finite(out.back().values);
    }
    return out;
  }
  // Ctrl-C while parts were at work.
  nb::object interruption() const {
    const nb::gil_scoped_acquire gil;
    return parts_.attr("interruption");
  }
  bool is_interrupted() const {
    const nb::gil_scoped_acquire gil;
    return !parts_.attr("interruption").is_none();
  }
  void renumber(const std::vector<int32_t>& order) override {
    const nb::gil_scoped_acquire gil;
    parts_.attr("renumber")(copied_array(order, {order.size()}));
  }

 private:
  static std::vector<double> checked(std::vector<double> values, int64_t n) {
    require(int64_t(values.size()) == n, "parts gave back too few numbers, or too many");
    return values;
  }
  template <class... Args>
  std::vector<double> numbers(const char* method, const Args&... args) {
    const nb::gil_scoped_acquire gil;
    return vector_of(read<Vector>(parts_.attr(method)(args...)));
  }
  Candidates candidates(const nb::object& found) const {
    const auto [rows, values] = read<std::tuple<Integers, Matrix>>(found);
    require(int64_t(values.shape(1)) == n_features_, "candidates and rows differ in their columns");
    Candidates out = candidates_of(rows, values, dtype());
    require_finite(out.values.values);
    return out;
  }

  nb::object parts_;
  int64_t n_rows_ = 0, n_features_ = 0, n_clusters_ = 0;
  bool is_f32_ = false, is_weighted_ = false;
};

}  // namespace centroids
