#include "assign/nearest_search.hpp"

#include "search_problems.hpp"

using namespace search_problems;

namespace {

template <class T>
void check_labels_of_filters() {
  for_problems<T>([](const Problem<T>& p) {
    for_filters<T>([&](const Kernels<T>& kernels) {
      NearestSearch<T> search(kernels);
      search.prepare(p.centers, 1);
      CHECK(search.is_filtered(), p.name);
      const auto found = find_all(search, p);
      CHECK(int64_t(found.size()) == p.n, p.name);
      for (int64_t first = 0; first < p.n; first += kBlockRows) {
        const int m = int(std::min<int64_t>(kBlockRows, p.n - first));
        const auto& nearest = search.search_all(
            0, {p.x.data() + first * p.d, p.d, nullptr, m, p.n - first - m}, Search::nearest);
        for (int i = 0; i < m; ++i)
          CHECK(found[first + i].row == first + i && found[first + i].label == nearest.label[i],
                kernels.isa, " ", p.name, " d ", p.d, " k ", p.k, " row ", first + i);
      }
    });
  });
}

template <class T>
void check_listed_rows() {
  check::Random random(4);
  const Problem<T> p = make<T>(Draws(random, 70, 300), "plain", 1.0);
  for_filters<T>([&](const Kernels<T>& kernels) {
    NearestSearch<T> search(kernels);
    search.prepare(p.centers, 1);
    const auto all = find_all(search, p);
    const std::vector<int32_t> rows = {3, 4, 70, 71, 499};
    search.find(0, p.x.data(), rows.data(), int(rows.size()), [&](const Found& found) {
      CHECK(found.label == all[found.row].label, "row ", found.row);
    });
  });
}

}  // namespace

TEST(every_row_is_found_once_with_the_label_of_the_tile) {
  check_labels_of_filters<float>();
  check_labels_of_filters<double>();
}

TEST(a_listed_row_gets_what_it_gets_among_all) {
  check_listed_rows<float>();
  check_listed_rows<double>();
}
