// Squared distances without cancellation; included by kernels.inl, which explains the rules.

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
      if (rows && i + kAhead < n_rows) prefetch_all(x + int64_t(rows[i + kAhead]) * cols, cols);
      out[i] = squared_distance(x + int64_t(rows ? rows[i] : i) * cols,
                                centers + int64_t(labels[i]) * cols, cols);
    }
  });
}

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
