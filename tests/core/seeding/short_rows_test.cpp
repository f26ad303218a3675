#include "seeding/short_rows.hpp"

#include <algorithm>
#include <limits>

#include "check.hpp"
#include "seeding/seeding.hpp"

using namespace centroids;
using check::normal;
using check::Random;

namespace {

template <class T>
double squared_distance(const T* a, const T* b, int64_t d) {
  long double sum = 0;
  for (int64_t t = 0; t < d; ++t) sum += ((long double)a[t] - b[t]) * ((long double)a[t] - b[t]);
  return double(sum);
}

// Rows around an offset; some are equal, one lies far out and one is all zero.
template <class T>
std::vector<T> make_rows(Random& random, int64_t n, int64_t d, double offset, double scale) {
  auto x = normal<T>(random, n * d, offset, scale);
  std::copy_n(x.begin(), 3 * d, x.begin() + 10 * d);
  for (int64_t t = 0; t < d; ++t) {
    x[20 * d + t] = T(offset + 1e5 * scale);
    x[21 * d + t] = T(0);
  }
  return x;
}

template <class F>
void for_cases(F f) {
  if (!kernels<float>().short_rows) return;  // nothing to test on this machine
  for (const int64_t d : {24, 25, 31, 64, 130})
    for (const double offset : {0.0, 1000.0})
      for (const double scale : {1.0, 1e-12, 1e17}) {
        f(float{}, d, offset * scale, scale);
        f(double{}, d, offset * scale, scale);
      }
}

}  // namespace

TEST(a_row_that_is_nearer_to_a_point_is_never_left_out) {
  Random random(1);
  for_cases([&](auto zero, int64_t d, double offset, double scale) {
    using T = decltype(zero);
    const int64_t n = 1100;
    auto x = make_rows<T>(random, n, d, offset, scale);
    std::vector<int32_t> labels(n);
    const Rows<T> rows{x.data(), n, d, nullptr, labels.data(), 1};
    ShortRows<T> short_rows;
    short_rows.pack(rows);
    CHECK(short_rows.is_packed() == (scale < 1e10), "scale ", scale);
    if (!short_rows.is_packed()) return;
    for (const int n_points : {1, 2, 9, 16}) {
      short_rows.choose(x.data() + 5 * d, n_points);
      // As far as the seventh row, the distances at hand: some points are nearer.
      std::vector<T> current(n);
      for (int64_t i = 0; i < n; ++i)
        current[i] = T(squared_distance(x.data() + i * d, x.data() + 7 * d, d));
      for (const int64_t begin : {0, 64, 1024}) {
        const int m = int(std::min<int64_t>(n - begin, 500));
        std::vector<int32_t> out(m);
        const int count = short_rows.select(begin, m, current.data() + begin, out.data());
        out.resize(count);
        CHECK(std::is_sorted(out.begin(), out.end()));
        for (int i = 0; i < m; ++i) {
          bool is_nearer = false;
          for (int p = 0; p < n_points; ++p)
            is_nearer |= squared_distance(x.data() + (begin + i) * d, x.data() + (5 + p) * d, d) <
                         double(current[begin + i]);
          CHECK(!is_nearer || std::binary_search(out.begin(), out.end(), i), "d ", d, " scale ",
                scale, " row ", begin + i);
        }
      }
    }
  });
}

TEST(most_rows_that_are_no_nearer_are_left_out) {
  if (!kernels<float>().short_rows) return;
  Random random(2);
  const int64_t n = 4096, d = 64;
  auto x = normal<float>(random, n * d);
  std::vector<int32_t> labels(n);
  ShortRows<float> short_rows;
  short_rows.pack({x.data(), n, d, nullptr, labels.data(), 1});
  short_rows.choose(x.data(), 8);
  std::vector<float> current(n, 60.0f);  // normal rows lie some 128 apart
  std::vector<int32_t> out(n);
  CHECK(short_rows.select(0, int(n), current.data(), out.data()) < n / 10);
}
