// k-means|| (Bahmani, Moseley, Vattani, Kumar & Vassilvitskii, "Scalable K-Means++", PVLDB 5(7),
// 2012, algorithm 2): a few rounds draw many rows at once as candidates, each with probability
// proportional to its squared distance D to the candidates so far; greedy k-means++ chooses among
// them, weighted by the rows nearest to each. Few visits of the rows, whatever n_clusters is.
#include "seeding/kmeans_parallel.hpp"

#include <algorithm>

#include "seeding/candidates.hpp"
#include "seeding/seeding.hpp"

namespace centroids {
namespace {

// l / k and r of the paper, whose experiments find no gain in more.
constexpr double kOversampling = 2;
constexpr int kRounds = 5;

struct WeightedCandidates : Candidates {
  std::vector<double> weights;
};

void append(Candidates& all, const Candidates& more) {
  all.rows.insert(all.rows.end(), more.rows.begin(), more.rows.end());
  all.values.values.insert(all.values.values.end(), more.values.values.begin(),
                           more.values.values.end());
  all.values.n_clusters += more.values.n_clusters;
}

// Goes on after the last round while fewer candidates than clusters have rows of their own, and
// there are rows left that lie on none.
WeightedCandidates oversample(CandidateSource& source, int64_t n_clusters, uint64_t seed,
                              const Control& control) {
  WeightedCandidates found{source.at_share(Round{seed, 0, 0}.uniform(0)), {}};
  double potential = source.add(found);
  for (uint64_t number = 1;; ++number) {
    const bool is_over = !(potential > 0) || control.stop();
    if (is_over || number > kRounds) {
      found.weights = source.weights(int64_t(found.rows.size()));
      const auto n_used =
          std::count_if(found.weights.begin(), found.weights.end(), [](double w) { return w > 0; });
      if (is_over || n_used >= n_clusters) return found;
    }
    const double rate = kOversampling * double(n_clusters) / potential;
    const Candidates more = source.draw({seed, number, rate});
    if (more.rows.empty()) continue;
    potential = source.add(more);
    append(found, more);
  }
}

// Positions among the candidates, by greedy k-means++.
template <class T>
std::vector<int64_t> choose(const WeightedCandidates& found, int64_t n_clusters, uint64_t seed,
                            int n_threads, const Control& control) {
  std::vector<int64_t> used;
  for (size_t p = 0; p < found.rows.size(); ++p)
    if (found.weights[p] > 0) used.push_back(int64_t(p));
  const int64_t n = int64_t(used.size()), d = found.values.n_features;
  std::vector<T> values(n * d);
  std::vector<double> weights(n);
  std::vector<int32_t> labels(n);
  for (int64_t i = 0; i < n; ++i) {
    std::copy_n(found.values.row(used[i]), d, values.data() + i * d);
    weights[i] = found.weights[used[i]];
  }
  const Rows<T> rows{values.data(), n, d, weights.data(), labels.data(), n_threads};
  // Fewer than n_clusters when every row lies on a candidate: then all of them.
  auto chosen = seed_kmeans_plus_plus(rows, std::min(n_clusters, n), seed, control);
  for (int64_t& i : chosen) i = used[i];
  return chosen;
}

}  // namespace

Candidates seed_kmeans_parallel(CandidateSource& source, int64_t n_clusters, uint64_t seed,
                                int n_threads, const Control& control) {
  const WeightedCandidates found = oversample(source, n_clusters, seed, control);
  const std::vector<int64_t> chosen = with_dtype(found.values.dtype, [&](auto zero) {
    return choose<decltype(zero)>(found, n_clusters, seed, n_threads, control);
  });
  Candidates seeds{{},
                   Centers(int64_t(chosen.size()), found.values.n_features, found.values.dtype)};
  for (size_t j = 0; j < chosen.size(); ++j) {
    seeds.rows.push_back(found.rows[chosen[j]]);
    std::copy_n(found.values.row(chosen[j]), found.values.n_features, seeds.values.row(int64_t(j)));
  }
  return seeds;
}

template <template <class> class R, class T>
std::vector<int64_t> seed_kmeans_parallel(const R<T>& rows, int64_t n_clusters, uint64_t seed,
                                          const Control& control) {
  CandidateRows<R, T> source(rows);
  return seed_kmeans_parallel(source, n_clusters, seed, rows.n_threads, control).rows;
}

template std::vector<int64_t> seed_kmeans_parallel(const Rows<float>&, int64_t, uint64_t,
                                                   const Control&);
template std::vector<int64_t> seed_kmeans_parallel(const Rows<double>&, int64_t, uint64_t,
                                                   const Control&);
template std::vector<int64_t> seed_kmeans_parallel(const SparseRows<float>&, int64_t, uint64_t,
                                                   const Control&);
template std::vector<int64_t> seed_kmeans_parallel(const SparseRows<double>&, int64_t, uint64_t,
                                                   const Control&);

}  // namespace centroids
