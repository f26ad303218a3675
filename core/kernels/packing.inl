// Blocks of rows, transposed so that a column of them is one run of memory; included by
// kernels.inl, which explains the rules.

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
