// Vectors of the registers and what one instruction does with them, and loops over a number of
// columns that the compiler knows; included by kernels.inl, which explains the rules.

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float Value __attribute__((vector_size(CENTROIDS_VECTOR_BYTES)));
  typedef float Unaligned __attribute__((vector_size(CENTROIDS_VECTOR_BYTES), aligned(4)));
  typedef int32_t Index __attribute__((vector_size(CENTROIDS_VECTOR_BYTES)));
  typedef int32_t Labels __attribute__((vector_size(CENTROIDS_VECTOR_BYTES)));
  typedef float Four __attribute__((vector_size(16)));
  typedef float FourUnaligned __attribute__((vector_size(16), aligned(4)));
};
template <>
struct VectorOf<double> {
  typedef double Value __attribute__((vector_size(CENTROIDS_VECTOR_BYTES)));
  typedef double Unaligned __attribute__((vector_size(CENTROIDS_VECTOR_BYTES), aligned(8)));
  // Whole numbers, as lanes of 64 bits are counted and narrowed in one instruction as float64 only.
  typedef double Index __attribute__((vector_size(CENTROIDS_VECTOR_BYTES)));
  typedef int32_t Labels __attribute__((vector_size(CENTROIDS_VECTOR_BYTES / 2)));
  typedef double Four __attribute__((vector_size(32)));
  typedef double FourUnaligned __attribute__((vector_size(32), aligned(8)));
};

template <class T>
using Vec = typename VectorOf<T>::Value;
template <class T>
using IndexVec = typename VectorOf<T>::Index;

template <class T>
constexpr int kLanes = CENTROIDS_VECTOR_BYTES / int(sizeof(T));

// One cache line of features, whatever the registers: the order of summation is part of the result.
template <class T>
constexpr int kLine = 64 / int(sizeof(T));

#define CENTROIDS_INLINE inline __attribute__((always_inline))

template <class T>
CENTROIDS_INLINE Vec<T> splat(T value) {
  // Adding zero would be an addition (it turns -0.0 into 0.0); subtracting it costs nothing.
  return value - Vec<T>{};
}

template <class T>
CENTROIDS_INLINE Vec<T> load(const T* p) {
  return *reinterpret_cast<const Vec<T>*>(p);
}

template <class T>
CENTROIDS_INLINE void store(T* p, Vec<T> v) {
  *reinterpret_cast<Vec<T>*>(p) = v;
}

// a * b + c in one rounding where the instruction set can; the baseline rounds twice.
CENTROIDS_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
#if defined(__AVX512F__)
  return (Vec<float>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
  return (Vec<float>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__ARM_NEON) && defined(__aarch64__)
  return (Vec<float>)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

CENTROIDS_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
#if defined(__AVX512F__)
  return (Vec<double>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__)
  return (Vec<double>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined(__ARM_NEON) && defined(__aarch64__)
  return (Vec<double>)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
  return a * b + c;
#endif
}

CENTROIDS_INLINE Vec<float> root(Vec<float> v) {
#if defined(__AVX512F__)
  // All lanes of the zeroing form: the plain one makes the compiler warn of its own header.
  return (Vec<float>)_mm512_maskz_sqrt_ps(__mmask16(-1), (__m512)v);
#elif defined(__FMA__)
  return (Vec<float>)_mm256_sqrt_ps((__m256)v);
#elif defined(__ARM_NEON) && defined(__aarch64__)
  return (Vec<float>)vsqrtq_f32((float32x4_t)v);
#else
  for (int l = 0; l < kLanes<float>; ++l) v[l] = __builtin_sqrtf(v[l]);
  return v;
#endif
}

CENTROIDS_INLINE Vec<double> root(Vec<double> v) {
#if defined(__AVX512F__)
  return (Vec<double>)_mm512_maskz_sqrt_pd(__mmask8(-1), (__m512d)v);
#elif defined(__FMA__)
  return (Vec<double>)_mm256_sqrt_pd((__m256d)v);
#elif defined(__ARM_NEON) && defined(__aarch64__)
  return (Vec<double>)vsqrtq_f64((float64x2_t)v);
#else
  for (int l = 0; l < kLanes<double>; ++l) v[l] = __builtin_sqrt(v[l]);
  return v;
#endif
}

template <int N>
struct Constant {
  static constexpr int value = N;
};

// Calls f(Constant<n_cols>) for narrow rows, whose loops then have no tails, and f(Constant<0>) for
// wider ones.
template <int COLS = 1, class F>
CENTROIDS_INLINE void with_narrow_columns(int64_t n_cols, F f) {
  if constexpr (COLS <= kKnownColumns) {
    if (n_cols == COLS)
      f(Constant<COLS>{});
    else
      with_narrow_columns<COLS + 1>(n_cols, f);
  } else {
    f(Constant<0>{});
  }
}
