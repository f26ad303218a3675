#include "update/momentum.hpp"

#include "renumber.hpp"

namespace centroids {

Centers Momentum::next(const Centers& means, double explained) {
  if (explained < explained_) restart();
  factor_ = double(n_steps_) / double(n_steps_ + 3);
  Centers point = means;
  if (factor_ > 0)
    for (size_t i = 0; i < point.values.size(); ++i)
      point.values[i] =
          point.rounded(means.values[i] + factor_ * (means.values[i] - previous_.values[i]));
  previous_ = means;
  explained_ = explained;
  ++n_steps_;
  return point;
}

void Momentum::renumber(const std::vector<int32_t>& order) {
  centroids::renumber(previous_, order);
}

}  // namespace centroids
