// Eight float64 at a time; included by kernels.inl, which explains the rules.

// Eight doubles in as many registers as they take: one vector type of 64 bytes is kept in memory
// where registers are narrower, and every sum then waits for its store.
struct Eight {
  static constexpr int kParts = 8 / kLanes<double>;
  Vec<double> part[kParts];
};

template <class Op>
CENTROIDS_INLINE Eight each_part(Op op) {
  Eight out;
#pragma GCC unroll 4
  for (int r = 0; r < Eight::kParts; ++r) out.part[r] = op(r);
  return out;
}

CENTROIDS_INLINE Eight operator+(const Eight& a, const Eight& b) {
  return each_part([&](int r) { return a.part[r] + b.part[r]; });
}
CENTROIDS_INLINE Eight operator-(const Eight& a, const Eight& b) {
  return each_part([&](int r) { return a.part[r] - b.part[r]; });
}
CENTROIDS_INLINE Eight operator*(const Eight& a, const Eight& b) {
  return each_part([&](int r) { return a.part[r] * b.part[r]; });
}
CENTROIDS_INLINE Eight positive(const Eight& a) {
  return each_part([&](int r) { return a.part[r] > Vec<double>{} ? a.part[r] : Vec<double>{}; });
}

CENTROIDS_INLINE Eight load_eight(const double* p) {
  using Unaligned = typename VectorOf<double>::Unaligned;
  return each_part([&](int r) -> Vec<double> {
    return *reinterpret_cast<const Unaligned*>(p + r * kLanes<double>);
  });
}
CENTROIDS_INLINE Eight load_eight(const float* p) {
  return each_part([&](int r) -> Vec<double> {
    const float* some = p + r * kLanes<double>;
    // What GCC 12 makes of __builtin_convertvector takes three instructions where one will do.
#if defined(__AVX512F__)
    return (Vec<double>)_mm512_maskz_cvtps_pd(__mmask8(-1), _mm256_loadu_ps(some));
#elif defined(__AVX2__)
    return (Vec<double>)_mm256_cvtps_pd(_mm_loadu_ps(some));
#else
    typedef float Half __attribute__((vector_size(CENTROIDS_VECTOR_BYTES / 2), aligned(4)));
    return __builtin_convertvector(*reinterpret_cast<const Half*>(some), Vec<double>);
#endif
  });
}

CENTROIDS_INLINE void store_eight(double* p, const Eight& a) {
  using Unaligned = typename VectorOf<double>::Unaligned;
#pragma GCC unroll 4
  for (int r = 0; r < Eight::kParts; ++r)
    *reinterpret_cast<Unaligned*>(p + r * kLanes<double>) = a.part[r];
}

CENTROIDS_INLINE double tree_sum(const double* part) {
  return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}
CENTROIDS_INLINE double tree_sum(const Eight& sum) {
  double part[8];
  store_eight(part, sum);
  return tree_sum(part);
}
