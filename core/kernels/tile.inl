// The nearest centers of a block of packed rows; included by kernels.inl, which explains the rules.

// Next rows are fetched whenever so many columns are done.
constexpr int64_t kAheadColumns = 32;

// The register tile: scores of ROWS row vectors against GROUP centers, summed over the features in
// ascending order, one chain of fused multiply-adds for each (row, center), whatever the tile.
template <class T, int ROWS, int GROUP>
struct Tile {
  Vec<T> score[GROUP][ROWS];

  CENTROIDS_INLINE void compute(const T* rows, int64_t n_cols, const T* group,
                                const T* half_norms) {
    begin(half_norms);
    add_columns(rows, n_cols, group);
  }
  // Fetches what comes next on the way.
  CENTROIDS_INLINE void compute(const T* rows, int64_t n_cols, const T* group, const T* half_norms,
                                Ahead& ahead) {
    begin(half_norms);
    for (int64_t t = 0; t < n_cols; t += kAheadColumns) {
      ahead.step();
      const int64_t n = n_cols - t < kAheadColumns ? n_cols - t : kAheadColumns;
      add_columns(rows + t * kBlockRows, n, group + t * GROUP);
    }
  }

 private:
  CENTROIDS_INLINE void begin(const T* half_norms) {
#pragma GCC unroll 16
    for (int j = 0; j < GROUP; ++j)
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; ++r) score[j][r] = splat(half_norms[j]);
  }
  CENTROIDS_INLINE void add_columns(const T* rows, int64_t n_cols, const T* group) {
#pragma GCC unroll 4
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
  CENTROIDS_INLINE void update(int r, Vec<T> candidate, IndexVec<T> index) {
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

// The number of a center in every lane. Of float32, adding to an integer is faster: what the vector
// would be added to is one more load beside those of the tile.
template <class T>
CENTROIDS_INLINE IndexVec<T> index_of(IndexVec<T> first, int32_t j, int c) {
  if constexpr (sizeof(T) == 8)
    return first + c;
  else
    return IndexVec<T>{} + (j + c);
}

// Not lane by lane: of few columns and clusters, that would take a sixth of the time.
template <class T>
CENTROIDS_INLINE void store_labels(int32_t* out, IndexVec<T> labels) {
  using Labels = typename VectorOf<T>::Labels;
  *reinterpret_cast<Labels*>(out) = __builtin_convertvector(labels, Labels);
}

template <class T, int ROWS, int GROUP, Search SEARCH, bool IS_NARROW>
void assign_tiles(const T* packed_rows, int64_t n_cols, int n_rows, const PackedCenters<T>& centers,
                  const NextRows& next, BlockNearest<T>& out) {
  constexpr int kTileLanes = ROWS * kLanes<T>;
  const int64_t n_groups = (centers.n_centers + GROUP - 1) / GROUP;
  const int64_t n_tiles = (n_rows + kTileLanes - 1) / kTileLanes * n_groups;
  Ahead ahead(IS_NARROW ? NextRows{} : next,
              n_tiles * ((n_cols + kAheadColumns - 1) / kAheadColumns));
  for (int lane = 0; lane < n_rows; lane += kTileLanes) {
    Running<T, ROWS, SEARCH> best;
    best.clear();
    if constexpr (IS_NARROW) fetch_rows(next, lane, lane + kTileLanes);
    const T* group = centers.packed;
    for (int32_t j = 0; j < centers.n_centers; j += GROUP, group += n_cols * GROUP) {
      Tile<T, ROWS, GROUP> tile;
      if constexpr (IS_NARROW)
        tile.compute(packed_rows + lane, n_cols, group, centers.half_norms + j);
      else
        tile.compute(packed_rows + lane, n_cols, group, centers.half_norms + j, ahead);
      const IndexVec<T> first = IndexVec<T>{} + j;
#pragma GCC unroll 16
      for (int c = 0; c < GROUP; ++c)
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; ++r) best.update(r, tile.score[c][r], index_of<T>(first, j, c));
    }
    // As a loop, GCC 12 (-O2 -ftree-loop-vectorize) loses the first store.
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; ++r) {
      const int first = lane + r * kLanes<T>;
      store(out.score + first, best.score[r]);
      if constexpr (SEARCH != Search::nearest)
        store(out.second_score + first, best.second_score[r]);
      store_labels<T>(out.label + first, best.label[r]);
      if constexpr (SEARCH == Search::with_second)
        store_labels<T>(out.second_label + first, best.second_label[r]);
    }
  }
}

template <class T, int ROWS, int GROUP, Search SEARCH>
void assign_group_size(const T* packed_rows, int64_t n_cols, int n_rows,
                       const PackedCenters<T>& centers, const NextRows& next,
                       BlockNearest<T>& out) {
  if (n_cols > kKnownColumns)
    return assign_tiles<T, ROWS, GROUP, SEARCH, false>(packed_rows, n_cols, n_rows, centers, next,
                                                       out);
  assign_tiles<T, ROWS, GROUP, SEARCH, true>(packed_rows, n_cols, n_rows, centers, next, out);
}

// Few centers: more row vectors a tile, so that enough independent chains hide the latency.
template <class T, int GROUP>
constexpr int kTileRows =
    2 * GROUP <= CENTROIDS_MAX_GROUP && 2 * CENTROIDS_ROW_VECTORS * kLanes<T> <= kBlockRows
        ? 2 * CENTROIDS_ROW_VECTORS
        : CENTROIDS_ROW_VECTORS;

template <class T, int GROUP>
void assign_any_search(const T* rows, int64_t n_cols, int n, const PackedCenters<T>& centers,
                       Search search, const NextRows& next, BlockNearest<T>& out) {
  constexpr int R = kTileRows<T, GROUP>;
  switch (search) {
    case Search::nearest:
      return assign_group_size<T, R, GROUP, Search::nearest>(rows, n_cols, n, centers, next, out);
    case Search::with_second_score:
      // The passes that skip rows ask with what is left: do not fill the tile with nothing.
      if (n <= kLanes<T>)
        return assign_group_size<T, 1, GROUP, Search::with_second_score>(rows, n_cols, n, centers,
                                                                         next, out);
      return assign_group_size<T, R, GROUP, Search::with_second_score>(rows, n_cols, n, centers,
                                                                       next, out);
    case Search::with_second:
      return assign_group_size<T, R, GROUP, Search::with_second>(rows, n_cols, n, centers, next,
                                                                 out);
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
                  Search search, const NextRows& next, BlockNearest<T>& out) {
  with_group_size(centers.group_size, [&](auto group) {
    assign_any_search<T, decltype(group)::value>(packed_rows, n_cols, n_rows, centers, search, next,
                                                 out);
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
