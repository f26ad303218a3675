// The body of every native kernel, compiled once per instruction set (avx512.cpp, avx2.cpp, ...).
//
// The including file defines
//   CENTROIDS_ISA_NAME      the name in the dispatch table
//   CENTROIDS_VECTOR_BYTES  register width
//   CENTROIDS_ROW_VECTORS   row vectors a wide tile holds (tile: ROW_VECTORS x group_size)
//   CENTROIDS_MAX_GROUP     centers a tile holds at most
// Everything here has internal linkage and uses no std:: function: a template instantiated in two
// translation units with different -m flags would be merged by the linker, and the wrong one kept.

#include <cstddef>
#include <cstdint>

#if defined(__FMA__) || defined(__AVX512F__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#include "kernels/kernels.hpp"

namespace centroids {
namespace {

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float Value __attribute__((vector_size(CENTROIDS_VECTOR_BYTES)));
  typedef float Unaligned __attribute__((vector_size(CENTROIDS_VECTOR_BYTES), aligned(4)));
  typedef int32_t Index __attribute__((vector_size(CENTROIDS_VECTOR_BYTES)));
  typedef float Four __attribute__((vector_size(16)));
  typedef float FourUnaligned __attribute__((vector_size(16), aligned(4)));
};
template <>
struct VectorOf<double> {
  typedef double Value __attribute__((vector_size(CENTROIDS_VECTOR_BYTES)));
  typedef double Unaligned __attribute__((vector_size(CENTROIDS_VECTOR_BYTES), aligned(8)));
  typedef int64_t Index __attribute__((vector_size(CENTROIDS_VECTOR_BYTES)));
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

// ---------------------------------------------------------------- numbers known at compile time

template <int N>
struct Constant {
  static constexpr int value = N;
};

// Calls f(Constant<n_cols>) for narrow rows, whose loops then have no tails, and f(Constant<0>) for
// wider ones.
template <int COLS = 1, class F>
CENTROIDS_INLINE void with_narrow_columns(int64_t n_cols, F f) {
  if constexpr (COLS <= 16) {
    if (n_cols == COLS)
      f(Constant<COLS>{});
    else
      with_narrow_columns<COLS + 1>(n_cols, f);
  } else {
    f(Constant<0>{});
  }
}

// ---------------------------------------------------------------- packing rows

// Four rows by two columns of float64: pairs are joined as they are loaded, which spares the slow
// moves between the halves of a register.
template <bool NEGATE>
CENTROIDS_INLINE void transpose_two(const double* r0, const double* r1, const double* r2,
                                    const double* r3, const double* shift, double* out) {
  typedef double Two __attribute__((vector_size(16)));
  typedef double TwoUnaligned __attribute__((vector_size(16), aligned(8)));
  using Four = typename VectorOf<double>::Four;
  using FourUnaligned = typename VectorOf<double>::FourUnaligned;
  const auto load2 = [](const double* p) -> Two {
    return *reinterpret_cast<const TwoUnaligned*>(p);
  };
  const auto join = [](Two a, Two b) -> Four { return __builtin_shufflevector(a, b, 0, 1, 2, 3); };
  Four s = {};
  if constexpr (!NEGATE) s = join(load2(shift), load2(shift));
  const Four ac = s - join(load2(r0), load2(r2)), bd = s - join(load2(r1), load2(r3));
  *reinterpret_cast<FourUnaligned*>(out) = __builtin_shufflevector(ac, bd, 0, 4, 2, 6);
  *reinterpret_cast<FourUnaligned*>(out + kBlockRows) = __builtin_shufflevector(ac, bd, 1, 5, 3, 7);
}

// Four rows by four columns of float32.
template <bool NEGATE>
CENTROIDS_INLINE void transpose_four(const float* r0, const float* r1, const float* r2,
                                     const float* r3, const float* shift, float* out) {
  using Four = typename VectorOf<float>::Four;
  using FourUnaligned = typename VectorOf<float>::FourUnaligned;
  const auto load4 = [](const float* p) -> Four {
    return *reinterpret_cast<const FourUnaligned*>(p);
  };
  Four s = {};
  if constexpr (!NEGATE) s = load4(shift);
  const Four a = s - load4(r0), b = s - load4(r1), c = s - load4(r2), d = s - load4(r3);
  const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Four cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const auto store4 = [](float* p, Four v) { *reinterpret_cast<FourUnaligned*>(p) = v; };
  store4(out, __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5));
  store4(out + kBlockRows, __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7));
  store4(out + 2 * kBlockRows, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
  store4(out + 3 * kBlockRows, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
}

// Four rows by as many columns as one step takes, transposed in registers: out[column][row] =
// shift - x (-x without shift).
template <class T>
constexpr int kColumnStep = sizeof(T) == 8 ? 2 : 4;

template <bool NEGATE, class T>
CENTROIDS_INLINE void transpose_step(const T* r0, const T* r1, const T* r2, const T* r3, int64_t t,
                                     const T* shift, T* out) {
  const T* s = NEGATE ? nullptr : shift + t;
  if constexpr (sizeof(T) == 8)
    transpose_two<NEGATE>(r0 + t, r1 + t, r2 + t, r3 + t, s, out + t * kBlockRows);
  else
    transpose_four<NEGATE>(r0 + t, r1 + t, r2 + t, r3 + t, s, out + t * kBlockRows);
}

// Rows of COLS columns; the last columns of an odd number are packed twice.
template <bool NEGATE, int COLS, class T, class Row>
CENTROIDS_INLINE void pack_narrow(Row row, int n_rows, const T* shift, T* out) {
  constexpr int STEP = kColumnStep<T>;
  const auto shifted = [&](const T* r, int t) { return NEGATE ? -r[t] : shift[t] - r[t]; };
  int i = 0;
  for (; i + 4 <= n_rows; i += 4) {
    const T *r0 = row(i), *r1 = row(i + 1), *r2 = row(i + 2), *r3 = row(i + 3);
#pragma GCC unroll 8
    for (int t = 0; t + STEP <= COLS; t += STEP)
      transpose_step<NEGATE>(r0, r1, r2, r3, t, shift, out + i);
    if constexpr (COLS > STEP && COLS % STEP != 0) {
      transpose_step<NEGATE>(r0, r1, r2, r3, COLS - STEP, shift, out + i);
    } else if constexpr (COLS < STEP) {
#pragma GCC unroll 3
      for (int t = 0; t < COLS; ++t) {
        const typename VectorOf<T>::Four lanes = {shifted(r0, t), shifted(r1, t), shifted(r2, t),
                                                  shifted(r3, t)};
        *reinterpret_cast<typename VectorOf<T>::FourUnaligned*>(out + t * kBlockRows + i) = lanes;
      }
    }
  }
  for (; i < n_rows; ++i)
    for (int t = 0; t < COLS; ++t) out[t * kBlockRows + i] = shifted(row(i), t);
}

// Rows of many columns, a square of one cache line of elements by as many rows at a time: each
// packed line is filled at once and never visited again.
template <bool NEGATE, class T>
void pack_wide(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* shift,
               T* out) {
  constexpr int kSquare = 64 / int(sizeof(T));
  const T* row[kBlockRows];
  for (int i = 0; i < n_rows; ++i) row[i] = x + int64_t(rows ? rows[i] : i) * n_cols;
  for (int i = 0; i < n_rows; i += kSquare) {
    const int square_rows = n_rows - i < kSquare ? n_rows - i : kSquare;
    for (int64_t first = 0; first < n_cols; first += kSquare) {
      // The same lines of the next block, which follows unless the rows are listed.
      if (!rows)
        for (int r = 0; r < square_rows; ++r)
          __builtin_prefetch(row[i + r] + kBlockRows * n_cols + first, 0, 2);
      const auto pack = [&](auto columns) {
        pack_narrow<NEGATE, decltype(columns)::value>([&](int r) { return row[i + r] + first; },
                                                      square_rows, NEGATE ? nullptr : shift + first,
                                                      out + first * kBlockRows + i);
      };
      if (first + kSquare <= n_cols)
        pack(Constant<kSquare>{});
      else
        with_narrow_columns(n_cols - first, pack);
    }
  }
}

template <bool NEGATE, class T>
void pack_rows(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* shift,
               T* out) {
  with_narrow_columns(n_cols, [&](auto columns) {
    constexpr int COLS = decltype(columns)::value;
    if constexpr (COLS == 0)
      pack_wide<NEGATE>(x, n_cols, rows, n_rows, shift, out);
    else if (rows)
      pack_narrow<NEGATE, COLS>([&](int i) { return x + int64_t(rows[i]) * COLS; }, n_rows, shift,
                                out);
    else
      pack_narrow<NEGATE, COLS>([&](int i) { return x + i * COLS; }, n_rows, shift, out);
  });
  if (n_rows < kBlockRows)
    for (int64_t t = 0; t < n_cols; ++t)
      for (int lane = n_rows; lane < kBlockRows; ++lane) out[t * kBlockRows + lane] = T(0);
}

template <class T>
void pack_block(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* shift,
                T* out) {
  pack_rows<false>(x, n_cols, rows, n_rows, shift, out);
}

template <class T>
void block_norms(const T* packed_rows, int64_t n_cols, T* out) {
  for (int lane = 0; lane < kBlockRows; lane += kLanes<T>) {
    Vec<T> sum = splat(T(0));
    for (int64_t t = 0; t < n_cols; ++t) {
      const Vec<T> x = load(packed_rows + t * kBlockRows + lane);
      sum = fma(x, x, sum);
    }
    store(out + lane, sum);
  }
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

template <class T>
void bound_distances(const T* norms, const T* score, const T* second_score, double relative_error,
                     double max_norm, float* upper, float* lower) {
  typedef float Floats __attribute__((vector_size(kLanes<T> * 4)));
  typedef float FloatsUnaligned __attribute__((vector_size(kLanes<T> * 4), aligned(4)));
  // Twice the error of a score, and whatever the few roundings below take.
  const Vec<T> doubt = splat(T(relative_error * (2 + 0x1p-18)));
  const Vec<T> m = splat(T(max_norm * (1 + 0x1p-20))), zero = {};
  for (int i = 0; i < kBlockRows; i += kLanes<T>) {
    const Vec<T> norm = load(norms + i), reach = root(norm) + m, slack = doubt * reach * reach;
    const Vec<T> near = norm + load(score + i) * T(2);
    const Vec<T> far = norm + load(second_score + i) * T(2) - slack;
    // "Greater" is false for whatever is not a number.
    const Floats above = __builtin_convertvector(root((near > zero ? near : zero) + slack), Floats);
    const Floats below = __builtin_convertvector(root(far > zero ? far : zero), Floats);
    *reinterpret_cast<FloatsUnaligned*>(upper + i) = above * kUp;
    *reinterpret_cast<FloatsUnaligned*>(lower + i) = below * kDown;
  }
}

// ---------------------------------------------------------------- assignment

// The register tile: scores of ROWS row vectors against GROUP centers, summed over the features in
// ascending order, one chain of fused multiply-adds for each (row, center), whatever the tile.
template <class T, int ROWS, int GROUP>
struct Tile {
  Vec<T> score[GROUP][ROWS];

  CENTROIDS_INLINE void compute(const T* rows, int64_t n_cols, const T* group,
                                const T* half_norms) {
#pragma GCC unroll 16
    for (int j = 0; j < GROUP; ++j)
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; ++r) score[j][r] = splat(half_norms[j]);
    for (int64_t t = 0; t < n_cols; ++t, rows += kBlockRows, group += GROUP) {
      Vec<T> x[ROWS];
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; ++r) x[r] = load(rows + r * kLanes<T>);
#pragma GCC unroll 16
      for (int j = 0; j < GROUP; ++j) {
        const Vec<T> c = splat(group[j]);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; ++r) score[j][r] = fma(x[r], c, score[j][r]);
      }
    }
  }
};

// Running nearest (and second nearest) of ROWS row vectors.
template <class T, int ROWS, Search SEARCH>
struct Running {
  Vec<T> score[ROWS], second_score[ROWS];
  IndexVec<T> label[ROWS], second_label[ROWS];

  CENTROIDS_INLINE void clear() {
    const T infinity = T(__builtin_inff());
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; ++r) {
      score[r] = second_score[r] = splat(infinity);
      label[r] = second_label[r] = IndexVec<T>{};
    }
  }

  // Centers arrive in ascending order, so "strictly smaller" lets the lowest index win ties.
  CENTROIDS_INLINE void update(int r, Vec<T> candidate, int32_t j) {
    const IndexVec<T> index = IndexVec<T>{} + j;
    const auto nearer = candidate < score[r];
    if constexpr (SEARCH == Search::with_second_score) {
      const Vec<T> loser = nearer ? score[r] : candidate;
      second_score[r] = loser < second_score[r] ? loser : second_score[r];
    } else if constexpr (SEARCH == Search::with_second) {
      const Vec<T> loser = nearer ? score[r] : candidate;
      const IndexVec<T> loser_label = nearer ? label[r] : index;
      // A displaced best is second even among equals: it has the lower index.
      const auto second = nearer | (loser < second_score[r]);
      second_score[r] = second ? loser : second_score[r];
      second_label[r] = second ? loser_label : second_label[r];
    }
    score[r] = nearer ? candidate : score[r];
    label[r] = nearer ? index : label[r];
  }
};

template <class T, int ROWS, int GROUP, Search SEARCH>
void assign_group_size(const T* packed_rows, int64_t n_cols, int n_rows,
                       const PackedCenters<T>& centers, BlockNearest<T>& out) {
  for (int lane = 0; lane < n_rows; lane += ROWS * kLanes<T>) {
    Running<T, ROWS, SEARCH> best;
    best.clear();
    const T* group = centers.packed;
    for (int32_t j = 0; j < centers.n_centers; j += GROUP, group += n_cols * GROUP) {
      Tile<T, ROWS, GROUP> tile;
      tile.compute(packed_rows + lane, n_cols, group, centers.half_norms + j);
#pragma GCC unroll 16
      for (int c = 0; c < GROUP; ++c)
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; ++r) best.update(r, tile.score[c][r], j + c);
    }
    for (int r = 0; r < ROWS; ++r) {
      const int first = lane + r * kLanes<T>;
      store(out.score + first, best.score[r]);
      if constexpr (SEARCH != Search::nearest)
        store(out.second_score + first, best.second_score[r]);
      for (int l = 0; l < kLanes<T>; ++l) out.label[first + l] = int32_t(best.label[r][l]);
      if constexpr (SEARCH == Search::with_second)
        for (int l = 0; l < kLanes<T>; ++l)
          out.second_label[first + l] = int32_t(best.second_label[r][l]);
    }
  }
}

// Few centers: more row vectors a tile, so that enough independent chains hide the latency.
template <class T, int GROUP>
constexpr int kTileRows =
    2 * GROUP <= CENTROIDS_MAX_GROUP && 2 * CENTROIDS_ROW_VECTORS * kLanes<T> <= kBlockRows
        ? 2 * CENTROIDS_ROW_VECTORS
        : CENTROIDS_ROW_VECTORS;

template <class T, int GROUP>
void assign_any_search(const T* rows, int64_t n_cols, int n, const PackedCenters<T>& centers,
                       Search search, BlockNearest<T>& out) {
  constexpr int R = kTileRows<T, GROUP>;
  switch (search) {
    case Search::nearest:
      return assign_group_size<T, R, GROUP, Search::nearest>(rows, n_cols, n, centers, out);
    case Search::with_second_score:
      // The passes that skip rows ask with what is left: do not fill the tile with nothing.
      if (n <= kLanes<T>)
        return assign_group_size<T, 1, GROUP, Search::with_second_score>(rows, n_cols, n, centers,
                                                                         out);
      return assign_group_size<T, R, GROUP, Search::with_second_score>(rows, n_cols, n, centers,
                                                                       out);
    case Search::with_second:
      return assign_group_size<T, R, GROUP, Search::with_second>(rows, n_cols, n, centers, out);
  }
}

// Calls f(Constant<GROUP>) for the run-time group size.
template <int GROUP = 1, class F>
CENTROIDS_INLINE void with_group_size(int32_t group_size, F f) {
  if constexpr (GROUP <= CENTROIDS_MAX_GROUP) {
    if (group_size == GROUP)
      f(Constant<GROUP>{});
    else
      with_group_size<GROUP + 1>(group_size, f);
  }
}

template <class T>
void assign_block(const T* packed_rows, int64_t n_cols, int n_rows, const PackedCenters<T>& centers,
                  Search search, BlockNearest<T>& out) {
  with_group_size(centers.group_size, [&](auto group) {
    assign_any_search<T, decltype(group)::value>(packed_rows, n_cols, n_rows, centers, search, out);
  });
}

template <class T>
void score_block(const T* packed_rows, int64_t n_cols, const PackedCenters<T>& centers, T* scores,
                 int64_t stride) {
  with_group_size(centers.group_size, [&](auto group_constant) {
    constexpr int GROUP = decltype(group_constant)::value;
    constexpr int R = kTileRows<T, GROUP>;
    for (int lane = 0; lane < kBlockRows; lane += R * kLanes<T>) {
      const T* group = centers.packed;
      for (int32_t j = 0; j < centers.n_centers; j += GROUP, group += n_cols * GROUP) {
        Tile<T, R, GROUP> tile;
        tile.compute(packed_rows + lane, n_cols, group, centers.half_norms + j);
        for (int c = 0; c < GROUP && j + c < centers.n_centers; ++c)
          for (int r = 0; r < R; ++r)
            for (int l = 0; l < kLanes<T>; ++l)
              scores[(lane + r * kLanes<T> + l) * stride + j + c] = tile.score[c][r][l];
      }
    }
  });
}

// ---------------------------------------------------------------- sums

template <class T, bool WEIGHTED, bool SHIFTED>
CENTROIDS_INLINE void add_row(const T* x, int64_t n_cols, double w, const double* origin,
                              double* sum) {
  for (int64_t t = 0; t < n_cols; ++t) {
    double value = double(x[t]);
    if constexpr (SHIFTED) value -= origin[t];
    if constexpr (WEIGHTED) value *= w;
    sum[t] += value;
  }
}

template <class T, bool WEIGHTED, bool SHIFTED, int COLS>
void add_rows_fixed(const T* x, int64_t n_cols, int n_rows, const int32_t* labels, const double* w,
                    const double* origin, double* sums) {
  const int64_t cols = COLS > 0 ? COLS : n_cols;  // a constant for narrow rows: no loop tails
  for (int i = 0; i < n_rows; ++i)
    add_row<T, WEIGHTED, SHIFTED>(x + i * cols, cols, WEIGHTED ? w[i] : 1.0, origin,
                                  sums + int64_t(labels[i]) * cols);
}

template <class T>
void add_rows(const T* x, int64_t n_cols, int n_rows, const int32_t* labels, const double* w,
              const double* origin, double* sums) {
  with_narrow_columns(n_cols, [&](auto columns) {
    constexpr int C = decltype(columns)::value;
    if (w && origin)
      add_rows_fixed<T, true, true, C>(x, n_cols, n_rows, labels, w, origin, sums);
    else if (w)
      add_rows_fixed<T, true, false, C>(x, n_cols, n_rows, labels, w, origin, sums);
    else if (origin)
      add_rows_fixed<T, false, true, C>(x, n_cols, n_rows, labels, w, origin, sums);
    else
      add_rows_fixed<T, false, false, C>(x, n_cols, n_rows, labels, w, origin, sums);
  });
}

template <class T>
void add_row_compensated(const T* x, int64_t n_cols, double factor, const double* origin,
                         double* sum, double* error) {
  with_narrow_columns(n_cols, [&](auto columns) {
    constexpr int C = decltype(columns)::value;
    const int64_t cols = C > 0 ? C : n_cols;
    for (int64_t t = 0; t < cols; ++t) {
      const double value = factor * (origin ? double(x[t]) - origin[t] : double(x[t]));
      const double total = sum[t] + value;
      const double part = total - sum[t];
      error[t] += (sum[t] - (total - part)) + (value - part);
      sum[t] = total;
    }
  });
}

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

// Feature t goes to partial sum t % 8 and the eight are added as a fixed tree, so the order of
// summation, and with it every bit, is the same for 128-, 256- and 512-bit registers.
template <class T>
CENTROIDS_INLINE double squared_distance(const T* x, const double* c, int64_t n_cols) {
  Eight sum = {};
  int64_t t = 0;
  for (; t + 8 <= n_cols; t += 8) {
    const Eight difference = load_eight(x + t) - load_eight(c + t);
    sum = sum + difference * difference;
  }
  double part[8];
  store_eight(part, sum);
  for (int l = 0; t < n_cols; ++t, ++l) {
    const double difference = double(x[t]) - c[t];
    part[l] += difference * difference;
  }
  return tree_sum(part);
}

template <class T>
void squared_distances(const T* x, int64_t n_cols, const int32_t* rows, int n_rows,
                       const double* centers, const int32_t* labels, double* out) {
  with_narrow_columns(n_cols, [&](auto columns) {
    constexpr int C = decltype(columns)::value;
    const int64_t cols = C > 0 ? C : n_cols;
    constexpr int kAhead = 8;  // listed rows are not what the processor expects
    for (int i = 0; i < n_rows; ++i) {
      if (rows && i + kAhead < n_rows)
        for (int64_t t = 0; t < cols; t += kLine<T>)
          __builtin_prefetch(x + int64_t(rows[i + kAhead]) * cols + t);
      out[i] = squared_distance(x + int64_t(rows ? rows[i] : i) * cols,
                                centers + int64_t(labels[i]) * cols, cols);
    }
  });
}

// ---------------------------------------------------------------- distances without cancellation

// Narrow rows: rows in the lanes, as in the assignment tile; features in ascending order.
template <class T, int POINTS>
CENTROIDS_INLINE void narrow_distances(const T* packed_rows, int64_t n_cols, const T* points,
                                       T* out) {
  constexpr int R = kBlockRows / kLanes<T> < CENTROIDS_ROW_VECTORS ? kBlockRows / kLanes<T>
                                                                   : CENTROIDS_ROW_VECTORS;
  for (int lane = 0; lane < kBlockRows; lane += R * kLanes<T>) {
    Vec<T> sum[POINTS][R] = {};
    for (int64_t t = 0; t < n_cols; ++t) {
      Vec<T> x[R];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) x[r] = load(packed_rows + t * kBlockRows + lane + r * kLanes<T>);
#pragma GCC unroll 8
      for (int p = 0; p < POINTS; ++p) {
        const Vec<T> point = splat(points[p * n_cols + t]);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
          const Vec<T> difference = point + x[r];  // rows are packed as -x
          sum[p][r] = fma(difference, difference, sum[p][r]);
        }
      }
    }
    for (int p = 0; p < POINTS; ++p)
      for (int r = 0; r < R; ++r) store(out + p * kBlockRows + lane + r * kLanes<T>, sum[p][r]);
  }
}

// Adds the halves until one value is left.
template <class T>
CENTROIDS_INLINE T line_sum(const Vec<T>* v) {
  alignas(64) T part[kLine<T>];
  for (int i = 0; i < kLine<T> / kLanes<T>; ++i) store(part + i * kLanes<T>, v[i]);
  typedef T Half __attribute__((vector_size(32), aligned(sizeof(T))));
  typedef T Quarter __attribute__((vector_size(16), aligned(sizeof(T))));
  *reinterpret_cast<Half*>(part) += *reinterpret_cast<Half*>(part + kLine<T> / 2);
  *reinterpret_cast<Quarter*>(part) += *reinterpret_cast<Quarter*>(part + kLine<T> / 4);
  if constexpr (sizeof(T) == 4) return (part[0] + part[2]) + (part[1] + part[3]);
  return part[0] + part[1];
}

// Wide rows: features in the lanes, POINTS points against one row at a time.
template <class T, int POINTS>
CENTROIDS_INLINE void wide_distances(const T* row, int64_t n_cols, const T* points, T* out) {
  constexpr int V = kLine<T> / kLanes<T>;
  using Unaligned = typename VectorOf<T>::Unaligned;
  Vec<T> sum[POINTS][V] = {};
  int64_t t = 0;
  for (; t + kLine<T> <= n_cols; t += kLine<T>)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const Vec<T> x = *reinterpret_cast<const Unaligned*>(row + t + v * kLanes<T>);
#pragma GCC unroll 4
      for (int p = 0; p < POINTS; ++p) {
        const Vec<T> difference =
            *reinterpret_cast<const Unaligned*>(points + p * n_cols + t + v * kLanes<T>) - x;
        sum[p][v] = fma(difference, difference, sum[p][v]);
      }
    }
  for (int p = 0; p < POINTS; ++p) {
    T total = line_sum<T>(sum[p]);
    for (int64_t s = t; s < n_cols; ++s) {
      const T difference = points[p * n_cols + s] - row[s];
      total += difference * difference;
    }
    out[p * kBlockRows] = total;
  }
}

// Calls f(first point, Constant<how many>) for groups of at most MOST points.
template <int MOST, class F>
CENTROIDS_INLINE void for_point_groups(int n_points, F f) {
  int p = 0;
  for (; p + MOST <= n_points; p += MOST) f(p, Constant<MOST>{});
  if constexpr (MOST > 1)
    if (p < n_points) for_point_groups<MOST - 1>(n_points - p, [&](int q, auto n) { f(p + q, n); });
}

template <class T>
void point_distances(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* points,
                     int n_points, T* scratch, T* out) {
  if (n_cols < kNarrowLines * kLine<T>) {
    pack_rows<true>(x, n_cols, rows, n_rows, static_cast<const T*>(nullptr), scratch);
    return for_point_groups<CENTROIDS_MAX_GROUP>(n_points, [&](int p, auto group) {
      narrow_distances<T, decltype(group)::value>(scratch, n_cols, points + p * n_cols,
                                                  out + p * kBlockRows);
    });
  }
  for (int i = 0; i < n_rows; ++i) {
    const T* row = x + int64_t(rows ? rows[i] : i) * n_cols;
    for_point_groups<4>(n_points, [&](int p, auto group) {
      wide_distances<T, decltype(group)::value>(row, n_cols, points + p * n_cols,
                                                out + p * kBlockRows + i);
    });
  }
}

template <class T>
double weighted_sum(const T* values, const double* w, int64_t n) {
  Eight sum = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    sum = sum + (w ? load_eight(values + i) * load_eight(w + i) : load_eight(values + i));
  double total = tree_sum(sum);
  for (; i < n; ++i) total += w ? double(values[i]) * w[i] : double(values[i]);
  return total;
}

#include "kernels/seeding.inl"

// What the motion of a center is for each lane's label.
struct LaneMotion {
  Vec<float> own_shift, other_shift, neighbor;
};

template <class Four, int FOURS>
CENTROIDS_INLINE auto join_fours(const Four (&f)[FOURS]) {
  if constexpr (FOURS == 1) {
    return f[0];
  } else {
    const auto low = __builtin_shufflevector(f[0], f[1], 0, 1, 2, 3, 4, 5, 6, 7);
    if constexpr (FOURS == 2) {
      return low;
    } else {
      const auto high = __builtin_shufflevector(f[2], f[3], 0, 1, 2, 3, 4, 5, 6, 7);
      return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
                                     15);
    }
  }
}

CENTROIDS_INLINE LaneMotion lane_motion(const CenterMotion* centers, const int32_t* labels) {
  using Four = VectorOf<float>::Four;
  constexpr int kFours = kLanes<float> / 4;
  Four own[kFours], other[kFours], neighbor[kFours];
#pragma GCC unroll 4
  for (int f = 0; f < kFours; ++f) {
    const auto center = [&](int l) {
      return *reinterpret_cast<const Four*>(centers + labels[4 * f + l]);
    };
    const Four a = center(0), b = center(1), c = center(2), d = center(3);
    const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const Four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    own[f] = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    other[f] = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    neighbor[f] = __builtin_shufflevector(__builtin_shufflevector(a, b, 2, 6, 2, 6),
                                          __builtin_shufflevector(c, d, 2, 6, 2, 6), 0, 1, 4, 5);
  }
  return {join_fours(own), join_fours(other), join_fours(neighbor)};
}

// A vector of rows; in_doubt[lane] is -1 for rows that may have another nearest center, else 0.
CENTROIDS_INLINE void advance_lanes(const Motion& motion, const int32_t* labels, float* upper,
                                    float* lower, int32_t* in_doubt) {
  using Unaligned = VectorOf<float>::Unaligned;
  const auto moved = lane_motion(motion.centers, labels);
  const Vec<float> before = *reinterpret_cast<const Unaligned*>(lower);
  const Vec<float> u = (*reinterpret_cast<const Unaligned*>(upper) + moved.own_shift) * kUp;
  const Vec<float> l = before * kDown - moved.other_shift;
  // Any other center is at least neighbor - u away (triangle inequality).
  const Vec<float> by_neighbor = moved.neighbor * kDown - u;
  const Vec<float> gap = l > by_neighbor ? l : by_neighbor;
  const Vec<float> margin = gap * gap * kDown - u * u * kUp;
  const IndexVec<float> is_settled =
      (gap > Vec<float>{}) & (margin > (u * motion.doubt_slope + motion.doubt) * kUp);
  *reinterpret_cast<Unaligned*>(upper) = u;
  *reinterpret_cast<Unaligned*>(lower) = is_settled ? l : before;
  const IndexVec<float> doubt = ~is_settled;
  __builtin_memcpy(in_doubt, &doubt, sizeof doubt);
}

int advance_bounds(const Motion& motion, const int32_t* labels, int n, float* upper, float* lower,
                   int32_t* out) {
  constexpr int kStep = kLanes<float>;
  const Motion own_motion = motion;  // no store below can change it
  alignas(64) int32_t in_doubt[kStep];
  int count = 0;
  const auto list = [&](int first, int m) {
    uint64_t any = 0;
    for (int l = 0; l < kStep; l += 2) {
      uint64_t two;
      __builtin_memcpy(&two, in_doubt + l, 8);
      any |= two;
    }
    if (any == 0) return;  // late in a fit nearly all rows are settled
    for (int l = 0; l < m; ++l) {
      out[count] = first + l;
      count -= in_doubt[l];
    }
  };
  int i = 0;
  for (; i + kStep <= n; i += kStep) {
    advance_lanes(own_motion, labels + i, upper + i, lower + i, in_doubt);
    list(i, kStep);
  }
  if (i == n) return count;
  int32_t last_labels[kStep] = {};
  float last_upper[kStep] = {}, last_lower[kStep] = {};
  const int m = n - i;
  for (int l = 0; l < m; ++l) {
    last_labels[l] = labels[i + l];
    last_upper[l] = upper[i + l];
    last_lower[l] = lower[i + l];
  }
  advance_lanes(own_motion, last_labels, last_upper, last_lower, in_doubt);
  for (int l = 0; l < m; ++l) {
    upper[i + l] = last_upper[l];
    lower[i + l] = last_lower[l];
  }
  list(i, m);
  return count;
}

// In row order, a few rows for each time that the sums are loaded.
template <class T, bool WEIGHTED, int COLS, int ROWS>
CENTROIDS_INLINE void add_moments_of(const T* x, int64_t n_cols, const double* w,
                                     const double* __restrict reference, double* __restrict sum,
                                     double* __restrict square_sum) {
  const int64_t cols = COLS > 0 ? COLS : n_cols;
  for (int64_t t = 0; t < cols; ++t) {
    double s = sum[t], squares = square_sum[t];
#pragma GCC unroll 4
    for (int i = 0; i < ROWS; ++i) {
      const double v = double(x[i * cols + t]) - reference[t];
      const double wv = WEIGHTED ? w[i] * v : v;
      s += wv;
      squares += wv * v;
    }
    sum[t] = s;
    square_sum[t] = squares;
  }
}

template <class T, bool WEIGHTED, int COLS>
void add_moments_fixed(const T* x, int64_t n_cols, int n_rows, const double* w,
                       const double* reference, double* sum, double* square_sum) {
  constexpr int kRows = 4;
  int i = 0;
  const auto from = [&](const double* weights) { return WEIGHTED ? weights + i : nullptr; };
  for (; i + kRows <= n_rows; i += kRows)
    add_moments_of<T, WEIGHTED, COLS, kRows>(x + i * n_cols, n_cols, from(w), reference, sum,
                                             square_sum);
  for (; i < n_rows; ++i)
    add_moments_of<T, WEIGHTED, COLS, 1>(x + i * n_cols, n_cols, from(w), reference, sum,
                                         square_sum);
}

template <class T>
void add_moments(const T* x, int64_t n_cols, int n_rows, const double* w, const double* reference,
                 double* sum, double* square_sum) {
  with_narrow_columns(n_cols, [&](auto columns) {
    constexpr int C = decltype(columns)::value;
    if (w)
      add_moments_fixed<T, true, C>(x, n_cols, n_rows, w, reference, sum, square_sum);
    else
      add_moments_fixed<T, false, C>(x, n_cols, n_rows, w, reference, sum, square_sum);
  });
}

#include "kernels/sparse.inl"

template <class T>
constexpr Kernels<T> make_kernels() {
  return {CENTROIDS_ISA_NAME,
          CENTROIDS_MAX_GROUP,
          pack_block<T>,
          block_norms<T>,
          bound_distances<T>,
          assign_block<T>,
          score_block<T>,
          add_rows<T>,
          add_row_compensated<T>,
          point_distances<T>,
          lower<T>,
          add_gains<T>,
          weighted_sum<T>,
          select_above<T>,
          advance_bounds,
          add_moments<T>,
          squared_distances<T>,
          sparse_scores<T>,
          {},
          nullptr};
}

}  // namespace
}  // namespace centroids
