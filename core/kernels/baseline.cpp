// The kernels for whatever the compiler's baseline is (SSE2 on x86-64): no fused multiply-add
// assumed.
#define CENTROIDS_ISA_NAME "baseline"
#define CENTROIDS_VECTOR_BYTES 16
#define CENTROIDS_ROW_VECTORS 4
#define CENTROIDS_MAX_GROUP 3
#include "kernels/kernels.inl"

namespace centroids {
extern const Kernels<float> baseline_f32;
extern const Kernels<double> baseline_f64;
const Kernels<float> baseline_f32 = make_kernels<float>();
const Kernels<double> baseline_f64 = make_kernels<double>();
}  // namespace centroids
