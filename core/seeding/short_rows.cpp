#include "seeding/short_rows.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "threads/pool.hpp"

namespace centroids {
namespace {

// With fewer columns the triangle inequality leaves less to do, and with fewer clusters the copy
// costs more than it saves.
constexpr int64_t kFewestColumns = 24;
constexpr int64_t kFewestClusters = 24;
// Rows whose mean is the shift.
constexpr int64_t kSample = 256;

double free_memory() {
  return double(sysconf(_SC_AVPHYS_PAGES)) * double(sysconf(_SC_PAGESIZE));
}

int64_t n_blocks(int64_t n_rows) {
  return (n_rows + kShortBlock - 1) / kShortBlock;
}

}  // namespace

template <class T>
bool ShortRows<T>::pays(const Rows<T>& rows, int64_t n_clusters, int n_points) {
  const ShortRowKernels<T>* kernel = kernels<T>().short_rows;
  if (!kernel || n_points > kMostShortPoints || rows.n_features < kFewestColumns ||
      rows.n_features > kMostShortColumns || n_clusters < kFewestClusters || rows.n_rows < 1024)
    return false;
  const double bytes = double(n_blocks(rows.n_rows)) *
                       double(kernel->block_bytes(rows.n_features) + int64_t(sizeof(ShortNorms)));
  return bytes <= free_memory() / 4;
}

template <class T>
void ShortRows<T>::pack(const Rows<T>& rows) {
  kernels_ = kernels<T>().short_rows;
  n_features_ = rows.n_features;
  const int64_t blocks = n_blocks(rows.n_rows), bytes = kernels_->block_bytes(n_features_);
  std::vector<double> sum(n_features_);
  for (int64_t i = 0; i < kSample; ++i)
    for (int64_t t = 0; t < n_features_; ++t)
      sum[t] += double(rows.row(i * rows.n_rows / kSample)[t]) / double(kSample);
  shift_.assign(sum.begin(), sum.end());
  blocks_.resize(blocks * bytes);
  norms_.resize(blocks);
  points_.resize(kernels_->point_bytes(n_features_));
  const int n_threads =
      worthwhile_threads(rows.n_threads, 10.0 * double(rows.n_rows) * double(n_features_));
  constexpr int64_t kTask = 64;  // blocks
  std::atomic<bool> are_known{true};
  parallel_for(n_threads, (blocks + kTask - 1) / kTask, [&](int, int64_t task) {
    for (int64_t b = task * kTask; b < std::min(blocks, (task + 1) * kTask); ++b) {
      const int n = int(std::min<int64_t>(kShortBlock, rows.n_rows - b * kShortBlock));
      if (!kernels_->pack_block(rows.row(b * kShortBlock), n_features_, n, shift_.data(),
                                blocks_.data() + b * bytes, norms_.data()[b]))
        are_known = false;
    }
  });
  if (!are_known) kernels_ = nullptr;
}

template <class T>
void ShortRows<T>::choose(const T* points, int n_points) {
  n_points_ = n_points;
  kernels_->pack_points(points, n_features_, n_points, shift_.data(), points_.data(), point_norms_,
                        point_sums_);
}

template <class T>
int ShortRows<T>::select(int64_t begin, int n, const T* current, int32_t* out) const {
  const int64_t block = begin / kShortBlock;
  const float slack = float(n_features_ + 16) * 0x1p-23f;
  return kernels_->select(blocks_.data() + block * kernels_->block_bytes(n_features_),
                          norms_.data() + block, n, n_features_, points_.data(), point_norms_,
                          point_sums_, n_points_, slack, current, out);
}

template class ShortRows<float>;
template class ShortRows<double>;

}  // namespace centroids
