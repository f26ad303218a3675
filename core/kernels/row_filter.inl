// The certified filter for few centers of many columns: float32 products along the columns of a row
// as it lies in memory, where the tile would first transpose a block of rows, which takes longer
// than to multiply it with few centers. Included behind kernels.inl; for vectors of 32 bytes.

#include <type_traits>

#include "kernels/filter.hpp"

namespace centroids {
namespace {

#include "kernels/columns.inl"

// A register tile: kFewRows rows against four centers, one vector of columns at a time. A few tiles
// of rows meet all centers in some columns at a time, so that both stay in the first-level cache.
constexpr int kFewRows = 3;
constexpr int kFewCenters = 4;
constexpr int kTiles = 2;
constexpr int kManyRows = kTiles * kFewRows;
constexpr int kGroups = int(kFilterCenters) / kFewCenters;
constexpr int64_t kStep = 2 * kLanes<float>;  // columns are padded to this
constexpr int64_t kMostColumns = 400;

using Four = VectorOf<float>::Four;
typedef int32_t FourLabels __attribute__((vector_size(16)));

int64_t row_filter_columns(int64_t n_cols) {
  return (n_cols + kStep - 1) / kStep * kStep;
}
// Some columns of some rows, shifted: packed[tile][columns of a vector][row of the tile][lane].
int64_t row_filter_row_bytes(int64_t, Digits) {
  return kManyRows * kMostColumns * int64_t(sizeof(float));
}
// packed[group][columns of a vector][center of the group][lane]; groups of almost equal size
int64_t row_filter_center_bytes(int64_t n_cols, Digits, int64_t n_lanes) {
  return n_lanes * row_filter_columns(n_cols) * int64_t(sizeof(float));
}

// One chain for each lane, a tree of the lanes, and the half norm.
double row_filter_by_sizes(int64_t n_cols, Digits) {
  return double(n_cols / kLanes<float> + 12) * 0x1p-24;
}

// A block of centers in as few groups as can be.
struct Groups {
  int n_centers;
  int count() const { return (n_centers + kFewCenters - 1) / kFewCenters; }
  int first(int group) const { return n_centers * group / count(); }
  int size(int group) const { return first(group + 1) - first(group); }
};

// ---------------------------------------------------------------- rows

template <class T>
CENTROIDS_INLINE Vec<T> load_unaligned(const T* p) {
  return *reinterpret_cast<const typename VectorOf<T>::Unaligned*>(p);
}

// One vector of y = shift - x, to float32.
CENTROIDS_INLINE Vec<float> shifted(const float* x, const float* shift) {
  return load_unaligned(shift) - load_unaligned(x);
}
CENTROIDS_INLINE Vec<float> shifted(const double* x, const double* shift) {
  typedef float Half __attribute__((vector_size(CENTROIDS_VECTOR_BYTES / 2)));
  constexpr int64_t n = kLanes<double>;
  const Half low = __builtin_convertvector(load_unaligned(shift) - load_unaligned(x), Half);
  const Half high =
      __builtin_convertvector(load_unaligned(shift + n) - load_unaligned(x + n), Half);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}

// ---------------------------------------------------------------- scores

CENTROIDS_INLINE Four load_four(const float* p) {
  return *reinterpret_cast<const VectorOf<float>::FourUnaligned*>(p);
}

CENTROIDS_INLINE Four fold(Vec<float> v) {
  return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
}

// The sum of the lanes of each of up to four vectors.
template <int N>
CENTROIDS_INLINE Four sums_of_lanes(const Vec<float>* v) {
  const Four a = fold(v[0]), b = N > 1 ? fold(v[1]) : Four{}, c = N > 2 ? fold(v[2]) : Four{},
             d = N > 3 ? fold(v[3]) : Four{};
  const Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) +
                  __builtin_shufflevector(a, b, 2, 6, 3, 7);  // of two places each
  const Four cd =
      __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
  return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

// Of one row, among every fourth center in each place: the nearest, and the least lower bounds on
// the scores of it and of the others.
struct BestOfFour {
  Four score, bound, others;
  FourLabels label;

  CENTROIDS_INLINE void update(Four candidate, Four error, int32_t first) {
    const Four lower = candidate - error;
    const auto nearer = candidate < score;
    const Four loser = nearer ? bound : lower;
    others = loser < others ? loser : others;
    score = nearer ? candidate : score;
    bound = nearer ? lower : bound;
    label = nearer ? FourLabels{} + first : label;
  }

  CENTROIDS_INLINE void finish(int i, FilterNearest& out) const {
    int place = 0;
    float least = others[0];
    for (int p = 1; p < 4; ++p) {
      const bool nearer = score[p] < score[place];
      const float loser = bound[nearer ? place : p];
      least = loser < least ? loser : least;
      least = others[p] < least ? others[p] : least;
      place = nearer ? p : place;
    }
    out.score[0][i] = score[place];
    out.label[0][i] = label[place] + place;
    out.others[i] = least;
    for (int l = 1; l < kListed; ++l) out.score[l][i] = kFilterFar;
  }
};

// Products of kFewRows rows with a group of centers, by lane.
struct FewProducts {
  Vec<float> sum[kFewRows][kFewCenters];

  template <int CENTERS>
  CENTROIDS_INLINE void add(const Vec<float>* rows, const float* group) {
#pragma GCC unroll 8
    for (int k = 0; k < CENTERS; ++k) {
      const Vec<float> center = load(group + k * kLanes<float>);
#pragma GCC unroll 8
      for (int r = 0; r < kFewRows; ++r) sum[r][k] = fma(rows[r], center, sum[r][k]);
    }
  }
  template <int CENTERS>
  CENTROIDS_INLINE void set(const FewProducts* other) {
#pragma GCC unroll 8
    for (int r = 0; r < kFewRows; ++r)
#pragma GCC unroll 8
      for (int k = 0; k < CENTERS; ++k) sum[r][k] = other ? other->sum[r][k] : Vec<float>{};
  }
};

// Fetches the rows that come next, line after line, while these are multiplied: reading rows and
// multiplying them take turns, and the memory shall not wait for its.
template <class T, class ROW>
struct Fetch {
  static constexpr int kLine = 64;
  // Lines of a step's columns of the tile, that each group of centers fetches its share of.
  static constexpr int kLines = kFewRows * kStep * int(sizeof(T)) / kLine;

  ROW row;
  int64_t n_bytes;  // of a row
  int n_groups, due = 0, next = kManyRows;
  const char *at = nullptr, *end = nullptr;

  CENTROIDS_INLINE void step() {
    for (due += kLines; due >= n_groups; due -= n_groups) {
      if (at >= end) begin_row();
      __builtin_prefetch(at, 0, 3);
      at += kLine;
    }
  }
  void begin_row() {
    at = reinterpret_cast<const char*>(row(next++));
    end = at + n_bytes;
  }
};

// Some columns of a tile of rows.
template <class T>
struct Columns {
  const T* x[kFewRows];
  const T* shift;
  int64_t n_cols;  // the rest of `width` is padding
  int64_t width;   // a multiple of kStep
  bool are_first;  // of the rows: sums begin here
  float* y;        // packed, kFewRows * width of them

  CENTROIDS_INLINE float* packed(int64_t t, int r) const {
    return y + t * kFewRows + r * kLanes<float>;
  }

  // Adds the products, and packs the columns for the other groups on the way.
  template <int CENTERS, class F>
  CENTROIDS_INLINE void shift_and_multiply(const float* group, FewProducts& products,
                                           F& fetch) const {
    FewProducts p;
    p.template set<CENTERS>(are_first ? nullptr : &products);
    int64_t t = 0;
    for (; t + kStep <= n_cols; t += kStep) {
      fetch.step();
#pragma GCC unroll 2
      for (int64_t v = t; v < t + kStep; v += kLanes<float>) {
        Vec<float> rows[kFewRows];
#pragma GCC unroll 8
        for (int r = 0; r < kFewRows; ++r) {
          rows[r] = shifted(x[r] + v, shift + v);
          store(packed(v, r), rows[r]);
        }
        p.template add<CENTERS>(rows, group + v * CENTERS);
      }
    }
    for (int r = 0; r < kFewRows; ++r)
      for_columns<kStep>(x[r] + t, shift + t, n_cols - t, [&](int64_t, const T* from, const T* s) {
        for (int64_t v = 0; v < kStep; v += kLanes<float>)
          store(packed(t + v, r), shifted(from + v, s + v));
      });
    multiply_from<CENTERS>(t, group, p, fetch);
    products.template set<CENTERS>(&p);
  }

  template <int CENTERS, class F>
  CENTROIDS_INLINE void multiply(const float* group, FewProducts& products, F& fetch) const {
    FewProducts p;
    p.template set<CENTERS>(are_first ? nullptr : &products);
    multiply_from<CENTERS>(0, group, p, fetch);
    products.template set<CENTERS>(&p);
  }

  template <int CENTERS, class F>
  CENTROIDS_INLINE void multiply_from(int64_t t, const float* group, FewProducts& p,
                                      F& fetch) const {
    for (; t < width; t += kStep) {
      fetch.step();
#pragma GCC unroll 2
      for (int64_t v = t; v < t + kStep; v += kLanes<float>) {
        Vec<float> rows[kFewRows];
#pragma GCC unroll 8
        for (int r = 0; r < kFewRows; ++r) rows[r] = load(packed(v, r));
        p.template add<CENTERS>(rows, group + v * CENTERS);
      }
    }
  }

  // Adds to the sums of squares of each row, by lane.
  CENTROIDS_INLINE void add_squares(Vec<float>* squares) const {
    Vec<float> sum[2][kFewRows] = {};
    for (int64_t t = 0; t < width; t += kStep)
#pragma GCC unroll 2
      for (int place = 0; place < 2; ++place)
#pragma GCC unroll 8
        for (int r = 0; r < kFewRows; ++r) {
          const Vec<float> v = load(packed(t + place * kLanes<float>, r));
          sum[place][r] = fma(v, v, sum[place][r]);
        }
    for (int r = 0; r < kFewRows; ++r)
      squares[r] = are_first ? sum[0][r] + sum[1][r] : squares[r] + sum[0][r] + sum[1][r];
  }
};

// Calls f with the size of a group as a constant.
template <class F>
CENTROIDS_INLINE void with_size(int size, F f) {
  switch (size) {
    case 1:
      return f(std::integral_constant<int, 1>{});
    case 2:
      return f(std::integral_constant<int, 2>{});
    case 3:
      return f(std::integral_constant<int, 3>{});
    default:
      return f(std::integral_constant<int, 4>{});
  }
}

// Scores of one row and a group of centers; places past the last one are of no center.
template <int CENTERS>
CENTROIDS_INLINE Four group_scores(const Vec<float>* products, const float* half_norms) {
  Four half = load_four(half_norms);
  for (int k = CENTERS; k < kFewCenters; ++k) half[k] = kFilterFar;
  return sums_of_lanes<CENTERS>(products) + half;
}

// Up to kManyRows rows against up to kFilterCenters centers. `row` tells where rows begin, and
// those that come after them.
template <class T, class ROW>
void score_many(ROW row, int n, const T* shift, const FilterCenters& centers, int64_t first_center,
                const Groups& groups, FilterRows& scratch, int first, BestOfFour* best) {
  const int64_t n_cols = centers.n_cols, padded = row_filter_columns(n_cols);
  const int64_t n_parts = (padded + kMostColumns - 1) / kMostColumns;
  const int64_t width = row_filter_columns((padded + n_parts - 1) / n_parts);
  const int n_tiles = (n + kFewRows - 1) / kFewRows, n_groups = groups.count();
  const auto packed_group = [&](int group, int64_t begin) {
    return static_cast<const float*>(centers.packed) +
           (first_center + groups.first(group)) * padded + begin * groups.size(group);
  };
  FewProducts products[kGroups][kTiles];
  Vec<float> squares[kTiles][kFewRows];
  Fetch<T, ROW> fetch{row, n_cols * int64_t(sizeof(T)), n_groups};
  for (int64_t begin = 0; begin < padded; begin += width) {
    const int64_t end = begin + width < padded ? begin + width : padded;
    Columns<T> tiles[kTiles];
    for (int tile = 0; tile < n_tiles; ++tile) {
      Columns<T>& columns = tiles[tile];
      for (int r = 0; r < kFewRows; ++r) {
        const int i = tile * kFewRows + r;
        columns.x[r] = row(i < n ? i : n - 1) + begin;
      }
      columns.shift = shift + begin;
      columns.n_cols = (end < n_cols ? end : n_cols) - begin;
      columns.width = end - begin;
      columns.are_first = begin == 0;
      columns.y = static_cast<float*>(scratch.packed) + tile * kFewRows * kMostColumns;
      with_size(groups.size(0), [&](auto size) {
        columns.template shift_and_multiply<size.value>(packed_group(0, begin), products[0][tile],
                                                        fetch);
      });
      columns.add_squares(squares[tile]);
    }
    for (int group = 1; group < n_groups; ++group)
      with_size(groups.size(group), [&](auto size) {
        for (int tile = 0; tile < n_tiles; ++tile)
          tiles[tile].template multiply<size.value>(packed_group(group, begin),
                                                    products[group][tile], fetch);
      });
  }
  float length[kManyRows];
  for (int i = 0; i < n; ++i) {
    const Vec<float> by_lane = squares[i / kFewRows][i % kFewRows];
    float norm = 0;
    for (int l = 0; l < kLanes<float>; ++l) norm += by_lane[l];
    scratch.norm[first + i] = norm;
    length[i] = __builtin_sqrtf(norm) * centers.grow;
  }
  for (int group = 0; group < n_groups; ++group)
    with_size(groups.size(group), [&](auto size) {
      const int64_t j = first_center + groups.first(group);
      const Four error = load_four(centers.error + j);
      const Four error_by_length = load_four(centers.error_by_length + j);
      for (int i = 0; i < n; ++i)
        best[i].update(group_scores<size.value>(products[group][i / kFewRows].sum[i % kFewRows],
                                                centers.half_norms + j),
                       error + length[i] * error_by_length, int32_t(j));
    });
}

template <class T>
void row_filter_nearest(const T* x, const int32_t* rows, int n_rows, const T* shift,
                        const FilterCenters& centers, FilterRows& scratch, FilterNearest& out) {
  int n_last = int(kFilterCenters);  // of the last block, without padding
  while (centers.half_norms[centers.n_lanes - kFilterCenters + n_last - 1] == kFilterFar) --n_last;
  for (int first = 0; first < n_rows; first += kManyRows) {
    const int n = n_rows - first < kManyRows ? n_rows - first : kManyRows;
    const auto row = [&](int i) {
      i += first;
      return x + int64_t(rows ? rows[i < n_rows ? i : n_rows - 1] : i) * centers.n_cols;
    };
    BestOfFour best[kManyRows];
    const Four far = Four{} + kFilterFar;
    for (BestOfFour& b : best) b = {far, far, far, FourLabels{}};
    for (int64_t j = 0; j < centers.n_lanes; j += kFilterCenters)
      score_many<T>(row, n, shift, centers, j,
                    {j + kFilterCenters < centers.n_lanes ? int(kFilterCenters) : n_last}, scratch,
                    first, best);
    for (int i = 0; i < n; ++i) best[i].finish(first + i, out);
  }
}

// ---------------------------------------------------------------- centers

template <class T>
void row_filter_pack_centers(const T* centers, int64_t n_centers, int64_t n_cols, int64_t n_lanes,
                             Digits, void* packed, double* rests) {
  const int64_t padded = row_filter_columns(n_cols);
  for (int64_t first = 0; first < n_lanes; first += kFilterCenters) {
    const Groups groups{
        int(n_centers - first < kFilterCenters ? n_centers - first : kFilterCenters)};
    for (int group = 0; group < groups.count(); ++group)
      for (int k = 0; k < groups.size(group); ++k) {
        const int64_t begin = first + groups.first(group), j = begin + k;
        float* out = static_cast<float*>(packed) + begin * padded;
        double rest = 0;
        for (int64_t t = 0; t < padded; ++t) {
          const double value = t < n_cols ? double(centers[j * n_cols + t]) : 0.0;
          const double over = value - double(float(value));
          out[(t / kLanes<float> * groups.size(group) + k) * kLanes<float> + t % kLanes<float>] =
              float(value);
          rest += over * over;
        }
        rests[j] = rest;
      }
  }
}

template <class T>
constexpr FilterKernels<T> make_row_filter() {
  constexpr bool kIsWide = sizeof(T) > sizeof(float);
  return {
      .cost_per_product = 1.0,
      .cost_per_score = 70.0,
      .cost_per_row = 600.0,
      .cost_per_column = kIsWide ? 20.0 : 8.0,
      .products_at_once = 1,
      .centers_at_once = 1,
      .by_sizes = row_filter_by_sizes,
      .by_rounding = kIsWide ? 0x1p-24 : 0,
      .row_bytes = row_filter_row_bytes,
      .center_bytes = row_filter_center_bytes,
      .pack_centers = row_filter_pack_centers<T>,
      .nearest_in_place = row_filter_nearest<T>,
  };
}

}  // namespace
}  // namespace centroids
