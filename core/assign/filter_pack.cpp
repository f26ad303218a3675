#include "assign/filter_pack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "threads/pool.hpp"

namespace centroids {
namespace {

constexpr double kFloatUnit = 0x1p-24;
// Numbers and products below the smallest float32 may be lost.
constexpr double kLost = 0x1p-126;

// Short numbers of a row, or products of a score.
template <class T>
int64_t n_products(const FilterKernels<T>& filter, int64_t n_features, Digits digits) {
  return digits == Digits::two && filter.by_product > 0 ? 3 * n_features : n_features;
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
  double least = kWorthTrying * TileCost<T>(n_features).search(n_centers).sum();
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
  max_rest_ = std::sqrt(*std::max_element(rests.begin(), rests.end()));
  // The filter's rounding, and that of rows and half norms that were float64.
  by_sizes_ = 1.01 * (filter_->by_sizes(n_features_, digits) + 4 * kFloatUnit);
  // The tile's own: it rounds h + y.c as it stands after each column, and there |y.c| is at most
  // |y| times the length of c so far.
  const double unit = 1.01 * double(std::numeric_limits<T>::epsilon()) / 2;
  tile_by_length_ = unit * (*std::max_element(paths.begin(), paths.end()) + 8 * max_norm_);
  tile_by_norm_ = unit * double(n_features_ + 8) * max_norm_ * max_norm_ / 2;
  by_product_ = digits == Digits::two ? 1.01 * filter_->by_product : 0.0;
}

template <class T>
void FilterPack<T>::resize(FilterScratch& scratch) const {
  scratch.packed.resize(filter_->row_bytes(n_features_, digits_));
  scratch.rows.packed = scratch.packed.data();
}

template <class T>
void FilterPack<T>::nearest(const T* base, const int32_t* rows, int n, const T* shift,
                            FilterScratch& scratch) const {
  const FilterCenters centers = {packed_.data(), half_norms_.data(), n_features_, n_lanes_,
                                 digits_,        with_second_};
  const auto set_errors = [&] {
    for (int i = 0; i < n; ++i) {
      scratch.error[i] = error(std::sqrt(double(scratch.rows.norm[i])), scratch.rows.rest[i]);
      scratch.rows.margin[i] = float(4 * scratch.error[i]);
    }
  };
  if (filter_->nearest_in_place) {
    filter_->nearest_in_place(base, rows, n, shift, centers, scratch.rows, scratch.nearest);
    set_errors();
  } else {
    filter_->pack_rows(base, n_features_, rows, n, shift, digits_, scratch.rows);
    set_errors();  // `nearest` needs the margins
    filter_->nearest(scratch.rows, n, centers, scratch.nearest);
  }
}

template <class T>
void FilterPack<T>::score_pairs(const T* base, const std::vector<Pair>& pairs,
                                const CenterPack<T>& pack, T* out) const {
  filter_->score_pairs(base, n_features_, pack.shift(), rows_.data(), pack.view().half_norms,
                       pairs.data(), int(pairs.size()), out);
}

template <class T>
double FilterPack<T>::norm_error(double length) const {
  // Filters sum at least sixteen columns side by side.
  return double(n_features_ / 16 + 8) * 2 * kFloatUnit * length * length +
         double(n_features_) * kLost;
}

template <class T>
double FilterPack<T>::error(double length, double rest) const {
  // `length` and `rest` are float32 sums.
  const double grow = 1 + double(n_features_ + 16) * kFloatUnit;
  length *= grow;
  if (!(length < kFilterReach && max_norm_ < kFilterReach))
    return std::numeric_limits<double>::infinity();
  double error =
      norm_error(length) / 2 + by_sizes_ * (max_norm_ * max_norm_ / 2 + length * max_norm_) +
      tile_by_norm_ + tile_by_length_ * length + by_product_ * length * max_norm_ +
      double(n_products(*filter_, n_features_, digits_)) * kLost * (2 + length + max_norm_);
  // |y.c - y'.c'| <= |y - y'| |c| + |y'| |c - c'|, |y'| <= (1 + 2^-8) |y|
  if (by_product_ == 0)
    error += grow * std::sqrt(rest) * max_norm_ + length * (1 + 0x1p-7) * max_rest_;
  return error;
}

template class FilterPack<float>;
template class FilterPack<double>;

}  // namespace centroids
