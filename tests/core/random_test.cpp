#include "random.hpp"

#include <cmath>

#include "check.hpp"

using centroids::Philox;

// The vectors of Random123 (kat_vectors, philox4x32 10) need a counter of 128 bits: the first of
// them is seed 0, stream 0. The others below were computed with an independent implementation that
// gives all three published vectors.
TEST(the_stream_is_philox_4x32_10) {
  Philox zero(0, 0);
  CHECK(zero.next() == 0xe169c58d6627e8d5u);
  CHECK(zero.next() == 0x9b00dbd8bc57ac4cu);
  Philox pi(0x299f31d0a4093822u, 0x0370734413198a2eu);
  CHECK(pi.next() == 0x61bd7780b60a410eu);
  CHECK(pi.next() == 0x3d51eb3fa53f3958u);
  CHECK(pi.next() == 0x0ab83527314ddb4bu);
  CHECK(pi.next() == 0x3fc8cf4c9fc3cabeu);
}

TEST(seeds_and_streams_give_different_numbers) {
  CHECK(Philox(1, 0).next() != Philox(0, 0).next());
  CHECK(Philox(0, 1).next() != Philox(0, 0).next());
  CHECK(Philox(0, 1).next() != Philox(1, 0).next());
  CHECK(Philox(uint64_t(1) << 32, 0).next() != Philox(0, 0).next());
  CHECK(Philox(0, uint64_t(1) << 32).next() != Philox(0, 0).next());
}

TEST(uniform_lies_in_the_unit_interval_with_the_right_moments) {
  Philox random(7, 3);
  constexpr int n = 200000;
  double sum = 0, squares = 0, smallest = 1, largest = 0;
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform();
    sum += u;
    squares += u * u;
    smallest = std::min(smallest, u);
    largest = std::max(largest, u);
  }
  CHECK(smallest >= 0 && largest < 1, smallest, " ", largest);
  CHECK(std::abs(sum / n - 0.5) < 5 * std::sqrt(1.0 / 12 / n), sum / n);
  CHECK(std::abs(squares / n - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / n), squares / n);
}

TEST(below_is_uniform) {
  for (const uint64_t n : {1u, 2u, 7u, 64u}) {
    Philox random(n, 11);
    std::vector<int64_t> seen(n);
    for (uint64_t i = 0; i < 4000 * n; ++i) {
      const uint64_t value = random.below(n);
      CHECK(value < n);
      if (value < n) ++seen[value];
    }
    const std::vector<double> equal(n, 1.0 / double(n));
    CHECK(check::chi_square(seen, equal) < check::chi_square_limit(equal), "n ", n);
  }
}

TEST(below_is_uniform_where_taking_remainders_would_not_be) {
  // With n = 3 * 2^62 a plain remainder gives the lowest third of the range half of the time.
  const uint64_t n = uint64_t(3) << 62;
  Philox random(5, 5);
  std::vector<int64_t> seen(3);
  for (int i = 0; i < 30000; ++i) ++seen[random.below(n) >> 62];
  const std::vector<double> equal(3, 1.0 / 3);
  CHECK(check::chi_square(seen, equal) < check::chi_square_limit(equal));
}
