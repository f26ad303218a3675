#include "assign/bounds_balance.hpp"

#include "check.hpp"

using namespace centroids;

namespace {

// Searching a row costs 10, setting bounds 5 more, and a visit with bounds whose rows are all
// settled costs 2 a row.
constexpr VisitCosts kCosts = {
    .search_all = 10, .set_bounds = 15, .advance = 2, .search = 12, .distance = 3, .fast = 4};
constexpr VisitCounts searched(int64_t n) {
  return {.searched = n};
}

}  // namespace

TEST(bounds_are_set_once_they_would_have_saved_what_they_cost) {
  BoundsBalance balance;
  // A quarter in doubt: 2 + 12 / 4 = 5 instead of 10, so the first visit would have saved it all.
  CHECK(balance.would_have_paid(kCosts, searched(25), 100));
  // Half in doubt saves 2 a row: the third such visit brings it to 6.
  CHECK(!balance.would_have_paid(kCosts, searched(50), 100));
  CHECK(!balance.would_have_paid(kCosts, searched(50), 100));
  CHECK(balance.would_have_paid(kCosts, searched(50), 100));
}

TEST(visits_that_would_have_cost_more_take_back_what_others_saved) {
  BoundsBalance balance;
  CHECK(!balance.would_have_paid(kCosts, searched(50), 100));   // + 2
  CHECK(!balance.would_have_paid(kCosts, searched(100), 100));  // - 4, not below zero
  CHECK(!balance.would_have_paid(kCosts, searched(50), 100));   // 2
  CHECK(!balance.would_have_paid(kCosts, searched(50), 100));   // 4
  CHECK(balance.would_have_paid(kCosts, searched(50), 100));    // 6
}

TEST(bounds_are_given_up_once_they_have_lost_what_they_cost) {
  BoundsBalance balance;
  // All in doubt: 14 instead of 10.
  CHECK(!balance.has_lost(kCosts, searched(100), 100));
  CHECK(balance.has_lost(kCosts, searched(100), 100));
  CHECK(!balance.has_lost(kCosts, searched(0), 100));
}

TEST(tests_of_rows_count) {
  BoundsBalance balance;
  // 2 + 3 + 4 + 12 = 21 instead of 10.
  CHECK(balance.has_lost(kCosts, {.searched = 100, .distances = 100, .fast = 100}, 100));
}
