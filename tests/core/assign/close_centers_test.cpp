// Rows and centers in groups so far apart that scores alone would confuse centers.
#include "assign/close_centers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "check.hpp"

using namespace centroids;
using check::below;
using check::normal;
using check::Random;

namespace {

template <class T>
struct Problem {
  int64_t d;
  std::vector<T> x;
  Centers centers;

  Problem(Random& random, int64_t n, int64_t columns, int64_t k, int n_groups, double apart)
      : d(columns),
        x(normal<T>(random, n * columns)),
        centers(k, columns, sizeof(T) == 4 ? Dtype::f32 : Dtype::f64) {
    const auto middles = normal<double>(random, n_groups * d, 0, apart);
    const auto shifted = [&](double value, int64_t group, int64_t t) {
      return double(T(value + middles[group * d + t]));
    };
    for (int64_t i = 0; i < n; ++i)
      for (int64_t t = 0; t < d; ++t)
        x[i * d + t] = T(shifted(double(x[i * d + t]), i % n_groups, t));
    const auto places = normal<double>(random, k * d);
    for (int64_t j = 0; j < k; ++j) {
      const int64_t group = below(random, n_groups);
      for (int64_t t = 0; t < d; ++t) centers.row(j)[t] = shifted(places[j * d + t], group, t);
    }
  }

  int64_t n_rows() const { return int64_t(x.size()) / d; }
  double squared_distance(int64_t i, int64_t j) const {
    long double sum = 0;
    for (int64_t t = 0; t < d; ++t) {
      const long double gap = (long double)x[i * d + t] - centers.row(j)[t];
      sum += gap * gap;
    }
    return double(sum);
  }
};

struct Labels {
  std::vector<int32_t> nearest, second;
};

// By scores, and settled where wanted.
template <class T>
Labels labels_of(const Problem<T>& p, bool is_settled, Search search, bool by_block = false) {
  const Kernels<T>& kernel = kernels<T>();
  CenterPack<T> pack;
  pack.pack(p.centers, kernel);
  CloseCenters<T> close;
  close.find(p.centers, pack);
  CloseScratch scratch;
  BlockScratch<T> block;
  block.packed.resize(kBlockRows * p.d);
  std::vector<int32_t> listed(p.n_rows());  // from the last row to the first
  for (int64_t i = 0; i < p.n_rows(); ++i) listed[i] = int32_t(p.n_rows() - 1 - i);
  Labels out{std::vector<int32_t>(p.n_rows()), std::vector<int32_t>(p.n_rows())};
  for (int64_t first = 0; first < p.n_rows(); first += kBlockRows) {
    const auto rows = RowBlock<T>::at(p.x.data(), p.d, listed.data(), first, p.n_rows());
    block.find(kernel, rows, pack.shift(), pack.view(), search);
    int32_t* second = search == Search::with_second ? block.nearest.second_label : nullptr;
    if (by_block) close.find_around(p.centers, pack, block.nearest.label, second, rows.n);
    if (is_settled) close.settle(rows, scratch, block.nearest.label, second);
    for (int i = 0; i < rows.n; ++i) {
      out.nearest[rows.listed[i]] = block.nearest.label[i];
      if (second) out.second[rows.listed[i]] = second[i];
    }
  }
  return out;
}

// Rows for which another center is nearer than the one of this label, by more than rounding in
// float64 among the rows of one group; `except` is left out.
template <class T>
int64_t count_wrong(const Problem<T>& p, const std::vector<int32_t>& labels,
                    const std::vector<int32_t>* except = nullptr) {
  int64_t n_wrong = 0;
  for (int64_t i = 0; i < p.n_rows(); ++i) {
    double least = std::numeric_limits<double>::infinity();
    for (int64_t j = 0; j < p.centers.n_clusters; ++j)
      if (!except || j != (*except)[i]) least = std::min(least, p.squared_distance(i, j));
    n_wrong += p.squared_distance(i, labels[i]) > least * (1 + 1e-9);
  }
  return n_wrong;
}

// Groups some thousand times (float32) as far apart as they are wide.
template <class T>
void check_groups(double apart) {
  Random random(1);
  for (const int64_t d : {1, 3, 20})
    for (const int64_t k : {2, 12, 70})
      for (const int n_groups : {2, 5}) {
        const Problem<T> p(random, 300, d, k, n_groups, apart);
        for (const Search search : {Search::nearest, Search::with_second}) {
          const Labels labels = labels_of(p, true, search);
          CHECK(count_wrong(p, labels.nearest) == 0, "d ", d, " k ", k, " groups ", n_groups);
          if (search == Search::with_second)
            CHECK(count_wrong(p, labels.second, &labels.nearest) == 0, "d ", d, " k ", k);
        }
      }
}

}  // namespace

TEST(labels_in_groups_far_apart_are_those_of_exact_distances) {
  for (const double apart : {1e4, 1e5}) check_groups<float>(apart);
  for (const double apart : {1e9, 1e10}) check_groups<double>(apart);
}

TEST(to_look_around_the_labels_of_a_block_is_enough) {
  Random random(6);
  for (const double apart : {3e1, 3e2, 3e3, 3e4})
    for (const Search search : {Search::nearest, Search::with_second}) {
      const Problem<float> p(random, 300, 2, 50, 4, apart);
      const Labels all = labels_of(p, true, search), by_block = labels_of(p, true, search, true);
      CHECK(all.nearest == by_block.nearest && all.second == by_block.second, apart);
    }
}

// Along a line from the shift, the farther of two close centers is just within reach of the other.
TEST(centers_on_the_edge_of_close_are_found_either_way) {
  Random random(7);
  for (int round = 0; round < 3000; ++round) {
    std::vector<float> values = {1.0f / 3};
    for (int i = 0; i < 14; ++i) values.push_back(float(-std::pow(10.0, 6.0 * i / 13)));
    for (int i = 0; i < 13; ++i) values.push_back(float(3 * std::pow(10.0, 4 + 3.0 * i / 12)));
    const double a = 500 + normal<double>(random, 1)[0], edge = std::sqrt(8 * 9 * 0x1p-23);
    values.push_back(float(a));
    values.push_back(float(a / (1 - edge * (1 + 1e-7 * normal<double>(random, 1)[0]))));
    Centers centers(int64_t(values.size()), 1, Dtype::f32);
    std::copy(values.begin(), values.end(), centers.values.begin());
    CenterPack<float> pack;
    pack.pack(centers, kernels<float>());
    CloseCenters<float> all, around;
    all.find(centers, pack);
    const int32_t last = int32_t(values.size()) - 1;
    around.find_around(centers, pack, &last, nullptr, 1);
    CHECK(all.has(last) == around.has(last), "round ", round);
  }
}

TEST(groups_within_groups_are_told_apart) {
  Random random(8);
  for (int round = 0; round < 100; ++round) {
    const int64_t n = 14;  // pairs, that differ by next to nothing where all others are at zero
    Problem<float> p(random, 2 * n, 2, 2 * n, 1, 0);
    const auto places = normal<float>(random, n);
    for (int64_t j = 0; j < n; ++j)
      for (const int64_t half : {0, 1}) {
        const int64_t i = 2 * j + half;
        const float at = float(j < 4 ? -double(j) : 1000 + places[j]);
        const float beside = half ? std::ldexp(1.0f, -20 - round % 80) : 0.0f;
        p.x[i * 2] = at, p.x[i * 2 + 1] = beside;
        p.centers.row(i)[0] = at, p.centers.row(i)[1] = beside;
      }
    const Labels labels = labels_of(p, true, Search::with_second);
    CHECK(labels.nearest == labels_of(p, true, Search::nearest).nearest);
    for (int64_t i = 0; i < 2 * n; ++i) {
      CHECK(labels.nearest[i] == i, "round ", round, " row ", i);
      CHECK(labels.second[i] == (i ^ 1), "round ", round, " row ", i);
    }
  }
}

// 20,000 centers in one place, on a line, in two groups: in a time that grows with their number.
TEST(many_close_centers_take_little_time) {
  Random random(9);
  const int64_t k = 20'000;
  for (const int kind : {0, 1, 2}) {
    Centers centers(k, 2, Dtype::f32);
    for (int64_t j = 0; j < k; ++j) {
      const double noise = normal<double>(random, 1)[0];
      centers.row(j)[0] = kind == 0   ? 0.5
                          : kind == 1 ? double(j)
                                      : float(noise + 1e6 * double(j % 2));
      centers.row(j)[1] = kind == 2 ? float(normal<double>(random, 1)[0]) : 0;
    }
    CenterPack<float> pack;
    pack.pack(centers, kernels<float>());
    CloseCenters<float> close, around;
    close.find(centers, pack);
    const int32_t labels[] = {0, 1, int32_t(k - 1)};
    around.find_around(centers, pack, labels, nullptr, 3);
    CHECK(close.empty() == (kind == 0), kind);
    for (const int32_t label : labels) CHECK(close.has(label) == around.has(label), kind);
  }
}

TEST(scores_alone_would_give_other_labels) {
  Random random(2);
  const Problem<float> p(random, 300, 3, 12, 2, 1e4);
  CHECK(count_wrong(p, labels_of(p, false, Search::nearest).nearest) > 0);
}

TEST(a_row_on_a_center_gets_it_however_near_the_next_one_is) {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    const int64_t d = 1 + round % 4, k = 2 + below(random, 40);
    Problem<float> p(random, k, d, k, 3, std::pow(10.0, double(below(random, 6))));
    for (int64_t i = 0; i < k; ++i)
      for (int64_t t = 0; t < d; ++t) p.x[i * d + t] = float(p.centers.row(i)[t]);
    const Labels labels = labels_of(p, true, Search::nearest);
    for (int64_t i = 0; i < k; ++i)
      CHECK(p.squared_distance(i, labels.nearest[i]) == 0, "round ", round, " row ", i);
  }
}

TEST(centers_at_ordinary_distances_are_not_close) {
  Random random(4);
  const Problem<float> p(random, 1, 8, 200, 1, 0);
  CenterPack<float> pack;
  pack.pack(p.centers, kernels<float>());
  CloseCenters<float> close;
  close.find(p.centers, pack);
  CHECK(close.empty());
}

TEST(equal_centers_alone_are_not_close) {
  Random random(5);
  Problem<double> p(random, 1, 2, 6, 1, 0);
  for (int64_t j = 3; j < 6; ++j) std::copy_n(p.centers.row(j - 3), 2, p.centers.row(j));
  CenterPack<double> pack;
  pack.pack(p.centers, kernels<double>());
  CloseCenters<double> close;
  close.find(p.centers, pack);
  CHECK(close.empty());
}
