// One part of the rows, where the rows are. Parts begin and end with a shard of the whole.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "assign/pass.hpp"
#include "centers.hpp"
#include "matrix_view.hpp"
#include "measures/summary.hpp"
#include "seeding/candidates.hpp"
#include "update/totals.hpp"

namespace centroids {

// Borrowed: the caller keeps the rows alive.
struct PartView {
  MatrixView x;
  const double* weights = nullptr;  // n_rows, or null for one each
  int64_t first_row = 0;            // its number among all rows
  int64_t n_all_rows = 0;
  int n_threads = 1;

  Shards shards() const { return Shards(n_all_rows).of_part(x.n_rows); }
};

class Part {
 public:
  static std::unique_ptr<Part> make(const PartView& rows);
  virtual ~Part() = default;

  // Seeding, as CandidateSource asks for it. Row numbers are those among all rows.
  virtual void begin_seeding() = 0;
  virtual int64_t n_candidates() const = 0;
  virtual std::vector<double> add_candidates(const Candidates& more) = 0;  // potential by shard
  virtual Candidates draw(const Round& round) const = 0;
  virtual Candidates in_shard(int64_t shard, double weight) const = 0;  // counted in the part
  virtual void add_candidate_weights(std::vector<double>& sums) const = 0;

  // The loop, as Pass asks for it.
  virtual void begin_loop(int64_t n_clusters, std::vector<double> origin) = 0;
  virtual int64_t assign(const Centers& centers, bool is_full) = 0;       // labels that changed
  virtual void add_to(Totals& totals) const = 0;                          // what assign has found
  virtual std::vector<double> squares(const Centers& centers) const = 0;  // by shard
  virtual std::vector<FarRow> farthest(const Centers& centers, int64_t n) const = 0;
  virtual void renumber(const std::vector<int32_t>& order) = 0;
  virtual const std::vector<int32_t>& labels() const = 0;
};

}  // namespace centroids
