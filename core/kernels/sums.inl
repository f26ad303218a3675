// Sums over rows in float64; included by kernels.inl, which explains the rules.

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

template <class T, bool SHIFTED, int COLS>
void add_compensated_fixed(const T* x, int64_t n_cols, const Addend* addends, int64_t n,
                           const double* origin, double* sums, double* errors) {
  // Rows that the processor cannot foresee, and that have left the cache since the search. So much
  // of each: what follows is easily foreseen.
  constexpr int64_t kAhead = 24, kMostAhead = 256 / int64_t(sizeof(T));
  const int64_t cols = COLS > 0 ? COLS : n_cols, n_ahead = cols < kMostAhead ? cols : kMostAhead;
  for (int64_t i = 0; i < n; ++i) {
    if (i + kAhead < n) prefetch_all(x + addends[i + kAhead].row * cols, n_ahead);
    const T* row = x + addends[i].row * cols;
    const double factor = addends[i].factor;
    const int64_t first = addends[i].cluster * cols;
    double* __restrict sum = sums + first;
    double* __restrict error = errors + first;
#pragma GCC unroll 1
    for (int64_t t = 0; t < cols; ++t) {
      double value = double(row[t]);
      if constexpr (SHIFTED) value -= origin[t];
      value *= factor;
      const double total = sum[t] + value;
      const double part = total - sum[t];
      error[t] += (sum[t] - (total - part)) + (value - part);
      sum[t] = total;
    }
  }
}

template <class T>
void add_compensated_rows(const T* x, int64_t n_cols, const Addend* addends, int64_t n,
                          const double* origin, double* sums, double* errors) {
  with_narrow_columns(n_cols, [&](auto columns) {
    constexpr int C = decltype(columns)::value;
    if (origin)
      add_compensated_fixed<T, true, C>(x, n_cols, addends, n, origin, sums, errors);
    else
      add_compensated_fixed<T, false, C>(x, n_cols, addends, n, origin, sums, errors);
  });
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
