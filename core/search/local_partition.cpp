#include "search/local_partition.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "threads/pool.hpp"

namespace centroids {
namespace {

constexpr uint64_t kStream = 3;
// In the plane a cluster has six neighbors in the mean; in many columns a few near ones do.
constexpr size_t kNeighbors = 12;
constexpr int32_t kScanRows = 1024;

}  // namespace

LocalPartition::LocalPartition(const RowAccess& rows, int32_t* labels, int64_t n_clusters,
                               bool unit_centers, uint64_t seed)
    : rows_(rows),
      labels_(labels),
      unit_centers_(unit_centers),
      seed_(seed),
      d_(rows.n_features()),
      n_clusters_(n_clusters),
      clusters_(n_clusters),
      members_(n_clusters),
      place_(rows.n_rows()),
      own_(rows.n_rows()) {
  probes_.push_back(rows_.make_probe());
  for (Cluster& c : clusters_) {
    c.is_there = true;
    c.sums.assign(d_, 0);
    c.center.assign(d_, 0);
  }
  for (int64_t i = 0; i < rows.n_rows(); ++i) {
    const int32_t row = int32_t(i), j = labels[i];
    place_[i] = int32_t(members_[j].size());
    members_[j].push_back(row);
    const double w = rows_.weight(row);
    clusters_[j].weight += w;
    clusters_[j].squares += rows_.add(row, w, clusters_[j].sums.data());
  }
  for (int32_t j = 0; j < n_numbers(); ++j) update(j);
  for (int32_t j = 0; j < n_numbers(); ++j) list_neighbors(j);
  for (Cluster& c : clusters_) c.has_moved = false;  // who calls has converged
}

double LocalPartition::work_to_begin(const RowAccess& rows) {
  const double n = double(rows.n_rows());
  return work_to_split(rows, n) + n * rows.work_per_row() * (kNeighbors + 2);
}

double LocalPartition::error() const {
  double sum = 0;
  for (const Cluster& c : clusters_)
    if (c.is_there) sum += c.error;
  return sum;
}

Centers LocalPartition::centers(Dtype dtype) const {
  Centers centers(n_clusters_, d_, dtype);
  double* to = centers.values.data();
  for (const Cluster& c : clusters_)
    if (c.is_there)
      for (const double value : c.center) *to++ = centers.rounded(value);
  return centers;
}

std::vector<Point> LocalPartition::points(const std::vector<int32_t>& which) const {
  std::vector<Point> points;
  for (const int32_t j : which) points.push_back(point(j));
  return points;
}

double LocalPartition::between(int32_t i, int32_t j) const {
  const double *a = clusters_[i].center.data(), *b = clusters_[j].center.data();
  double sum = 0;
  for (int64_t t = 0; t < d_; ++t) sum += (a[t] - b[t]) * (a[t] - b[t]);
  return sum;
}

double LocalPartition::work_of(int32_t j, size_t n_points) const {
  return double(members_[j].size()) * double(n_points) * rows_.work_per_row();
}

// ---------------------------------------------------------------- changes, and their undoing

void LocalPartition::begin() {
  is_open_ = true;
  moved_.clear();
  saved_.clear();
  is_saved_.assign(clusters_.size(), 0);
  n_clusters_before_ = n_clusters_;
}

void LocalPartition::save(int32_t j) {
  if (!is_open_ || is_saved_[j]) return;
  is_saved_[j] = 1;
  saved_.emplace_back(j, clusters_[j]);
}

void LocalPartition::take_back() {
  for (auto m = moved_.rbegin(); m != moved_.rend(); ++m) relabel(m->row, m->cluster);
  for (auto& [j, cluster] : saved_) {
    clusters_[j] = std::move(cluster);
    clusters_[j].has_distances = false;
  }
  n_clusters_ = n_clusters_before_;
  is_open_ = false;
}

void LocalPartition::relabel(int32_t row, int32_t to) {
  std::vector<int32_t>& from = members_[labels_[row]];
  const int32_t last = from.back();
  from[place_[row]] = last;
  place_[last] = place_[row];
  from.pop_back();
  place_[row] = int32_t(members_[to].size());
  members_[to].push_back(row);
  labels_[row] = to;
}

void LocalPartition::move(int32_t row, int32_t to) {
  const int32_t from = labels_[row];
  save(from);
  save(to);
  moved_.push_back({row, from});
  const double w = rows_.weight(row);
  Cluster &a = clusters_[from], &b = clusters_[to];
  a.squares += rows_.add(row, -w, a.sums.data());
  a.weight -= w;
  b.squares += rows_.add(row, w, b.sums.data());
  b.weight += w;
  relabel(row, to);
  if (!members_[from].empty()) return;
  std::fill(a.sums.begin(), a.sums.end(), 0.0);  // what rounding left
  a.weight = a.squares = 0;
}

// Center and error from the sums.
void LocalPartition::update(int32_t j) {
  Cluster& c = clusters_[j];
  c.has_moved = true;
  c.has_distances = c.has_price = c.has_gain = c.is_tried = false;
  c.error = 0;
  if (!(c.weight > 0)) return;
  const Mean mean = mean_of(c.sums, c.weight, rows_.origin(), unit_centers_, c.center);
  c.squared_norm = mean.squared_norm;
  c.error = error_left(c.squares, mean.explained);
}

void LocalPartition::list_neighbors(int32_t j) {
  std::vector<std::pair<double, int32_t>> others;
  for (int32_t i = 0; i < n_numbers(); ++i)
    if (i != j && clusters_[i].is_there) others.emplace_back(between(i, j), i);
  const size_t n = std::min(kNeighbors, others.size());
  std::partial_sort(others.begin(), others.begin() + n, others.end());
  clusters_[j].neighbors.clear();
  for (size_t p = 0; p < n; ++p) clusters_[j].neighbors.push_back(others[p].second);
  work_ += double(n_clusters_) * double(d_);
}

int32_t LocalPartition::free_number() {
  for (int32_t j = 0; j < n_numbers(); ++j)
    if (!clusters_[j].is_there) return j;
  clusters_.emplace_back();
  members_.emplace_back();
  is_saved_.push_back(0);
  return n_numbers() - 1;
}

int32_t LocalPartition::split(int32_t j) {
  const int32_t half = free_number();
  save(j);
  save(half);
  const Halves halves = clusters_[j].halves;
  clusters_[half] = Cluster();
  clusters_[half].is_there = true;
  clusters_[half].sums.assign(d_, 0);
  clusters_[half].center.assign(d_, 0);
  ++n_clusters_;
  work_ += work_of(j, 3);
  probes_[0]->choose({make_point(halves.first), make_point(halves.second)});
  const std::vector<int32_t> members = members_[j];
  probe_blocks(*probes_[0], members, [&](size_t place, const double* squared) {
    if (squared[kBlockRows] < squared[0] * kSameDistance) move(members[place], half);
  });
  update(j);
  update(half);
  list_neighbors(half);
  list_neighbors(j);
  for (const int32_t near : {half, j})
    for (const int32_t i : clusters_[near].neighbors) {
      save(i);
      clusters_[i].has_price = false;
      std::vector<int32_t>& list = clusters_[i].neighbors;
      if (i != half && std::find(list.begin(), list.end(), half) == list.end())
        list.push_back(half);
    }
  return half;
}

void LocalPartition::remove(int32_t j) {
  save(j);
  const std::vector<int32_t> others = clusters_[j].neighbors, members = members_[j];
  std::vector<char> has_got(others.size(), 0);
  work_ += work_of(j, others.size() + 2);
  probes_[0]->choose(points(others));
  probe_nearest(*probes_[0], members, others.size(), [&](size_t place, size_t p, double) {
    move(members[place], others[p]);
    has_got[p] = 1;
  });
  clusters_[j].is_there = false;
  --n_clusters_;
  for (size_t p = 0; p < others.size(); ++p)
    if (has_got[p]) update(others[p]);
  for (int32_t i = 0; i < n_numbers(); ++i) {
    const std::vector<int32_t>& list = clusters_[i].neighbors;
    if (!clusters_[i].is_there || std::find(list.begin(), list.end(), j) == list.end()) continue;
    save(i);
    list_neighbors(i);
    clusters_[i].has_price = false;
  }
}

// ---------------------------------------------------------------- gains and prices

template <class F>
void LocalPartition::for_each(int64_t n_tasks, double work, F body) {
  const int n_threads = worthwhile_threads(rows_.n_threads(), rows_.cost_of(work));
  while (int(probes_.size()) < n_threads) probes_.push_back(rows_.make_probe());
  parallel_for(n_threads, n_tasks, [&](int worker, int64_t task) { body(task, *probes_[worker]); });
}

template <class F>
void LocalPartition::for_clusters(bool Cluster::* is_known, F work_of_one,
                                  void (LocalPartition::*measure)(int32_t, Probe&)) {
  std::vector<int32_t> which;
  double work = 0;
  for (int32_t j = 0; j < n_numbers(); ++j) {
    if (!clusters_[j].is_there || clusters_[j].*is_known) continue;
    save(j);
    which.push_back(j);
    work += work_of_one(j);
  }
  for_each(int64_t(which.size()), work, [&](int64_t task, Probe& probe) {
    (this->*measure)(which[task], probe);
    clusters_[which[task]].*is_known = true;
  });
  work_ += work;
}

void LocalPartition::measure_gains() {
  for_clusters(
      &Cluster::has_gain,
      [&](int32_t j) { return work_to_split(rows_, double(members_[j].size())); },
      &LocalPartition::measure_gain);
  ++n_draws_;
}

void LocalPartition::measure_gain(int32_t j, Probe& probe) {
  const Philox random(seed_ + (n_draws_ << 20) + uint64_t(j), kStream);
  clusters_[j].halves =
      split_in_two(rows_, probe, members_[j], point(j), clusters_[j].error, unit_centers_, random);
}

void LocalPartition::forget_gains() {
  for (Cluster& c : clusters_) c.has_gain = c.is_tried = false;
}

void LocalPartition::measure_prices() {
  for_clusters(
      &Cluster::has_price, [&](int32_t j) { return work_of(j, clusters_[j].neighbors.size() + 2); },
      &LocalPartition::measure_price);
}

// Its rows go to the nearest of the neighbors, whose centers then move: with r the sum of x - c and
// rho the weight that a neighbor gets, its error rises by that of the rows about c, less
// |r|^2 / (W + rho).
void LocalPartition::measure_price(int32_t j, Probe& probe) {
  Cluster& c = clusters_[j];
  const std::vector<int32_t>& members = members_[j];
  const size_t n_others = c.neighbors.size();
  c.price = std::numeric_limits<double>::infinity();
  if (n_others == 0) return;
  std::vector<std::vector<double>> sums(n_others);
  std::vector<double> weights(n_others);
  double rise = -c.error;
  probe.choose(points(c.neighbors));
  probe_nearest(probe, members, n_others, [&](size_t place, size_t p, double squared) {
    const double w = rows_.weight(members[place]);
    rise += w * squared;
    weights[p] += w;
    sums[p].resize(d_);
    rows_.add(members[place], w, sums[p].data());
  });
  const std::vector<double>& origin = rows_.origin();
  for (size_t p = 0; p < n_others; ++p) {
    if (!(weights[p] > 0)) continue;
    const Cluster& other = clusters_[c.neighbors[p]];
    double squares = 0;
    for (int64_t t = 0; t < d_; ++t) {
      const double center = other.center[t] - (origin.empty() ? 0.0 : origin[t]);
      const double r = sums[p][t] - weights[p] * center;
      squares += r * r;
    }
    rise -= squares / (other.weight + weights[p]);
  }
  c.price = rise;
}

// ---------------------------------------------------------------- Lloyd's algorithm, where needed

bool LocalPartition::relax() {
  std::vector<Scan> scans = plan_scans();
  const auto work = [&] {
    double sum = 0;
    for (const Scan& s : scans) sum += double(s.n_rows) * double(s.others.size() + 2);
    return sum * rows_.work_per_row();
  };
  for_each(int64_t(scans.size()), work(),
           [&](int64_t task, Probe& probe) { run_scan(scans[task], probe); });
  work_ += work();  // of the rows that had to be looked at
  for (const Scan& s : scans) clusters_[s.cluster].has_distances = true;
  for (int32_t j = 0; j < n_numbers(); ++j) {
    if (!clusters_[j].has_moved) continue;
    save(j);
    clusters_[j].has_moved = false;
  }
  std::vector<char> has_changed(clusters_.size(), 0);
  bool has_any = false;
  for (const Scan& s : scans)
    for (const Move& m : s.moves) {
      has_changed[s.cluster] = has_changed[m.cluster] = has_any = true;
      move(m.row, m.cluster);
    }
  for (int32_t j = 0; j < n_numbers(); ++j)
    if (has_changed[j]) update(j);
  return has_any;
}

std::vector<LocalPartition::Scan> LocalPartition::plan_scans() const {
  std::vector<Scan> scans;
  for (int32_t j = 0; j < n_numbers(); ++j) {
    const Cluster& c = clusters_[j];
    if (!c.is_there) continue;
    Scan scan{j, 0, 0, {}, -1, {}};
    double nearest = std::numeric_limits<double>::infinity();
    for (const int32_t i : c.neighbors) {
      if (!c.has_moved && !clusters_[i].has_moved) continue;
      scan.others.push_back(i);
      if (!c.has_moved) nearest = std::min(nearest, between(i, j));
    }
    if (scan.others.empty()) continue;
    // |x - c| <= |c - c'| / 2 makes c' no nearer (triangle inequality).
    if (!c.has_moved && c.has_distances) scan.threshold = nearest / 4;
    const int32_t n = int32_t(members_[j].size());
    for (scan.first = 0; scan.first < n; scan.first += kScanRows) {
      scan.n_rows = std::min(kScanRows, n - scan.first);
      scans.push_back(scan);
    }
  }
  return scans;
}

void LocalPartition::run_scan(Scan& scan, Probe& probe) {
  const int32_t* members = members_[scan.cluster].data() + scan.first;
  std::vector<int32_t> rows;
  for (int32_t i = 0; i < scan.n_rows; ++i)
    if (scan.threshold < 0 || own_[members[i]] > scan.threshold) rows.push_back(members[i]);
  scan.n_rows = int32_t(rows.size());
  if (rows.empty()) return;
  std::vector<Point> around = points(scan.others);
  around.insert(around.begin(), point(scan.cluster));
  probe.choose(around);
  probe_nearest(probe, rows, around.size(), [&](size_t place, size_t p, double squared) {
    own_[rows[place]] = squared;
    if (p > 0) scan.moves.push_back({rows[place], scan.others[p - 1]});
  });
}

}  // namespace centroids
