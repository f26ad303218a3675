#include "assign/close_centers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <type_traits>
#include <utility>

namespace centroids {

// Sets that are joined two at a time; the least member stands for its set.
class Sets {
 public:
  explicit Sets(int64_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0); }
  int32_t of(int32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  bool are_one(int32_t a, int32_t b) { return of(a) == of(b); }
  void join(int32_t a, int32_t b) {
    a = of(a);
    b = of(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<int32_t> parent_;
};

namespace {

// So few centers are compared one by one.
constexpr int64_t kFew = 24;

// Squares that lose digits because they are so small.
template <class T>
constexpr double kTiny = 16 * double(std::numeric_limits<T>::min());

// The two columns in which centers differ most.
std::array<int64_t, 2> widest_columns(const Centers& centers) {
  std::array<int64_t, 2> widest{0, 0};
  std::vector<double> least(centers.row(0), centers.row(0) + centers.n_features);
  std::vector<double> most = least;
  for (int64_t j = 1; j < centers.n_clusters; ++j)
    for (int64_t t = 0; t < centers.n_features; ++t) {
      least[t] = std::min(least[t], centers.row(j)[t]);
      most[t] = std::max(most[t], centers.row(j)[t]);
    }
  const auto range = [&](int64_t t) { return most[t] - least[t]; };
  for (int64_t t = 1; t < centers.n_features; ++t) {
    if (range(t) > range(widest[0]))
      widest = {t, widest[0]};
    else if (t == 1 || range(t) > range(widest[1]))
      widest[1] = t;
  }
  return widest;
}

}  // namespace

// A row on one of two centers is given to that one if |a - b|^2 / 2, by which the scores differ, is
// more than both are off: each by score_error * (|x - s| + |c - s|)^2, so together by no more than
// 8 * score_error times the larger |c - s|^2. Equal centers are close, too: what is close to one of
// them is to the others.
template <class T>
bool CloseCenters<T>::are_close(int32_t a, int32_t b) const {
  const double most = share_ * std::max(pack_->squared_norm(a), pack_->squared_norm(b)) + kTiny<T>;
  const double *p = centers_->row(a), *q = centers_->row(b);
  double sum = 0;
  for (int64_t t = 0; t < centers_->n_features && sum <= most; ++t)
    sum += (p[t] - q[t]) * (p[t] - q[t]);
  return sum <= most;
}

// No center that is close to this one is farther from it: of two such, the one |c - s| is at most
// 1 / (1 - sqrt(share)) times the other, and what these norms are rounded more.
template <class T>
double CloseCenters<T>::reach(int32_t center) const {
  constexpr double kRounded = 1 + 16 * double(std::numeric_limits<T>::epsilon());
  const double root = std::sqrt(share_), norm = std::sqrt(pack_->squared_norm(center));
  const double farthest = root < 0.5 ? norm / (1 - root) : pack_->max_norm();
  return kRounded * (root * std::min(farthest, pack_->max_norm()) + std::sqrt(kTiny<T>));
}

template <class T>
void CloseCenters<T>::begin(const Centers& centers, const CenterPack<T>& pack) {
  centers_ = &centers;
  pack_ = &pack;
  share_ = 16 * score_error<T>(centers.n_features);
  groups_.clear();
}

template <class T>
void CloseCenters<T>::find(const Centers& centers, const CenterPack<T>& pack) {
  begin(centers, pack);
  Sets sets(centers.n_clusters);
  if (centers.n_clusters <= kFew)
    join_few(sets);
  else
    join_many(sets);
  add_groups(sets);
}

template <class T>
void CloseCenters<T>::join_few(Sets& sets) const {
  for (int32_t a = 0; a < int32_t(centers_->n_clusters); ++a)
    for (int32_t b = 0; b < a; ++b)
      if (are_close(a, b)) sets.join(a, b);
}

// Along the column of the widest range, only neighbours can be close. Stretches of one set are
// passed over as a whole, or many centers in one place would take time with their square.
template <class T>
void CloseCenters<T>::join_many(Sets& sets) const {
  const int64_t k = centers_->n_clusters;
  const auto [first, second] = widest_columns(*centers_);
  std::vector<std::pair<double, int32_t>> order(k);
  for (int32_t j = 0; j < k; ++j) order[j] = {centers_->row(j)[first], j};
  std::sort(order.begin(), order.end());
  std::vector<double> other_column(k);
  for (int64_t i = 0; i < k; ++i) other_column[i] = centers_->row(order[i].second)[second];
  std::vector<int64_t> end(k);  // up to which all from here on are of one set, as far as is known
  std::iota(end.begin(), end.end(), 1);
  std::vector<int64_t> stretch;  // where known ones begin that follow one another
  const auto finish = [&](int64_t stretch_end) {
    for (const int64_t begin : stretch) end[begin] = stretch_end;
    stretch.clear();
  };
  for (int64_t i = 0; i < k; ++i) {
    const auto [at, a] = order[i];
    const double most = reach(a);
    int64_t other = i + 1;
    while (other < k && order[other].first - at <= most) {
      const int32_t b = order[other].second;
      if (!sets.are_one(a, b) && std::abs(other_column[other] - other_column[i]) <= most &&
          are_close(a, b))
        sets.join(a, b);
      if (sets.are_one(a, b)) {
        stretch.push_back(other);
        other = end[other];
      } else {
        finish(other++);
      }
    }
    finish(other);
  }
}

template <class T>
void CloseCenters<T>::find_around(const Centers& centers, const CenterPack<T>& pack,
                                  const int32_t* labels, const int32_t* second_labels, int n) {
  begin(centers, pack);
  const int32_t k = int32_t(centers.n_clusters);
  std::vector<char> is_listed(k);
  std::vector<int32_t> listed;
  const auto list = [&](int32_t center) {
    if (is_listed[center]) return;
    is_listed[center] = 1;
    listed.push_back(center);
  };
  for (int i = 0; i < n; ++i) {
    list(labels[i]);
    if (second_labels && second_labels[i] >= 0) list(second_labels[i]);
  }
  const size_t most = listed.size() + size_t(kFew);
  Sets sets(k);
  for (size_t i = 0; i < listed.size(); ++i) {
    if (listed.size() > most) return find(centers, pack);
    for (int32_t other = 0; other < k; ++other) {
      if (other == listed[i] || !are_close(listed[i], other)) continue;
      sets.join(listed[i], other);
      list(other);
    }
  }
  add_groups(sets);
}

// Equal centers have equal scores: alone they are no group.
template <class T>
void CloseCenters<T>::add_groups(Sets& sets) {
  const int32_t k = int32_t(centers_->n_clusters);
  const int64_t d = centers_->n_features;
  std::map<int32_t, std::vector<int32_t>> members;  // of those with another one
  for (int32_t j = 0; j < k; ++j)
    if (sets.of(j) != j) members[sets.of(j)].push_back(j);
  if (members.empty()) return;
  group_of_.assign(k, -1);
  for (auto& [least, others] : members) {
    const double* first = centers_->row(least);
    if (std::all_of(others.begin(), others.end(),
                    [&](int32_t j) { return std::equal(first, first + d, centers_->row(j)); }))
      continue;
    others.insert(others.begin(), least);
    add_group(std::move(others));
  }
  for (Group& group : groups_) look_within(group);  // now that they stay where they are
}

template <class T>
void CloseCenters<T>::add_group(std::vector<int32_t> members) {
  Group group;
  group.centers = Centers(int64_t(members.size()), centers_->n_features, Dtype::f64);
  for (size_t m = 0; m < members.size(); ++m) {
    group_of_[members[m]] = int32_t(groups_.size());
    std::copy_n(centers_->row(members[m]), centers_->n_features, group.centers.row(int64_t(m)));
  }
  group.members = std::move(members);
  group.pack.pack(group.centers, kernels<double>());
  groups_.push_back(std::move(group));
}

// Centers of a group may be close even with its shift: those of groups within. All centers once
// more would be the same group again.
template <class T>
void CloseCenters<T>::look_within(Group& group) const {
  if (std::is_same_v<T, double> && int64_t(group.members.size()) == centers_->n_clusters) return;
  group.inner = std::make_unique<CloseCenters<double>>();
  group.inner->find(group.centers, group.pack);
  if (group.inner->empty()) group.inner.reset();
}

template <class T>
template <class F>
void CloseCenters<T>::search_groups(const RowBlock<T>& rows, CloseScratch& scratch,
                                    const int32_t* labels, Search search, F take) const {
  const int64_t d = rows.n_features;
  std::vector<std::pair<int32_t, int32_t>>& places = scratch.places;
  places.clear();
  for (int i = 0; i < rows.n; ++i)
    if (group_of(labels[i]) >= 0) places.push_back({group_of(labels[i]), i});
  if (places.empty()) return;
  std::sort(places.begin(), places.end());
  scratch.rows.resize(kBlockRows * d);
  scratch.block.packed.resize(kBlockRows * d);
  for (size_t first = 0, end; first < places.size(); first = end) {
    const Group& group = groups_[places[first].first];
    double* out = scratch.rows.data();
    for (end = first; end < places.size() && places[end].first == places[first].first; ++end) {
      const int32_t i = places[end].second;
      out = std::copy_n(rows.base + int64_t(rows.listed ? rows.listed[i] : i) * d, d, out);
    }
    const RowBlock<double> rows_of_group{scratch.rows.data(), d, nullptr, int(end - first), 0};
    scratch.block.find(kernels<double>(), rows_of_group, group.pack.shift(), group.pack.view(),
                       search);
    BlockNearest<double>& nearest = scratch.block.nearest;
    if (group.inner) {
      if (!scratch.inner) scratch.inner = std::make_unique<CloseScratch>();
      group.inner->settle(rows_of_group, *scratch.inner, nearest.label,
                          search == Search::with_second ? nearest.second_label : nullptr);
    }
    for (size_t p = first; p < end; ++p)
      take(places[p].second, group.members[nearest.label[p - first]],
           search == Search::with_second ? group.members[nearest.second_label[p - first]] : -1);
  }
}

template <class T>
void CloseCenters<T>::settle(const RowBlock<T>& rows, CloseScratch& scratch, int32_t* labels,
                             int32_t* second_labels) const {
  if (empty()) return;
  if (second_labels) return settle_seconds(rows, scratch, labels, second_labels);
  search_groups(rows, scratch, labels, Search::nearest,
                [&](int32_t i, int32_t label, int32_t) { labels[i] = label; });
}

// The second nearest is the second of the first one's group, or the nearest of the others.
template <class T>
void CloseCenters<T>::settle_seconds(const RowBlock<T>& rows, CloseScratch& scratch,
                                     int32_t* labels, int32_t* second_labels) const {
  int32_t inside[kBlockRows], outside[kBlockRows];
  for (int i = 0; i < rows.n; ++i) {
    const int32_t group = group_of(labels[i]);
    inside[i] = -1;
    outside[i] = group >= 0 && group_of(second_labels[i]) == group ? -1 : second_labels[i];
  }
  search_groups(rows, scratch, labels, Search::with_second,
                [&](int32_t i, int32_t label, int32_t second) {
                  labels[i] = label;
                  inside[i] = second;
                });
  search_groups(rows, scratch, outside, Search::nearest,
                [&](int32_t i, int32_t label, int32_t) { outside[i] = label; });
  const auto squared_distance = [&](int32_t i, int32_t label) {
    double squared;
    kernels<T>().squared_distances(rows.base, rows.n_features, rows.listed ? rows.listed + i : &i,
                                   1, centers_->values.data(), &label, &squared);
    return squared;
  };
  for (int i = 0; i < rows.n; ++i) {
    const bool is_inside =
        outside[i] < 0 ||
        (inside[i] >= 0 && squared_distance(i, inside[i]) < squared_distance(i, outside[i]));
    second_labels[i] = is_inside ? inside[i] : outside[i];
  }
}

template class CloseCenters<float>;
template class CloseCenters<double>;

}  // namespace centroids
