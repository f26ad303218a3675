// The plain reference kernels: one scalar loop each, the oracle of the tests. std::fma is correctly
// rounded on every machine, so these bits are what every instruction set with FMA must give.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/kernels.hpp"
#include "kernels/rounding.hpp"

namespace centroids {
namespace {

template <class T>
void pack_block(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* shift,
                T* out) {
  for (int i = 0; i < kBlockRows; ++i)
    for (int64_t t = 0; t < n_cols; ++t)
      out[t * kBlockRows + i] =
          i < n_rows ? shift[t] - x[int64_t(rows ? rows[i] : i) * n_cols + t] : T(0);
}

template <class T>
void block_norms(const T* packed_rows, int64_t n_cols, T* out) {
  for (int i = 0; i < kBlockRows; ++i) {
    out[i] = 0;
    for (int64_t t = 0; t < n_cols; ++t) {
      const T x = packed_rows[t * kBlockRows + i];
      out[i] = std::fma(x, x, out[i]);
    }
  }
}

template <class T>
void bound_distances(const T* norms, const T* score, const T* second_score, double relative_error,
                     double max_norm, float* upper, float* lower) {
  for (int i = 0; i < kBlockRows; ++i) {
    const double norm = norms[i], reach = std::sqrt(norm) + max_norm;
    const double error = relative_error * reach * reach;
    upper[i] = at_most(norm, score[i], error);
    lower[i] = at_least(norm, second_score[i], error);
  }
}

template <class T>
T score(const T* packed_rows, int64_t n_cols, const PackedCenters<T>& centers, int i, int32_t j) {
  const int64_t g = centers.group_size;
  const T* c = centers.packed + (j / g) * g * n_cols + j % g;
  T sum = centers.half_norms[j];
  for (int64_t t = 0; t < n_cols; ++t)
    sum = std::fma(packed_rows[t * kBlockRows + i], c[t * g], sum);
  return sum;
}

template <class T>
void assign_block(const T* packed_rows, int64_t n_cols, int n_rows, const PackedCenters<T>& centers,
                  Search, const NextRows&, BlockNearest<T>& out) {
  for (int i = 0; i < n_rows; ++i) {
    out.score[i] = out.second_score[i] = std::numeric_limits<T>::infinity();
    out.label[i] = out.second_label[i] = 0;
    for (int32_t j = 0; j < centers.n_centers; ++j) {
      T loser = score(packed_rows, n_cols, centers, i, j);
      int32_t loser_label = j;
      const bool is_nearer = loser < out.score[i];
      if (is_nearer) {
        std::swap(loser, out.score[i]);
        std::swap(loser_label, out.label[i]);
      }
      if (is_nearer || loser < out.second_score[i]) {
        out.second_score[i] = loser;
        out.second_label[i] = loser_label;
      }
    }
  }
}

template <class T>
void score_block(const T* packed_rows, int64_t n_cols, const PackedCenters<T>& centers, T* scores,
                 int64_t stride) {
  for (int i = 0; i < kBlockRows; ++i)
    for (int32_t j = 0; j < centers.n_centers; ++j)
      scores[i * stride + j] = score(packed_rows, n_cols, centers, i, j);
}

template <class T>
void add_rows(const T* x, int64_t n_cols, int n_rows, const int32_t* labels, const double* w,
              const double* origin, double* sums) {
  for (int i = 0; i < n_rows; ++i)
    for (int64_t t = 0; t < n_cols; ++t) {
      const double value = double(x[i * n_cols + t]) - (origin ? origin[t] : 0.0);
      sums[labels[i] * n_cols + t] += w ? w[i] * value : value;
    }
}

template <class T>
void add_compensated_rows(const T* x, int64_t n_cols, const Addend* addends, int64_t n,
                          const double* origin, double* sums, double* errors) {
  for (const Addend* a = addends; a < addends + n; ++a)
    for (int64_t t = 0; t < n_cols; ++t) {
      double& sum = sums[a->cluster * n_cols + t];
      const double value =
          a->factor * (double(x[a->row * n_cols + t]) - (origin ? origin[t] : 0.0));
      const double total = sum + value;
      const double part = total - sum;
      errors[a->cluster * n_cols + t] += (sum - (total - part)) + (value - part);
      sum = total;
    }
}

template <class T>
void point_distances(const T* x, int64_t n_cols, const int32_t* rows, int n_rows, const T* points,
                     int n_points, T*, T* out) {
  const int line = 64 / int(sizeof(T));
  for (int p = 0; p < n_points; ++p)
    for (int i = 0; i < n_rows; ++i) {
      const T* row = x + int64_t(rows ? rows[i] : i) * n_cols;
      const T* point = points + p * n_cols;
      T part[64 / sizeof(T)] = {};
      const bool is_narrow = n_cols < kNarrowLines * line;
      const int64_t whole = is_narrow ? n_cols : n_cols / line * line;
      for (int64_t t = 0; t < whole; ++t) {
        const T difference = point[t] - row[t];
        T& sum = part[is_narrow ? 0 : t % line];
        sum = std::fma(difference, difference, sum);
      }
      for (int half = line / 2; half > 0; half /= 2)
        for (int l = 0; l < half; ++l) part[l] += part[l + half];
      for (int64_t t = whole; t < n_cols; ++t) part[0] += (point[t] - row[t]) * (point[t] - row[t]);
      out[p * kBlockRows + i] = part[0];
    }
}

double eight_sum(const double* part) {
  return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

template <class T>
uint64_t lower(T* current, const T* tried) {
  uint64_t lowered = 0;
  for (int i = 0; i < kBlockRows; ++i)
    if (tried[i] < current[i]) {
      current[i] = tried[i];
      lowered |= uint64_t(1) << i;
    }
  return lowered;
}

template <class T>
void add_gains(const T* current, const T* tried, int n_points, const double* w, double rounder,
               double* sums) {
  for (int p = 0; p < n_points; ++p)
    for (int i = 0; i < kBlockRows; ++i) {
      const double less = double(current[i]) - double(tried[p * kBlockRows + i]);
      if (less > 0) sums[p] += ((w ? less * w[i] : less) + rounder) - rounder;
    }
}

template <class T>
double weighted_sum(const T* values, const double* w, int64_t n) {
  double part[8] = {};
  for (int64_t i = 0; i < n / 8 * 8; ++i)
    part[i % 8] += w ? double(values[i]) * w[i] : double(values[i]);
  double total = eight_sum(part);
  for (int64_t i = n / 8 * 8; i < n; ++i) total += w ? double(values[i]) * w[i] : double(values[i]);
  return total;
}

template <class T>
int select_above(const T* values, const int32_t* labels, const T* threshold, int n, int32_t* out) {
  int count = 0;
  for (int i = 0; i < n; ++i)
    if (values[i] > threshold[labels[i]]) out[count++] = i;
  return count;
}

int advance_bounds(const Motion& motion, const int32_t* labels, int n, float* upper, float* lower,
                   int32_t* out) {
  int count = 0;
  for (int i = 0; i < n; ++i) {
    const CenterMotion& center = motion.centers[labels[i]];
    upper[i] = (upper[i] + center.own_shift) * kUp;
    const float u = upper[i], l = lower[i] * kDown - center.other_shift;
    const float gap = std::max(l, center.neighbor * kDown - u);
    const float margin = gap * gap * kDown - u * u * kUp;
    if (gap > 0 && margin > (motion.doubt_slope * u + motion.doubt) * kUp)
      lower[i] = l;
    else
      out[count++] = i;
  }
  return count;
}

template <class T>
void add_moments(const T* x, int64_t n_cols, int n_rows, const double* w, const double* reference,
                 double* sum, double* square_sum) {
  for (int i = 0; i < n_rows; ++i)
    for (int64_t t = 0; t < n_cols; ++t) {
      const double v = double(x[i * n_cols + t]) - reference[t];
      const double wv = w ? w[i] * v : v;
      sum[t] += wv;
      square_sum[t] += wv * v;
    }
}

template <class T>
void squared_distances(const T* x, int64_t n_cols, const int32_t* rows, int n_rows,
                       const double* centers, const int32_t* labels, double* out) {
  for (int i = 0; i < n_rows; ++i) {
    double part[8] = {};
    for (int64_t t = 0; t < n_cols; ++t) {
      const double difference =
          double(x[int64_t(rows ? rows[i] : i) * n_cols + t]) - centers[labels[i] * n_cols + t];
      part[t % 8] += difference * difference;
    }
    out[i] = eight_sum(part);
  }
}

template <class T>
void sparse_scores(const T* values, const int32_t* columns, int64_t n_entries, int64_t n_cols,
                   const SparsePackedCenters<T>& centers, T* scores) {
  const int64_t group = centers.lines * 64 / int64_t(sizeof(T));
  for (int64_t j = 0; j < centers.n_groups * group; ++j) {
    const T* packed = centers.packed + j / group * group * n_cols + j % group;
    scores[j] = centers.half_norms[j];
    for (int64_t e = 0; e < n_entries; ++e)
      scores[j] = std::fma(-values[e], packed[columns[e] * group], scores[j]);
  }
}

}  // namespace

template <class T>
const Kernels<T>& reference_kernels() {
  static const Kernels<T> table = {"reference",
                                   6,
                                   {},
                                   pack_block<T>,
                                   block_norms<T>,
                                   bound_distances<T>,
                                   assign_block<T>,
                                   score_block<T>,
                                   add_rows<T>,
                                   add_compensated_rows<T>,
                                   point_distances<T>,
                                   lower<T>,
                                   add_gains<T>,
                                   weighted_sum<T>,
                                   select_above<T>,
                                   advance_bounds,
                                   add_moments<T>,
                                   squared_distances<T>,
                                   sparse_scores<T>,
                                   {},
                                   nullptr};
  return table;
}
template const Kernels<float>& reference_kernels<float>();
template const Kernels<double>& reference_kernels<double>();

}  // namespace centroids
