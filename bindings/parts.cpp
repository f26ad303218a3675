// Rows in parts: a part, where its rows are; and the fit that reaches all parts through a Python
// object, whatever engine that uses.
#include "parts.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <optional>
#include <tuple>

#include "arrays.hpp"
#include "parts/parts.hpp"
#include "supervisor.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {
namespace {

using namespace nb::literals;

using Integers = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Numbers = nb::ndarray<nb::numpy, double>;

void require(bool condition, const char* what) {
  if (!condition) throw std::invalid_argument(what);
}

// What comes off the wire may start at any byte.
template <class Array, class T>
void copy_values(const Array& array, T* out) {
  if (array.size() > 0) std::memcpy(out, array.data(), array.size() * sizeof(T));
}

// The loop orders centers, and orders of numbers that are none are none.
void require_finite(const std::vector<double>& values) {
  for (const double v : values) require(std::isfinite(v), "parts gave back what is no number");
}

// What Python has answered.
template <class T>
T read(nb::handle answer) {
  T value;
  require(nb::try_cast(answer, value), "parts gave back what was not asked for");
  return value;
}

std::vector<double> vector_of(const Vector& array) {
  std::vector<double> values(array.size());
  copy_values(array, values.data());
  return values;
}

Centers copied_centers(const Matrix& values, Dtype dtype) {
  Centers centers(int64_t(values.shape(0)), int64_t(values.shape(1)), dtype);
  copy_values(values, centers.values.data());
  return centers;
}

Numbers array_of(const std::vector<double>& values) {
  return copied_array(values, {values.size()});
}

Candidates candidates_of(const Integers& rows, const Matrix& values, Dtype dtype) {
  require(rows.shape(0) == values.shape(0), "each candidate needs a row number and values");
  Candidates out{std::vector<int64_t>(rows.size()), copied_centers(values, dtype)};
  copy_values(rows, out.rows.data());
  return out;
}

nb::tuple tuple_of(const Candidates& found) {
  return nb::make_tuple(copied_array(found.rows, {found.rows.size()}), centers_array(found.values));
}

// Sums, errors of the sums, weights, errors of the weights, counts.
using TotalsTuple = std::tuple<Matrix, Matrix, Vector, Vector, Integers>;

Totals totals_of(const TotalsTuple& arrays) {
  const auto& [sums, sum_errors, weights, weight_errors, counts] = arrays;
  const int64_t k = int64_t(sums.shape(0)), d = int64_t(sums.shape(1));
  require(int64_t(sum_errors.shape(0)) == k && int64_t(sum_errors.shape(1)) == d &&
              int64_t(weights.shape(0)) == k && int64_t(weight_errors.shape(0)) == k &&
              int64_t(counts.shape(0)) == k,
          "the totals differ in their number of clusters");
  Totals totals(k, d);
  copy_values(sums, totals.sums.sums.data());
  copy_values(sum_errors, totals.sum_errors.data());
  copy_values(weights, totals.sums.weights.data());
  copy_values(weight_errors, totals.weight_errors.data());
  copy_values(counts, totals.sums.counts.data());
  return totals;
}

nb::tuple tuple_of(const Totals& totals) {
  const size_t k = size_t(totals.sums.n_clusters), d = size_t(totals.sums.n_features);
  return nb::make_tuple(copied_array(totals.sums.sums, {k, d}),
                        copied_array(totals.sum_errors, {k, d}), array_of(totals.sums.weights),
                        array_of(totals.weight_errors), copied_array(totals.sums.counts, {k}));
}

// One part of the rows, kept alive. One call at a time.
class PartHandle {
  // Without the GIL, one at a time.
  template <class F>
  auto unlocked(F call) {
    const nb::gil_scoped_release no_gil;
    const std::lock_guard lock(mutex_);
    return call();
  }

 public:
  PartHandle(AnyRows x, std::optional<Vector> weights, int64_t first_row, int64_t n_all_rows,
             int n_threads)
      : x_(std::move(x)), weights_(std::move(weights)) {
    view_.x = view_of(x_);
    require(view_.x.n_rows > 0 && view_.x.n_cols > 0, "rows must not be empty");
    if (weights_) {
      check_aligned(*weights_);
      require(int64_t(weights_->shape(0)) == view_.x.n_rows, "one weight is needed for each row");
      view_.weights = weights_->data();
    }
    require(
        first_row >= 0 && n_all_rows >= view_.x.n_rows && first_row <= n_all_rows - view_.x.n_rows,
        "the part must lie within all rows");
    view_.first_row = first_row;
    view_.n_all_rows = n_all_rows;
    view_.n_threads = n_threads;
    part_ = Part::make(view_);
  }

  nb::tuple moments(const Vector& reference, bool is_weighted) {
    require(int64_t(reference.shape(0)) == view_.x.n_cols, "the reference must be a row");
    const std::vector<double> about = vector_of(reference);
    std::vector<Moments> found = unlocked([&] {
      return shard_moments(view_.x, is_weighted ? view_.weights : nullptr, about, view_.shards(),
                           view_.n_threads);
    });
    std::vector<double> weights, sums, squares;
    for (const Moments& m : found) {
      weights.push_back(m.weight);
      sums.insert(sums.end(), m.sum.begin(), m.sum.end());
      squares.insert(squares.end(), m.square_sum.begin(), m.square_sum.end());
    }
    const size_t n = found.size(), d = size_t(view_.x.n_cols);
    return nb::make_tuple(array_of(weights), copied_array(sums, {n, d}),
                          copied_array(squares, {n, d}));
  }
  std::tuple<double, double, int64_t, int64_t> extent(const Vector& reference) {
    require(int64_t(reference.shape(0)) == view_.x.n_cols, "the reference must be a row");
    const std::vector<double> about = vector_of(reference);
    const Extent e = unlocked([&] { return centroids::extent(view_.x, about); });
    return {e.squared_distance, e.offset, e.row < 0 ? e.row : view_.first_row + e.row, e.col};
  }
  std::optional<std::pair<int64_t, int64_t>> first_bad() {
    const Cell bad = unlocked([&] { return centroids::first_bad(view_.x); });
    if (bad.row < 0) return std::nullopt;
    return std::make_pair(view_.first_row + bad.row, bad.col);
  }

  void begin_seeding() {
    check_finite();
    unlocked([&] { part_->begin_seeding(); });
  }
  int64_t n_candidates() const { return part_->n_candidates(); }
  Numbers add_candidates(const Integers& rows, const Matrix& values) {
    check_seeding();
    require(values.shape(0) > 0, "candidates are needed");
    check_width(values);
    const Candidates more = candidates_of(rows, values, view_.x.dtype);
    return array_of(unlocked([&] { return part_->add_candidates(more); }));
  }
  nb::tuple draw(uint64_t seed, uint64_t number, double rate) {
    check_seeding();
    return tuple_of(unlocked([&] { return part_->draw({seed, number, rate}); }));
  }
  // The shard is named by its first row, counted among all rows.
  nb::tuple in_shard(int64_t first_row, double weight) {
    check_seeding();
    require(first_row >= view_.first_row, "there is no such shard");
    const Shards shards = view_.shards();
    const int64_t own_row = first_row - view_.first_row, shard = own_row / shards.shard_rows;
    require(shard < shards.count(), "there is no such shard");
    return tuple_of(unlocked([&] { return part_->in_shard(shard, weight); }));
  }
  Numbers candidate_weights(const Vector& before) {
    check_seeding();
    std::vector<double> sums = vector_of(before);
    require(part_->n_candidates() > 0 && int64_t(sums.size()) >= part_->n_candidates(),
            "a weight is needed for each candidate");
    unlocked([&] { part_->add_candidate_weights(sums); });
    return array_of(sums);
  }

  void begin_loop(int64_t n_clusters, const std::optional<Vector>& origin) {
    require(n_clusters >= 1 && n_clusters <= INT32_MAX / 2, "n_clusters must be at least 1");
    std::vector<double> shift;
    if (origin) shift = vector_of(*origin);
    require(shift.empty() || int64_t(shift.size()) == view_.x.n_cols, "the origin must be a row");
    const Shards shards = sum_shards(view_.n_all_rows, view_.x.n_cols, n_clusters);
    require(view_.first_row % shards.shard_rows == 0 &&
                (view_.x.n_rows % shards.shard_rows == 0 ||
                 view_.first_row + view_.x.n_rows == view_.n_all_rows),
            "the part must begin and end with a shard");
    check_finite();
    unlocked([&] { part_->begin_loop(n_clusters, std::move(shift)); });
    n_clusters_ = n_clusters;
    is_labelled_ = false;
  }
  int64_t assign(const Matrix& centers, bool is_full) {
    const Centers c = check_centers(centers);
    require(is_full || is_labelled_, "the first visit adds all rows");
    const int64_t n_changed = unlocked([&] { return part_->assign(c, is_full); });
    is_labelled_ = true;
    return n_changed;
  }
  nb::tuple add_to(const TotalsTuple& before) {
    check_labelled();
    Totals totals = totals_of(before);
    require(totals.sums.n_clusters == n_clusters_ && totals.sums.n_features == view_.x.n_cols,
            "the totals are of other clusters");
    unlocked([&] { part_->add_to(totals); });
    return tuple_of(totals);
  }
  Numbers squares(const Matrix& centers) {
    check_labelled();
    const Centers c = check_centers(centers);
    return array_of(unlocked([&] { return part_->squares(c); }));
  }
  nb::list farthest(const Matrix& centers, int64_t n) {
    check_labelled();
    const Centers c = check_centers(centers);
    const std::vector<FarRow> far = unlocked([&] { return part_->farthest(c, n); });
    nb::list out;
    for (const FarRow& row : far)
      out.append(nb::make_tuple(row.row, row.label, row.squared_distance, row.weight, row.count,
                                array_of(row.values)));
    return out;
  }
  void renumber(const Labels& order) {
    check_labelled();
    std::vector<int32_t> numbers(order.size());
    copy_values(order, numbers.data());
    std::vector<char> seen(size_t(n_clusters_), 0);
    require(int64_t(numbers.size()) == n_clusters_, "the order must name each cluster once");
    for (const int32_t j : numbers) {
      require(j >= 0 && j < n_clusters_ && !seen[size_t(j)],
              "the order must name each cluster once");
      seen[size_t(j)] = 1;
    }
    unlocked([&] { part_->renumber(numbers); });
  }
  nb::ndarray<nb::numpy, int32_t> labels() {
    check_labelled();
    const std::lock_guard lock(mutex_);
    return copied_array(part_->labels(), {part_->labels().size()});
  }

 private:
  void check_finite() {
    if (!is_finite_) is_finite_ = !first_bad();
    require(is_finite_, "rows must be finite");
  }
  void check_seeding() const { require(part_->n_candidates() >= 0, "seeding has not begun"); }
  void check_labelled() const { require(is_labelled_, "the rows have no labels yet"); }
  void check_width(const Matrix& values) const {
    require(int64_t(values.shape(1)) == view_.x.n_cols, "centers and rows differ in their columns");
  }
  Centers check_centers(const Matrix& centers) const {
    require(n_clusters_ > 0 && int64_t(centers.shape(0)) == n_clusters_,
            "n_clusters centers are needed");
    check_width(centers);
    return copied_centers(centers, view_.x.dtype);
  }

  AnyRows x_;
  std::optional<Vector> weights_;
  PartView view_;
  std::unique_ptr<Part> part_;
  int64_t n_clusters_ = 0;
  bool is_labelled_ = false, is_finite_ = false;
  std::mutex mutex_;
};

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

// The counterpart of Problem.
class PartsProblem {
 public:
  PartsProblem(nb::object parts, int n_threads) : parts_(std::move(parts)), n_threads_(n_threads) {
    const nb::gil_scoped_release no_gil;
    summary_ = summarize(parts_);
  }

  std::optional<std::pair<int64_t, int64_t>> first_bad() const {
    if (summary_.bad_row < 0) return std::nullopt;
    return std::make_pair(summary_.bad_row, summary_.bad_col);
  }
  std::optional<std::tuple<std::string, int64_t, int64_t>> bad_range() const {
    return describe_range(summary_);
  }
  double mean_variance() const { return summary_.mean_variance; }

  double inertia(const Matrix& values) {
    require(int64_t(values.shape(1)) == parts_.n_features() && values.shape(0) > 0,
            "centers and rows differ in their columns");
    require(summary_.bad_row < 0, "rows must be finite");
    const Centers centers = copied_centers(values, parts_.dtype());
    const nb::gil_scoped_release no_gil;
    return centroids::inertia(parts_, centers);
  }

  nb::dict fit(int64_t n_clusters, std::optional<Matrix> init, const std::string& seeding,
               uint64_t seed_value, const std::string&, int64_t max_iter, double tol,
               std::optional<double> max_time, nb::object on_iteration, bool unit_centers,
               std::optional<std::string>) {
    require(n_clusters >= 1 && n_clusters <= parts_.n_rows() && n_clusters <= INT32_MAX / 2,
            "n_clusters must be between 1 and the number of rows");
    require(summary_.bad_row < 0, "rows must be finite");
    require_finite(summary_.origin);
    require(summary_.squares != Squares::overflow,
            "squared distances between the rows must be finite");
    FitOptions options;
    options.n_clusters = n_clusters;
    options.seeding = Seeding::kmeans_parallel;
    options.seed = seed_value;
    options.loop.max_iter = max_iter;
    options.loop.tol = tol;
    options.loop.unit_centers = unit_centers;
    options.loop.number_by_size = !init;
    if (init) {
      check_aligned(*init);
      require(
          int64_t(init->shape(0)) == n_clusters && int64_t(init->shape(1)) == parts_.n_features(),
          "init must have n_clusters rows, of as many columns as the rows");
      options.init = init->data();
    } else {
      require(seeding == "k-means||", "rows in parts are seeded by k-means||");
    }
    Supervisor supervisor(max_time, std::move(on_iteration));
    Control control = supervisor.control();
    control.should_stop = [this, stop = control.should_stop] {
      return stop() || parts_.is_interrupted();
    };
    LoopResult result;
    {
      const nb::gil_scoped_release no_gil;
      result = centroids::fit(parts_, summary_, options, n_threads_, control);
    }
    nb::dict run = as_dict(result, supervisor);
    if (parts_.is_interrupted()) run["exception"] = parts_.interruption();
    return run;
  }

 private:
  PythonParts parts_;
  int n_threads_;
  Summary summary_;
};

}  // namespace

void list_parts(nb::module_& m) {
  nb::class_<PartHandle>(m, "Part")
      .def(nb::init<AnyRows, std::optional<Vector>, int64_t, int64_t, int>(), "x"_a,
           "weights"_a.none(), "first_row"_a, "n_all_rows"_a, "n_threads"_a)
      .def("moments", &PartHandle::moments, "reference"_a, "is_weighted"_a)
      .def("extent", &PartHandle::extent, "reference"_a)
      .def("first_bad", &PartHandle::first_bad)
      .def("begin_seeding", &PartHandle::begin_seeding)
      .def_prop_ro("n_candidates", &PartHandle::n_candidates)
      .def("add_candidates", &PartHandle::add_candidates, "rows"_a, "values"_a)
      .def("draw", &PartHandle::draw, "seed"_a, "number"_a, "rate"_a)
      .def("in_shard", &PartHandle::in_shard, "first_row"_a, "weight"_a)
      .def("candidate_weights", &PartHandle::candidate_weights, "before"_a)
      .def("begin_loop", &PartHandle::begin_loop, "n_clusters"_a, "origin"_a.none())
      .def("assign", &PartHandle::assign, "centers"_a, "is_full"_a)
      .def("add_to", &PartHandle::add_to, "before"_a)
      .def("squares", &PartHandle::squares, "centers"_a)
      .def("farthest", &PartHandle::farthest, "centers"_a, "n"_a)
      .def("renumber", &PartHandle::renumber, "order"_a)
      .def("labels", &PartHandle::labels);
  nb::class_<PartsProblem>(m, "PartsProblem")
      .def(nb::init<nb::object, int>(), "parts"_a, "n_threads"_a)
      .def_prop_ro("first_bad", &PartsProblem::first_bad)
      .def_prop_ro("bad_range", &PartsProblem::bad_range)
      .def_prop_ro("mean_variance", &PartsProblem::mean_variance)
      .def("inertia", &PartsProblem::inertia, "centers"_a)
      .def("fit", &PartsProblem::fit, "n_clusters"_a, "init"_a.none(), "seeding"_a, "seed"_a,
           "algorithm"_a, "max_iter"_a, "tol"_a, "max_time"_a.none(), "on_iteration"_a.none(),
           "unit_centers"_a = false, "search"_a.none() = nb::none());
  m.def(
      "shard_rows",
      [](int64_t n_rows, int64_t n_features, int64_t n_clusters) {
        require(n_rows > 0 && n_features > 0 && n_clusters > 0, "there must be rows and clusters");
        return sum_shards(n_rows, n_features, n_clusters).shard_rows;
      },
      "n_rows"_a, "n_features"_a, "n_clusters"_a);
}

}  // namespace centroids
