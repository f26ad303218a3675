// What filters that read rows along their columns share; included in their namespace.

// Calls f(column, x, shift) for every STEP columns; the last ones are padded with zeros.
template <int64_t STEP, class T, class F>
CENTROIDS_INLINE void for_columns(const T* x, const T* shift, int64_t n_cols, F f) {
  int64_t t = 0;
  for (; t + STEP <= n_cols; t += STEP) f(t, x + t, shift + t);
  if (t == n_cols) return;
  alignas(64) T last_x[STEP] = {}, last_shift[STEP] = {};
  for (int64_t c = t; c < n_cols; ++c) {
    last_x[c - t] = x[c];
    last_shift[c - t] = shift[c];
  }
  f(t, last_x, last_shift);
}
