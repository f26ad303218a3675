// A partition of the rows into clusters that local search changes a little at a time: split a
// cluster, remove one, let the rows near them move; keep what came of it, or take it back.
//
// Only clusters near a change are looked at: a row is compared with the clusters near its own (a
// short list), and only when its own center or one of those has moved. That may miss a nearer
// center far away. It does not matter: every state is a partition, and its error is the exact error
// of its means; who has searched runs the loop from the centers found.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "centers.hpp"
#include "search/row_access.hpp"
#include "search/two_halves.hpp"

namespace centroids {

class LocalPartition {
 public:
  // `labels` (borrowed, changed) give each row its cluster, 0 .. n_clusters-1. They are as they
  // were whenever all changes have been taken back.
  LocalPartition(const RowAccess& rows, int32_t* labels, int64_t n_clusters, bool unit_centers,
                 uint64_t seed);

  // Clusters have numbers below n_numbers(); those of removed ones are used again.
  int32_t n_numbers() const { return int32_t(clusters_.size()); }
  bool is_there(int32_t j) const { return clusters_[j].is_there; }
  int64_t n_clusters() const { return n_clusters_; }
  // Weighted sum of squared distances of the rows to the means of their clusters.
  double error() const;
  Centers centers(Dtype dtype) const;
  // Multiply-adds so far, and those of the first look at all clusters.
  double work() const { return work_; }
  static double work_to_begin(const RowAccess& rows);

  // By how much the error falls if a cluster is split in two.
  void measure_gains();  // where they are not known
  double gain(int32_t j) const { return clusters_[j].halves.gain; }
  // Other splits will be drawn.
  void forget_gains();
  // By how much the error rises if a cluster is removed and its rows go to the next ones.
  void measure_prices();  // where they are not known
  double price(int32_t j) const { return clusters_[j].price; }
  // To split it has been tried, in vain, since it last changed.
  bool is_tried(int32_t j) const { return clusters_[j].is_tried; }
  void set_tried(int32_t j) { clusters_[j].is_tried = true; }

  // Changes from begin() on are kept, or taken back, together.
  void begin();
  void keep() { is_open_ = false; }
  void take_back();
  // As its gain was measured. Returns the number of the second half.
  int32_t split(int32_t j);
  void remove(int32_t j);
  // One iteration of Lloyd's algorithm where something moved. False: nothing moves any more.
  bool relax();

 private:
  struct Cluster {
    bool is_there = false;
    std::vector<double> sums, center;  // about the origin; as it is
    double weight = 0, squares = 0, error = 0, squared_norm = 0;
    std::vector<int32_t> neighbors;
    bool has_moved = false;      // since its rows and those around were compared
    bool has_distances = false;  // own_ holds the squared distances of its rows
    bool has_price = false, has_gain = false, is_tried = false;
    double price = 0;
    Halves halves;
  };
  struct Move {
    int32_t row, cluster;
  };
  // Some rows of a cluster, to be compared with others around.
  struct Scan {
    int32_t cluster, first, n_rows;
    std::vector<int32_t> others;
    double threshold;  // rows this near their center cannot move; below 0: unknown
    std::vector<Move> moves;
  };

  Point point(int32_t j) const { return {clusters_[j].center.data(), clusters_[j].squared_norm}; }
  std::vector<Point> points(const std::vector<int32_t>& which) const;
  double between(int32_t i, int32_t j) const;
  double work_of(int32_t j, size_t n_points) const;
  int32_t free_number();
  void save(int32_t j);
  void move(int32_t row, int32_t to);
  void relabel(int32_t row, int32_t to);
  void update(int32_t j);
  void list_neighbors(int32_t j);
  void measure_price(int32_t j, Probe& probe);
  std::vector<Scan> plan_scans() const;
  void run_scan(Scan& scan, Probe& probe);
  template <class F>
  void for_each(int64_t n_tasks, double work, F body);
  template <class F>
  void for_clusters(bool Cluster::* is_known, F work,
                    void (LocalPartition::*measure)(int32_t, Probe&));
  void measure_gain(int32_t j, Probe& probe);

  const RowAccess& rows_;
  int32_t* labels_;
  bool unit_centers_;
  uint64_t seed_;
  int64_t d_;
  int64_t n_clusters_;
  std::vector<Cluster> clusters_;
  std::vector<std::vector<int32_t>> members_;  // per cluster: its rows
  std::vector<int32_t> place_;                 // per row: where in members_
  std::vector<double> own_;                    // per row: squared distance to its center
  std::vector<std::unique_ptr<Probe>> probes_;
  double work_ = 0;
  uint64_t n_draws_ = 0;

  bool is_open_ = false;
  std::vector<Move> moved_;  // rows and where they were
  std::vector<std::pair<int32_t, Cluster>> saved_;
  std::vector<char> is_saved_;
  int64_t n_clusters_before_ = 0;
};

}  // namespace centroids
