#include <algorithm>
#include <cstdint>
#include <vector>

#include "assign/block_scratch.hpp"
#include "check.hpp"
#include "kernels/kernels.hpp"

namespace {

std::vector<const char*> fetched;

}  // namespace

#define CENTROIDS_INLINE inline
#define __builtin_prefetch(address, write, cache) fetched.push_back(address)
#include "prefetch.hpp"

namespace {

using namespace centroids;
#include "kernels/ahead.inl"

#undef __builtin_prefetch

// What is fetched of these rows in so many steps, and how much at most in one.
struct Fetched {
  std::vector<const char*> lines;
  size_t most = 0;
};
Fetched fetch_all(const NextRows& next, int n_steps) {
  fetched.clear();
  Ahead ahead(next, n_steps);
  size_t most = 0;
  for (int step = 0; step < n_steps; ++step) {
    const size_t before = fetched.size();
    ahead.step();
    most = std::max(most, fetched.size() - before);
  }
  return {fetched, most};
}

const std::vector<float> values(64 * 1000);

RowBlock<float> block(int64_t n_features, const int32_t* listed, int n, int64_t n_after) {
  return {values.data(), n_features, listed, n, n_after};
}

const char* address(int64_t value) {
  return reinterpret_cast<const char*>(values.data() + value);
}

// The beginning of the line that a value lies in.
const char* line(int64_t value) {
  const auto address = reinterpret_cast<uintptr_t>(values.data() + value);
  return reinterpret_cast<const char*>(address / kLineBytes * kLineBytes);
}

// The lines that these values lie in.
std::vector<const char*> lines_of(int64_t begin, int64_t end) {
  std::vector<const char*> lines;
  for (int64_t value = begin; value < end; ++value)
    if (lines.empty() || lines.back() != line(value)) lines.push_back(line(value));
  return lines;
}

}  // namespace

TEST(the_next_rows_follow_the_block_or_its_list) {
  const NextRows next = block(5, nullptr, 7, 100).next();
  CHECK(next.base == values.data() + 35 && next.n == kBlockRows && next.row_bytes == 20);
  CHECK(block(5, nullptr, 7, 3).next().n == 3);
  const std::vector<int32_t> rows = {9, 2, 30, 4};
  const NextRows listed = block(5, rows.data(), 3, 1).next();
  CHECK(listed.base == values.data() && listed.listed == rows.data() + 3 && listed.n == 1);
}

TEST(every_line_of_the_next_rows_is_fetched_once_and_nothing_else) {
  // 20 rows of 192 bytes behind each other are 60 lines.
  for (const int n_steps : {1, 7, 60, 500}) {
    const Fetched all = fetch_all(block(48, nullptr, 2, 20).next(), n_steps);
    CHECK(all.lines.size() == 60, n_steps, " steps: ", all.lines.size());
    for (size_t i = 0; i < all.lines.size(); ++i)
      CHECK(all.lines[i] == address(96 + 16 * int64_t(i)), n_steps, " line ", i);
    CHECK(all.most <= size_t(61 / n_steps + 1), n_steps, " at once: ", all.most);
  }
}

TEST(listed_rows_are_fetched_one_by_one) {
  const std::vector<int32_t> rows = {0, 40, 3, 999};
  const Fetched all = fetch_all(block(33, rows.data(), 1, 3).next(), 4);
  std::vector<const char*> expected;  // 132 bytes: three lines
  for (const int64_t row : {40, 3, 999})
    for (const int64_t t : {0, 16, 32}) expected.push_back(address(row * 33 + t));
  CHECK(all.lines == expected, all.lines.size());
}

TEST(nothing_is_fetched_where_nothing_follows) {
  CHECK(fetch_all(block(48, nullptr, 2, 0).next(), 9).lines.empty());
  CHECK(fetch_all({}, 9).lines.empty());
}

TEST(of_very_wide_rows_as_many_are_fetched_as_fit_the_cache) {
  const int64_t n_features = 100'000;
  const size_t lines = fetch_all(block(n_features, nullptr, 0, 64).next(), 10).lines.size();
  CHECK(lines == size_t(n_features * 4 / 64), lines);
}

TEST(one_row_is_fetched_if_there_is_one) {
  const NextRows next = block(40, nullptr, 1, 2).next();
  fetched.clear();
  fetch_row(next, 1);
  CHECK(fetched == lines_of(80, 120));
  fetched.clear();
  fetch_row(next, 2);
  CHECK(fetched.empty());
}

TEST(of_few_columns_all_lines_of_some_rows_are_fetched) {
  for (const int begin : {0, 3, 5}) {  // rows of 20 bytes, of which seven follow
    fetched.clear();
    fetch_rows(block(5, nullptr, 1, 7).next(), begin, begin + 4);
    CHECK(fetched == lines_of(5 + 5 * begin, 5 + 5 * std::min(begin + 4, 7)), begin);
  }
  const std::vector<int32_t> rows = {0, 40, 3, 999};
  fetched.clear();
  fetch_rows(block(5, rows.data(), 1, 3).next(), 1, 9);
  std::vector<const char*> expected = lines_of(15, 20);
  for (const char* next : lines_of(4995, 5000)) expected.push_back(next);
  CHECK(fetched == expected);
  fetched.clear();
  fetch_rows(block(5, nullptr, 1, 7).next(), 8, 12);
  CHECK(fetched.empty());
}
