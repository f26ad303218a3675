#include "update/averaging.hpp"

#include <algorithm>

#include "check.hpp"

using namespace centroids;

namespace {

// A pass that knows nothing but which rows are far.
class FarRows final : public Pass {
 public:
  explicit FarRows(std::vector<FarRow> rows) : rows_(std::move(rows)) {}
  int64_t n_rows() const override { return 0; }
  void assign(const Centers&, Partials&) override {}
  double inertia(const Centers&) override { return 0; }
  std::vector<FarRow> farthest(const Centers&, int64_t n) const override {
    asked = n;
    return {rows_.begin(), rows_.begin() + std::min<int64_t>(n, int64_t(rows_.size()))};
  }
  void renumber(const std::vector<int32_t>&) override {}
  const std::vector<double>& origin() const override { return origin_; }

  mutable int64_t asked = 0;

 private:
  std::vector<FarRow> rows_;
  std::vector<double> origin_;
};

Partials partials_of(const std::vector<double>& sums, const std::vector<double>& weights,
                     const std::vector<int64_t>& counts) {
  Partials out(int64_t(counts.size()), int64_t(sums.size() / counts.size()));
  out.sums = sums;
  out.weights = weights;
  out.counts = counts;
  return out;
}

Centers centers_of(const std::vector<double>& values, int64_t k, Dtype dtype = Dtype::f64) {
  Centers out(k, int64_t(values.size()) / k, dtype);
  out.values = values;
  return out;
}

}  // namespace

TEST(centers_are_sums_over_weights) {
  const Partials partials = partials_of({2, 4, 9, -3}, {2, 3}, {1, 5});
  Centers out = centers_of({0, 0, 0, 0}, 2);
  average(partials, {}, out, out);
  CHECK((out.values == std::vector<double>{1, 2, 3, -1}));
  average(partials, {100, 1000}, out, out);
  CHECK((out.values == std::vector<double>{101, 1002, 103, 999}));
}

TEST(a_cluster_without_weight_keeps_its_center) {
  const Partials partials = partials_of({2, 4, 0, 0}, {2, 0}, {1, 3});
  const Centers old = centers_of({7, 7, 8, 9}, 2);
  Centers out = centers_of({0, 0, 0, 0}, 2);
  average(partials, {}, old, out);
  CHECK((out.values == std::vector<double>{1, 2, 8, 9}));
}

TEST(centers_are_rounded_to_the_dtype_of_the_rows) {
  const Partials partials = partials_of({1, 1}, {3, 7}, {1, 1});
  Centers out = centers_of({0, 0}, 2, Dtype::f32);
  average(partials, {}, out, out);
  CHECK(out.values[0] == double(1.0f / 3.0f) && out.values[0] != 1.0 / 3.0);
  CHECK(out.values[1] == double(float(1.0 / 7.0)));
}

TEST(empty_clusters_get_the_farthest_rows_in_order) {
  FarRows pass({{5, 0, 9.0, 2.0, 1, {10}}, {6, 2, 4.0, 1.0, 1, {20}}, {7, 0, 1.0, 1.0, 1, {30}}});
  Partials partials = partials_of({50, 0, 60, 0}, {5, 0, 4, 0}, {5, 0, 4, 0});
  CHECK(relocate_empty_clusters(pass, centers_of({0, 0, 0, 0}, 4), partials) == 2);
  CHECK((partials.sums == std::vector<double>{50 - 2 * 10, 2 * 10, 60 - 20, 20}));
  CHECK((partials.weights == std::vector<double>{3, 2, 3, 1}));
  CHECK((partials.counts == std::vector<int64_t>{4, 1, 3, 1}));
}

TEST(the_last_row_of_a_cluster_is_not_taken) {
  FarRows pass({{5, 0, 9.0, 1.0, 1, {10}}, {6, 1, 4.0, 1.0, 1, {20}}});
  Partials partials = partials_of({10, 60, 0}, {1, 3, 0}, {1, 3, 0});
  CHECK(relocate_empty_clusters(pass, centers_of({0, 0, 0}, 3), partials) == 1);
  CHECK((partials.counts == std::vector<int64_t>{1, 2, 1}));
  CHECK(partials.sums[2] == 20);
}

TEST(the_last_row_with_a_weight_is_not_taken) {
  // Cluster 0 has five rows, four of them of weight zero.
  FarRows pass({{5, 0, 9.0, 2.0, 1, {10}}});
  Partials partials = partials_of({20, 0}, {2, 0}, {5, 0});
  CHECK(relocate_empty_clusters(pass, centers_of({0, 0}, 2), partials) == 0);
  CHECK((partials.weights == std::vector<double>{2, 0}));
}

TEST(equal_rows_go_together_as_one_row_of_their_weight_would) {
  FarRows many({{1, 0, 9.0, 4.0, 4, {10}}, {3, 0, 4.0, 1.0, 1, {20}}});
  FarRows heavy({{1, 0, 9.0, 4.0, 1, {10}}, {3, 0, 4.0, 1.0, 1, {20}}});
  Partials of_many = partials_of({90, 0, 0}, {9, 0, 0}, {9, 0, 0});
  Partials of_heavy = partials_of({90, 0, 0}, {9, 0, 0}, {6, 0, 0});
  CHECK(relocate_empty_clusters(many, centers_of({0, 0, 0}, 3), of_many) == 2);
  CHECK(relocate_empty_clusters(heavy, centers_of({0, 0, 0}, 3), of_heavy) == 2);
  CHECK((of_many.sums == std::vector<double>{30, 40, 20}) && of_many.sums == of_heavy.sums);
  CHECK((of_many.weights == std::vector<double>{4, 4, 1}) && of_many.weights == of_heavy.weights);
  CHECK((of_many.counts == std::vector<int64_t>{4, 4, 1}));
}

TEST(a_cluster_of_equal_rows_is_left_whole_whatever_rounding_says) {
  // 0.1 added ten times is not 1, so the weights seem to leave a rest.
  FarRows pass({{5, 0, 9.0, 0.9999999999999999, 10, {10}}});
  for (const int64_t count : {10, 11}) {  // with a row of weight zero beside them
    Partials partials = partials_of({10, 0}, {1, 0}, {count, 0});
    CHECK(relocate_empty_clusters(pass, centers_of({0, 0}, 2), partials) == 0, count);
  }
}

TEST(without_empty_clusters_no_row_is_asked_for) {
  FarRows pass({{1, 0, 9.0, 1.0, 1, {10}}});
  Partials partials = partials_of({90, 10}, {9, 1}, {9, 1});
  CHECK(relocate_empty_clusters(pass, centers_of({0, 0}, 2), partials) == 0);
  CHECK(pass.asked == 0);
}
