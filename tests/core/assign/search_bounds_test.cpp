#include <cmath>
#include <limits>

#include "search_problems.hpp"

using namespace search_problems;

namespace {

// Of the rows looked at, which are one in 25.
constexpr int64_t kStride = 25;

template <class T, class Point>
double exact_squared_distance(const T* row, const Point* point, int64_t d) {
  long double sum = 0;
  for (int64_t t = 0; t < d; ++t) {
    const long double y = (long double)(row[t]) - point[t];
    sum += y * y;
  }
  return double(sum);
}

// From each row looked at to each center: they take long, and all filters are held against them.
template <class T>
std::vector<double> exact_squared_distances(const Problem<T>& p) {
  std::vector<double> squared;
  for (int64_t i = 0; i < p.n; i += kStride)
    for (int64_t j = 0; j < p.k; ++j)
      squared.push_back(exact_squared_distance(p.x.data() + i * p.d, p.centers.row(j), p.d));
  return squared;
}

template <class T>
void check_bounds_of_filters() {
  for_problems<T>([](const Problem<T>& p) {
    const std::vector<double> exact = exact_squared_distances(p);
    for_filters<T>([&](const Kernels<T>& kernels) {
      NearestSearch<T> search(kernels);
      search.want_bounds(true);
      search.prepare(p.centers, 1);
      for (const Found& found : find_all(search, p)) {
        if (found.row % kStride) continue;
        const double* squared = exact.data() + found.row / kStride * p.k;
        const double nearest = squared[found.label];
        double second = std::numeric_limits<double>::infinity();
        for (int64_t j = 0; j < p.k; ++j)
          if (j != found.label) second = std::min(second, squared[j]);
        const double upper = double(found.upper) * found.upper;
        const double from_shift =
            exact_squared_distance(p.x.data() + found.row * p.d, search.pack().shift(), p.d);
        const double reach = std::sqrt(from_shift) + search.pack().max_norm();
        CHECK(upper >= nearest && upper <= nearest + 0.05 * reach * reach, kernels.isa, " ", p.name,
              " d ", p.d, " ", upper, " for ", nearest, " reach ", reach);
        CHECK(double(found.lower) * found.lower <= second, kernels.isa, " ", p.name, " d ", p.d);
      }
    });
  });
}

}  // namespace

TEST(bounds_hold_for_exact_distances) {
  check_bounds_of_filters<float>();
  check_bounds_of_filters<double>();
}
