// The certified filter for few centers of many columns: float32 products along the columns of a row
// as it lies in memory, where the tile would first transpose a block of rows, which takes longer
// than to multiply it with few centers. Included behind kernels.inl; for vectors of 32 bytes.

#include <type_traits>

#include "kernels/filter.hpp"

namespace centroids {
namespace {

#include "kernels/columns.inl"

// A register tile: kFewRows rows against a group of centers, one vector of columns at a time. As
// many rows as a vector has lanes meet one group after the other, so that a group stays in the
// first-level cache meanwhile, and the rows in the second.
constexpr int kFewRows = 2;
constexpr int kMostCenters = 5;
constexpr int kManyRows = kLanes<float>;
constexpr int kTiles = kManyRows / kFewRows;
constexpr int kMostGroups = (int(kFilterCenters) + kMostCenters - 1) / kMostCenters;
constexpr int64_t kStep = 2 * kLanes<float>;  // columns are padded to this
constexpr int64_t kMostColumns = 800;

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
  int count() const { return (n_centers + kMostCenters - 1) / kMostCenters; }
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

// GCC 12 would load a center anew for each row.
CENTROIDS_INLINE Vec<float> in_register(Vec<float> v) {
  __asm__("" : "+x"(v));
  return v;
}

// The sums of the lanes of eight vectors.
CENTROIDS_INLINE Vec<float> sums_of_lanes(const Vec<float> (&v)[kManyRows]) {
  Vec<float> two[4], four[2];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i)
    two[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], 0, 8, 1, 9, 4, 12, 5, 13) +
             __builtin_shufflevector(v[2 * i], v[2 * i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i)
    four[i] = __builtin_shufflevector(two[2 * i], two[2 * i + 1], 0, 1, 8, 9, 4, 5, 12, 13) +
              __builtin_shufflevector(two[2 * i], two[2 * i + 1], 2, 3, 10, 11, 6, 7, 14, 15);
  return __builtin_shufflevector(four[0], four[1], 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(four[0], four[1], 4, 5, 6, 7, 12, 13, 14, 15);
}

// Of kManyRows rows: the nearest center, and the least lower bounds on the scores of it and of the
// others.
struct Best {
  Vec<float> score, bound, others;
  IndexVec<float> label;

  CENTROIDS_INLINE void update(Vec<float> candidate, Vec<float> error, int32_t j) {
    const Vec<float> lower = candidate - error;
    const auto nearer = candidate < score;
    const Vec<float> loser = nearer ? bound : lower;
    others = loser < others ? loser : others;
    score = nearer ? candidate : score;
    bound = nearer ? lower : bound;
    label = nearer ? IndexVec<float>{} + j : label;
  }
};

// Products of the rows of a tile with a group of centers, by lane.
struct Products {
  Vec<float> sum[kFewRows][kMostCenters];

  template <int CENTERS>
  CENTROIDS_INLINE void add(const Vec<float>* rows, const float* group) {
#pragma GCC unroll 8
    for (int k = 0; k < CENTERS; ++k) {
      const Vec<float> center = in_register(load(group + k * kLanes<float>));
#pragma GCC unroll 8
      for (int r = 0; r < kFewRows; ++r) sum[r][k] = fma(rows[r], center, sum[r][k]);
    }
  }
  template <int CENTERS>
  CENTROIDS_INLINE void set(const Products* other) {
#pragma GCC unroll 8
    for (int r = 0; r < kFewRows; ++r)
#pragma GCC unroll 8
      for (int k = 0; k < CENTERS; ++k) sum[r][k] = other ? other->sum[r][k] : Vec<float>{};
  }
};

// Some columns of a tile of rows.
template <class T>
struct Columns {
  const T* x[kFewRows];
  const T* next[kFewRows];  // what is read next
  const T* shift;
  int64_t n_cols;  // the rest of `width` is padding
  int64_t width;   // a multiple of kStep
  bool are_first;  // of the rows: sums begin here
  float* y;        // packed, kFewRows * width of them
  Vec<float>* squares;

  CENTROIDS_INLINE float* packed(int64_t t, int r) const {
    return y + t * kFewRows + r * kLanes<float>;
  }
  // Line after line while these are multiplied: reading and multiplying would take turns.
  CENTROIDS_INLINE void fetch(int r, int64_t t) const {
    prefetch<kSecondCache>(next[r] + t, kStep);
  }

  // Adds the products and squares, and packs the columns on the way if there are other groups.
  template <int CENTERS, bool IS_ONLY>
  CENTROIDS_INLINE void shift_and_multiply(const float* group, Products& products) const {
    Products p;
    p.template set<CENTERS>(are_first ? nullptr : &products);
    Vec<float> square[kFewRows];
    for (int r = 0; r < kFewRows; ++r) square[r] = are_first ? Vec<float>{} : squares[r];
    int64_t t = 0;
    for (; t + kStep <= n_cols; t += kStep, group += kStep * CENTERS) {
      fetch(0, t);
      if (IS_ONLY) fetch(1, t);
      Vec<float> rows[2][kFewRows];
#pragma GCC unroll 2
      for (int v = 0; v < 2; ++v) {
#pragma GCC unroll 8
        for (int r = 0; r < kFewRows; ++r) {
          const int64_t at = t + v * kLanes<float>;
          rows[v][r] = shifted(x[r] + at, shift + at);
          if (!IS_ONLY) store(packed(at, r), rows[v][r]);
        }
        p.template add<CENTERS>(rows[v], group + v * kLanes<float> * CENTERS);
      }
      for (int r = 0; r < kFewRows; ++r)
        square[r] += fma(rows[1][r], rows[1][r], rows[0][r] * rows[0][r]);
    }
    if (t < width) {
      for (int r = 0; r < kFewRows; ++r) {
        for_columns<kStep>(x[r] + t, shift + t, n_cols - t,
                           [&](int64_t, const T* from, const T* s) {
                             for (int64_t v = 0; v < kStep; v += kLanes<float>)
                               store(packed(t + v, r), shifted(from + v, s + v));
                           });
        const Vec<float> low = load(packed(t, r)), high = load(packed(t + kLanes<float>, r));
        square[r] += fma(high, high, low * low);
      }
      multiply_from<CENTERS>(t, group, p, 0);
    }
    products.template set<CENTERS>(&p);
    for (int r = 0; r < kFewRows; ++r) squares[r] = square[r];
  }

  template <int CENTERS>
  CENTROIDS_INLINE void multiply(const float* group, Products& products, int fetched) const {
    Products p;
    p.template set<CENTERS>(are_first ? nullptr : &products);
    multiply_from<CENTERS>(0, group, p, fetched);
    products.template set<CENTERS>(&p);
  }

  template <int CENTERS>
  CENTROIDS_INLINE void multiply_from(int64_t t, const float* group, Products& p,
                                      int fetched) const {
    for (; t < width; t += kStep, group += kStep * CENTERS) {
      fetch(fetched, t);
#pragma GCC unroll 2
      for (int v = 0; v < 2; ++v) {
        Vec<float> rows[kFewRows];
#pragma GCC unroll 8
        for (int r = 0; r < kFewRows; ++r) rows[r] = load(packed(t + v * kLanes<float>, r));
        p.template add<CENTERS>(rows, group + v * kLanes<float> * CENTERS);
      }
    }
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
    case 4:
      return f(std::integral_constant<int, 4>{});
    default:
      return f(std::integral_constant<int, 5>{});
  }
}

// So many columns at a time that rows, shifted rows and centers share the second-level cache with
// the rows that come next.
int64_t columns_at_once(int64_t padded, int n_centers) {
  constexpr int64_t kBytes = 96 << 10;
  const int64_t fit = kBytes / (int64_t(sizeof(float)) * (2 * kManyRows + n_centers));
  const int64_t most = fit < kMostColumns ? fit : kMostColumns;
  const int64_t n_parts = (padded + most - 1) / most;
  const int64_t width = row_filter_columns((padded + n_parts - 1) / n_parts);
  return width < kMostColumns ? width : kMostColumns;
}

// Of kManyRows rows: products with a block of centers, and sums of squares, by lane.
struct BlockProducts {
  Products products[kMostGroups][kTiles];
  Vec<float> squares[kManyRows];
};

// Up to kManyRows rows with up to kFilterCenters centers. `row` tells where rows begin, and
// those that come after them; the last one stands for those that are missing.
template <class T, class ROW>
void multiply_many(ROW row, int n, const T* shift, const FilterCenters& centers,
                   int64_t first_center, const Groups& groups, float* packed, BlockProducts& out) {
  const int64_t n_cols = centers.n_cols, padded = row_filter_columns(n_cols);
  const int64_t width = columns_at_once(padded, groups.n_centers);
  const int n_groups = groups.count();
  const auto packed_group = [&](int group, int64_t begin) {
    return static_cast<const float*>(centers.packed) +
           (first_center + groups.first(group)) * padded + begin * groups.size(group);
  };
  for (int64_t begin = 0; begin < padded; begin += width) {
    const int64_t end = begin + width < padded ? begin + width : padded;
    Columns<T> tiles[kTiles];
    for (int tile = 0; tile < kTiles; ++tile) {
      Columns<T>& columns = tiles[tile];
      for (int r = 0; r < kFewRows; ++r) {
        const int i = tile * kFewRows + r;
        columns.x[r] = row(i < n ? i : n - 1) + begin;
        columns.next[r] = end < padded ? columns.x[r] + width : row(kManyRows + i);
      }
      columns.shift = shift + begin;
      columns.n_cols = (end < n_cols ? end : n_cols) - begin;
      columns.width = end - begin;
      columns.are_first = begin == 0;
      columns.y = packed + tile * kFewRows * width;
      columns.squares = out.squares + tile * kFewRows;
      with_size(groups.size(0), [&](auto size) {
        if (n_groups == 1)
          columns.template shift_and_multiply<size.value, true>(packed_group(0, begin),
                                                                out.products[0][tile]);
        else
          columns.template shift_and_multiply<size.value, false>(packed_group(0, begin),
                                                                 out.products[0][tile]);
      });
    }
    for (int group = 1; group < n_groups; ++group)
      with_size(groups.size(group), [&](auto size) {
        for (int tile = 0; tile < kTiles; ++tile)
          tiles[tile].template multiply<size.value>(packed_group(group, begin),
                                                    out.products[group][tile], group % kFewRows);
      });
  }
}

// Compares what was multiplied; sets the norms of the rows, the first of which is `first`.
CENTROIDS_INLINE void compare_many(const BlockProducts& block, const FilterCenters& centers,
                                   int64_t first_center, const Groups& groups, FilterRows& rows,
                                   int first, Best& best) {
  const Vec<float> norm = sums_of_lanes(block.squares);
  store(rows.norm + first, norm);
  Vec<float> length;
  for (int i = 0; i < kManyRows; ++i) length[i] = __builtin_sqrtf(norm[i]);
  length *= centers.grow;
  for (int group = 0; group < groups.count(); ++group)
    for (int k = 0; k < groups.size(group); ++k) {
      Vec<float> by_row[kManyRows];
#pragma GCC unroll 8
      for (int i = 0; i < kManyRows; ++i)
        by_row[i] = block.products[group][i / kFewRows].sum[i % kFewRows][k];
      const int64_t j = first_center + groups.first(group) + k;
      best.update(sums_of_lanes(by_row) + centers.half_norms[j],
                  centers.error[j] + length * centers.error_by_length[j], int32_t(j));
    }
}

template <class T>
void row_filter_nearest(const T* x, const int32_t* rows, int n_rows, const T* shift,
                        const FilterCenters& centers, FilterRows& scratch, FilterNearest& out) {
  int n_last = int(kFilterCenters);  // of the last block, without padding
  while (centers.half_norms[centers.n_lanes - kFilterCenters + n_last - 1] == kFilterFar) --n_last;
  const Vec<float> far = Vec<float>{} + kFilterFar;
  for (int first = 0; first < n_rows; first += kManyRows) {
    const int n = n_rows - first < kManyRows ? n_rows - first : kManyRows;
    const auto row = [&](int i) {
      i += first;
      return x + int64_t(rows ? rows[i < n_rows ? i : n_rows - 1] : i) * centers.n_cols;
    };
    Best best = {far, far, far, {}};
    for (int64_t j = 0; j < centers.n_lanes; j += kFilterCenters) {
      const Groups groups{j + kFilterCenters < centers.n_lanes ? int(kFilterCenters) : n_last};
      BlockProducts block;
      multiply_many<T>(row, n, shift, centers, j, groups, static_cast<float*>(scratch.packed),
                       block);
      compare_many(block, centers, j, groups, scratch, first, best);
    }
    store(out.score[0] + first, best.score);
    store(out.others + first, best.others);
    __builtin_memcpy(out.label[0] + first, &best.label, sizeof best.label);
    for (int l = 1; l < kListed; ++l) store(out.score[l] + first, far);
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
      .cost_per_product = 0.92,
      .cost_per_score = 40.0,
      .cost_per_row = 500.0,
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
