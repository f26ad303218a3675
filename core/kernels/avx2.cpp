// The kernels for AVX2 with FMA.
#define CENTROIDS_ISA_NAME "avx2"
#define CENTROIDS_VECTOR_BYTES 32
#define CENTROIDS_ROW_VECTORS 2
#define CENTROIDS_MAX_GROUP 6
#include "kernels/kernels.inl"
// Need the tile and its vectors.
#include "kernels/float_filter.inl"
#include "kernels/row_filter.inl"

namespace centroids {
extern const Kernels<float> avx2_f32;
extern const Kernels<double> avx2_f64;
const Kernels<float> avx2_f32 = make_kernels<float>();
const Kernels<double> avx2_f64 = make_kernels<double>();

extern const FilterKernels<double> avx2_float_filter;
const FilterKernels<double> avx2_float_filter = make_float_filter();

extern const FilterKernels<float> avx2_row_filter_f32;
extern const FilterKernels<double> avx2_row_filter_f64;
const FilterKernels<float> avx2_row_filter_f32 = make_row_filter<float>();
const FilterKernels<double> avx2_row_filter_f64 = make_row_filter<double>();
}  // namespace centroids
