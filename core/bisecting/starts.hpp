// Where runs with two centers start.
#pragma once

#include <cstdint>
#include <vector>

#include "bisecting/two_means.hpp"
#include "kmeans.hpp"
#include "random.hpp"

namespace centroids {

class Starts {
 public:
  // `draws`: numbers that scikit-learn would draw. All of these are kept by reference.
  Starts(const RowAccess& rows, TwoMeans& two_means, uint64_t seed,
         const std::vector<double>& draws);

  // Two rows; the second, for k-means++ or where the two are equal, by its squared distance to the
  // first.
  TwoPoints draw(const std::vector<int32_t>& rows, Seeding seeding);
  // Two rows as sklearn.cluster.BisectingKMeans (1.9) draws them, from the draws that are left.
  TwoPoints as_scikit_learn(const Cluster& cluster, Seeding seeding);
  // So many rows of a cluster, one of each stretch.
  Cluster sample(const Cluster& cluster, int64_t size);

 private:
  TwoPoints plus_plus_as_scikit_learn(const std::vector<int32_t>& rows, double number);
  TwoPoints far_from_the_rest(const Cluster& cluster, const std::vector<double>& point);
  std::vector<double> masses_of(const std::vector<int32_t>& rows, const double* factors) const;
  std::vector<double> row(int32_t number) const;
  double next_draw();

  const RowAccess& rows_;
  TwoMeans& two_means_;
  Philox random_;
  const std::vector<double>& draws_;
  size_t n_taken_ = 0;  // of the draws
};

}  // namespace centroids
