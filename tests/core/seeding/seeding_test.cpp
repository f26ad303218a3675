// Do the seeds come from the distributions that the methods promise? Tiny data, where every
// probability can be worked out, and many seeds of the generator.
#include "seeding/seeding.hpp"

#include <cmath>
#include <functional>
#include <set>

#include "check.hpp"
#include "seeding/candidates.hpp"

using namespace centroids;
using check::chi_square;
using check::chi_square_limit;
using check::normal;
using check::Random;

namespace {

template <class T>
struct Data {
  std::vector<T> x;
  int64_t n, d;
  std::vector<double> weights;  // or empty
  std::vector<int32_t> labels;

  Data(std::vector<T> values, int64_t n_columns, std::vector<double> w = {})
      : x(std::move(values)),
        n(int64_t(x.size()) / n_columns),
        d(n_columns),
        weights(std::move(w)),
        labels(n) {}
  Rows<T> rows(int n_threads = 1) {
    return {x.data(), n, d, weights.empty() ? nullptr : weights.data(), labels.data(), n_threads};
  }
  double weight(int64_t i) const { return weights.empty() ? 1.0 : weights[i]; }
  double squared(int64_t i, int64_t j) const {
    double sum = 0;
    for (int64_t t = 0; t < d; ++t)
      sum += (double(x[i * d + t]) - double(x[j * d + t])) *
             (double(x[i * d + t]) - double(x[j * d + t]));
    return sum;
  }
};

// Probabilities of sequences of rows, as a number in base n.
using Law = std::vector<double>;
// Probability of each next row, given the rows drawn so far.
using Step = std::function<std::vector<double>(const std::vector<int64_t>&)>;

Law law_of(int64_t n, int length, const Step& step) {
  Law law(size_t(std::pow(n, length)), 0.0);
  const std::function<void(std::vector<int64_t>&, int64_t, double)> go =
      [&](std::vector<int64_t>& drawn, int64_t code, double probability) {
        if (int(drawn.size()) == length) {
          law[code] += probability;
          return;
        }
        const std::vector<double> next = step(drawn);
        for (int64_t i = 0; i < n; ++i) {
          if (next[i] <= 0) continue;
          drawn.push_back(i);
          go(drawn, code * n + i, probability * next[i]);
          drawn.pop_back();
        }
      };
  std::vector<int64_t> drawn;
  go(drawn, 0, 1.0);
  return law;
}

std::vector<double> normalized(std::vector<double> mass) {
  double total = 0;
  for (const double m : mass) total += m;
  for (double& m : mass) m /= total;
  return mass;
}

// One step of greedy k-means++: the candidate that leaves the least potential, the first of equals.
template <class T>
Step greedy_step(const Data<T>& data, int n_candidates) {
  return [&data, n_candidates](const std::vector<int64_t>& drawn) {
    const int64_t n = data.n;
    std::vector<double> mass(n), nearest(n, 1.0);
    for (int64_t i = 0; i < n; ++i) {
      for (size_t s = 0; s < drawn.size(); ++s)
        nearest[i] =
            s == 0 ? data.squared(i, drawn[s]) : std::min(nearest[i], data.squared(i, drawn[s]));
      mass[i] = data.weight(i) * nearest[i];
    }
    mass = normalized(mass);
    if (drawn.empty()) return mass;
    std::vector<double> gain(n), chosen(n);
    for (int64_t c = 0; c < n; ++c)
      for (int64_t i = 0; i < n; ++i)
        gain[c] += data.weight(i) * std::max(0.0, nearest[i] - data.squared(i, c));
    const std::function<void(int, int64_t, double)> draw = [&](int left, int64_t best, double p) {
      if (left == 0) {
        chosen[best] += p;
        return;
      }
      for (int64_t c = 0; c < n; ++c)
        if (mass[c] > 0) draw(left - 1, best < 0 || gain[c] > gain[best] ? c : best, p * mass[c]);
    };
    draw(n_candidates, -1, 1.0);
    return chosen;
  };
}

template <class T>
void check_law(Data<T> data, int k, const Step& step, Seeding seeding, int n_draws,
               const std::string& about) {
  const Law law = law_of(data.n, k, step);
  std::vector<int64_t> seen(law.size());
  for (int seed = 0; seed < n_draws; ++seed) {
    const auto rows = seeding == Seeding::random
                          ? seed_random(data.rows(), k, uint64_t(seed))
                          : seed_kmeans_plus_plus(data.rows(), k, uint64_t(seed), {});
    int64_t code = 0;
    for (const int64_t row : rows) code = code * data.n + row;
    ++seen[code];
  }
  // Sequences too rare for the test are counted together.
  std::vector<int64_t> counts = {0};
  std::vector<double> probability = {0.0};
  for (size_t code = 0; code < law.size(); ++code) {
    if (law[code] * n_draws >= 5) {
      counts.push_back(seen[code]);
      probability.push_back(law[code]);
    } else {
      counts[0] += seen[code];
      probability[0] += law[code];
    }
  }
  const double statistic = chi_square(counts, probability), limit = chi_square_limit(probability);
  CHECK(statistic < limit, about, ": ", statistic, " of at most ", limit);
}

template <class T>
Data<T> line() {
  return {{0, 1, 3, 3.5, 7, 12}, 1};
}

template <class T>
Data<T> weighted_line() {
  return {{0, 1, 3, 3.5, 7, 12}, 1, {1, 0, 5, 0.25, 2, 0.5}};
}

}  // namespace

TEST(kmeans_plus_plus_draws_from_the_greedy_distribution) {
  check_law(line<double>(), 2, greedy_step(line<double>(), 2), Seeding::kmeans_plus_plus, 60000,
            "two of six");
  check_law(line<double>(), 3, greedy_step(line<double>(), 3), Seeding::kmeans_plus_plus, 100000,
            "three of six");
  check_law(line<float>(), 4, greedy_step(line<float>(), 3), Seeding::kmeans_plus_plus, 100000,
            "four of six, float32");
}

TEST(kmeans_plus_plus_draws_in_proportion_to_the_weights) {
  check_law(weighted_line<double>(), 2, greedy_step(weighted_line<double>(), 2),
            Seeding::kmeans_plus_plus, 60000, "two of six");
  check_law(weighted_line<float>(), 3, greedy_step(weighted_line<float>(), 3),
            Seeding::kmeans_plus_plus, 100000, "three of six, float32");
}

TEST(random_seeding_gives_every_sequence_of_rows_the_same_chance) {
  const Data<double> data = line<double>();
  const Step step = [&](const std::vector<int64_t>& drawn) {
    std::vector<double> mass(data.n, 1.0);
    for (const int64_t row : drawn) mass[row] = 0;
    return normalized(mass);
  };
  check_law(data, 1, step, Seeding::random, 60000, "one of six");
  // The set of rows is uniform; Floyd's method does not promise more.
  std::vector<int64_t> seen(15);
  for (int seed = 0; seed < 60000; ++seed) {
    auto rows = seed_random(line<double>().rows(), 2, uint64_t(seed));
    if (rows[0] > rows[1]) std::swap(rows[0], rows[1]);
    ++seen[rows[1] * (rows[1] - 1) / 2 + rows[0]];
  }
  const std::vector<double> equal(15, 1.0 / 15);
  CHECK(chi_square(seen, equal) < chi_square_limit(equal), chi_square(seen, equal));
}

TEST(weighted_random_seeding_draws_one_by_one_in_proportion_to_the_weights) {
  const Data<double> data = weighted_line<double>();
  const Step step = [&](const std::vector<int64_t>& drawn) {
    std::vector<double> mass = data.weights;
    for (const int64_t row : drawn) mass[row] = 0;
    return normalized(mass);
  };
  check_law(data, 2, step, Seeding::random, 60000, "two of six");
  check_law(data, 3, step, Seeding::random, 100000, "three of six");
}

TEST(seeds_are_different_rows_as_long_as_there_are_any) {
  Random random(1);
  for (const bool weighted : {false, true}) {
    Data<double> data(normal<double>(random, 60), 2,
                      weighted ? std::vector<double>(30, 2.5) : std::vector<double>());
    for (uint64_t seed = 0; seed < 50; ++seed) {
      const auto greedy = seed_kmeans_plus_plus(data.rows(), 30, seed, {});
      const auto uniform = seed_random(data.rows(), 30, seed);
      CHECK(std::set<int64_t>(greedy.begin(), greedy.end()).size() == 30, seed);
      CHECK(std::set<int64_t>(uniform.begin(), uniform.end()).size() == 30, seed);
    }
  }
}

TEST(rows_of_weight_zero_are_drawn_last) {
  Random random(2);
  Data<double> data(normal<double>(random, 20), 1, std::vector<double>(20, 0.0));
  for (int i = 5; i < 15; ++i) data.weights[i] = 1e-3 * i;
  for (uint64_t seed = 0; seed < 200; ++seed)
    for (const auto& rows :
         {seed_kmeans_plus_plus(data.rows(), 10, seed, {}), seed_random(data.rows(), 10, seed)})
      for (const int64_t row : rows) CHECK(row >= 5 && row < 15, row);
  CHECK(seed_random(data.rows(), 20, 0).size() == 20);
  CHECK(seed_kmeans_plus_plus(data.rows(), 20, 0, {}).size() == 20);
}

TEST(all_rows_may_be_equal) {
  Data<float> data(std::vector<float>(300, 4.25f), 3);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto rows = seed_kmeans_plus_plus(data.rows(), 7, seed, {});
    CHECK(rows.size() == 7);
    for (const int64_t row : rows) CHECK(row >= 0 && row < 100);
  }
}

TEST(every_distinct_row_is_drawn_before_any_repetition) {
  // 2000 rows, 9 of them distinct, far from zero: no rounding may make a repetition attractive.
  Random random(3);
  for (const double offset : {0.0, 1e6}) {
    const auto distinct = normal<double>(random, 9, offset, 1e-3);
    std::vector<double> x;
    for (int i = 0; i < 2000; ++i) x.push_back(distinct[check::below(random, 9)]);
    Data<double> data(x, 1);
    for (uint64_t seed = 0; seed < 30; ++seed) {
      std::set<double> values;
      for (const int64_t row : seed_kmeans_plus_plus(data.rows(), 9, seed, {}))
        values.insert(x[row]);
      CHECK(values.size() == 9, offset, " ", values.size());
    }
  }
}

TEST(the_seeds_are_the_same_for_every_number_of_threads) {
  Random random(4);
  for (const int64_t d : {2, 10, 120})  // 120: wide rows
    for (const bool weighted : {false, true}) {
      const int64_t n = 400000 / d / 10;
      auto w = normal<double>(random, n, 3);
      for (double& v : w) v = std::abs(v);
      Data<float> data(normal<float>(random, n * d), d, weighted ? w : std::vector<double>());
      for (uint64_t seed = 0; seed < 3; ++seed) {
        const auto expected = seed_kmeans_plus_plus(data.rows(1), 40, seed, {});
        for (const int n_threads : {2, 3, 8})
          CHECK(seed_kmeans_plus_plus(data.rows(n_threads), 40, seed, {}) == expected, "d ", d);
      }
    }
}

TEST(what_lies_in_fresh_memory_changes_no_seed) {
  // Wide rows, fewer than a block of them: most lanes of the scratch memory belong to no row.
  Random random(5);
  for (const int64_t d : {40, 64, 200}) {
    Data<double> data(normal<double>(random, 20 * d), d);
    const auto expected = seed_kmeans_plus_plus(data.rows(), 8, 1, {});
    for (int round = 0; round < 20; ++round) {
      for (size_t size = 64; size < 70000; size = size * 5 / 4) {  // leave negative numbers behind
        std::vector<double> garbage(size / 8, -1e6 * (round + 1));
        CHECK(garbage[0] < 0);
      }
      CHECK(seed_kmeans_plus_plus(data.rows(), 8, 1, {}) == expected, "d ", d);
    }
  }
}

TEST(after_a_stop_the_missing_seeds_are_drawn_at_once) {
  Random random(6);
  Data<double> data(normal<double>(random, 2000), 2);
  for (const int allowed : {0, 1, 5}) {
    std::vector<int64_t> expected;
    for (const int n_threads : {1, 3}) {
      int asked = 0;
      Control control;
      control.should_stop = [&](double) { return asked++ >= allowed; };
      const auto rows = seed_kmeans_plus_plus(data.rows(n_threads), 50, 0, control);
      CHECK(asked == allowed + 1, asked);
      CHECK(std::set<int64_t>(rows.begin(), rows.end()).size() == 50, rows.size());
      if (n_threads == 1) expected = rows;
      CHECK(rows == expected);
    }
  }
}

TEST(seeding_leaves_time_for_the_visits_that_follow) {
  Random random(6);
  Data<double> data(normal<double>(random, 20000), 2);
  std::vector<double> asked;
  Control control;
  control.should_stop = [&](double seconds) {
    asked.push_back(seconds);
    return false;
  };
  seed_kmeans_plus_plus(data.rows(), 50, 0, control);
  CHECK(asked.size() == 49, asked.size());
  for (const double seconds : asked) CHECK(seconds > 0, seconds);
}

TEST(seeds_after_a_stop_lie_where_the_squared_distances_are) {
  constexpr int64_t kClouds = 10, kRows = 40;  // each cloud as far from all others
  Random random(6);
  std::vector<double> values = normal<double>(random, kClouds * kRows * kClouds);
  for (int64_t i = 0; i < kClouds * kRows; ++i) values[i * kClouds + i % kClouds] += 1000;
  Data<double> data(values, kClouds);
  Control control;
  control.should_stop = [](double) { return true; };
  const auto rows = seed_kmeans_plus_plus(data.rows(), 50, 0, control);
  CHECK(rows.size() == 50);
  std::vector<int> drawn(kClouds);
  for (const int64_t row : rows) ++drawn[row % kClouds];
  for (int64_t j = 0; j < kClouds; ++j) {
    if (j == rows[0] % kClouds)
      CHECK(drawn[j] == 1, drawn[j]);
    else
      CHECK(drawn[j] == 5 || drawn[j] == 6, drawn[j]);  // 49 draws in 9 clouds
  }
}

TEST(a_row_is_drawn_as_often_as_equal_rows_of_its_weight) {
  // The chance that a row of weight w is not drawn is that of w equal rows.
  constexpr int kDraws = 40000;
  for (const double rate : {0.1, 0.7, 3.0}) {
    int64_t n_missed = 0, n_missed_equal = 0;
    for (int64_t row = 0; row < kDraws; ++row) {
      const Round heavy{1, 1, rate}, equal{1, 2, rate};
      n_missed += !heavy.draws(row, 3);
      n_missed_equal +=
          !equal.draws(3 * row, 1) && !equal.draws(3 * row + 1, 1) && !equal.draws(3 * row + 2, 1);
    }
    const double missed = std::exp(-3 * rate);
    for (const int64_t seen : {n_missed, n_missed_equal}) {
      const std::vector<double> expected{missed, 1 - missed};
      const double statistic = chi_square({seen, kDraws - seen}, expected);
      CHECK(statistic < chi_square_limit(expected), rate, " ", seen);
    }
  }
}

TEST(kmeans_parallel_draws_candidates_in_rounds_and_the_same_for_every_number_of_threads) {
  Random random(8);
  for (const bool weighted : {false, true}) {
    auto w = normal<double>(random, 30000, 3);
    for (double& v : w) v = std::abs(v);
    Data<float> data(normal<float>(random, 60000), 2, weighted ? w : std::vector<double>());
    const auto expected = seed_kmeans_parallel(data.rows(1), 50, 3, {});
    CHECK(std::set<int64_t>(expected.begin(), expected.end()).size() == 50);
    for (const int n_threads : {2, 5})
      CHECK(seed_kmeans_parallel(data.rows(n_threads), 50, 3, {}) == expected, n_threads);
    CHECK(seed_kmeans_parallel(data.rows(1), 50, 4, {}) != expected);
  }
}

TEST(a_stop_leaves_kmeans_parallel_with_the_candidates_so_far) {
  Random random(9);
  Data<double> data(normal<double>(random, 2000), 2);
  Control control;
  control.should_stop = [](double) { return true; };
  CHECK(seed_kmeans_parallel(data.rows(), 50, 0, control).size() == 1);
}
