// The certified filter for few centers of many columns: float32 products along the columns of a row
// as it lies in memory, where the tile would first transpose a block of rows, which takes longer
// than to multiply it with few centers. Included behind kernels.inl; for vectors of 32 bytes.

#include "kernels/filter.hpp"

namespace centroids {
namespace {

#include "kernels/columns.inl"

// A register tile: kFewRows rows against four centers, one vector of columns at a time. A few tiles
// of rows meet all centers in some columns at a time, so that both stay in the first-level cache.
constexpr int kFewRows = 3;
constexpr int kFewCenters = 4;
constexpr int kTiles = 4;
constexpr int kManyRows = kTiles * kFewRows;
constexpr int kGroups = int(kFilterCenters) / kFewCenters;
constexpr int64_t kStep = 2 * kLanes<float>;  // columns are padded to this
constexpr int64_t kMostColumns = 256;

using Four = VectorOf<float>::Four;
typedef int32_t FourLabels __attribute__((vector_size(16)));

int64_t row_filter_columns(int64_t n_cols) {
  return (n_cols + kStep - 1) / kStep * kStep;
}
// Some columns of some rows, shifted, one row after the other.
int64_t row_filter_row_bytes(int64_t, Digits) {
  return kManyRows * kMostColumns * int64_t(sizeof(float));
}
// packed[group][columns of a vector][center of the group][lane]
int64_t row_filter_center_bytes(int64_t n_cols, Digits, int64_t n_lanes) {
  return n_lanes * row_filter_columns(n_cols) * int64_t(sizeof(float));
}

// One chain for each lane, a tree of the lanes, and the half norm.
double row_filter_by_sizes(int64_t n_cols, Digits) {
  return double(n_cols / kLanes<float> + 12) * 0x1p-24;
}

// ---------------------------------------------------------------- rows

template <class T>
CENTROIDS_INLINE Vec<T> load_unaligned(const T* p) {
  return *reinterpret_cast<const typename VectorOf<T>::Unaligned*>(p);
}

template <class T>
CENTROIDS_INLINE float sum_of_lanes(Vec<T> v) {
  T sum = 0;
  for (int l = 0; l < kLanes<T>; ++l) sum += v[l];
  return float(sum);
}

// One vector of y = shift - x: to float32 at `out`; adds to |y|^2 and to what float32 leaves over.
CENTROIDS_INLINE void shift_vector(const float* x, const float* shift, float* out,
                                   Vec<float>& squares, Vec<float>&) {
  const Vec<float> y = load_unaligned(shift) - load_unaligned(x);
  store(out, y);
  squares = fma(y, y, squares);
}
CENTROIDS_INLINE void shift_vector(const double* x, const double* shift, float* out,
                                   Vec<double>& squares, Vec<double>& rests) {
  typedef float Half __attribute__((vector_size(CENTROIDS_VECTOR_BYTES / 2)));
  const Vec<double> y = load_unaligned(shift) - load_unaligned(x);
  const Half rounded = __builtin_convertvector(y, Half);
  *reinterpret_cast<Half*>(out) = rounded;
  const Vec<double> over = y - __builtin_convertvector(rounded, Vec<double>);
  squares = fma(y, y, squares);
  rests = fma(over, over, rests);
}

// Some columns of one row; keeps the sums of squares by lane.
template <class T>
struct ShiftedRow {
  static constexpr int kVectors = int(kStep) / kLanes<T>;
  Vec<T> squares[kVectors] = {}, rests[kVectors] = {};

  CENTROIDS_INLINE void step(const T* x, const T* shift, float* y) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v)
      shift_vector(x + v * kLanes<T>, shift + v * kLanes<T>, y + v * kLanes<T>, squares[v],
                   rests[v]);
  }

  CENTROIDS_INLINE void add(const T* x, const T* shift, int64_t n_cols, float* y) {
    for_columns<kStep>(x, shift, n_cols,
                       [&](int64_t t, const T* from, const T* s) { step(from, s, y + t); });
  }

  CENTROIDS_INLINE void finish(float& norm, float& rest) {
    for (int v = 1; v < kVectors; ++v) {
      squares[0] += squares[v];
      rests[0] += rests[v];
    }
    norm = sum_of_lanes<T>(squares[0]);
    rest = sum_of_lanes<T>(rests[0]);
  }
};

// ---------------------------------------------------------------- scores

CENTROIDS_INLINE Four fold(Vec<float> v) {
  return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
}

// The sum of the lanes of each of four vectors.
CENTROIDS_INLINE Four sums_of_lanes(const Vec<float>* v) {
  const Four a = fold(v[0]), b = fold(v[1]), c = fold(v[2]), d = fold(v[3]);
  const Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) +
                  __builtin_shufflevector(a, b, 2, 6, 3, 7);  // of two places each
  const Four cd =
      __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
  return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

// Of one row, among every fourth center in each place.
struct BestOfFour {
  Four score, second;
  FourLabels label;

  CENTROIDS_INLINE void update(Four candidate, int32_t first) {
    const auto nearer = candidate < score;
    const Four loser = nearer ? score : candidate;
    second = loser < second ? loser : second;
    score = nearer ? candidate : score;
    label = nearer ? FourLabels{} + first : label;
  }

  CENTROIDS_INLINE void finish(int i, FilterNearest& out) const {
    float best = score[0], others = second[0];
    int place = 0;
    for (int p = 1; p < 4; ++p) {
      const bool nearer = score[p] < best;
      const float loser = nearer ? best : score[p];
      others = loser < others ? loser : others;
      others = second[p] < others ? second[p] : others;
      best = nearer ? score[p] : best;
      place = nearer ? p : place;
    }
    out.score[0][i] = best;
    out.label[0][i] = label[place] + place;
    out.others[i] = others;
    for (int l = 1; l < kListed; ++l) out.score[l][i] = kFilterFar;
  }
};

// Products of kFewRows rows with a group of centers, by lane.
struct FewProducts {
  Vec<float> sum[kFewRows][kFewCenters];

  CENTROIDS_INLINE void add(const float* y, int64_t stride, const float* group) {
    Vec<float> row[kFewRows];
#pragma GCC unroll 8
    for (int r = 0; r < kFewRows; ++r) row[r] = load(y + r * stride);
#pragma GCC unroll 8
    for (int k = 0; k < kFewCenters; ++k) {
      const Vec<float> center = load(group + k * kLanes<float>);
#pragma GCC unroll 8
      for (int r = 0; r < kFewRows; ++r) sum[r][k] = fma(row[r], center, sum[r][k]);
    }
  }
};

// What to fetch from memory while multiplying: reading rows and multiplying them take turns, and
// the memory shall not wait for its. Each group of centers fetches its share, so that there is
// always something on its way.
template <class T>
struct Fetch {
  const T* from[kFewRows];
  int wait, turns;  // every so many steps, after so many

  CENTROIDS_INLINE void step(int64_t t) {
    constexpr int64_t kLineValues = 64 / int64_t(sizeof(T));
    if (wait-- > 0) return;
    wait = turns - 1;
#pragma GCC unroll 8
    for (int r = 0; r < kFewRows; ++r)
      for (int64_t f = 0; f < kStep; f += kLineValues) __builtin_prefetch(from[r] + t + f, 0, 2);
  }
};

// Adds the products in `width` columns.
template <class T>
CENTROIDS_INLINE void add_columns(const float* y, const float* group, int64_t width, Fetch<T> fetch,
                                  FewProducts& products) {
  FewProducts p = products;
  for (int64_t t = 0; t < width; t += kStep) {
    fetch.step(t);
#pragma GCC unroll 2
    for (int64_t v = 0; v < kStep; v += kLanes<float>)
      p.add(y + t + v, width, group + (t + v) * kFewCenters);
  }
  products = p;
}

// Up to kManyRows rows against up to kFilterCenters centers. `row` tells where rows begin, and
// those that come after them.
template <class T, class ROW>
void score_many(ROW row, int n, const T* shift, const FilterCenters& centers, int64_t first_center,
                int n_groups, FilterRows& scratch, int first, BestOfFour* best) {
  const int64_t n_cols = centers.n_cols, padded = row_filter_columns(n_cols);
  const int64_t n_parts = (padded + kMostColumns - 1) / kMostColumns;
  const int64_t width = row_filter_columns((padded + n_parts - 1) / n_parts);
  const float* packed = static_cast<const float*>(centers.packed) + first_center * padded;
  float* y = static_cast<float*>(scratch.packed);
  FewProducts products[kTiles][kGroups];
  for (auto& of_tile : products)
    for (int group = 0; group < n_groups; ++group) of_tile[group] = {};
  ShiftedRow<T> shifted[kManyRows];
  for (int64_t begin = 0; begin < padded; begin += width) {
    const int64_t end = begin + width < padded ? begin + width : padded;
    const int64_t stride = end - begin, last = end < n_cols ? end : n_cols;
    for (int i = 0; i < n; ++i)
      shifted[i].add(row(i) + begin, shift + begin, last - begin, y + i * stride);
    for (int group = 0; group < n_groups; ++group)
      for (int tile = 0; tile * kFewRows < n; ++tile) {
        const float* c = packed + (group * padded + begin) * kFewCenters;
        const float* rows = y + tile * kFewRows * stride;
        Fetch<T> fetch = {{}, group, n_groups};
        for (int r = 0; r < kFewRows; ++r) {
          const int i = tile * kFewRows + r;
          fetch.from[r] = end < padded ? row(i) + end : row(i + kManyRows);
        }
        add_columns(rows, c, stride, fetch, products[tile][group]);
      }
  }
  for (int i = 0; i < n; ++i) {
    shifted[i].finish(scratch.norm[first + i], scratch.rest[first + i]);
    for (int group = 0; group < n_groups; ++group) {
      const int64_t j = first_center + group * kFewCenters;
      best[i].update(sums_of_lanes(products[i / kFewRows][group].sum[i % kFewRows]) +
                         *reinterpret_cast<const Four*>(centers.half_norms + j),
                     int32_t(j));
    }
  }
}

template <class T>
void row_filter_nearest(const T* x, const int32_t* rows, int n_rows, const T* shift,
                        const FilterCenters& centers, FilterRows& scratch, FilterNearest& out) {
  for (int first = 0; first < n_rows; first += kManyRows) {
    const int n = n_rows - first < kManyRows ? n_rows - first : kManyRows;
    const auto row = [&](int i) {
      i += first;
      return x + int64_t(rows ? rows[i < n_rows ? i : n_rows - 1] : i) * centers.n_cols;
    };
    BestOfFour best[kManyRows];
    for (BestOfFour& b : best) b = {Four{} + kFilterFar, Four{} + kFilterFar, FourLabels{}};
    for (int64_t j = 0; j < centers.n_lanes; j += kFilterCenters) {
      int n_groups = kGroups;  // but for those of padding only
      while (centers.half_norms[j + (n_groups - 1) * kFewCenters] == kFilterFar) --n_groups;
      score_many<T>(row, n, shift, centers, j, n_groups, scratch, first, best);
    }
    for (int i = 0; i < n; ++i) best[i].finish(first + i, out);
  }
}

// ---------------------------------------------------------------- centers

template <class T>
void row_filter_pack_centers(const T* centers, int64_t n_centers, int64_t n_cols, int64_t n_lanes,
                             Digits, void* packed, double* rests) {
  const int64_t padded = row_filter_columns(n_cols), step = kFewCenters * kLanes<float>;
  for (int64_t j = 0; j < n_lanes; ++j) {
    float* out = static_cast<float*>(packed) + j / kFewCenters * kFewCenters * padded +
                 j % kFewCenters * kLanes<float>;
    double rest = 0;
    for (int64_t t = 0; t < padded; ++t) {
      const double value = j < n_centers && t < n_cols ? double(centers[j * n_cols + t]) : 0.0;
      const double over = value - double(float(value));
      out[t / kLanes<float> * step + t % kLanes<float>] = float(value);
      rest += over * over;
    }
    if (j < n_centers) rests[j] = rest;
  }
}

template <class T>
constexpr FilterKernels<T> make_row_filter() {
  constexpr bool kIsWide = sizeof(T) > sizeof(float);
  return {
      .cost_per_product = 1.35,
      .cost_per_score = 115.0,
      .cost_per_row = kIsWide ? 4500.0 : 800.0,
      .cost_per_column = kIsWide ? 22.0 : 6.5,
      .products_at_once = 1,
      .centers_at_once = kFewCenters,
      .by_sizes = row_filter_by_sizes,
      .row_bytes = row_filter_row_bytes,
      .center_bytes = row_filter_center_bytes,
      .pack_centers = row_filter_pack_centers<T>,
      .nearest_in_place = row_filter_nearest<T>,
  };
}

}  // namespace
}  // namespace centroids
