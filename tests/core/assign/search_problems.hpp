// What the tests of NearestSearch search with and in: all filters, and problems hard for them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "assign/nearest_search.hpp"
#include "check.hpp"

namespace search_problems {

using namespace centroids;

// Calls f(kernels) for each filter of each instruction set, which is the only one there and costs
// nothing, so that it is chosen whatever the size.
template <class T, class F>
void for_filters(F f) {
  const char* names[kMostIsas];
  const int n = available_isas(names);
  for (int i = 0; i < n; ++i) {
    const Kernels<T>& kernels = *kernels_for<T>(names[i]);
    for (const FilterKernels<T>* filter : kernels.filters) {
      if (!filter) continue;
      FilterKernels<T> free = *filter;
      free.cost_per_product = free.cost_per_score = free.cost_per_row = free.cost_per_column = 0;
      Kernels<T> forced = kernels;
      std::fill(std::begin(forced.filters), std::end(forced.filters), nullptr);
      forced.filters[0] = &free;
      f(forced);
    }
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

  Draws(check::Random& random, int64_t d, int64_t k)
      : d(d),
        k(k),
        x(check::normal<double>(random, 500 * d, 0, 1.0)),
        centers(check::normal<double>(random, k * d, 0, 0.5)) {}
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
  // Centers that lie much farther out than others, with larger errors.
  if (name == "uneven")
    for (int64_t j = 0; j < k; j += 3)
      for (int64_t t = 0; t < d; ++t)
        p.centers.row(j)[t] = p.centers.rounded(p.centers.row(j)[t] * 30);
  // Centers that rounding confuses.
  if (name == "groups") {
    const double apart = scale * (sizeof(T) == 4 ? 1e4 : 1e9);
    for (int64_t i = 0; i < p.n; i += 2)
      for (int64_t t = 0; t < d; ++t) p.x[i * d + t] += T(apart);
    for (int64_t j = 0; j < k; j += 2)
      for (int64_t t = 0; t < d; ++t)
        p.centers.row(j)[t] = p.centers.rounded(p.centers.row(j)[t] + apart);
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
  check::Random random(3);
  for (const auto [d, k] : sizes) {
    const Draws draws(random, d, k);
    for (const double scale : {1.0, 1e-15, 1e-36})
      for (const char* name :
           {"plain", "offset", "ties", "on centers", "one far", "signs", "uneven", "groups"})
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

}  // namespace search_problems
