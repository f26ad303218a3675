// The Python module centroids._core: converts, releases the GIL, calls. No arithmetic, no defaults.
// Arguments are validated in Python (centroids.rows); what is checked here only keeps memory safe.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <tuple>

#include "bisecting/plan.hpp"
#include "kernels/kernels.hpp"
#include "kmeans.hpp"
#include "measures/partition.hpp"
#include "parts.hpp"
#include "renumber.hpp"
#include "supervisor.hpp"
#include "sweep/sweep.hpp"
#include "unit_rows.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace centroids;

namespace {

using Columns = nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Counts = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Starts = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using AnyValues = nb::ndarray<nb::ro, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// Rows in compressed sparse form, kept alive.
class SparseRowsHandle {
 public:
  SparseRowsHandle(AnyValues values, Columns columns, Starts starts, int64_t n_cols)
      : values_(std::move(values)), columns_(std::move(columns)), starts_(std::move(starts)) {
    const bool is_f32 = values_.dtype() == nb::dtype<float>();
    if (!is_f32 && values_.dtype() != nb::dtype<double>())
      throw std::invalid_argument("rows must be float32 or float64");
    check_aligned(values_);
    check_aligned(columns_);
    check_aligned(starts_);
    if (starts_.shape(0) == 0 || starts_.data()[0] != 0)
      throw std::invalid_argument("the rows must start at entry 0");
    const int64_t n_rows = int64_t(starts_.shape(0)) - 1;
    if (n_cols < 0 || n_cols > INT32_MAX)
      throw std::invalid_argument("n_cols must be between 0 and 2**31 - 1");
    view_ = {values_.data(), columns_.data(), starts_.data(), is_f32 ? Dtype::f32 : Dtype::f64,
             n_rows,         n_cols};
    for (int64_t i = 0; i < n_rows; ++i)
      if (starts_.data()[i + 1] < starts_.data()[i])
        throw std::invalid_argument("the starts of the rows must not descend");
    if (view_.n_entries() > int64_t(std::min(values_.shape(0), columns_.shape(0))))
      throw std::invalid_argument("there are fewer entries than the starts of the rows say");
    for (int64_t i = 0; i < n_rows; ++i)
      for (int64_t e = view_.starts[i], last = -1; e < view_.starts[i + 1];
           last = columns_.data()[e++])
        if (columns_.data()[e] <= last || columns_.data()[e] >= n_cols)
          throw std::invalid_argument("columns must ascend within a row, below n_cols");
  }
  const SparseView& view() const { return view_; }

 private:
  AnyValues values_;
  Columns columns_;
  Starts starts_;
  SparseView view_;
};

using centroids::view_of;
const SparseView& view_of(const SparseRowsHandle& x) {
  return x.view();
}

Seeding seeding_of(const std::string& name) {
  if (name == "k-means++") return Seeding::kmeans_plus_plus;
  if (name == "k-means||") return Seeding::kmeans_parallel;
  if (name == "random") return Seeding::random;
  throw std::invalid_argument("unknown seeding '" + name + "'");
}

LocalSearch search_of(const std::string& name) {
  if (name == "swap") return LocalSearch::swap;
  if (name == "breathing") return LocalSearch::breathing;
  if (name == "auto") return LocalSearch::budgeted;
  throw std::invalid_argument("unknown search '" + name + "'");
}

Algorithm algorithm_of(const std::string& name) {
  if (name == "auto") return Algorithm::automatic;
  if (name == "brute_force") return Algorithm::brute_force;
  if (name == "hamerly") return Algorithm::hamerly;
  throw std::invalid_argument("unknown algorithm '" + name + "'");
}

// Rows kept alive for several fits, and what is known about them.
template <class X>
class ProblemOf {
 public:
  ProblemOf(X x, std::optional<Vector> weights, int n_threads)
      : x_(std::move(x)), weights_(std::move(weights)) {
    data_.x = view_of(x_);
    if (data_.x.n_rows == 0 || data_.x.n_cols == 0)
      throw std::invalid_argument("rows must not be empty");
    if (weights_) {
      check_aligned(*weights_);
      if (int64_t(weights_->shape(0)) != data_.x.n_rows)
        throw std::invalid_argument("one weight is needed for each row");
      check_weights(*weights_);
      data_.weights = weights_->data();
    }
    data_.n_threads = n_threads;
    const nb::gil_scoped_release no_gil;
    data_.summary = summarize(data_.x, data_.weights, n_threads);
  }

  std::optional<std::pair<int64_t, int64_t>> first_bad() const {
    if (data_.summary.bad_row < 0) return std::nullopt;
    return std::make_pair(data_.summary.bad_row, data_.summary.bad_col);
  }
  double mean_variance() const { return data_.summary.mean_variance; }
  std::optional<std::tuple<std::string, int64_t, int64_t>> bad_range() const {
    return describe_range(data_.summary);
  }

  // For fits that start without further checks.
  const auto& checked_data() const {
    check_n_clusters(1);
    return data_;
  }

  nb::object seed(int64_t n_clusters, const std::string& seeding, uint64_t seed_value) const {
    check_n_clusters(n_clusters);
    Supervisor supervisor(std::nullopt, nb::none());
    std::vector<int64_t> rows;
    {
      const nb::gil_scoped_release no_gil;
      rows =
          centroids::seed(data_, n_clusters, seeding_of(seeding), seed_value, supervisor.control());
    }
    if (!supervisor.exception().is_none()) raise_again(supervisor.exception());
    return nb::cast(copied_array(rows, {rows.size()}));
  }

  // A tree of splits in two: the numbers of the parts of each node, and its center; and the errors
  // of its leaves and of those of the first tree.
  nb::tuple plan_bisecting(int64_t n_leaves, bool by_inertia, const std::string& seeding,
                           int64_t n_starts, uint64_t seed_value, const Vector& draws,
                           int64_t max_iter, double tol, double share, double work_per_leaf) const {
    check_n_clusters(1);
    const PlanOptions options{.n_leaves = n_leaves,
                              .by_inertia = by_inertia,
                              .seeding = seeding_of(seeding),
                              .n_starts = n_starts,
                              .seed = seed_value,
                              .draws = vector_of(draws),
                              .max_iter = max_iter,
                              .tol = tol,
                              .share = share,
                              .work_per_leaf = work_per_leaf};
    Supervisor supervisor(std::nullopt, nb::none());
    Plan plan;
    {
      const nb::gil_scoped_release no_gil;
      plan = centroids::plan_bisecting(data_, options, supervisor.control());
    }
    if (!supervisor.exception().is_none()) raise_again(supervisor.exception());
    const size_t n_nodes = size_t(plan.n_nodes());
    return nb::make_tuple(copied_array(plan.parts, {n_nodes, 2}),
                          copied_array(plan.centers, {n_nodes, size_t(data_.x.n_cols)}), plan.error,
                          plan.first_error);
  }

  nb::dict fit(int64_t n_clusters, std::optional<Matrix> init, const std::string& seeding,
               uint64_t seed_value, const std::string& algorithm, int64_t max_iter, double tol,
               std::optional<double> max_time, nb::object on_iteration, bool unit_centers,
               std::optional<std::string> search, std::optional<bool> number_by_size) const {
    check_n_clusters(n_clusters);
    FitOptions options;
    options.n_clusters = n_clusters;
    options.seed = seed_value;
    options.algorithm = algorithm_of(algorithm);
    if (search) options.search = search_of(*search);
    options.loop.max_iter = max_iter;
    options.loop.tol = tol;
    options.loop.unit_centers = unit_centers;
    if (init) {
      centers_of(*init, data_.x);  // checks the shape
      if (int64_t(init->shape(0)) != n_clusters)
        throw std::invalid_argument("init must have n_clusters rows");
      options.init = init->data();
    } else {
      options.seeding = seeding_of(seeding);
    }
    options.loop.number_by_size = number_by_size.value_or(!init);
    Supervisor supervisor(max_time, std::move(on_iteration));
    int32_t* labels;
    auto labels_array = new_array<int32_t>({size_t(data_.x.n_rows)}, &labels);
    LoopResult result;
    {
      const nb::gil_scoped_release no_gil;
      result = centroids::fit(data_, options, supervisor.control(), labels);
    }
    nb::dict out = as_dict(result, supervisor);
    out["labels"] = labels_array;
    return out;
  }

 private:
  void check_n_clusters(int64_t n_clusters) const {
    if (n_clusters < 1 || n_clusters > data_.x.n_rows || n_clusters > INT32_MAX / 2)
      throw std::invalid_argument("n_clusters must be between 1 and the number of rows");
    if (data_.summary.bad_row >= 0) throw std::invalid_argument("rows must be finite");
    if (data_.summary.squares == Squares::overflow)
      throw std::invalid_argument("squared distances between the rows must be finite");
  }

  X x_;
  std::optional<Vector> weights_;
  DataOf<std::decay_t<decltype(view_of(std::declval<X>()))>> data_;
};

template <class X>
nb::object assign_rows(const X& x, const Matrix& centers, int n_threads) {
  const auto view = view_of(x);
  const Centers c = centers_of(centers, view);
  int32_t* labels;
  auto out = new_array<int32_t>({size_t(view.n_rows)}, &labels);
  {
    const nb::gil_scoped_release no_gil;
    assign(view, c, n_threads, labels);
  }
  return nb::cast(out);
}

template <class X>
nb::tuple nearest_rows(const X& x, const Matrix& centers, int n_threads) {
  const auto view = view_of(x);
  const Centers c = centers_of(centers, view);
  const size_t n = size_t(view.n_rows);
  NearestOut out{};
  auto labels = new_array<int32_t>({n}, &out.labels);
  auto distance = new_array<double>({n}, &out.distances);
  auto second_labels = new_array<int32_t>({n}, &out.second_labels);
  auto second_distance = new_array<double>({n}, &out.second_distances);
  {
    const nb::gil_scoped_release no_gil;
    nearest(view, c, n_threads, out);
  }
  return nb::make_tuple(labels, distance, second_labels, second_distance);
}

// Numbers of partitions one after the other: of clusters, of pairs, of the squared distances
// between centers, of the whole; and how many pairs each has.
nb::tuple joined(const std::vector<PartitionMeasures>& each) {
  size_t n_clusters = 0, n_pairs = 0, n_squared = 0;
  for (const PartitionMeasures& m : each) {
    n_clusters += m.clusters.size();
    n_pairs += m.pairs.size();
    n_squared += m.squared_center_distances.size();
  }
  constexpr size_t kOfCluster = 9, kOfPartition = 3;
  double *of_clusters, *profiles, *squared, *totals;
  int32_t *pairs, *pair_counts;
  auto clusters_array = new_array<double>({kOfCluster, n_clusters}, &of_clusters);
  auto pairs_array = new_array<int32_t>({n_pairs, 2}, &pairs);
  auto profiles_array = new_array<double>({n_pairs, size_t(kLineBins)}, &profiles);
  auto squared_array = new_array<double>({n_squared}, &squared);
  auto totals_array = new_array<double>({each.size(), kOfPartition}, &totals);
  auto counts_array = new_array<int32_t>({each.size()}, &pair_counts);
  for (const PartitionMeasures& m : each) {
    for (size_t j = 0; j < m.clusters.size(); ++j, ++of_clusters) {
      const ClusterMeasures& c = m.clusters[j];
      const double values[kOfCluster] = {c.weight,
                                         c.inertia,
                                         c.distance,
                                         c.second_distance,
                                         c.silhouette,
                                         m.radii[j],
                                         m.nearest_center_distances[j],
                                         m.similarities[j],
                                         c.fourth_power};
      for (size_t v = 0; v < kOfCluster; ++v) of_clusters[v * n_clusters] = values[v];
    }
    for (const Pair& pair : m.pairs) pairs = std::copy(pair.begin(), pair.end(), pairs);
    for (const LineProfile& line : m.profiles)
      profiles = std::copy(line.begin(), line.end(), profiles);
    squared =
        std::copy(m.squared_center_distances.begin(), m.squared_center_distances.end(), squared);
    for (const double total : {m.weight, m.inertia, m.inertia_between}) *totals++ = total;
    *pair_counts++ = int32_t(m.pairs.size());
  }
  return nb::make_tuple(clusters_array, pairs_array, profiles_array, squared_array, totals_array,
                        counts_array);
}

// Several partitions of the same rows in one call, their numbers one after the other: of few rows,
// calling takes longer than counting.
nb::tuple measure_partitions_of(const AnyRows& x, std::optional<Vector> weights,
                                const std::vector<Matrix>& centers,
                                const std::optional<std::vector<Vector>>& cluster_weights,
                                int n_threads) {
  const MatrixView view = view_of(x);
  if (view.n_rows == 0) throw std::invalid_argument("rows must not be empty");
  check_aligned(weights);
  if (weights && int64_t(weights->shape(0)) != view.n_rows)
    throw std::invalid_argument("one weight is needed for each row");
  if (cluster_weights && cluster_weights->size() != centers.size())
    throw std::invalid_argument("centers and weights of clusters differ in number");
  std::vector<Centers> each;
  for (size_t i = 0; i < centers.size(); ++i) {
    each.push_back(centers_of(centers[i], view));
    if (!cluster_weights) continue;
    check_aligned((*cluster_weights)[i]);
    if (int64_t((*cluster_weights)[i].shape(0)) != each[i].n_clusters)
      throw std::invalid_argument("one weight is needed for each cluster");
  }
  std::vector<PartitionMeasures> measures;
  {
    const nb::gil_scoped_release no_gil;
    for (size_t i = 0; i < each.size(); ++i) {
      const PartitionQuery query{weights ? weights->data() : nullptr,
                                 cluster_weights ? (*cluster_weights)[i].data() : nullptr,
                                 n_threads};
      measures.push_back(measure_partition(view, each[i], query));
    }
  }
  return joined(measures);
}

// A sweep over numbers of clusters, of the rows of a problem that Python keeps alive.
class SweepHandle {
 public:
  SweepHandle(const ProblemOf<AnyRows>& problem, bool starts_afresh, uint64_t seed,
              int64_t max_iter, double tol)
      : sweep_(problem.checked_data(), options(starts_afresh, seed, max_iter, tol)) {}

  nb::tuple extend(int64_t k_max, const std::vector<Vector>& draws,
                   std::optional<double> max_time) {
    std::vector<std::vector<double>> numbers;
    for (const Vector& some : draws) {
      check_aligned(some);
      if (some.shape(0) == 0) throw std::invalid_argument("draws must not be empty");
      numbers.emplace_back(some.data(), some.data() + some.shape(0));
    }
    if (k_max < 1 || int64_t(numbers.size()) < std::max(k_max, sweep_.k_max()))
      throw std::invalid_argument("draws are needed for each number of clusters");
    Supervisor supervisor(max_time, nb::none());
    std::vector<int64_t> changed;
    {
      const nb::gil_scoped_release no_gil;
      changed = sweep_.extend(k_max, numbers, supervisor.control());
    }
    if (!supervisor.exception().is_none()) raise_again(supervisor.exception());
    nb::list fits;
    for (const int64_t k : changed) {
      const SweepFit& fit = sweep_.fit(k);
      fits.append(nb::make_tuple(centers_array(fit.centers),
                                 copied_array(fit.weights, {fit.weights.size()}), fit.inertia));
    }
    return nb::make_tuple(fits, supervisor.timed_out());
  }

 private:
  static SweepOptions options(bool starts_afresh, uint64_t seed, int64_t max_iter, double tol) {
    SweepOptions options{starts_afresh, seed, {}};
    options.loop.max_iter = max_iter;
    options.loop.tol = tol;
    return options;
  }

  Sweep sweep_;
};

template <class X>
nb::object distances_of(const X& x, const Matrix& centers, int n_threads) {
  const auto view = view_of(x);
  const Centers c = centers_of(centers, view);
  return with_dtype(view.dtype, [&](auto zero) -> nb::object {
    using T = decltype(zero);
    T* data;
    auto out = new_array<T>({size_t(view.n_rows), size_t(c.n_clusters)}, &data);
    {
      const nb::gil_scoped_release no_gil;
      distances(view, c, n_threads, data);
    }
    return nb::cast(out);
  });
}

void check_labels(int64_t n_rows, int64_t n_clusters, const Labels& labels,
                  const std::optional<Vector>& weights) {
  check_aligned(labels);
  check_aligned(weights);
  if (int64_t(labels.shape(0)) != n_rows || (weights && int64_t(weights->shape(0)) != n_rows))
    throw std::invalid_argument("one label (and weight) is needed for each row");
  for (int64_t i = 0; i < n_rows; ++i)
    if (labels.data()[i] < 0 || labels.data()[i] >= n_clusters)
      throw std::invalid_argument("labels must be between 0 and n_clusters - 1");
}

template <class X>
double inertia_of(const X& x, const Matrix& centers, const Labels& labels,
                  std::optional<Vector> weights, int n_threads) {
  const auto view = view_of(x);
  const Centers c = centers_of(centers, view);
  check_labels(view.n_rows, c.n_clusters, labels, weights);
  const nb::gil_scoped_release no_gil;
  return inertia(view, weights ? weights->data() : nullptr, c, labels.data(), n_threads);
}

// Sums, weights and counts of the clusters that the labels form.
template <class X>
nb::tuple cluster_sums_of(const X& x, std::optional<Vector> weights, const Labels& labels,
                          int64_t n_clusters) {
  const auto view = view_of(x);
  if (n_clusters < 1 || n_clusters > INT32_MAX / 2)
    throw std::invalid_argument("n_clusters must be at least 1");
  check_labels(view.n_rows, n_clusters, labels, weights);
  Partials p;
  {
    const nb::gil_scoped_release no_gil;
    p = cluster_sums(view, weights ? weights->data() : nullptr, labels.data(), n_clusters);
  }
  return nb::make_tuple(copied_array(p.sums, {size_t(n_clusters), size_t(view.n_cols)}),
                        copied_array(p.weights, {size_t(n_clusters)}),
                        copied_array(p.counts, {size_t(n_clusters)}));
}

nb::ndarray<nb::numpy, int32_t> numbered_by_weight(const Matrix& values, const Vector& weights,
                                                   const Counts& counts) {
  const size_t k = values.shape(0);
  if (weights.shape(0) != k || counts.shape(0) != k)
    throw std::invalid_argument("one weight and one count are needed for each center");
  check_aligned(weights);
  check_aligned(counts);
  const auto is_finite = [](const auto& array) {
    return std::all_of(array.data(), array.data() + array.size(),
                       [](double v) { return std::isfinite(v); });
  };
  check_aligned(values);
  if (!is_finite(values) || !is_finite(weights))  // other numbers have no order
    throw std::invalid_argument("centers and weights must be finite");
  Centers centers(int64_t(k), int64_t(values.shape(1)), Dtype::f64);
  std::copy_n(values.data(), values.size(), centers.values.data());
  return copied_array(
      by_weight(centers, {weights.data(), weights.data() + k}, {counts.data(), counts.data() + k}),
      {k});
}

// The values of the rows scaled to length one, and the first row that has no direction (or -1).
template <class X>
nb::tuple unit_rows_of(const X& x, int n_threads) {
  const auto view = view_of(x);
  return with_dtype(view.dtype, [&](auto zero) -> nb::tuple {
    using T = decltype(zero);
    T* data;
    nb::object out;
    if constexpr (std::is_same_v<X, AnyRows>)
      out = nb::cast(new_array<T>({size_t(view.n_rows), size_t(view.n_cols)}, &data));
    else
      out = nb::cast(new_array<T>({size_t(view.n_entries())}, &data));
    int64_t first_without;
    {
      const nb::gil_scoped_release no_gil;
      first_without = unit_rows(view, n_threads, data);
    }
    return nb::make_tuple(out, first_without);
  });
}

template <class X>
std::optional<std::pair<int64_t, int64_t>> first_bad_of(const X& x, int n_threads) {
  const auto view = view_of(x);
  if (view.n_rows == 0 || view.n_cols == 0) return std::nullopt;
  const nb::gil_scoped_release no_gil;
  const Summary summary = summarize(view, nullptr, n_threads);
  if (summary.bad_row < 0) return std::nullopt;
  return std::make_pair(summary.bad_row, summary.bad_col);
}

std::vector<std::string> isa_names() {
  const char* names[kMostIsas];
  const int n = available_isas(names);
  return {names, names + n};
}

// What the module offers for one kind of rows.
template <class X>
void list_for(nb::module_& m, const char* problem_name) {
  using Problem = ProblemOf<X>;
  nb::class_<Problem>(m, problem_name)
      .def(nb::init<X, std::optional<Vector>, int>(), "x"_a, "weights"_a.none(), "n_threads"_a)
      .def_prop_ro("first_bad", &Problem::first_bad)
      .def_prop_ro("bad_range", &Problem::bad_range)
      .def_prop_ro("mean_variance", &Problem::mean_variance)
      .def("seed", &Problem::seed, "n_clusters"_a, "seeding"_a, "seed"_a)
      .def("fit", &Problem::fit, "n_clusters"_a, "init"_a.none(), "seeding"_a, "seed"_a,
           "algorithm"_a, "max_iter"_a, "tol"_a, "max_time"_a.none(), "on_iteration"_a.none(),
           "unit_centers"_a = false, "search"_a.none() = nb::none(),
           "number_by_size"_a.none() = nb::none())
      .def("plan_bisecting", &Problem::plan_bisecting, "n_leaves"_a, "by_inertia"_a, "seeding"_a,
           "n_starts"_a, "seed"_a, "draws"_a, "max_iter"_a, "tol"_a, "share"_a, "work_per_leaf"_a);
  m.def("assign", &assign_rows<X>, "x"_a, "centers"_a, "n_threads"_a);
  m.def("nearest", &nearest_rows<X>, "x"_a, "centers"_a, "n_threads"_a);
  m.def("distances", &distances_of<X>, "x"_a, "centers"_a, "n_threads"_a);
  m.def("inertia", &inertia_of<X>, "x"_a, "centers"_a, "labels"_a, "weights"_a.none(),
        "n_threads"_a);
  m.def("cluster_sums", &cluster_sums_of<X>, "x"_a, "weights"_a.none(), "labels"_a, "n_clusters"_a);
  m.def("unit_rows", &unit_rows_of<X>, "x"_a, "n_threads"_a);
  m.def("first_bad", &first_bad_of<X>, "x"_a, "n_threads"_a);
}

}  // namespace

NB_MODULE(_core, m) {
  nb::class_<SparseRowsHandle>(m, "SparseRows")
      .def(nb::init<AnyValues, Columns, Starts, int64_t>(), "values"_a, "columns"_a, "starts"_a,
           "n_cols"_a);
  list_for<AnyRows>(m, "Problem");
  list_for<SparseRowsHandle>(m, "SparseProblem");
  nb::class_<SweepHandle>(m, "Sweep")
      .def(nb::init<const ProblemOf<AnyRows>&, bool, uint64_t, int64_t, double>(),
           nb::keep_alive<1, 2>(), "problem"_a, "starts_afresh"_a, "seed"_a, "max_iter"_a, "tol"_a)
      .def("extend", &SweepHandle::extend, "k_max"_a, "draws"_a, "max_time"_a.none());
  m.def("measure_partitions", &measure_partitions_of, "x"_a, "weights"_a.none(), "centers"_a,
        "cluster_weights"_a.none(), "n_threads"_a);
  m.def("by_weight", &numbered_by_weight, "centers"_a, "weights"_a, "counts"_a);
  list_parts(m);
  m.def("isa", [] { return kernels<float>().isa; });
  m.def("available_isas", &isa_names);
}
