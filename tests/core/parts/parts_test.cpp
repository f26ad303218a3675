// Rows cut into parts give the bits of the whole.
#include "parts/parts.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "check.hpp"
#include "rows.hpp"
#include "update/cluster_sums.hpp"

using namespace centroids;
using check::normal;
using check::Random;

namespace {

struct Problem : check::RowsWithLabels<float> {
  int64_t k;

  Problem(Random& random, int64_t rows, int64_t columns, int64_t clusters, bool weighted,
          double offset = 0)
      : RowsWithLabels(normal<float>(random, rows * columns, offset), columns), k(clusters) {
    if (weighted) weights = normal<double>(random, n);
    for (double& w : weights) w = w < -1 ? 0 : std::abs(w);
  }
};

// All parts in this process.
class LocalParts final : public Parts {
 public:
  LocalParts(const Problem& problem, int64_t shards_a_part) : p_(problem) {
    const int64_t step = shards_a_part * sum_shards(p_.n, p_.d, p_.k).shard_rows;
    for (int64_t first = 0; first < p_.n; first += step) {
      const int64_t rows = std::min(step, p_.n - first);
      views_.push_back({p_.view(first, rows), p_.weight(first), first, p_.n, 1});
      parts_.push_back(Part::make(views_.back()));
    }
  }
  size_t count() const { return parts_.size(); }
  std::vector<int32_t> labels() const {
    return joined<int32_t>([](const Part& part) { return part.labels(); });
  }

  int64_t n_rows() const override { return p_.n; }
  int64_t n_features() const override { return p_.d; }
  Dtype dtype() const override { return Dtype::f32; }
  bool is_weighted() const override { return !p_.weights.empty(); }
  std::vector<double> row(int64_t i) override {
    return {p_.x.begin() + i * p_.d, p_.x.begin() + (i + 1) * p_.d};
  }
  int64_t first_with_weight() override {
    int64_t i = 0;
    while (!(*p_.weight(i) > 0)) ++i;
    return i;
  }
  double smallest_weight() override { return smallest_positive(p_.weight(0), p_.n); }
  std::vector<Moments> shard_moments(const std::vector<double>& reference,
                                     bool is_weighted) override {
    std::vector<Moments> out;
    for (const PartView& v : views_)
      for (Moments& m : centroids::shard_moments(v.x, is_weighted ? v.weights : nullptr, reference,
                                                 v.shards(), 1))
        out.push_back(std::move(m));
    return out;
  }
  Extent extent(const std::vector<double>& reference) override {
    return centroids::extent(p_.view(0, p_.n), reference);
  }
  Cell first_bad() override { return {}; }

  void begin_seeding() override {
    for (auto& part : parts_) part->begin_seeding();
  }
  std::vector<double> add_candidates(const Candidates& more) override {
    return joined<double>([&](Part& part) { return part.add_candidates(more); });
  }
  Candidates draw(const Round& round) override {
    Candidates all{{}, Centers(0, p_.d, Dtype::f32)};
    for (auto& part : parts_) {
      const Candidates own = part->draw(round);
      all.rows.insert(all.rows.end(), own.rows.begin(), own.rows.end());
      all.values.values.insert(all.values.values.end(), own.values.values.begin(),
                               own.values.values.end());
    }
    all.values.n_clusters = int64_t(all.rows.size());
    return all;
  }
  Candidates in_shard(int64_t shard, double weight) override {
    size_t p = 0;
    while (shard >= views_[p].shards().count()) shard -= views_[p++].shards().count();
    return parts_[p]->in_shard(shard, weight);
  }
  std::vector<double> candidate_weights(int64_t n_candidates) override {
    std::vector<double> sums(n_candidates);
    for (auto& part : parts_) part->add_candidate_weights(sums);
    return sums;
  }

  void begin_loop(int64_t n_clusters, const std::vector<double>& origin) override {
    for (auto& part : parts_) part->begin_loop(n_clusters, origin);
  }
  int64_t assign(const Centers& centers, bool is_full, Totals& totals) override {
    int64_t n_changed = 0;
    for (size_t p = parts_.size(); p-- > 0;) n_changed += parts_[p]->assign(centers, is_full);
    for (auto& part : parts_) part->add_to(totals);
    (is_full ? n_full : n_moved) += 1;
    return n_changed;
  }
  std::vector<double> squares(const Centers& centers) override {
    return joined<double>([&](Part& part) { return part.squares(centers); });
  }
  std::vector<FarRow> farthest(const Centers& centers, int64_t n) override {
    return joined<FarRow>([&](Part& part) { return part.farthest(centers, n); });
  }
  void renumber(const std::vector<int32_t>& order) override {
    for (auto& part : parts_) part->renumber(order);
  }

  int n_full = 0, n_moved = 0;

 private:
  template <class T, class F>
  std::vector<T> joined(F of) const {
    std::vector<T> all;
    for (const auto& part : parts_)
      for (const T& value : of(*part)) all.push_back(value);
    return all;
  }

  const Problem& p_;
  std::vector<PartView> views_;
  std::vector<std::unique_ptr<Part>> parts_;
};

void check_same_fit(const Problem& p, const FitOptions& options, const std::string& about) {
  const Data data = p.data(2);
  std::vector<int32_t> labels(p.n);
  const LoopResult whole = fit(data, options, {}, labels.data());
  for (const int64_t shards_a_part : {1, 2, 5}) {
    LocalParts parts(p, shards_a_part);
    CHECK(shards_a_part > 1 || parts.count() > 3, about);
    const Summary summary = summarize(parts);
    CHECK(summary.mean_variance == data.summary.mean_variance, about);
    const LoopResult cut = fit(parts, summary, options, 1, {});
    CHECK_SAME_BITS(whole.centers.values.data(), cut.centers.values.data(), p.k * p.d, about);
    CHECK(labels == parts.labels(), about);
    CHECK(whole.counts == cut.counts && whole.inertia == cut.inertia, about);
    CHECK(whole.n_iter == cut.n_iter, about, " ", whole.n_iter, " ", cut.n_iter);
    for (size_t i = 0; i < cut.history.size() && i < whole.history.size(); ++i)
      CHECK(whole.history[i].inertia == cut.history[i].inertia, about, " iteration ", i);
    CHECK(parts.n_full > 0 && parts.n_moved > 0, about, " both ways to add");
    CHECK(inertia(parts, cut.centers) == cut.inertia, about);
  }
}

}  // namespace

TEST(a_fit_of_parts_has_the_bits_of_the_fit_of_the_whole) {
  Random random(1);
  for (const bool weighted : {false, true})
    for (const double offset : {0.0, 1e4}) {
      const Problem p(random, 40000, 3, 6, weighted, offset);
      FitOptions options;
      options.n_clusters = p.k;
      options.seeding = Seeding::kmeans_parallel;
      options.seed = 5;
      options.loop.number_by_size = true;
      check_same_fit(p, options, check::joined("seeded, weighted ", weighted, ", ", offset));
      std::vector<double> init(p.x.begin(), p.x.begin() + p.k * p.d);
      options.init = init.data();
      options.loop.number_by_size = false;
      check_same_fit(p, options, check::joined("given, weighted ", weighted, ", ", offset));
    }
}

TEST(empty_clusters_of_parts_get_the_rows_that_those_of_the_whole_get) {
  Random random(2);
  Problem p(random, 40000, 2, 6, false);
  for (float& v : p.x) v = float(std::lround(v * 3));  // many equal rows, in all parts
  std::vector<double> init(p.k * p.d, 1e3);
  std::copy_n(p.x.begin(), 2 * p.d, init.begin());
  for (int64_t j = 2; j < p.k; ++j) init[j * p.d] += double(j);
  FitOptions options;
  options.n_clusters = p.k;
  options.init = init.data();
  check_same_fit(p, options, "four empty");
}
