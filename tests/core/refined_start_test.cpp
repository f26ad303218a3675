#include "refined_start.hpp"

#include <algorithm>
#include <vector>

#include "check.hpp"
#include "rows.hpp"

using namespace centroids;
using check::normal;
using check::Random;

namespace {

struct Problem : check::RowsWithLabels<float> {
  Problem(int64_t rows, int64_t columns, std::vector<double> w = {})
      : RowsWithLabels(normal<float>(random(), rows * columns), columns, std::move(w)) {}
  static Random& random() {
    static Random one(5);
    return one;
  }
};

Centers first_rows(Problem& p, int64_t k) {
  Centers centers(k, p.d, Dtype::f32);
  for (int64_t j = 0; j < k; ++j) copy_row(p.rows(), j, centers.row(j));
  return centers;
}

}  // namespace

TEST(each_sample_is_an_eighth_of_the_rows_and_the_seeds) {
  Problem p(1'000'000, 2);
  const Centers seeds = first_rows(p, 3);
  std::vector<int64_t> sizes;
  const Centers last =
      refined_start(p.rows(), seeds, 7, [&](const Rows<float>& s, Centers centers) {
        CHECK(!s.weights);
        const int64_t n = s.n_rows - 3;
        for (int64_t j = 0; j < 3; ++j)
          for (int64_t t = 0; t < 2; ++t) CHECK(s.row(n + j)[t] == float(seeds.row(j)[t]));
        sizes.push_back(s.n_rows);
        centers.row(0)[0] += 1;
        return centers;
      });
  CHECK(sizes == (std::vector<int64_t>{(125'003 / 8) + 3, 125'003}));  // the smallest first
  CHECK(last.row(0)[0] == seeds.row(0)[0] + 2);
}

TEST(a_sample_has_one_row_of_each_stretch_with_its_weight) {
  const int64_t n = 200'000;
  std::vector<double> weights(n);
  for (int64_t i = 0; i < n; ++i) weights[i] = 1 + double(i % 5) / 4;
  Problem p(n, 1, weights);
  for (int64_t i = 0; i < n; ++i) p.x[i] = float(i);
  int n_samples = 0;
  refined_start(p.rows(), first_rows(p, 2), 7, [&](const Rows<float>& s, Centers centers) {
    ++n_samples;
    for (int64_t i = 0; i < s.n_rows - 2; ++i) {
      const int64_t row = int64_t(s.x[i]);
      CHECK(row / 8 == i, "row ", row, " at ", i);
      CHECK(s.weights[i] == weights[row]);
    }
    return centers;
  });
  CHECK(n_samples == 1);
}

TEST(no_sample_where_it_would_not_pay_or_stand_for_all) {
  const auto never = [](const Rows<float>&, Centers centers) {
    CHECK(false, "a sample was taken");
    return centers;
  };
  Problem few(99'999, 2), wide(120'000, 600), whole(200'000, 2);
  refined_start(few.rows(), first_rows(few, 2), 7, never);       // few rows
  refined_start(wide.rows(), first_rows(wide, 10), 7, never);    // few rows for so many columns
  refined_start(whole.rows(), first_rows(whole, 50), 7, never);  // few rows a cluster
  std::vector<double> weights(200'000, 1e-3);
  std::fill_n(weights.begin(), 50'000, 1.0);  // a quarter of the rows weighs nearly all
  Problem uneven(200'000, 2, weights);
  refined_start(uneven.rows(), first_rows(uneven, 2), 7, never);
}
