// Every pass labels as brute force does and leaves the same Partials, bit for bit.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <new>
#include <thread>

#include "assign/hamerly_pass.hpp"
#include "assign/sparse_pass.hpp"
#include "check.hpp"
#include "update/averaging.hpp"

using namespace centroids;
using check::below;
using check::normal;
using check::Random;

namespace {

enum class Kind { brute_force, hamerly, adaptive };

template <class T>
std::unique_ptr<Pass> make_pass(Kind kind, const Rows<T>& rows, int64_t k,
                                std::vector<double> origin) {
  if (kind == Kind::brute_force)
    return std::make_unique<BruteForcePass<T>>(rows, k, std::move(origin));
  return std::make_unique<HamerlyPass<T>>(rows, k, std::move(origin), kind == Kind::adaptive);
}

template <class T>
struct Case {
  std::vector<T> x;
  std::vector<double> weights, origin;
  int64_t n, d, k;
  Centers first;
};

// Rows around k centers (or around none), starting from rows.
template <class T>
Case<T> make_case(Random& random, int64_t n, int64_t d, int64_t k, double spread, double offset,
                  bool weighted) {
  Case<T> c;
  c.n = n, c.d = d, c.k = k;
  const auto means = normal<double>(random, k * d, offset, spread);
  c.x = normal<T>(random, n * d);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t j = below(random, k);
    for (int64_t t = 0; t < d; ++t) c.x[i * d + t] = T(double(c.x[i * d + t]) + means[j * d + t]);
  }
  if (offset != 0) c.origin.assign(d, offset);
  if (weighted) {
    c.weights = normal<double>(random, n);
    for (double& w : c.weights) w = below(random, 10) ? std::abs(w) : 0.0;
  }
  c.first = Centers(k, d, sizeof(T) == 4 ? Dtype::f32 : Dtype::f64);
  for (int64_t j = 0; j < k; ++j) std::copy_n(c.x.data() + below(random, n) * d, d, c.first.row(j));
  return c;
}

struct Visit {
  std::vector<int32_t> labels;
  Partials partials;
  Centers centers;
};

// Visits as the loop makes them, with a renumbering and a jump of one center on the way.
template <class T>
std::vector<Visit> visits_of(const Case<T>& c, Kind kind, int n_threads, int n_visits) {
  std::vector<int32_t> labels(c.n);
  const Rows<T> rows = {c.x.data(),    c.n,
                        c.d,           c.weights.empty() ? nullptr : c.weights.data(),
                        labels.data(), n_threads};
  const auto pass = make_pass<T>(kind, rows, c.k, c.origin);
  Centers centers = c.first, next = c.first;
  Partials partials;
  std::vector<Visit> out;
  for (int visit = 0; visit < n_visits; ++visit) {
    pass->assign(centers, partials);
    out.push_back({labels, partials, centers});
    average(partials, c.origin, centers, next);
    centers = next;
    if (visit == 5) {
      std::vector<int32_t> order(c.k);
      for (int64_t j = 0; j < c.k; ++j) order[j] = int32_t((j + 1) % c.k);
      const Centers old = centers;
      for (int64_t j = 0; j < c.k; ++j) std::copy_n(old.row(order[j]), c.d, centers.row(j));
      pass->renumber(order);
    }
    if (visit == 8) std::copy_n(c.x.data(), c.d, centers.row(c.k - 1));
  }
  return out;
}

void check_same(const std::vector<Visit>& expected, const std::vector<Visit>& got,
                const std::string& about) {
  for (size_t v = 0; v < expected.size(); ++v) {
    const Visit &a = expected[v], &b = got[v];
    CHECK_SAME_BITS(a.labels.data(), b.labels.data(), int64_t(a.labels.size()), about, " visit ",
                    v);
    CHECK_SAME_BITS(a.partials.sums.data(), b.partials.sums.data(), int64_t(a.partials.sums.size()),
                    about, " visit ", v);
    CHECK_SAME_BITS(a.partials.weights.data(), b.partials.weights.data(),
                    int64_t(a.partials.weights.size()), about, " visit ", v);
    CHECK(a.partials.counts == b.partials.counts, about, " visit ", v);
    CHECK(a.partials.n_changed == b.partials.n_changed, about, " visit ", v);
  }
}

template <class T>
void compare_passes(Random& random) {
  const struct {
    int64_t n, d, k;
    double spread, offset;
  } cases[] = {{3000, 2, 3, 10, 0},     {3000, 2, 30, 3, 0},  {4000, 5, 8, 0, 0},
               {2000, 17, 40, 1, 0},    {3000, 3, 6, 5, 1e6}, {1500, 1, 25, 1, 0},
               {500, 40, 5, 2, 0},      {64, 3, 1, 1, 0},     {70, 2, 60, 1, 0},
               {3000, 2, 12, 1e-3, 1e4}};
  for (const auto& s : cases)
    for (const bool weighted : {false, true}) {
      const auto c = make_case<T>(random, s.n, s.d, s.k, s.spread, s.offset, weighted);
      const auto expected = visits_of(c, Kind::brute_force, 1, 14);
      for (const Kind kind : {Kind::brute_force, Kind::hamerly, Kind::adaptive})
        for (const int n_threads : {1, 3})
          check_same(expected, visits_of(c, kind, n_threads, 14),
                     check::joined("n ", s.n, " d ", s.d, " k ", s.k, " kind ", int(kind),
                                   " threads ", n_threads));
    }
}

}  // namespace

TEST(all_passes_give_the_labels_and_sums_of_brute_force_float32) {
  Random random(1);
  compare_passes<float>(random);
}

TEST(all_passes_give_the_labels_and_sums_of_brute_force_float64) {
  Random random(2);
  compare_passes<double>(random);
}

TEST(bounds_hold_where_rows_and_centers_coincide) {
  // Integers on a small grid: exact ties, rows on centers, centers on centers.
  Random random(3);
  for (int round = 0; round < 40; ++round) {
    Case<float> c;
    c.n = 700, c.d = 1 + round % 3, c.k = 2 + round % 9;
    for (int64_t i = 0; i < c.n * c.d; ++i) c.x.push_back(float(below(random, 5)));
    c.first = Centers(c.k, c.d, Dtype::f32);
    for (double& v : c.first.values) v = double(below(random, 5));
    check_same(visits_of(c, Kind::brute_force, 1, 12), visits_of(c, Kind::hamerly, 1, 12),
               check::joined("round ", round));
  }
}

// Groups of rows so far from the shift that the scores of a group's centers differ by little but
// rounding. Brute force goes by the scores, and bounds that know better must not contradict it.
template <class T>
void compare_far_groups(double spread) {
  Random random(6);
  for (int round = 0; round < 5; ++round) {
    auto c = make_case<T>(random, 3000, 3, 8, spread, 0, false);
    c.k = 24;
    c.first = Centers(c.k, c.d, c.first.dtype);
    for (int64_t j = 0; j < c.k; ++j)
      std::copy_n(c.x.data() + below(random, c.n) * c.d, c.d, c.first.row(j));
    check_same(visits_of(c, Kind::brute_force, 1, 14), visits_of(c, Kind::hamerly, 1, 14),
               check::joined("spread ", spread, " round ", round));
  }
}

TEST(bounds_know_the_rounding_of_the_scores) {
  for (const double spread : {1e2, 1e3, 1e4}) compare_far_groups<float>(spread);
  for (const double spread : {1e6, 1e7, 1e8}) compare_far_groups<double>(spread);
}

TEST(bounds_hold_for_tiny_and_for_large_rows) {
  Random random(4);
  for (const double scale : {1e-17, 1e-10, 1e10, 1e17}) {
    auto c = make_case<float>(random, 2000, 3, 9, 2, 0, false);
    for (float& v : c.x) v = float(double(v) * scale);
    for (double& v : c.first.values) v = c.first.rounded(v * scale);
    check_same(visits_of(c, Kind::brute_force, 1, 12), visits_of(c, Kind::hamerly, 1, 12),
               check::joined("float32, scale ", scale));
  }
  for (const double scale : {1e-150, 1e-30, 1e30, 1e140}) {  // far beyond the range of the bounds
    auto c = make_case<double>(random, 2000, 3, 9, 2, 0, false);
    for (double& v : c.x) v *= scale;
    for (double& v : c.first.values) v *= scale;
    check_same(visits_of(c, Kind::brute_force, 1, 12), visits_of(c, Kind::hamerly, 1, 12),
               check::joined("float64, scale ", scale));
  }
}

TEST(farthest_rows_come_in_order_and_never_lie_on_their_center) {
  std::vector<double> x = {0, 1, 5, -5, 2, 0, 9, 5}, weights = {1, 1, 1, 2, 1, 1, 0, 3};
  std::vector<int32_t> labels(8);
  const Rows<double> rows = {x.data(), 8, 1, weights.data(), labels.data(), 1};
  BruteForcePass<double> pass(rows, 1, {});
  Centers centers(1, 1, Dtype::f64);
  Partials partials;
  pass.assign(centers, partials);
  const auto far = pass.farthest(centers, 10);
  std::vector<int64_t> found;
  for (const FarRow& row : far) found.push_back(row.row);
  CHECK((found == std::vector<int64_t>{3, 2, 4, 1}));  // 9 has no weight, 0 lies on the center
  CHECK(far[0].squared_distance == 25 && far[0].weight == 2 && far[0].count == 1);
  CHECK(far[1].squared_distance == 25 && far[1].weight == 4 && far[1].count == 2);
  CHECK(pass.farthest(centers, 2).size() == 2);
  CHECK(pass.farthest(centers, 2)[1].row == 2);
}

// Dense and sparse, few groups of many equal rows: each comes once, with all its rows.
TEST(equal_rows_come_as_one_far_row) {
  Random random(8);
  const int64_t n = 3000, d = 3;
  std::vector<double> x(n * d), values;
  std::vector<int32_t> labels(n), columns;
  std::vector<int64_t> starts = {0};
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t t = 0; t < d; ++t) {
      const double v = x[i * d + t] = double(below(random, 3));
      if (v == 0 && below(random, 2)) continue;  // zeros are stored or not
      values.push_back(v);
      columns.push_back(int32_t(t));
    }
    starts.push_back(int64_t(values.size()));
  }
  Centers centers(1, d, Dtype::f64);
  Partials partials;
  BruteForcePass<double> dense({x.data(), n, d, nullptr, labels.data(), 1}, 1, {});
  SparsePass<double> sparse(
      {values.data(), columns.data(), starts.data(), n, d, nullptr, labels.data(), 1}, 1, {});
  for (Pass* pass : std::initializer_list<Pass*>{&dense, &sparse}) {
    pass->assign(centers, partials);
    const auto far = pass->farthest(centers, 100);
    CHECK(far.size() == 26, far.size());  // 27 without the center
    for (const FarRow& row : far) {
      int64_t count = 0;
      for (int64_t i = 0; i < n; ++i)
        count += std::equal(row.values.begin(), row.values.end(), x.begin() + i * d);
      CHECK(row.count == count && row.weight == double(count), row.row);
    }
    const auto first = pass->farthest(centers, 5);
    CHECK(first.size() == 5);
    for (size_t i = 0; i < first.size(); ++i)
      CHECK(first[i].row == far[i].row && first[i].count == far[i].count, i);
  }
}

// Text-like rows, some far larger than others; clusters lose and gain rows for many visits.
template <class T>
void compare_sparse(double scale) {
  Random random(9);
  const int64_t n = 1500, d = 120, k = 11;
  std::vector<T> values;
  std::vector<int32_t> columns, labels(n), all_labels(n);
  std::vector<int64_t> starts = {0};
  for (int64_t i = 0; i < n; ++i) {
    const int64_t topic = below(random, 4);
    for (int64_t t = 0; t < d; ++t) {
      if (below(random, t / 30 == topic ? 4 : 25)) continue;
      values.push_back(T(scale * double(1 + below(random, 7)) * (i % 50 ? 1 : 40)));
      columns.push_back(int32_t(t));
    }
    starts.push_back(int64_t(values.size()));
  }
  const auto rows = [&](std::vector<int32_t>& where) {
    return SparseRows<T>{
        values.data(), columns.data(), starts.data(), n, d, nullptr, where.data(), 2};
  };
  Centers centers(k, d, sizeof(T) == 4 ? Dtype::f32 : Dtype::f64);
  for (int64_t j = 0; j < k; ++j) copy_row(rows(labels), 17 * j, centers.row(j));
  SparsePass<T> pass(rows(labels), k, {});
  Partials partials, all;
  for (int visit = 0; visit < 25; ++visit) {
    pass.assign(centers, partials);
    SparsePass<T> searches_all(rows(all_labels), k, {});
    searches_all.assign(centers, all);
    CHECK(labels == all_labels, "visit ", visit, " scale ", scale);
    CHECK_SAME_BITS(all.sums.data(), partials.sums.data(), k * d, visit);
    average(partials, {}, centers, centers);
    if (visit % 6 == 3) {  // other numbers
      std::vector<int32_t> order(k);
      for (int64_t j = 0; j < k; ++j) order[j] = int32_t((j + 4) % k);
      const Centers old = centers;
      for (int64_t j = 0; j < k; ++j) std::copy_n(old.row(order[j]), d, centers.row(j));
      pass.renumber(order);
    }
  }
}

TEST(sparse_rows_that_are_skipped_keep_the_label_of_a_full_search) {
  for (const double scale : {1.0, 1e-15, 1e15}) compare_sparse<float>(scale);
  for (const double scale : {1.0, 1e-140, 1e-40, 1e40, 1e140}) compare_sparse<double>(scale);
}

TEST(inertia_is_the_weighted_sum_of_squared_distances) {
  Random random(5);
  const auto c = make_case<float>(random, 5000, 4, 6, 3, 0, true);
  for (const int n_threads : {1, 2, 3, 8}) {
    std::vector<int32_t> labels(c.n);
    const Rows<float> rows = {c.x.data(), c.n, c.d, c.weights.data(), labels.data(), n_threads};
    BruteForcePass<float> pass(rows, c.k, {});
    Partials partials;
    pass.assign(c.first, partials);
    long double expected = 0;
    for (int64_t i = 0; i < c.n; ++i)
      for (int64_t t = 0; t < c.d; ++t) {
        const long double gap = (long double)c.x[i * c.d + t] - c.first.row(labels[i])[t];
        expected += c.weights[i] * gap * gap;
      }
    CHECK(std::abs(pass.inertia(c.first) / double(expected) - 1) < 1e-13);
  }
}

namespace {

// Fails in one shard, late, while others wait for their turn to add theirs.
class FailingPass final : public RowPass<double> {
 public:
  using RowPass<double>::RowPass;
  int64_t failing_shard = 0;

 protected:
  void prepare(const Centers&, int) override {}
  int64_t assign_shard(int worker, int64_t shard) override {
    if (shard == failing_shard) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      throw std::bad_alloc();
    }
    const std::vector<int32_t> zeros(kBlockRows);
    const int64_t end = sums_.shards().end(shard);
    for (int64_t i = sums_.shards().begin(shard); i < end; i += kBlockRows)
      set_labels(worker, shard, i, int(std::min<int64_t>(kBlockRows, end - i)), zeros.data());
    return 0;
  }
};

}  // namespace

TEST(a_pass_that_fails_in_one_thread_ends_in_all) {
  const int64_t n = 1000000;
  std::vector<double> x(n, 1.0);
  std::vector<int32_t> labels(n);
  for (const int64_t failing : {0, 1, 5})
    for (int round = 0; round < 10; ++round) {
      FailingPass pass({x.data(), n, 1, nullptr, labels.data(), 4}, 2, {});
      pass.failing_shard = failing;
      Partials partials;
      CHECK_THROWS(std::bad_alloc, pass.assign(Centers(2, 1, Dtype::f64), partials));
    }
}
