// The fit that reaches all parts of the rows through a Python object, whatever engine that uses.
#include "parts.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <tuple>

#include "arrays.hpp"
#include "python_parts.hpp"
#include "supervisor.hpp"
#include "update/cluster_sums.hpp"

namespace centroids {
namespace {

using namespace nb::literals;

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
               std::optional<std::string>, std::optional<bool> number_by_size) {
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
    options.loop.number_by_size = number_by_size.value_or(!init);
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
    control.should_stop = [this, stop = control.should_stop](double seconds) {
      return stop(seconds) || parts_.is_interrupted();
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
  list_part(m);
  nb::class_<PartsProblem>(m, "PartsProblem")
      .def(nb::init<nb::object, int>(), "parts"_a, "n_threads"_a)
      .def_prop_ro("first_bad", &PartsProblem::first_bad)
      .def_prop_ro("bad_range", &PartsProblem::bad_range)
      .def_prop_ro("mean_variance", &PartsProblem::mean_variance)
      .def("inertia", &PartsProblem::inertia, "centers"_a)
      .def("fit", &PartsProblem::fit, "n_clusters"_a, "init"_a.none(), "seeding"_a, "seed"_a,
           "algorithm"_a, "max_iter"_a, "tol"_a, "max_time"_a.none(), "on_iteration"_a.none(),
           "unit_centers"_a = false, "search"_a.none() = nb::none(),
           "number_by_size"_a.none() = nb::none());
  m.def(
      "shard_rows",
      [](int64_t n_rows, int64_t n_features, int64_t n_clusters) {
        require(n_rows > 0 && n_features > 0 && n_clusters > 0, "there must be rows and clusters");
        return sum_shards(n_rows, n_features, n_clusters).shard_rows;
      },
      "n_rows"_a, "n_features"_a, "n_clusters"_a);
}

}  // namespace centroids
