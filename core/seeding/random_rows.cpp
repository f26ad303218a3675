#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "random.hpp"
#include "seeding/seeding.hpp"

namespace centroids {
namespace {

constexpr uint64_t kStream = 1;

// Floyd's sampling without replacement (Bentley & Floyd, CACM 30(9), 1987), then shuffled by the
// order of the draws.
std::vector<int64_t> draw_uniform(int64_t n_rows, int64_t n, uint64_t seed) {
  Philox random(seed, kStream);
  std::unordered_set<int64_t> seen;
  std::vector<int64_t> drawn;
  for (int64_t last = n_rows - n; last < n_rows; ++last) {
    const int64_t row = int64_t(random.below(uint64_t(last) + 1));
    drawn.push_back(seen.insert(row).second ? row : last);
    seen.insert(drawn.back());
  }
  return drawn;
}

// Successive weighted draws at once: the n smallest of Exp(1) / w (Efraimidis & Spirakis, IPL
// 97(5), 2006). Rows of weight zero come last.
std::vector<int64_t> draw_weighted(const double* weights, int64_t n_rows, int64_t n,
                                   uint64_t seed) {
  Philox random(seed, kStream);
  std::vector<std::pair<double, int64_t>> keys(n_rows);
  for (int64_t i = 0; i < n_rows; ++i)
    keys[i] = {-std::log1p(-random.uniform()) / weights[i], i};  // w = 0: infinite or NaN
  for (auto& key : keys)
    if (!(key.first < HUGE_VAL)) key.first = HUGE_VAL;
  std::partial_sort(keys.begin(), keys.begin() + n, keys.end());
  std::vector<int64_t> drawn(n);
  for (int64_t j = 0; j < n; ++j) drawn[j] = keys[j].second;
  return drawn;
}

}  // namespace

template <template <class> class R, class T>
std::vector<int64_t> seed_random(const R<T>& rows, int64_t n_clusters, uint64_t seed) {
  return rows.weights ? draw_weighted(rows.weights, rows.n_rows, n_clusters, seed)
                      : draw_uniform(rows.n_rows, n_clusters, seed);
}

template std::vector<int64_t> seed_random(const Rows<float>&, int64_t, uint64_t);
template std::vector<int64_t> seed_random(const Rows<double>&, int64_t, uint64_t);
template std::vector<int64_t> seed_random(const SparseRows<float>&, int64_t, uint64_t);
template std::vector<int64_t> seed_random(const SparseRows<double>&, int64_t, uint64_t);

}  // namespace centroids
