#include "assign/nearest_search.hpp"

#include <algorithm>
#include <string>

#include "check.hpp"

using namespace centroids;
using check::below;
using check::normal;
using check::Random;

namespace {

// Calls f(T{}, kernels) for each filter of these kernels, which is the only one there and costs
// nothing, so that it is chosen whatever the size.
template <class T, class F>
void for_filters_of(const Kernels<T>& kernels, F f) {
  for (const FilterKernels<T>* filter : kernels.filters) {
    if (!filter) continue;
    FilterKernels<T> free = *filter;
    free.cost_per_product = free.cost_per_score = free.cost_per_row = free.cost_per_column = 0;
    Kernels<T> forced = kernels;
    std::fill(std::begin(forced.filters), std::end(forced.filters), nullptr);
    forced.filters[0] = &free;
    f(T{}, forced);
  }
}

template <class F>
void for_filters(F f) {
  const char* names[kMostIsas];
  const int n = available_isas(names);
  for (int i = 0; i < n; ++i) {
    for_filters_of(*kernels_for<float>(names[i]), f);
    for_filters_of(*kernels_for<double>(names[i]), f);
  }
}

template <class T>
struct Problem {
  std::string name;
  int64_t n, d, k;
  std::vector<T> x;
  Centers centers;
};

// Drawing numbers is what takes long: the problems of one size share them.
struct Draws {
  int64_t d, k;
  std::vector<double> x, centers;

  Draws(Random& random, int64_t d, int64_t k)
      : d(d),
        k(k),
        x(normal<double>(random, 500 * d, 0, 1.0)),
        centers(normal<double>(random, k * d, 0, 0.5)) {}
};

template <class T>
Problem<T> make(const Draws& draws, const std::string& name, double scale) {
  const int64_t d = draws.d, k = draws.k;
  Problem<T> p{name, 500, d, k, {}, Centers(k, d, sizeof(T) == 4 ? Dtype::f32 : Dtype::f64)};
  for (const double v : draws.x) p.x.push_back(T(v * scale));
  for (size_t i = 0; i < draws.centers.size(); ++i)
    p.centers.values[i] = p.centers.rounded(draws.centers[i] * scale);
  if (name == "offset")
    for (T& v : p.x) v += T(1e5 * scale);
  if (name == "offset")
    for (double& v : p.centers.values) v = p.centers.rounded(v + 1e5 * scale);
  if (name == "ties")
    for (int64_t t = 0; t < d; ++t) p.centers.row(k - 1)[t] = p.centers.row(0)[t];
  if (name == "on centers")
    for (int64_t i = 0; i < p.n; ++i)
      for (int64_t t = 0; t < d; ++t) p.x[i * d + t] = T(p.centers.row(i % k)[t]);
  // As long as rows and centers of whole numbers get, with the largest sums of products.
  if (name == "signs") {
    for (T& v : p.x) v = v < 0 ? T(-scale) : T(scale);
    for (double& v : p.centers.values) v = p.centers.rounded(v < 0 ? -scale : scale);
    for (int64_t i = 0; i < p.n; i += 2)
      for (int64_t t = 0; t < d; ++t) p.x[i * d + t] = T(p.centers.row(i % k)[t]) * T(i % 4 - 1);
  }
  if (name == "one far")
    for (int64_t t = 0; t < d; ++t) p.centers.row(1)[t] = p.x[t] = T(1e17 * scale);
  return p;
}

template <class T, class F>
void for_problems(F f) {
  const struct {
    int64_t d, k;
  } sizes[] = {{5, 200},   {5, 1100},   {8, 200},  {8, 1100},  {31, 200},  {31, 1100},
               {33, 200},  {33, 1100},  {64, 200}, {64, 1100}, {130, 200}, {130, 1100},
               {200, 200}, {200, 1100}, {5, 7},    {64, 7},    {600, 7}};
  Random random(3);
  for (const auto [d, k] : sizes) {
    const Draws draws(random, d, k);
    for (const double scale : {1.0, 1e-15, 1e-36})
      for (const char* name : {"plain", "offset", "ties", "on centers", "one far", "signs"})
        // float32 rows whose squares are lost are refused before a fit.
        if ((scale > 1e-10 || std::string(name) != "offset") && (scale > 1e-20 || sizeof(T) == 8))
          f(make<T>(draws, name, scale));
  }
}

template <class T>
std::vector<Found> find_all(NearestSearch<T>& search, const Problem<T>& p) {
  std::vector<Found> found;
  search.find(0, p.x.data(), nullptr, int(p.n), [&](const Found& one) { found.push_back(one); });
  std::sort(found.begin(), found.end(),
            [](const Found& a, const Found& b) { return a.row < b.row; });
  return found;
}

}  // namespace

TEST(every_row_is_found_once_with_the_label_of_the_tile) {
  for_filters([&](auto zero, const auto& kernels) {
    using T = decltype(zero);
    for_problems<T>([&](const Problem<T>& p) {
      NearestSearch<T> search(kernels);
      search.prepare(p.centers, 1);
      CHECK(search.is_filtered(), p.name);
      const auto found = find_all(search, p);
      CHECK(int64_t(found.size()) == p.n, p.name);
      for (int64_t first = 0; first < p.n; first += kBlockRows) {
        const int m = int(std::min<int64_t>(kBlockRows, p.n - first));
        const auto& nearest = search.search_block(0, p.x.data() + first * p.d, nullptr, m,
                                                  search.pack().view(), Search::nearest);
        for (int i = 0; i < m; ++i)
          CHECK(found[first + i].row == first + i && found[first + i].label == nearest.label[i],
                kernels.isa, " ", p.name, " d ", p.d, " k ", p.k, " row ", first + i);
      }
    });
  });
}

TEST(bounds_hold_for_exact_distances) {
  for_filters([&](auto zero, const auto& kernels) {
    using T = decltype(zero);
    for_problems<T>([&](const Problem<T>& p) {
      NearestSearch<T> search(kernels);
      search.want_bounds(true);
      search.prepare(p.centers, 1);
      const T* shift = search.pack().shift();
      for (const Found& found : find_all(search, p)) {
        if (found.row % 25) continue;
        const auto squared = [&](auto minus) {
          long double sum = 0;
          for (int64_t t = 0; t < p.d; ++t) {
            const long double y = (long double)(p.x[found.row * p.d + t]) - minus[t];
            sum += y * y;
          }
          return double(sum);
        };
        const double nearest = squared(p.centers.row(found.label));
        double second = std::numeric_limits<double>::infinity();
        for (int64_t j = 0; j < p.k; ++j)
          if (j != found.label) second = std::min(second, squared(p.centers.row(j)));
        const double upper = double(found.upper) * found.upper;
        const double reach = std::sqrt(squared(shift)) + search.pack().max_norm();
        CHECK(upper >= nearest && upper <= nearest + 0.05 * reach * reach, kernels.isa, " ", p.name,
              " d ", p.d, " ", upper, " for ", nearest, " reach ", reach);
        CHECK(double(found.lower) * found.lower <= second, kernels.isa, " ", p.name, " d ", p.d);
      }
    });
  });
}

TEST(a_listed_row_gets_what_it_gets_among_all) {
  for_filters([&](auto zero, const auto& kernels) {
    using T = decltype(zero);
    Random random(4);
    const Problem<T> p = make<T>(Draws(random, 70, 300), "plain", 1.0);
    NearestSearch<T> search(kernels);
    search.prepare(p.centers, 1);
    const auto all = find_all(search, p);
    const std::vector<int32_t> rows = {3, 4, 70, 71, 499};
    search.find(0, p.x.data(), rows.data(), int(rows.size()), [&](const Found& found) {
      CHECK(found.label == all[found.row].label, "row ", found.row);
    });
  });
}
