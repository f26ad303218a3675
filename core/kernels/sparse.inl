// Scores of one sparse row; included by kernels.inl, which explains the rules.

// LINES cache lines of centers at once, each an accumulator of its own: the entries of the row are
// added in column order, so neither the group nor the vector length changes a score.
template <class T, int LINES>
void sparse_group_scores(const T* values, const int32_t* columns, int64_t n_entries,
                         const T* packed, const T* half_norms, T* scores) {
  constexpr int kGroup = LINES * 64 / int(sizeof(T));
  constexpr int kVectors = LINES * 64 / CENTROIDS_VECTOR_BYTES;
  Vec<T> score[kVectors];
  for (int v = 0; v < kVectors; ++v) score[v] = load(half_norms + v * kLanes<T>);
  for (int64_t e = 0; e < n_entries; ++e) {
    const Vec<T> x = splat(-values[e]);
    const T* centers = packed + int64_t(columns[e]) * kGroup;
    for (int v = 0; v < kVectors; ++v) score[v] = fma(x, load(centers + v * kLanes<T>), score[v]);
  }
  for (int v = 0; v < kVectors; ++v) store(scores + v * kLanes<T>, score[v]);
}

template <class T>
void sparse_scores(const T* values, const int32_t* columns, int64_t n_entries, int64_t n_cols,
                   const SparsePackedCenters<T>& centers, T* scores) {
  const int64_t group = centers.lines * 64 / int64_t(sizeof(T));
  for (int64_t g = 0; g < centers.n_groups; ++g) {
    const T* packed = centers.packed + g * group * n_cols;
    const T* half_norms = centers.half_norms + g * group;
    if (centers.lines == 4)
      sparse_group_scores<T, 4>(values, columns, n_entries, packed, half_norms, scores + g * group);
    else if (centers.lines == 2)
      sparse_group_scores<T, 2>(values, columns, n_entries, packed, half_norms, scores + g * group);
    else
      sparse_group_scores<T, 1>(values, columns, n_entries, packed, half_norms, scores + g * group);
  }
}
