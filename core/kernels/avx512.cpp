// The kernels for AVX-512 (F, VL, DQ, BW).
#define CENTROIDS_ISA_NAME "avx512"
#define CENTROIDS_VECTOR_BYTES 64
#define CENTROIDS_ROW_VECTORS 4
#define CENTROIDS_MAX_GROUP 6
#include "kernels/kernels.inl"

namespace centroids {
extern const Kernels<float> avx512_f32;
extern const Kernels<double> avx512_f64;
const Kernels<float> avx512_f32 = make_kernels<float>();
const Kernels<double> avx512_f64 = make_kernels<double>();
}  // namespace centroids
