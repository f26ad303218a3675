// The certified filter for float64 rows: their tile in float32, twice as fast; included
// behind kernels.inl.

#include "kernels/filter.hpp"

namespace centroids {
namespace {

// Groups of four divide the centers that are packed at once.
constexpr int kFloatGroup = 4;
static_assert(kFilterCenters % kFloatGroup == 0 && kFloatGroup <= CENTROIDS_MAX_GROUP);

int64_t float_row_bytes(int64_t n_cols, Digits) {
  return kBlockRows * n_cols * int64_t(sizeof(float));
}
int64_t float_center_bytes(int64_t n_cols, Digits, int64_t n_lanes) {
  return n_lanes * n_cols * int64_t(sizeof(float));
}

// A chain of n_cols fused multiply-adds that starts at the half norm.
double float_by_sizes(int64_t n_cols, Digits) {
  return double(n_cols + 8) * 0x1p-24;
}

void float_pack_rows(const double* x, int64_t n_cols, const int32_t* rows, int n_rows,
                     const double* shift, Digits, FilterRows& out) {
  float* packed = static_cast<float*>(out.packed);
  for (int i = 0; i < n_rows; ++i) {
    const double* row = x + int64_t(rows ? rows[i] : i) * n_cols;
    double norm = 0, rest = 0;
    for (int64_t t = 0; t < n_cols; ++t) {
      const double y = shift[t] - row[t], over = y - double(float(y));
      packed[t * kBlockRows + i] = float(y);
      norm += y * y;
      rest += over * over;
    }
    out.norm[i] = float(norm);
    out.rest[i] = float(rest);
  }
  for (int64_t t = 0; t < n_cols; ++t)
    for (int i = n_rows; i < kBlockRows; ++i) packed[t * kBlockRows + i] = 0;
}

void float_pack_centers(const double* centers, int64_t n_centers, int64_t n_cols, int64_t n_lanes,
                        Digits, void* packed, double* rests) {
  float* out = static_cast<float*>(packed);
  for (int64_t j = 0; j < n_lanes; ++j) {
    float* lane = out + j / kFloatGroup * kFloatGroup * n_cols + j % kFloatGroup;
    if (j < n_centers) rests[j] = 0;
    for (int64_t t = 0; t < n_cols; ++t) {
      const double value = j < n_centers ? centers[j * n_cols + t] : 0.0;
      lane[t * kFloatGroup] = float(value);
      const double over = value - double(float(value));
      if (j < n_centers) rests[j] += over * over;
    }
  }
}

void float_nearest(const FilterRows& rows, int n_rows, const FilterCenters& centers,
                   FilterNearest& out) {
  BlockNearest<float> nearest;
  assign_any_search<float, kFloatGroup>(static_cast<const float*>(rows.packed), centers.n_cols,
                                        n_rows,
                                        {static_cast<const float*>(centers.packed),
                                         centers.half_norms, int32_t(centers.n_lanes), kFloatGroup},
                                        Search::with_second_score, rows.next, nearest);
  for (int i = 0; i < n_rows; ++i) {
    out.score[0][i] = nearest.score[i];
    out.label[0][i] = nearest.label[i];
    out.others[i] = nearest.second_score[i];
    for (int l = 1; l < kListed; ++l) out.score[l][i] = kFilterFar;
  }
}

constexpr FilterKernels<double> make_float_filter() {
  return {
      .cost_per_product = 1.0,
      .cost_per_score = 6.0,
      .cost_per_row = 600.0,
      .cost_per_column = 40.0,
      .products_at_once = 1,
      .centers_at_once = kFilterCenters,
      .by_sizes = float_by_sizes,
      .row_bytes = float_row_bytes,
      .center_bytes = float_center_bytes,
      .pack_rows = float_pack_rows,
      .pack_centers = float_pack_centers,
      .nearest = float_nearest,
  };
}

}  // namespace
}  // namespace centroids
