// The pass over rows in parts.
#pragma once

#include <vector>

#include "assign/pass.hpp"
#include "parts/parts.hpp"

namespace centroids {

class PartsPass final : public Pass {
 public:
  PartsPass(Parts& parts, const Centers& centers, std::vector<double> origin);

  int64_t n_rows() const override { return parts_.n_rows(); }
  void assign(const Centers& centers, Partials& out) override;
  double inertia(const Centers& centers) override;
  std::vector<FarRow> farthest(const Centers& centers, int64_t n) const override;
  void renumber(const std::vector<int32_t>& order) override;
  const std::vector<double>& origin() const override { return origin_; }

 private:
  Parts& parts_;
  std::vector<double> origin_;
  double smallest_weight_;
  int64_t n_changed_;
  Totals totals_;
};

}  // namespace centroids
