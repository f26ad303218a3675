#include "exact1d/sorted_values.hpp"

#include <cmath>
#include <limits>
#include <map>

#include "check.hpp"

using namespace centroids;

TEST(values_are_in_order_and_equal_ones_together_for_every_number_of_threads) {
  check::Random random(1);
  const auto any_bits = [&] {
    double value;
    do {
      const uint64_t bits = random();
      std::memcpy(&value, &bits, sizeof value);
    } while (!std::isfinite(value));
    return value;
  };
  for (int shape = 0; shape < 5; ++shape)
    for (const int64_t n : {0, 1, 2, 1000, 200'000})
      for (const bool has_weights : {false, true}) {
        WeightedValues rows;
        for (int64_t i = 0; i < n; ++i) {
          double x = check::normal<double>(random, 1)[0];
          if (shape == 1) x = double(check::below(random, 7)) - 3;
          if (shape == 2) x = any_bits();
          if (shape == 3) x = i == 0 ? -1e300 : 1 + 1e-13 * x;  // alike in their highest bits
          if (shape == 4) x = i % 2 ? 0.0 : -0.0;
          rows.values.push_back(x);
          if (has_weights) rows.weights.push_back(0.1 * double(check::below(random, 4)));
        }
        std::map<double, double> expected;
        for (int64_t i = 0; i < n; ++i)
          if (rows.weight(i) > 0) expected[rows.values[i]] += rows.weight(i);
        for (const int n_threads : {1, 2, 5}) {
          const WeightedValues sorted = sorted_distinct(rows, n_threads);
          CHECK(sorted.size() == int64_t(expected.size()), "shape ", shape, " n ", n);
          int64_t i = 0;
          for (const auto& [value, weight] : expected) {
            if (i >= sorted.size()) break;
            CHECK(sorted.values[i] == value && sorted.weight(i) == weight, "shape ", shape, " n ",
                  n, " at ", i);
            ++i;
          }
        }
      }
}
