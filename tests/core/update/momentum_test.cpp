#include "update/momentum.hpp"

#include "check.hpp"

using namespace centroids;

namespace {

Centers at(double first, double second) {
  Centers centers(2, 1, Dtype::f64);
  centers.values = {first, second};
  return centers;
}

}  // namespace

TEST(it_goes_on_along_the_way_of_the_means_and_farther_each_time) {
  Momentum momentum;
  CHECK(momentum.next(at(0, 10), 1).values == at(0, 10).values && !momentum.is_moving());
  CHECK(momentum.next(at(4, 10), 2).values == at(4 + 4 / 4.0, 10).values && momentum.is_moving());
  CHECK(momentum.next(at(9, 10), 3).values == at(9 + 5 * 2 / 5.0, 10).values);
}

TEST(means_that_explain_less_are_taken_as_they_are) {
  Momentum momentum;
  momentum.next(at(0, 10), 1);
  momentum.next(at(4, 10), 2);
  CHECK(momentum.next(at(8, 10), 1.5).values == at(8, 10).values && !momentum.is_moving());
  CHECK(momentum.next(at(12, 10), 2).values == at(13, 10).values);
}

TEST(a_restart_takes_the_means_as_they_are) {
  Momentum momentum;
  momentum.next(at(0, 10), 1);
  momentum.next(at(4, 10), 2);
  momentum.restart();
  CHECK(momentum.next(at(8, 10), 3).values == at(8, 10).values);
}

TEST(it_follows_new_numbers) {
  Momentum momentum;
  momentum.next(at(0, 10), 1);
  momentum.renumber({1, 0});
  CHECK(momentum.next(at(10, 4), 2).values == at(10, 5).values);
}

TEST(points_are_numbers_of_the_rows_type) {
  Momentum momentum;
  Centers means(1, 1, Dtype::f32);
  means.values = {0.1f};
  momentum.next(means, 1);
  means.values = {0.3f};
  const double point = momentum.next(means, 2).values[0];
  CHECK(point == double(float(point)) && point > 0.3f);
}
