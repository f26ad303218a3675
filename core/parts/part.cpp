#include "parts/part.hpp"

#include <optional>
#include <utility>

#include "assign/hamerly_pass.hpp"

namespace centroids {
namespace {

template <class T>
class PartOf final : public Part {
 public:
  explicit PartOf(const PartView& view) : view_(view), labels_(view.x.n_rows, -1) {}

  void begin_seeding() override { candidates_.emplace(rows(), view_.first_row, view_.shards()); }
  int64_t n_candidates() const override { return candidates_ ? candidates_->n_candidates() : -1; }
  std::vector<double> add_candidates(const Candidates& more) override {
    return candidates_->add_by_shard(more);
  }
  Candidates draw(const Round& round) const override { return candidates_->draw(round); }
  Candidates in_shard(int64_t shard, double weight) const override {
    return candidates_->in_shard(shard, weight);
  }
  void add_candidate_weights(std::vector<double>& sums) const override {
    candidates_->add_weights(sums);
  }

  void begin_loop(int64_t n_clusters, std::vector<double> origin) override {
    candidates_.reset();
    pass_.emplace(rows(), n_clusters, std::move(origin), true);
  }
  int64_t assign(const Centers& centers, bool is_full) override {
    return pass_->assign_part(centers, is_full);
  }
  void add_to(Totals& totals) const override { pass_->add_to(totals); }
  std::vector<double> squares(const Centers& centers) const override {
    return RowPass<T>::squares_by_shard(rows(), centers);
  }
  std::vector<FarRow> farthest(const Centers& centers, int64_t n) const override {
    std::vector<FarRow> far = pass_->farthest(centers, n);
    for (FarRow& row : far) row.row += view_.first_row;
    return far;
  }
  void renumber(const std::vector<int32_t>& order) override { pass_->renumber(order); }
  const std::vector<int32_t>& labels() const override { return labels_; }

 private:
  using Labels = std::vector<int32_t>;

  Rows<T> rows() const {
    return {view_.x.template row<T>(0),
            view_.x.n_rows,
            view_.x.n_cols,
            view_.weights,
            labels_.data(),
            view_.n_threads,
            view_.n_all_rows};
  }

  PartView view_;
  mutable Labels labels_;
  mutable std::optional<CandidateRows<Rows, T>> candidates_;
  std::optional<HamerlyPass<T>> pass_;
};

}  // namespace

std::unique_ptr<Part> Part::make(const PartView& rows) {
  return with_dtype(rows.x.dtype, [&](auto zero) -> std::unique_ptr<Part> {
    return std::make_unique<PartOf<decltype(zero)>>(rows);
  });
}

}  // namespace centroids
