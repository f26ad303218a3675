// Blocks of rows, transposed so that a column of them is one run of memory; included by
// kernels.inl, which explains the rules.

// Rows and columns of one step, transposed in registers. Values are joined to 256 bits as they are
// loaded, which spares the slow moves between the halves of a register.
template <class T>
constexpr int kColumnStep = sizeof(T) == 8 ? 2 : 4;
template <class T>
constexpr int kRowStep = sizeof(T) == 8 || CENTROIDS_VECTOR_BYTES < 32 ? 4 : 8;
typedef float FloatStep __attribute__((vector_size(CENTROIDS_VECTOR_BYTES < 32 ? 16 : 32)));
typedef float FloatStepUnaligned
    __attribute__((vector_size(CENTROIDS_VECTOR_BYTES < 32 ? 16 : 32), aligned(4)));

// Four rows by two columns of float64.
template <bool NEGATE, int COLS>
CENTROIDS_INLINE void transpose(const double* const* row, int64_t t, const double* shift,
                                double* out) {
  static_assert(COLS == 2);
  typedef double Two __attribute__((vector_size(16)));
  typedef double TwoUnaligned __attribute__((vector_size(16), aligned(8)));
  using Four = typename VectorOf<double>::Four;
  using FourUnaligned = typename VectorOf<double>::FourUnaligned;
  const auto load2 = [](const double* p) -> Two {
    return *reinterpret_cast<const TwoUnaligned*>(p);
  };
  const auto join = [](Two a, Two b) -> Four { return __builtin_shufflevector(a, b, 0, 1, 2, 3); };
  Four s = {};
  if constexpr (!NEGATE) s = join(load2(shift + t), load2(shift + t));
  const Four ac = s - join(load2(row[0] + t), load2(row[2] + t));
  const Four bd = s - join(load2(row[1] + t), load2(row[3] + t));
  *reinterpret_cast<FourUnaligned*>(out) = __builtin_shufflevector(ac, bd, 0, 4, 2, 6);
  *reinterpret_cast<FourUnaligned*>(out + kBlockRows) = __builtin_shufflevector(ac, bd, 1, 5, 3, 7);
}

// Two to four columns of float32; of three, the middle one comes twice: nothing behind them is
// read.
template <int COLS>
CENTROIDS_INLINE typename VectorOf<float>::Four load_columns(const float* p) {
  if constexpr (COLS == 4) {
    return *reinterpret_cast<const typename VectorOf<float>::FourUnaligned*>(p);
  } else {
    typedef double Pair __attribute__((aligned(4), may_alias));
    typedef double Pairs __attribute__((vector_size(16)));
    const auto load2 = [](const float* q) { return *reinterpret_cast<const Pair*>(q); };
    return typename VectorOf<float>::Four(Pairs{load2(p), load2(COLS == 3 ? p + 1 : p)});
  }
}

// Of each four lanes, the lower or the upper half: lanes of a and b in turns, or a's and then b's.
template <bool UPPER>
CENTROIDS_INLINE FloatStep in_turns(FloatStep a, FloatStep b) {
  constexpr int U = UPPER ? 2 : 0;
#if CENTROIDS_VECTOR_BYTES < 32
  return __builtin_shufflevector(a, b, U, U + 4, U + 1, U + 5);
#else
  return __builtin_shufflevector(a, b, U, U + 8, U + 1, U + 9, U + 4, U + 12, U + 5, U + 13);
#endif
}
template <bool UPPER>
CENTROIDS_INLINE FloatStep one_by_one(FloatStep a, FloatStep b) {
  constexpr int U = UPPER ? 2 : 0;
#if CENTROIDS_VECTOR_BYTES < 32
  return __builtin_shufflevector(a, b, U, U + 1, U + 4, U + 5);
#else
  return __builtin_shufflevector(a, b, U, U + 1, U + 8, U + 9, U + 4, U + 5, U + 12, U + 13);
#endif
}
// Columns of one row or, in the wider registers, of two.
template <int COLS>
CENTROIDS_INLINE FloatStep load_step(const float* p, [[maybe_unused]] const float* q) {
#if CENTROIDS_VECTOR_BYTES < 32
  return load_columns<COLS>(p);
#else
  return __builtin_shufflevector(load_columns<COLS>(p), load_columns<COLS>(q), 0, 1, 2, 3, 4, 5, 6,
                                 7);
#endif
}

// Four or eight rows by two to four columns of float32.
template <bool NEGATE, int COLS>
CENTROIDS_INLINE void transpose(const float* const* row, int64_t t, const float* shift,
                                float* out) {
  constexpr int kOther = kRowStep<float> - 4;
  FloatStep s = {};
  if constexpr (!NEGATE) s = load_step<COLS>(shift + t, shift + t);
  const auto load = [&](int r) { return s - load_step<COLS>(row[r] + t, row[r + kOther] + t); };
  const auto store = [&](int column, FloatStep v) {
    *reinterpret_cast<FloatStepUnaligned*>(out + column * kBlockRows) = v;
  };
  const FloatStep a = load(0), b = load(1), c = load(2), d = load(3);
  const FloatStep ab = in_turns<false>(a, b), cd = in_turns<false>(c, d);
  store(0, one_by_one<false>(ab, cd));
  store(1, one_by_one<true>(ab, cd));
  if constexpr (COLS > 2) {
    const FloatStep ab_upper = in_turns<true>(a, b), cd_upper = in_turns<true>(c, d);
    if constexpr (COLS == 4) store(2, one_by_one<false>(ab_upper, cd_upper));
    store(COLS - 1, one_by_one<true>(ab_upper, cd_upper));
  }
}

// One step of rows with COLS columns: out[column][row] = shift - x (-x without shift). Where the
// number of columns is odd, the last ones are packed twice.
template <bool NEGATE, int COLS, class T>
CENTROIDS_INLINE void pack_step(const T* const* row, const T* shift, T* out) {
  constexpr int STEP = kColumnStep<T>;
  if constexpr (COLS == 1) {
#pragma GCC unroll 8
    for (int r = 0; r < kRowStep<T>; ++r) out[r] = NEGATE ? -row[r][0] : shift[0] - row[r][0];
  } else if constexpr (COLS < STEP) {
    transpose<NEGATE, COLS>(row, 0, shift, out);
  } else {
#pragma GCC unroll 8
    for (int t = 0; t + STEP <= COLS; t += STEP)
      transpose<NEGATE, STEP>(row, t, shift, out + t * kBlockRows);
    if constexpr (COLS % STEP != 0)
      transpose<NEGATE, STEP>(row, COLS - STEP, shift, out + (COLS - STEP) * kBlockRows);
  }
}

// Rows of COLS columns. Lanes behind the last row, up to a whole step, get a copy of it.
template <bool NEGATE, int COLS, class T, class Row>
CENTROIDS_INLINE void pack_narrow(Row row, int n_rows, const T* shift, T* out) {
  constexpr int ROWS = kRowStep<T>;
  const T* some[ROWS];
  int i = 0;
  for (; i + ROWS <= n_rows; i += ROWS) {
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; ++r) some[r] = row(i + r);
    pack_step<NEGATE, COLS>(some, shift, out + i);
  }
  if (i == n_rows) return;
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; ++r) some[r] = row(i + r < n_rows ? i + r : n_rows - 1);
  pack_step<NEGATE, COLS>(some, shift, out + i);
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
        constexpr int COLS = decltype(columns)::value;
        if constexpr (COLS > 0)
          pack_narrow<NEGATE, COLS>([&](int r) { return row[i + r] + first; }, square_rows,
                                    NEGATE ? nullptr : shift + first, out + first * kBlockRows + i);
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
