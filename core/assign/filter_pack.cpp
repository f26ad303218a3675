#include "assign/filter_pack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/rounding.hpp"
#include "threads/pool.hpp"

namespace centroids {
namespace {

constexpr double kFloatUnit = 0x1p-24;
// Numbers and products below the smallest float32 may be lost.
constexpr double kLost = 0x1p-126;
constexpr double kNoBound = std::numeric_limits<double>::infinity();

// Products of a score in one digit, or as many as take as long: one of two bytes takes as long as
// two of one.
template <class T>
int64_t n_products(const FilterKernels<T>& filter, int64_t n_features, Digits digits) {
  if (digits == Digits::one) return n_features;
  return filter.by_product > 0 ? 3 * n_features : 2 * n_features;
}

int64_t lanes_for(int64_t n_centers) {
  return (n_centers + kFilterCenters - 1) / kFilterCenters * kFilterCenters;
}

}  // namespace

template <class T>
const FilterKernels<T>* FilterPack<T>::choose(const Kernels<T>& kernels, int64_t n_centers,
                                              int64_t n_features) {
  constexpr double kWorthTrying = 0.85;
  const FilterKernels<T>* chosen = nullptr;
  double least = kWorthTrying * TileCost<T>(kernels.tile_costs, n_features).search(n_centers).sum();
  for (const FilterKernels<T>* filter : kernels.filters) {
    if (!filter) continue;
    const double cost = search_cost(*filter, n_centers, n_features).sum();
    if (cost >= least) continue;
    least = cost;
    chosen = filter;
  }
  return chosen;
}

template <class T>
SearchCost FilterPack<T>::search_cost(const FilterKernels<T>& filter, int64_t n_centers,
                                      int64_t n_features) {
  const Digits digits = prefers_two_digits(filter, n_features) ? Digits::two : Digits::one;
  const int64_t step = filter.products_at_once, at_once = filter.centers_at_once;
  const int64_t products = (n_products(filter, n_features, digits) + step - 1) / step * step;
  const int64_t scores = (n_centers + at_once - 1) / at_once * at_once;
  return {filter.cost_per_row + filter.cost_per_column * double(n_features),
          double(scores) * (filter.cost_per_product * double(products) + filter.cost_per_score)};
}

template <class T>
void FilterPack<T>::pack(const Centers& centers, const CenterPack<T>& pack,
                         const FilterKernels<T>& filter, Digits digits, int n_threads) {
  filter_ = &filter;
  digits_ = digits;
  n_features_ = centers.n_features;
  const int64_t k = centers.n_clusters;
  n_lanes_ = lanes_for(k);
  const int64_t group_bytes = filter_->center_bytes(n_features_, digits, kFilterCenters);
  packed_.resize(n_lanes_ / kFilterCenters * group_bytes);
  half_norms_.resize(n_lanes_);
  rows_.resize(k * n_features_);
  std::vector<double> rests(n_lanes_), norms(n_lanes_), paths(n_lanes_);
  n_threads = worthwhile_threads(n_threads, 20.0 * double(k) * double(n_features_));
  parallel_for(n_threads, n_lanes_ / kFilterCenters, [&](int, int64_t group) {
    const int64_t first = group * kFilterCenters, n = std::min(kFilterCenters, k - first);
    T* shifted = rows_.data() + first * n_features_;
    for (int64_t j = 0; j < n; ++j) {
      T* center = shifted + j * n_features_;
      pack.copy_center(first + j, center);
      for (int64_t t = 0; t < n_features_; ++t) {
        norms[first + j] += double(center[t]) * double(center[t]);
        paths[first + j] += std::sqrt(norms[first + j]);
      }
    }
    filter_->pack_centers(shifted, n, n_features_, kFilterCenters, digits,
                          packed_.data() + group * group_bytes, rests.data() + first);
    for (int64_t j = 0; j < kFilterCenters; ++j)
      half_norms_.data()[first + j] = j < n ? float(0.5 * norms[first + j]) : kFilterFar;
  });
  max_norm_ = std::sqrt(*std::max_element(norms.begin(), norms.end()));
  errors_.resize(n_lanes_);
  errors_by_length_.resize(n_lanes_);
  max_error_ = max_estimate_error_ = {};
  // In four lanes or more, that are added up, with the half norm.
  const double by_estimating =
      double(n_features_ / 4 + 8) * double(std::numeric_limits<T>::epsilon()) / 2;
  for (int64_t j = 0; j < n_lanes_; ++j) {
    const double norm = std::sqrt(norms[j]);
    const Error error = error_of_center(norm, std::sqrt(rests[j]), paths[j]);
    errors_.data()[j] = round_up(error.at_zero);
    errors_by_length_.data()[j] = round_up(error.by_length);
    max_error_.grow(error);
    max_estimate_error_.grow(rounding_error(norm, paths[j], by_estimating));
  }
}

template <class T>
typename FilterPack<T>::Error FilterPack<T>::rounding_error(double norm, double path,
                                                            double by_sizes) const {
  // That of rows and half norms that were float64, and that of bounds.
  by_sizes = 1.01 * (by_sizes + 8 * kFloatUnit);
  // The tile's own: it rounds h + y.c as it stands after each column, and there |y.c| is at most
  // |y| times the length of c so far.
  const double unit = 1.01 * double(std::numeric_limits<T>::epsilon()) / 2;
  const double lost = double(n_products(*filter_, n_features_, digits_)) * kLost;
  return {.at_zero = by_sizes * norm * norm / 2 + unit * double(n_features_ + 8) * norm * norm / 2 +
                     lost * (2 + norm),
          .by_length = by_sizes * norm + unit * (path + 8 * norm) + lost};
}

template <class T>
typename FilterPack<T>::Error FilterPack<T>::error_of_center(double norm, double rest,
                                                             double path) const {
  Error error = rounding_error(norm, path, filter_->by_sizes(n_features_, digits_));
  // |y.c - y'.c'| <= |y - y'| |c| + |y'| |c - c'|, |y'| <= (1 + 2^-8) |y|
  if (measures_rests())
    error.by_length += 1.01 * filter_->by_rounding * norm + (1 + 0x1p-7) * rest;
  else
    error.by_length += 1.01 * filter_->by_product * norm;
  return error;
}

template <class T>
void FilterPack<T>::resize(FilterScratch& scratch) const {
  scratch.packed.resize(filter_->row_bytes(n_features_, digits_));
  scratch.rows.packed = scratch.packed.data();
}

template <class T>
void FilterPack<T>::nearest(const RowBlock<T>& rows, const T* shift, FilterScratch& scratch) const {
  const FilterCenters centers = {
      .packed = packed_.data(),
      .half_norms = half_norms_.data(),
      .n_cols = n_features_,
      .n_lanes = n_lanes_,
      .digits = digits_,
      .with_second = with_second_,
      .error = errors_.data(),
      .error_by_length = errors_by_length_.data(),
      .grow = round_up(row_length(1)),
  };
  if (filter_->nearest_in_place) {
    filter_->nearest_in_place(rows.base, rows.listed, rows.n, shift, centers, scratch.rows,
                              scratch.nearest);
    set_errors_in_place(rows.n, scratch);
  } else {
    scratch.rows.next = rows.next();
    filter_->pack_rows(rows.base, n_features_, rows.listed, rows.n, shift, digits_, scratch.rows);
    set_errors(rows.n, scratch);  // `nearest` needs the margins
    filter_->nearest(scratch.rows, rows.n, centers, scratch.nearest);
    for (int i = 0; i < rows.n; ++i) scratch.nearest.others[i] -= float(scratch.error[i]);
  }
}

template <class T>
void FilterPack<T>::score_pairs(const T* base, const std::vector<Pair>& pairs,
                                const CenterPack<T>& pack, T* out) const {
  filter_->score_pairs(base, n_features_, pack.shift(), rows_.data(), pack.view().half_norms,
                       pairs.data(), int(pairs.size()), out);
}

template <class T>
void FilterPack<T>::estimate_pairs(const T* base, const std::vector<Pair>& pairs,
                                   const CenterPack<T>& pack, T* out) const {
  filter_->estimate_pairs(base, n_features_, pack.shift(), rows_.data(), pack.view().half_norms,
                          pairs.data(), int(pairs.size()), out);
}

template <class T>
double FilterPack<T>::norm_error(double length) const {
  // Filters sum at least sixteen columns side by side.
  return double(n_features_ / 16 + 8) * 2 * kFloatUnit * length * length +
         double(n_features_) * kLost;
}

// `norm` is a float32 sum.
template <class T>
double FilterPack<T>::row_length(double norm) const {
  return std::sqrt(norm) * (1 + double(n_features_ + 16) * kFloatUnit);
}

// False for whatever is not a number.
template <class T>
bool FilterPack<T>::is_in_reach(double length) const {
  return length < kFilterReach && max_norm_ < kFilterReach;
}

template <class T>
void FilterPack<T>::set_errors(int n, FilterScratch& scratch) const {
  for (int i = 0; i < n; ++i) {
    const double length = row_length(scratch.rows.norm[i]);
    double error = kNoBound;
    if (is_in_reach(length)) {
      error = max_error_.at_zero + max_error_.by_length * length;
      // `rest` is a float32 sum, too.
      if (measures_rests()) error += row_length(scratch.rows.rest[i]) * max_norm_;
    }
    scratch.error[i] = error;
    scratch.rows.margin[i] = float(4 * error);
  }
}

template <class T>
void FilterPack<T>::set_errors_in_place(int n, FilterScratch& scratch) const {
  for (int i = 0; i < n; ++i) {
    const double length = row_length(scratch.rows.norm[i]);
    const int32_t label = scratch.nearest.label[0][i];
    scratch.error[i] = is_in_reach(length) ? double(errors_.data()[label]) +
                                                 double(errors_by_length_.data()[label]) * length
                                           : kNoBound;
  }
}

template class FilterPack<float>;
template class FilterPack<double>;

}  // namespace centroids
