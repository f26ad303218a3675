// Every kernel of every instruction set of this machine against the plain reference. Sets with
// fused multiply-add give its bits; the baseline rounds products first, so what uses fma is
// compared to within the rounding error there.
#include "kernels/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>

#include "check.hpp"
#include "seeding/gains.hpp"

using namespace centroids;
using check::Aligned;
using check::below;
using check::normal;
using check::Random;

namespace {

template <class T>
struct Isa {
  const Kernels<T>* kernels;
  bool is_fused;
};

template <class T>
std::vector<Isa<T>> isas() {
  const char* names[kMostIsas];
  const int n = available_isas(names);
  std::vector<Isa<T>> out;
  for (int i = 0; i < n; ++i)
    out.push_back({kernels_for<T>(names[i]), std::string(names[i]) != "baseline"});
  return out;
}

// Calls f(T{}, kernels of an instruction set, whether it is fused) for both element types.
template <class F>
void for_isas(F f) {
  for (const auto& isa : isas<float>()) f(0.0f, *isa.kernels, isa.is_fused);
  for (const auto& isa : isas<double>()) f(0.0, *isa.kernels, isa.is_fused);
}

std::vector<int64_t> column_counts() {
  std::vector<int64_t> counts(40);
  std::iota(counts.begin(), counts.end(), 1);
  // Around the lengths of a cache line, and where point_distances turns to wide rows.
  for (const int64_t d : {47, 48, 49, 64, 95, 96, 97, 113, 130}) counts.push_back(d);
  return counts;
}

// Row numbers in any order, some repeated.
std::vector<int32_t> some_rows(Random& random, int n, int64_t n_available) {
  std::vector<int32_t> rows(n);
  for (int32_t& row : rows) row = int32_t(below(random, n_available));
  return rows;
}

// Centers as CenterPack leaves them: groups, lanes past the last center never win.
template <class T>
struct Packed {
  std::vector<T> packed, half_norms;
  int32_t n_centers, group_size;

  Packed(const std::vector<T>& centers, int64_t n_cols, int32_t n, int32_t group)
      : n_centers(n), group_size(group) {
    const int64_t padded = (n + group - 1) / group * group;
    packed.assign(padded * n_cols, T(0));
    half_norms.assign(padded, std::numeric_limits<T>::infinity());
    for (int64_t j = 0; j < n; ++j) {
      double norm = 0;
      for (int64_t t = 0; t < n_cols; ++t) {
        const T value = centers[j * n_cols + t];
        packed[(j / group * n_cols + t) * group + j % group] = value;
        norm += double(value) * double(value);
      }
      half_norms[j] = T(norm / 2);
    }
  }
  PackedCenters<T> view() const {
    return {packed.data(), half_norms.data(), n_centers, group_size};
  }
};

// What a chain of d multiply-adds may be off by, for values of order one.
template <class T>
double chain_error(int64_t d) {
  return 64.0 * double(d + 4) * std::numeric_limits<T>::epsilon();
}

constexpr int kAllRows[] = {1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 33, 48, 60, 63, 64};

}  // namespace

TEST(pack_block_transposes_and_pads_with_zeros) {
  Random random(1);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    for (const int64_t d : column_counts())
      for (const int n : kAllRows) {
        const auto x = normal<T>(random, 64 * d + 1);
        const auto shift = normal<T>(random, d, 3);
        const auto rows = some_rows(random, n, 64);
        for (const bool gathers : {false, true})
          for (const int offset : {0, 1}) {  // rows need not be aligned
            const int32_t* list = gathers ? rows.data() : nullptr;
            Aligned<T> expected(64 * d, T(7)), got(64 * d, T(8));
            reference_kernels<T>().pack_block(x.data() + offset, d, list, n, shift.data(),
                                              expected.data());
            kernels.pack_block(x.data() + offset, d, list, n, shift.data(), got.data());
            CHECK_SAME_BITS(expected.data(), got.data(), 64 * d, kernels.isa, " d ", d, " n ", n);
            CHECK(expected[0] == shift[0] - x[offset + (gathers ? rows[0] : 0) * d]);
          }
      }
  });
}

TEST(block_norms_are_squared_lengths) {
  Random random(2);
  for_isas([&](auto zero, const auto& kernels, bool is_fused) {
    using T = decltype(zero);
    for (const int64_t d : column_counts()) {
      const auto values = normal<T>(random, 64 * d);
      Aligned<T> packed(64 * d), expected(64), got(64);
      std::copy(values.begin(), values.end(), packed.data());
      reference_kernels<T>().block_norms(packed.data(), d, expected.data());
      kernels.block_norms(packed.data(), d, got.data());
      if (is_fused)
        CHECK_SAME_BITS(expected.data(), got.data(), 64, kernels.isa, " d ", d);
      else
        for (int i = 0; i < 64; ++i)
          CHECK(std::abs(double(expected[i]) - double(got[i])) <= chain_error<T>(d), d);
    }
  });
}

TEST(bounds_hold_and_are_tight) {
  Random random(12);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    constexpr double kUnit = std::numeric_limits<T>::epsilon() / 2;
    for (const double scale : {1e-6, 1.0, 1e6}) {
      // Rows at x and centers at a and b of one column, about a shift of zero.
      const auto x = normal<T>(random, 64), a = normal<T>(random, 64), b = normal<T>(random, 64);
      Aligned<T> norms(64), score(64), second(64);
      Aligned<float> upper(64), lower(64);
      std::vector<double> near(64), far(64);
      double max_norm = 0;
      for (int i = 0; i < 64; ++i) {
        const double row = scale * x[i], first = i % 5 ? scale * a[i] : row, other = scale * b[i];
        near[i] = std::abs(row - first);
        far[i] = std::abs(row - other);
        norms[i] = T(row * row);
        score[i] = T(first * first / 2 - row * first);
        second[i] = T(other * other / 2 - row * other);
        max_norm = std::max({max_norm, std::abs(first), std::abs(other)});
      }
      const double error = 8 * kUnit;
      kernels.bound_distances(norms.data(), score.data(), second.data(), error, max_norm,
                              upper.data(), lower.data());
      for (int i = 0; i < 64; ++i) {
        const double reach = std::sqrt(double(norms[i])) + max_norm;
        const double slack = 4 * std::sqrt(2 * error) * reach + 1e-6 * (near[i] + far[i]);
        CHECK(upper[i] >= near[i] && upper[i] <= near[i] + slack, kernels.isa, " ", scale);
        CHECK(lower[i] <= far[i] && lower[i] >= far[i] - slack, kernels.isa, " ", scale);
      }
    }
    // What overflows tells nothing.
    const T infinity = std::numeric_limits<T>::infinity();
    for (const T bad : {infinity, std::numeric_limits<T>::quiet_NaN()}) {
      Aligned<T> norms(64, infinity), score(64, bad);
      Aligned<float> upper(64), lower(64);
      kernels.bound_distances(norms.data(), score.data(), score.data(), kUnit, 1.0, upper.data(),
                              lower.data());
      for (int i = 0; i < 64; ++i)
        CHECK(std::isinf(upper[i]) && lower[i] == 0, kernels.isa, " ", upper[i], " ", lower[i]);
    }
  });
}

namespace {

template <class T>
void compare_assignments(const Kernels<T>& kernels, bool is_fused, const Aligned<T>& packed,
                         int64_t d, int n, const Packed<T>& centers) {
  const int32_t k = centers.n_centers;
  BlockNearest<T> expected, got;
  reference_kernels<T>().assign_block(packed.data(), d, n, centers.view(), Search::with_second, {},
                                      expected);
  std::vector<T> scores(64 * k);
  reference_kernels<T>().score_block(packed.data(), d, centers.view(), scores.data(), k);
  for (const Search search : {Search::nearest, Search::with_second_score, Search::with_second}) {
    const auto about = check::joined(kernels.isa, " d ", d, " n ", n, " k ", k, " group ",
                                     centers.group_size, " search ", int(search));
    kernels.assign_block(packed.data(), d, n, centers.view(), search, {}, got);
    if (is_fused) {
      CHECK_SAME_BITS(expected.label, got.label, n, about);
      CHECK_SAME_BITS(expected.score, got.score, n, about);
      if (search != Search::nearest)
        CHECK_SAME_BITS(expected.second_score, got.second_score, n, about);
      if (search == Search::with_second)
        CHECK_SAME_BITS(expected.second_label, got.second_label, n, about);
      continue;
    }
    const double error = chain_error<T>(d);
    for (int i = 0; i < n; ++i) {
      CHECK(got.label[i] >= 0 && got.label[i] < k, about);
      CHECK(double(scores[i * k + got.label[i]]) <= double(expected.score[i]) + error, about);
      CHECK(std::abs(double(got.score[i]) - double(expected.score[i])) <= error, about);
      if (search != Search::nearest && k > 1)
        CHECK(std::abs(double(got.second_score[i]) - double(expected.second_score[i])) <= error,
              about);
      if (search == Search::with_second && k > 1) CHECK(got.second_label[i] != got.label[i], about);
    }
  }
}

}  // namespace

TEST(assign_block_finds_the_reference_labels_for_every_group_size) {
  Random random(3);
  for_isas([&](auto zero, const auto& kernels, bool is_fused) {
    using T = decltype(zero);
    for (int32_t group = 1; group <= kernels.max_group_size; ++group)
      for (const int64_t d : column_counts()) {
        const int32_t counts[] = {1,
                                  2,
                                  group,
                                  group + 1,
                                  2 * group + int32_t(below(random, group)),
                                  int32_t(1 + below(random, 40))};
        for (const int32_t k : counts) {
          const auto values = normal<T>(random, 64 * d);
          Aligned<T> packed(64 * d);
          std::copy(values.begin(), values.end(), packed.data());
          const int n = kAllRows[below(random, std::size(kAllRows))];
          compare_assignments<T>(kernels, is_fused, packed, d, n,
                                 Packed<T>(normal<T>(random, k * d), d, k, group));
        }
      }
  });
}

TEST(the_lowest_index_wins_ties) {
  Random random(4);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    for (int32_t group = 1; group <= kernels.max_group_size; ++group)
      for (const int64_t d : {1, 2, 5, 17}) {
        // Small integers: every score is exact, and most centers have an equal.
        const int32_t k = 3 * group + 2;
        std::vector<T> centers(k * d);
        for (T& c : centers) c = T(below(random, 2));
        Aligned<T> packed(64 * d);
        for (int64_t i = 0; i < 64 * d; ++i) packed[i] = -T(below(random, 3));
        const Packed<T> pack(centers, d, k, group);
        BlockNearest<T> got;
        kernels.assign_block(packed.data(), d, 64, pack.view(), Search::with_second, {}, got);
        for (int i = 0; i < 64; ++i) {
          std::vector<std::pair<double, int32_t>> order(k);
          for (int32_t j = 0; j < k; ++j) {
            double squared = 0;
            for (int64_t t = 0; t < d; ++t) {
              const double gap = double(centers[j * d + t]) + double(packed[t * 64 + i]);
              squared += gap * gap;
            }
            order[j] = {squared, j};
          }
          std::sort(order.begin(), order.end());
          CHECK(got.label[i] == order[0].second, kernels.isa, " group ", group, " d ", d);
          CHECK(got.second_label[i] == order[1].second, kernels.isa, " group ", group, " d ", d);
        }
      }
  });
}

TEST(centers_too_far_for_the_dtype_never_win) {
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    const T huge = std::numeric_limits<T>::max() / 2;
    for (int32_t group = 1; group <= kernels.max_group_size; ++group) {
      const int64_t d = 3;
      const std::vector<T> centers = {huge, huge, huge, 1, 1, 1, -huge, huge, 0, 2, 2, 2};
      const Packed<T> pack(centers, d, 4, group);  // half norms of 0 and 2: infinite
      Aligned<T> packed(64 * d, T(-2));            // rows at (2, 2, 2)
      BlockNearest<T> got;
      kernels.assign_block(packed.data(), d, 64, pack.view(), Search::with_second, {}, got);
      for (int i = 0; i < 64; ++i) {
        CHECK(got.label[i] == 3, kernels.isa, " group ", group);
        CHECK(got.second_label[i] == 1, kernels.isa, " group ", group);
        CHECK(got.score[i] == T(-6), kernels.isa, " group ", group);
      }
    }
  });
}

TEST(score_block_writes_the_scores_of_the_centers_and_nothing_else) {
  Random random(5);
  for_isas([&](auto zero, const auto& kernels, bool is_fused) {
    using T = decltype(zero);
    for (int32_t group = 1; group <= kernels.max_group_size; ++group)
      for (const int64_t d : {1, 3, 8, 33})
        for (const int32_t k : {1, group + 1, 3 * group}) {
          const int64_t stride = k + 3;
          const auto values = normal<T>(random, 64 * d);
          Aligned<T> packed(64 * d);
          std::copy(values.begin(), values.end(), packed.data());
          const Packed<T> pack(normal<T>(random, k * d), d, k, group);
          std::vector<T> expected(64 * stride, T(-1)), got(64 * stride, T(-1));
          reference_kernels<T>().score_block(packed.data(), d, pack.view(), expected.data(),
                                             stride);
          kernels.score_block(packed.data(), d, pack.view(), got.data(), stride);
          if (is_fused) {
            CHECK_SAME_BITS(expected.data(), got.data(), 64 * stride, kernels.isa, " k ", k);
            continue;
          }
          for (int64_t i = 0; i < 64 * stride; ++i)
            CHECK(i % stride < k ? std::abs(double(expected[i] - got[i])) <= chain_error<T>(d)
                                 : got[i] == T(-1),
                  kernels.isa);
        }
  });
}

TEST(add_rows_adds_in_row_order_in_float64) {
  Random random(6);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    for (const int64_t d : column_counts())
      for (const int n : {1, 5, 64}) {
        const int k = 4;
        const auto x = normal<T>(random, n * d, 100);
        const auto w = normal<double>(random, n, 5);
        const auto origin = normal<double>(random, d, 100);
        const auto labels = some_rows(random, n, k);
        for (const double* weights : std::initializer_list<const double*>{nullptr, w.data()})
          for (const double* from : std::initializer_list<const double*>{nullptr, origin.data()}) {
            auto expected = normal<double>(random, k * d), got = expected;
            reference_kernels<T>().add_rows(x.data(), d, n, labels.data(), weights, from,
                                            expected.data());
            kernels.add_rows(x.data(), d, n, labels.data(), weights, from, got.data());
            CHECK_SAME_BITS(expected.data(), got.data(), k * d, kernels.isa, " d ", d);
          }
      }
  });
}

TEST(add_compensated_rows_gives_the_reference_bits) {
  Random random(8);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    for (const int64_t d : column_counts()) {
      const int n = 70, k = 3;
      const auto x = normal<T>(random, n * d, 1, 40);
      const auto origin = normal<double>(random, d, 40);
      const auto factors = normal<double>(random, n);
      const auto rows = some_rows(random, n, n), clusters = some_rows(random, n, k);
      std::vector<Addend> addends;
      for (int i = 0; i < n; ++i) addends.push_back({rows[i], factors[i], clusters[i]});
      for (const double* from : std::initializer_list<const double*>{nullptr, origin.data()}) {
        auto sums = normal<double>(random, k * d), errors = normal<double>(random, k * d, 1e-16);
        auto expected_sums = sums, expected_errors = errors;
        reference_kernels<T>().add_compensated_rows(x.data(), d, addends.data(), n, from,
                                                    expected_sums.data(), expected_errors.data());
        kernels.add_compensated_rows(x.data(), d, addends.data(), n, from, sums.data(),
                                     errors.data());
        CHECK_SAME_BITS(expected_sums.data(), sums.data(), k * d, kernels.isa, " d ", d);
        CHECK_SAME_BITS(expected_errors.data(), errors.data(), k * d, kernels.isa, " d ", d);
      }
    }
  });
}

TEST(add_compensated_rows_keeps_small_rows_beside_huge_ones) {
  Random random(7);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    for (const int64_t d : column_counts()) {
      std::vector<double> sum(d), error(d), sum_ref(d), error_ref(d);
      const auto start = normal<T>(random, d);
      const std::vector<T> huge(d, T(1e17));
      const auto origin = normal<double>(random, d);
      const auto add = [&](const std::vector<T>& x, double factor, const double* from) {
        const Addend addend = {0, factor, 0};
        kernels.add_compensated_rows(x.data(), d, &addend, 1, from, sum.data(), error.data());
        reference_kernels<T>().add_compensated_rows(x.data(), d, &addend, 1, from, sum_ref.data(),
                                                    error_ref.data());
      };
      add(start, 0.5, origin.data());
      for (int i = 0; i < 3; ++i) add(huge, 1.0, nullptr);
      for (int i = 0; i < 3; ++i) add(huge, -1.0, nullptr);
      CHECK_SAME_BITS(sum_ref.data(), sum.data(), d, kernels.isa);
      CHECK_SAME_BITS(error_ref.data(), error.data(), d, kernels.isa);
      for (int64_t t = 0; t < d; ++t)
        CHECK(std::abs(sum[t] + error[t] - 0.5 * (double(start[t]) - origin[t])) < 1e-13,
              kernels.isa, " d ", d);
    }
  });
}

TEST(point_distances_match_the_reference_and_have_no_cancellation) {
  Random random(8);
  for_isas([&](auto zero, const auto& kernels, bool is_fused) {
    using T = decltype(zero);
    const double eps = std::numeric_limits<T>::epsilon();
    for (const int64_t d : column_counts())
      for (const int n : {1, 3, 8, 37, 64})
        for (const int n_points : {1, 2, 3, 4, 5, 6, 7, 9, 16}) {
          const auto x = normal<T>(random, 64 * d + 1, 1000);
          const auto points = normal<T>(random, n_points * d, 1000);
          const auto rows = some_rows(random, n, 64);
          const bool gathers = below(random, 2);
          const T* base = x.data() + below(random, 2);
          const int32_t* list = gathers ? rows.data() : nullptr;
          Aligned<T> scratch(64 * d), expected(64 * n_points), got(64 * n_points);
          reference_kernels<T>().point_distances(base, d, list, n, points.data(), n_points,
                                                 scratch.data(), expected.data());
          kernels.point_distances(base, d, list, n, points.data(), n_points, scratch.data(),
                                  got.data());
          for (int p = 0; p < n_points; ++p) {
            if (is_fused)
              CHECK_SAME_BITS(expected.data() + 64 * p, got.data() + 64 * p, n, kernels.isa, " d ",
                              d, " n ", n, " points ", n_points);
            for (int i = 0; i < n; ++i) {
              double exact = 0;
              for (int64_t t = 0; t < d; ++t) {
                const double gap =
                    double(base[(gathers ? rows[i] : i) * d + t]) - double(points[p * d + t]);
                exact += gap * gap;
              }
              CHECK(std::abs(double(got[64 * p + i]) - exact) <= double(d + 4) * eps * exact,
                    kernels.isa, " d ", d);
            }
          }
        }
  });
}

TEST(a_row_is_at_distance_zero_from_itself) {
  Random random(9);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    for (const int64_t d : column_counts()) {
      const auto x = normal<T>(random, 64 * d, 1e6);
      Aligned<T> scratch(64 * d), out(64);
      std::vector<double> centers(x.begin(), x.end());
      for (const int32_t row : {0, 5, 63}) {
        kernels.point_distances(x.data(), d, &row, 1, x.data() + row * d, 1, scratch.data(),
                                out.data());
        CHECK(out[0] == 0, kernels.isa, " d ", d);
        double squared;
        kernels.squared_distances(x.data(), d, &row, 1, centers.data(), &row, &squared);
        CHECK(squared == 0, kernels.isa, " d ", d);
      }
    }
  });
}

TEST(gains_and_weighted_sums_have_the_reference_bits_on_every_set) {
  Random random(10);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    for (const int n_points : {1, 2, 3, 8}) {
      const auto current = normal<T>(random, 64, 3), tried = normal<T>(random, 64 * n_points, 3);
      auto w = normal<double>(random, 64, 2);
      for (double& v : w) v = std::abs(v);
      for (const double* weights : std::initializer_list<const double*>{nullptr, w.data()}) {
        std::vector<double> expected(n_points, 0.25), got = expected, plain = expected;
        const double rounder = gain_rounder(1e4);
        reference_kernels<T>().add_gains(current.data(), tried.data(), n_points, weights, rounder,
                                         expected.data());
        kernels.add_gains(current.data(), tried.data(), n_points, weights, rounder, got.data());
        CHECK_SAME_BITS(expected.data(), got.data(), n_points, kernels.isa);
        for (int p = 0; p < n_points; ++p)
          for (int i = 0; i < 64; ++i)
            plain[p] += (weights ? w[i] : 1.0) *
                        std::max(0.0, double(current[i]) - double(tried[p * 64 + i]));
        for (int p = 0; p < n_points; ++p)
          CHECK(std::abs(plain[p] - got[p]) <= 1e4 * 64 * 0x1p-51, kernels.isa, " point ", p);
      }
    }
    for (const int64_t n : {1, 7, 8, 9, 63, 1000}) {
      const auto values = normal<T>(random, n, 3);
      const auto w = normal<double>(random, n, 2);
      for (const double* weights : std::initializer_list<const double*>{nullptr, w.data()}) {
        const double expected = reference_kernels<T>().weighted_sum(values.data(), weights, n);
        const double got = kernels.weighted_sum(values.data(), weights, n);
        CHECK_SAME_BITS(&expected, &got, 1, kernels.isa, " n ", n);
        double plain = 0, size = 0;
        for (int64_t i = 0; i < n; ++i) {
          plain += double(values[i]) * (weights ? w[i] : 1.0);
          size += std::abs(double(values[i]) * (weights ? w[i] : 1.0));
        }
        CHECK(std::abs(plain - got) <= 1e-13 * size, kernels.isa, " n ", n);
      }
    }
  });
}

TEST(sums_of_gains_do_not_depend_on_the_lanes_of_rows) {
  Random random(14);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    auto current = normal<T>(random, 64), tried = normal<T>(random, 64);
    auto w = normal<double>(random, 64);
    double total = 0;
    for (int i = 0; i < 64; ++i) {  // of all sizes
      current[i] = std::ldexp(std::abs(current[i]), i % 40 - 20);
      tried[i] = std::ldexp(std::abs(tried[i]), i % 40 - 20);
      w[i] = std::abs(w[i]);
      total += w[i] * double(current[i]);
    }
    const double rounder = gain_rounder(total);
    double forwards = 0, backwards = 0;
    kernels.add_gains(current.data(), tried.data(), 1, w.data(), rounder, &forwards);
    std::reverse(current.begin(), current.end());
    std::reverse(tried.begin(), tried.end());
    std::reverse(w.begin(), w.end());
    // In two halves: a row more in a block must not matter either.
    for (const int first : {0, 32}) {
      std::vector<T> half(64, T(0));
      std::copy_n(current.begin() + first, 32, half.begin() + first);
      kernels.add_gains(half.data(), tried.data(), 1, w.data(), rounder, &backwards);
    }
    CHECK(forwards > 0, kernels.isa);
    CHECK_SAME_BITS(&forwards, &backwards, 1, kernels.isa);
  });
}

TEST(lanes_without_a_row_gain_nothing) {
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    const std::vector<T> current(64, T(0));
    std::vector<T> tried(64, T(0));
    tried[3] = std::numeric_limits<T>::infinity();
    tried[9] = T(1e30);
    double gain = 0;
    kernels.add_gains(current.data(), tried.data(), 1, nullptr, gain_rounder(1.0), &gain);
    CHECK(gain == 0, kernels.isa);
  });
}

TEST(lower_keeps_the_lesser_and_says_which_it_replaced) {
  Random random(15);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    auto current = normal<T>(random, 64), tried = normal<T>(random, 64);
    current[5] = std::numeric_limits<T>::infinity();
    tried[6] = current[6];  // equal: kept
    tried[63] = current[63] - 1;
    auto expected = current;
    const uint64_t wanted = reference_kernels<T>().lower(expected.data(), tried.data());
    CHECK((wanted >> 5 & 1) == 1 && (wanted >> 6 & 1) == 0 && wanted >> 63 == 1);
    for (int i = 0; i < 64; ++i) CHECK(expected[i] == std::min(current[i], tried[i]));
    CHECK(kernels.lower(current.data(), tried.data()) == wanted, kernels.isa);
    CHECK_SAME_BITS(expected.data(), current.data(), 64, kernels.isa);
  });
}

TEST(select_above_lists_what_exceeds_the_threshold_of_its_label) {
  Random random(11);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    for (const int n : {1, 8, 511, 512, 513, 2000}) {
      auto values = normal<T>(random, n);
      for (T& v : values) v = std::round(v * 2);  // many lie exactly on a threshold
      const std::vector<T> threshold = {T(-1), T(0), std::numeric_limits<T>::infinity(), T(1)};
      values[0] = std::numeric_limits<T>::infinity();
      const auto labels = some_rows(random, n, 4);
      std::vector<int32_t> expected, got(n);
      for (int i = 0; i < n; ++i)
        if (values[i] > threshold[labels[i]]) expected.push_back(i);
      const int count =
          kernels.select_above(values.data(), labels.data(), threshold.data(), n, got.data());
      got.resize(count);
      CHECK(got == expected, kernels.isa, " n ", n);
    }
  });
}

TEST(bounds_move_outward_and_settled_rows_are_certain) {
  Random random(12);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    for (const int n : {1, 7, 8, 511, 512, 513, 3000}) {
      const int k = 5;
      const auto absolute = [&](size_t m, double center) {
        auto values = normal<float>(random, m, center);
        for (float& v : values) v = std::abs(v);
        return values;
      };
      const auto own = absolute(k, 0.1), other = absolute(k, 0.3), neighbor = absolute(k, 4);
      const auto labels = some_rows(random, n, k);
      const auto upper = absolute(n, 1), lower = absolute(n, 3);
      std::vector<CenterMotion> centers(k);
      for (int j = 0; j < k; ++j) centers[j] = {own[j], other[j], neighbor[j]};
      const Motion motion = {centers.data(), 1e-3f, 1e-2f};
      auto upper_ref = upper, lower_ref = lower, upper_got = upper, lower_got = lower;
      std::vector<int32_t> expected(n), got(n);
      expected.resize(reference_kernels<T>().advance_bounds(
          motion, labels.data(), n, upper_ref.data(), lower_ref.data(), expected.data()));
      got.resize(kernels.advance_bounds(motion, labels.data(), n, upper_got.data(),
                                        lower_got.data(), got.data()));
      CHECK(got == expected, kernels.isa, " n ", n);
      CHECK_SAME_BITS(upper_ref.data(), upper_got.data(), n, kernels.isa);
      CHECK_SAME_BITS(lower_ref.data(), lower_got.data(), n, kernels.isa);
      std::vector<bool> is_listed(n);
      for (const int32_t i : got) is_listed[i] = true;
      for (int i = 0; i < n; ++i) {
        const double u = double(upper[i]) + own[labels[i]], l = double(lower[i]) - other[labels[i]];
        CHECK(upper_got[i] >= u && upper_got[i] <= u * (1 + 1e-6), kernels.isa);
        if (is_listed[i]) {
          CHECK(lower_got[i] == lower[i], kernels.isa);
          continue;
        }
        // Below zero a bound says nothing, whichever way it is rounded.
        CHECK(l > 0 ? lower_got[i] <= l : lower_got[i] <= 0, kernels.isa);
        CHECK(lower_got[i] >= l - 1e-6 * (std::abs(l) + lower[i]), kernels.isa);
        const double gap = std::max(l, double(neighbor[labels[i]]) - u);
        CHECK(gap > 0 && gap * gap - u * u > double(1e-3f) * u + double(1e-2f), kernels.isa, " u ",
              u, " gap ", gap);
      }
    }
  });
}

TEST(nothing_is_settled_by_bounds_that_are_not_numbers) {
  const float infinity = std::numeric_limits<float>::infinity();
  for_isas([&](auto, const auto& kernels, bool) {
    const CenterMotion still = {0, 0, 0};
    const Motion motion = {&still, 0.0f, 0.0f};
    const int32_t labels[3] = {0, 0, 0};
    float upper[3] = {infinity, std::nanf(""), 1.0f};
    float lower[3] = {infinity, 1.0f, std::nanf("")};
    int32_t out[3];
    CHECK(kernels.advance_bounds(motion, labels, 3, upper, lower, out) == 3, kernels.isa);
  });
}

TEST(moments_have_the_reference_bits_on_every_set) {
  Random random(13);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    for (const int64_t d : column_counts())
      for (const int n : {1, 9, 64}) {
        const auto x = normal<T>(random, n * d, 50);
        const auto w = normal<double>(random, n, 2);
        const auto reference = normal<double>(random, d, 50);
        for (const double* weights : std::initializer_list<const double*>{nullptr, w.data()}) {
          auto sum = normal<double>(random, d), square = normal<double>(random, d);
          auto sum_got = sum, square_got = square;
          reference_kernels<T>().add_moments(x.data(), d, n, weights, reference.data(), sum.data(),
                                             square.data());
          kernels.add_moments(x.data(), d, n, weights, reference.data(), sum_got.data(),
                              square_got.data());
          CHECK_SAME_BITS(sum.data(), sum_got.data(), d, kernels.isa, " d ", d);
          CHECK_SAME_BITS(square.data(), square_got.data(), d, kernels.isa, " d ", d);
        }
      }
  });
}

TEST(squared_distances_have_the_reference_bits_on_every_set) {
  Random random(14);
  for_isas([&](auto zero, const auto& kernels, bool) {
    using T = decltype(zero);
    for (const int64_t d : column_counts())
      for (const int n : kAllRows) {
        const int k = 3;
        const auto x = normal<T>(random, 64 * d + 1, 1e4);
        const auto centers = normal<double>(random, k * d, 1e4);
        const auto labels = some_rows(random, n, k), rows = some_rows(random, n, 64);
        const bool gathers = below(random, 2);
        const T* base = x.data() + below(random, 2);
        const int32_t* list = gathers ? rows.data() : nullptr;
        std::vector<double> expected(n), got(n);
        reference_kernels<T>().squared_distances(base, d, list, n, centers.data(), labels.data(),
                                                 expected.data());
        kernels.squared_distances(base, d, list, n, centers.data(), labels.data(), got.data());
        CHECK_SAME_BITS(expected.data(), got.data(), n, kernels.isa, " d ", d, " n ", n);
      }
  });
}

TEST(sparse_scores_are_those_of_the_row_written_out) {
  Random random(15);
  for_isas([&](auto zero, const auto& kernels, bool is_fused) {
    using T = decltype(zero);
    constexpr int64_t kLine = 64 / int64_t(sizeof(T));
    for (const int lines : {1, 2, 4})
      for (const int64_t n_groups : {1, 3})
        for (const int64_t n_entries : {0, 1, 2, 7, 30}) {
          const int64_t d = 50, group = lines * kLine, n_lanes = n_groups * group;
          const auto centers = normal<T>(random, n_lanes * d), half = normal<T>(random, n_lanes);
          Aligned<T> packed(n_lanes * d), half_norms(n_lanes), expected(n_lanes), got(n_lanes);
          for (int64_t j = 0; j < n_lanes; ++j) {
            half_norms[j] = half[j];
            for (int64_t t = 0; t < d; ++t)
              packed[j / group * group * d + t * group + j % group] = centers[j * d + t];
          }
          half_norms[n_lanes - 1] = std::numeric_limits<T>::infinity();
          const auto values = normal<T>(random, n_entries);
          std::vector<int32_t> columns(50);
          std::iota(columns.begin(), columns.end(), 0);
          std::shuffle(columns.begin(), columns.end(), random);
          const SparsePackedCenters<T> view = {packed.data(), half_norms.data(), n_groups, lines};
          reference_kernels<T>().sparse_scores(values.data(), columns.data(), n_entries, d, view,
                                               expected.data());
          kernels.sparse_scores(values.data(), columns.data(), n_entries, d, view, got.data());
          if (is_fused) CHECK_SAME_BITS(expected.data(), got.data(), n_lanes, kernels.isa);
          for (int64_t j = 0; j + 1 < n_lanes; ++j) {
            double exact = half[j];
            for (int64_t e = 0; e < n_entries; ++e)
              exact -= double(values[e]) * double(centers[j * d + columns[e]]);
            CHECK(std::abs(got[j] - exact) <= chain_error<T>(n_entries), kernels.isa);
          }
          CHECK(got[n_lanes - 1] == std::numeric_limits<T>::infinity());
        }
  });
}
