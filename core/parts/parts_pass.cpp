#include "parts/parts_pass.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "first_centers.hpp"
#include "seeding/kmeans_parallel.hpp"

namespace centroids {
namespace {

class PartsCandidates final : public CandidateSource {
 public:
  // `shard_weights`: empty where each row counts as one.
  PartsCandidates(Parts& parts, std::vector<double> shard_weights)
      : parts_(parts), shard_weights_(std::move(shard_weights)) {
    parts_.begin_seeding();
  }

  Candidates at_share(double share) override {
    if (!shard_weights_.empty()) {
      const ShareOfWeight at = find_share(shard_weights_, share);
      return parts_.in_shard(at.shard, at.left);
    }
    const int64_t i = row_at_share(parts_.n_rows(), share);
    std::vector<double> values = parts_.row(i);
    Candidates found{{i}, Centers(1, int64_t(values.size()), parts_.dtype())};
    found.values.values = std::move(values);
    return found;
  }
  double add(const Candidates& more) override {
    const std::vector<double> potential = parts_.add_candidates(more);
    return std::accumulate(potential.begin(), potential.end(), 0.0);
  }
  Candidates draw(const Round& round) override { return parts_.draw(round); }
  std::vector<double> weights(int64_t n_candidates) override {
    return parts_.candidate_weights(n_candidates);
  }

 private:
  Parts& parts_;
  std::vector<double> shard_weights_;
};

std::vector<double> shard_weights_of(Parts& parts) {
  std::vector<double> weights;
  if (!parts.is_weighted()) return weights;
  for (const Moments& m : parts.shard_moments(parts.row(0), true)) weights.push_back(m.weight);
  return weights;
}

Centers first_centers_of(Parts& parts, const FitOptions& options, int n_threads,
                         const Control& control) {
  const int64_t d = parts.n_features();
  if (options.init) return given_centers(options, d, parts.dtype());
  PartsCandidates source(parts, shard_weights_of(parts));
  const Candidates seeds =
      seed_kmeans_parallel(source, options.n_clusters, options.seed, n_threads, control);
  Centers centers(options.n_clusters, d, parts.dtype());
  // Too few are repeated, as for rows in memory.
  for (int64_t j = 0; j < options.n_clusters; ++j)
    std::copy_n(seeds.values.row(j % seeds.values.n_clusters), d, centers.row(j));
  return centers;
}

}  // namespace

PartsPass::PartsPass(Parts& parts, const Centers& centers, std::vector<double> origin)
    : parts_(parts),
      origin_(std::move(origin)),
      smallest_weight_(parts.smallest_weight()),
      n_changed_(parts.n_rows()),
      totals_(centers.n_clusters, centers.n_features) {
  parts_.begin_loop(centers.n_clusters, origin_);
}

void PartsPass::assign(const Centers& centers, Partials& out) {
  const bool is_full = adds_all_rows(n_changed_, n_rows(), totals_.sums.n_features);
  if (is_full) totals_.clear();
  n_changed_ = parts_.assign(centers, is_full, totals_);
  totals_.settle(is_full, parts_.is_weighted(), smallest_weight_);
  totals_.write(n_changed_, out);
}

double PartsPass::inertia(const Centers& centers) {
  double total = 0;
  for (const double part : parts_.squares(centers)) total += part;
  return total;
}

std::vector<FarRow> PartsPass::farthest(const Centers& centers, int64_t n) const {
  const auto comes_first = [](const FarRow* a, const FarRow* b) {
    return a->squared_distance != b->squared_distance ? a->squared_distance > b->squared_distance
                                                      : a->values < b->values;
  };
  // Equal rows of several parts are one far row: the first of them stays, with their weight.
  std::vector<FarRow> found = parts_.farthest(centers, n);
  std::map<const FarRow*, FarRow*, decltype(comes_first)> groups(comes_first);
  for (FarRow& row : found) {
    const auto [at, is_new] = groups.emplace(&row, &row);
    if (is_new) continue;
    at->second->weight += row.weight;
    at->second->count += row.count;
  }
  std::vector<FarRow> far;
  for (const auto& [key, row] : groups) {
    if (int64_t(far.size()) == n) break;
    far.push_back(*row);
  }
  return far;
}

void PartsPass::renumber(const std::vector<int32_t>& order) {
  parts_.renumber(order);
  totals_.renumber(order);
}

LoopResult fit(Parts& parts, const Summary& summary, const FitOptions& options, int n_threads,
               const Control& control) {
  Centers centers = first_centers_of(parts, options, n_threads, control);
  PartsPass pass(parts, centers, summary.origin);
  return run_loop(pass, std::move(centers), summary.total_squares, options.loop, control);
}

double inertia(Parts& parts, const Centers& centers) {
  PartsPass pass(parts, centers, {});
  Partials partials;
  pass.assign(centers, partials);
  return pass.inertia(centers);
}

}  // namespace centroids
