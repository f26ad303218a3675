// The kernels for aarch64 NEON.
#define CENTROIDS_ISA_NAME "neon"
#define CENTROIDS_VECTOR_BYTES 16
#define CENTROIDS_ROW_VECTORS 4
#define CENTROIDS_MAX_GROUP 6
#include "kernels/kernels.inl"

namespace centroids {
extern const Kernels<float> neon_f32;
extern const Kernels<double> neon_f64;
const Kernels<float> neon_f32 = make_kernels<float>();
const Kernels<double> neon_f64 = make_kernels<double>();
}  // namespace centroids
