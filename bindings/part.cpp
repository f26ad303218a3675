// One part of the rows, where its rows are.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <tuple>

#include "part_values.hpp"
#include "parts.hpp"
#include "supervisor.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {
namespace {

using namespace nb::literals;

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

}  // namespace

void list_part(nb::module_& m) {
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
}

}  // namespace centroids
