// A claim is a TEST; what it rests on are CHECKs. A failed CHECK prints where, and what it was
// about, and the test goes on, so that one run shows all that is wrong.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "aligned.hpp"

namespace check {

struct Registered {
  Registered(const char* name, void (*run)());
};

void report_failure(const char* file, int line, const std::string& what);

template <class... Parts>
std::string joined(const Parts&... parts) {
  std::ostringstream out;
  out.precision(17);
  (out << ... << parts);
  return out.str();
}

// The first position where two runs of values differ in their bits (any NaN equals any NaN), or -1.
template <class T>
int64_t first_difference(const T* a, const T* b, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    if (std::memcmp(a + i, b + i, sizeof(T)) != 0 && !(a[i] != a[i] && b[i] != b[i])) return i;
  return -1;
}

using Random = std::mt19937_64;

template <class T>
std::vector<T> normal(Random& random, size_t n, double center = 0, double spread = 1) {
  std::normal_distribution<double> draw(center, spread);
  std::vector<T> values(n);
  for (T& v : values) v = T(draw(random));
  return values;
}

inline int64_t below(Random& random, int64_t n) {
  return std::uniform_int_distribution<int64_t>(0, n - 1)(random);
}

// Values in memory aligned for vectors, as the kernels want their packed blocks.
template <class T>
struct Aligned : centroids::AlignedBuffer<T> {
  explicit Aligned(size_t n, T fill = T(0)) : centroids::AlignedBuffer<T>(n) {
    for (size_t i = 0; i < n; ++i) this->data()[i] = fill;
  }
  T& operator[](size_t i) { return this->data()[i]; }
};

// Pearson's statistic; with many draws it rarely exceeds its degrees of freedom plus five times
// sqrt(2 * that).
double chi_square(const std::vector<int64_t>& seen, const std::vector<double>& probability);
double chi_square_limit(const std::vector<double>& probability);

}  // namespace check

#define TEST(name)                                               \
  static void name();                                            \
  static const check::Registered registered_##name(#name, name); \
  static void name()

// CHECK(condition, context...): the context says which case it was.
#define CHECK(condition, ...)                                                           \
  do {                                                                                  \
    if (!(condition))                                                                   \
      check::report_failure(__FILE__, __LINE__,                                         \
                            check::joined(#condition "  " __VA_OPT__(, ) __VA_ARGS__)); \
  } while (false)

#define CHECK_SAME_BITS(expected, got, n, ...)                                              \
  do {                                                                                      \
    const int64_t at_ = check::first_difference((expected), (got), (n));                    \
    if (at_ >= 0)                                                                           \
      check::report_failure(                                                                \
          __FILE__, __LINE__,                                                               \
          check::joined(#got " differs from " #expected " at ", at_, ": ", (got)[at_],      \
                        " instead of ", (expected)[at_], "  " __VA_OPT__(, ) __VA_ARGS__)); \
  } while (false)

#define CHECK_THROWS(Exception, expression)                                                 \
  do {                                                                                      \
    bool thrown_ = false;                                                                   \
    try {                                                                                   \
      expression;                                                                           \
    } catch (const Exception&) {                                                            \
      thrown_ = true;                                                                       \
    }                                                                                       \
    if (!thrown_)                                                                           \
      check::report_failure(__FILE__, __LINE__, #expression " does not throw " #Exception); \
  } while (false)
