#include "assign/center_pack.hpp"

#include <algorithm>

#include "check.hpp"

using namespace centroids;
using check::Aligned;
using check::below;
using check::normal;
using check::Random;

namespace {

template <class T>
Centers centers_of(const std::vector<T>& values, int64_t k) {
  const Dtype dtype = sizeof(T) == 4 ? Dtype::f32 : Dtype::f64;
  Centers centers(k, int64_t(values.size()) / k, dtype);
  std::copy(values.begin(), values.end(), centers.values.begin());
  return centers;
}

template <class T>
std::vector<int32_t> labels_of(const std::vector<T>& x, const Centers& centers) {
  const Kernels<T>& kernel = kernels<T>();
  const int64_t d = centers.n_features, n = int64_t(x.size()) / d;
  CenterPack<T> pack;
  pack.pack(centers, kernel);
  Aligned<T> packed(kBlockRows * d);
  std::vector<int32_t> labels;
  for (int64_t first = 0; first < n; first += kBlockRows) {
    const int m = int(std::min<int64_t>(kBlockRows, n - first));
    BlockNearest<T> nearest;
    kernel.pack_block(x.data() + first * d, d, nullptr, m, pack.shift(), packed.data());
    kernel.assign_block(packed.data(), d, m, pack.view(), Search::nearest, {}, nearest);
    labels.insert(labels.end(), nearest.label, nearest.label + m);
  }
  return labels;
}

// Rows whose label is not the nearest center although that is nearer by more than `margin` of the
// squared distance.
template <class T>
int64_t count_wrong(const std::vector<T>& x, const Centers& centers, double margin) {
  const auto labels = labels_of(x, centers);
  const int64_t d = centers.n_features;
  int64_t n_wrong = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto squared = [&](int64_t j) {
      long double sum = 0;
      for (int64_t t = 0; t < d; ++t) {
        const long double gap = (long double)x[i * d + t] - centers.row(j)[t];
        sum += gap * gap;
      }
      return double(sum);
    };
    double least = squared(0);
    for (int64_t j = 1; j < centers.n_clusters; ++j) least = std::min(least, squared(j));
    n_wrong += squared(labels[i]) > least * (1 + margin) + 1e-300;
  }
  return n_wrong;
}

template <class T>
void check_offset(Random& random, double offset, double margin) {
  for (const int64_t d : {1, 2, 5, 33})
    for (const int64_t k : {1, 2, 3, 7, 20}) {
      const auto centers = centers_of(normal<T>(random, k * d, offset, 5), k);
      const auto x = normal<T>(random, 500 * d, offset, 5);
      CHECK(count_wrong(x, centers, margin) == 0, "offset ", offset, " d ", d, " k ", k);
    }
}

}  // namespace

TEST(labels_are_nearest_centers_whatever_the_offset) {
  Random random(1);
  for (const double offset : {0.0, 1e3, 1e6}) check_offset<float>(random, offset, 1e-2);
  for (const double offset : {0.0, 1e6, 1e8, 1e12}) check_offset<double>(random, offset, 1e-2);
}

TEST(labels_are_nearest_centers_beside_a_center_that_is_far_away) {
  // The shift must stay with the many centers, or their rows would lose all digits.
  Random random(2);
  for (const double far : {1e5, 1e8, 1e15}) {
    auto values = normal<float>(random, 7 * 4, 0, 5);
    std::fill_n(values.begin() + 12, 4, float(far));
    CHECK(count_wrong(normal<float>(random, 2000, 0, 5), centers_of(values, 7), 1e-3) == 0, far);
  }
  auto values = normal<double>(random, 7 * 4, 0, 5);
  std::fill_n(values.begin() + 12, 4, 1e100);
  CHECK(count_wrong(normal<double>(random, 2000, 0, 5), centers_of(values, 7), 1e-9) == 0);
}

TEST(the_numbering_of_the_centers_changes_no_assignment) {
  Random random(3);
  for (const int64_t k : {2, 5, 8}) {
    const int64_t d = 3;
    const auto x = normal<float>(random, 3000 * d, 100);
    const auto centers = centers_of(normal<float>(random, k * d, 100), k);
    Centers reversed = centers;
    for (int64_t j = 0; j < k; ++j) std::copy_n(centers.row(j), d, reversed.row(k - 1 - j));
    const auto labels = labels_of(x, centers), other = labels_of(x, reversed);
    for (size_t i = 0; i < labels.size(); ++i) CHECK(other[i] == int32_t(k) - 1 - labels[i]);
  }
}

TEST(groups_are_of_equal_size_and_padding_never_reaches_one_center_a_group) {
  Random random(4);
  for (int64_t k = 1; k <= 40; ++k) {
    CenterPack<double> pack;
    pack.pack(centers_of(normal<double>(random, k * 2), k), kernels<double>());
    const auto view = pack.view();
    CHECK(view.n_centers == k);
    CHECK(view.group_size >= 1 && view.group_size <= kernels<double>().max_group_size);
    const int64_t n_groups = (k + view.group_size - 1) / view.group_size;
    CHECK(n_groups * view.group_size - k < n_groups, k);
    for (int64_t j = k; j < n_groups * view.group_size; ++j)
      CHECK(view.half_norms[j] == std::numeric_limits<double>::infinity());
  }
}

TEST(max_norm_is_the_length_of_the_longest_shifted_center) {
  const auto centers = centers_of(std::vector<double>{0, 0, 3, 4, 1, 1}, 3);
  CenterPack<double> pack;
  pack.pack(centers, kernels<double>());  // the median is (1, 1)
  CHECK(pack.shift()[0] == 1 && pack.shift()[1] == 1);
  CHECK(pack.max_norm() == std::sqrt(13.0), pack.max_norm());
}
