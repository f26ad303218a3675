#include "bisecting/plan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <queue>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "assign/sparse_rows.hpp"
#include "bisecting/starts.hpp"
#include "bisecting/two_means.hpp"

namespace centroids {
namespace {

// Runs need not go on until no row moves.
constexpr Ending kSettled = {.settled = 1000};
// Relative: splits whose errors differ by less are the same optimum, short of a few rows.
constexpr double kSameOptimum = 1e-4;
// Starts of a split beyond those asked for, until two end in the same optimum.
constexpr int kMoreStarts = 2;
// Of twice as many rows and more, a sample of this size says where a start leads.
constexpr int64_t kSample = 1024;
// Trees grown from the start, at most.
constexpr int kMostTrees = 16;
// To put the leaves together again, for each; and to begin a split.
constexpr double kWorkOfLeaf = 100, kWorkOfSplit = 2000;

// By more than rounding: rows of either dtype, dense or sparse, shall make the same tree.
bool is_lower(double error, double than) {
  return error < than * (1 - 1e-6);
}

struct Errors {
  double leaves = 0;
  double splits = 0;  // of the parts of all splits
};

// Different trees may have the same leaves: then the better splits on the way there decide.
bool is_better(const Errors& a, const Errors& b) {
  if (is_lower(a.leaves, b.leaves)) return true;
  return !is_lower(b.leaves, a.leaves) && is_lower(a.splits, b.splits);
}

struct Node {
  Cluster cluster;
  double error = 0;
  bool was_tried = false;
  // Where it lies in the tree, from left to right: [from, from + width) of [0, 1).
  double from = 0, width = 1;
  std::unique_ptr<Node> parts[2];
  std::vector<Split> others;   // optima that are not tried yet
  std::vector<double> errors;  // of all optima seen

  Node() = default;
  // A tree may be as deep as there are leaves: too deep for destructors that call each other.
  ~Node() {
    std::vector<std::unique_ptr<Node>> rest;
    const auto empty = [&](Node& node) {
      for (auto& part : node.parts)
        if (part) rest.push_back(std::move(part));
    };
    for (empty(*this); !rest.empty();) {
      const std::unique_ptr<Node> node = std::move(rest.back());
      rest.pop_back();
      empty(*node);
    }
  }
  bool is_split() const { return parts[0] != nullptr; }
};

class Planner {
 public:
  Planner(const RowAccess& rows, const PlanOptions& options, const Control& control)
      : rows_(rows),
        options_(options),
        control_(control),
        two_means_(rows),
        starts_(rows, two_means_, options.seed, options.draws) {}

  // The best of several trees, as many as the budget allows.
  Plan run() {
    is_drawn_ = !options_.draws.empty();
    grow_tree(0);
    is_drawn_ = false;
    const double first_error = errors_.leaves;
    const double first_work = work();
    const double most =
        first_work * (1 + options_.share) + options_.work_per_leaf * double(options_.n_leaves);
    while (improve(most)) continue;
    for (int tree = 1; tree < kMostTrees && work() + first_work < most; ++tree) {
      std::unique_ptr<Node> best = std::move(root_);
      const Errors least = errors_;
      // By turns: the best splits do not always lead to the best leaves.
      grow_tree(tree % 2 ? kMoreStarts : 0);
      while (improve(most)) continue;
      if (is_better(errors_, least)) continue;
      root_ = std::move(best);
      errors_ = least;
    }
    Plan plan = this->plan();
    plan.first_error = first_error;
    plan.error = errors_.leaves;
    return plan;
  }

 private:
  double work() const { return two_means_.work() + work_; }

  void grow_tree(int n_more_starts) {
    n_more_starts_ = n_more_starts;
    root_ = std::make_unique<Node>();
    std::vector<int32_t>& rows = root_->cluster.rows;
    rows.resize(rows_.n_rows());
    std::iota(rows.begin(), rows.end(), 0);
    root_->cluster.group = two_means_.group(rows);
    root_->error = root_->cluster.group.error();
    errors_ = grow();
  }

  // Splits the largest leaf, of equal ones the leftmost (as scikit-learn), until there are enough,
  // or none that can be split; what was split before, stays so.
  // Lists the nodes that are split.
  Errors grow() {
    using Entry = std::tuple<double, double, int64_t, Node*>;
    std::priority_queue<Entry> queue;
    int64_t number = 0, n_leaves = 0;
    Errors errors;
    const auto add = [&](Node* node) {
      const double size = options_.by_inertia ? node->error : node->cluster.group.weight;
      // In deep trees, places are equal, too.
      queue.push({size, -node->from, -number++, node});
      errors.leaves += node->error;
    };
    inner_.clear();
    add(root_.get());
    while (!queue.empty() && n_leaves + int64_t(queue.size()) < options_.n_leaves) {
      Node* node = std::get<Node*>(queue.top());
      queue.pop();
      if (!node->was_tried) split(*node);
      if (!node->is_split()) {
        ++n_leaves;
        continue;
      }
      inner_.push_back(node);
      errors.leaves -= node->error;
      for (const auto& part : node->parts) {
        add(part.get());
        errors.splits += part->error;
      }
    }
    work_ += kWorkOfLeaf * double(options_.n_leaves);
    return errors;
  }

  void split(Node& node) {
    node.was_tried = true;
    Cluster& cluster = node.cluster;
    if (control_.stop() || !(node.error > 0) || cluster.rows.size() < 2) return;
    cluster.center = two_means_.center(cluster.group);
    cluster.radii = two_means_.distances(cluster.rows, cluster.center);
    for (double& radius : cluster.radii) radius = std::sqrt(radius);
    if (is_drawn_) return split_as_drawn(node);
    bool do_two_agree = false;
    for (int64_t start = 0; start - n_more_starts_ < options_.n_starts; ++start) {
      const bool is_asked = start < options_.n_starts;
      if (control_.stop() || (!is_asked && do_two_agree)) break;
      if (!draw_other(node, is_asked ? options_.seeding : Seeding::kmeans_plus_plus))
        do_two_agree = true;
    }
    if (node.others.empty()) return;
    const auto best =
        std::min_element(node.others.begin(), node.others.end(),
                         [](const Split& a, const Split& b) { return is_lower(a.error, b.error); });
    set_parts(node, *best);
    node.others.erase(best);
  }

  // The best of the runs that scikit-learn makes.
  void split_as_drawn(Node& node) {
    Split best;
    for (int64_t start = 0; start < options_.n_starts && !control_.stop(); ++start) {
      work_ += kWorkOfSplit;
      Split split =
          two_means_.run(node.cluster, starts_.as_scikit_learn(node.cluster, options_.seeding),
                         {options_.max_iter, options_.tol});
      if (start == 0 || is_lower(split.run_error, best.run_error)) best = std::move(split);
    }
    if (!best.is_split()) return;
    node.errors.push_back(best.error);
    set_parts(node, best);
  }

  // Runs from a new start; what it ends in is kept if it was not seen before. False: it was.
  bool draw_other(Node& node, Seeding seeding) {
    work_ += kWorkOfSplit;
    Split split = run_from_start(node.cluster, seeding);
    if (!split.is_split()) return true;
    for (const double error : node.errors)
      if (std::abs(split.error - error) <= kSameOptimum * error) return false;
    node.errors.push_back(split.error);
    node.others.push_back(std::move(split));
    return true;
  }

  Split run_from_start(const Cluster& cluster, Seeding seeding) {
    if (int64_t(cluster.rows.size()) > 2 * kSample) {
      const Cluster sample = starts_.sample(cluster, kSample);
      const Split first = two_means_.run(sample, starts_.draw(sample.rows, seeding), kSettled);
      if (first.is_split())
        return two_means_.run(
            cluster, {two_means_.center(first.parts[0]), two_means_.center(first.parts[1])},
            kSettled);
    }
    return two_means_.run(cluster, starts_.draw(cluster.rows, seeding), kSettled);
  }

  void set_parts(Node& node, const Split& split) {
    for (const int side : {0, 1}) {
      auto child = std::make_unique<Node>();
      child->width = node.width / 2;
      child->from = node.from + side * child->width;
      child->cluster.group = split.parts[side];
      child->error = split.parts[side].error();
      child->cluster.rows.reserve(split.parts[side].n_rows);
      for (size_t i = 0; i < node.cluster.rows.size(); ++i)
        if (split.side[i] == side) child->cluster.rows.push_back(node.cluster.rows[i]);
      node.parts[side] = std::move(child);
    }
  }

  // One other optimum of each split, from the root down. True if any helped.
  bool improve(double most_work) {
    bool has_helped = false;
    std::vector<Node*> level{root_.get()};
    while (!level.empty()) {
      std::stable_sort(level.begin(), level.end(),
                       [](const Node* a, const Node* b) { return a->error > b->error; });
      std::vector<Node*> next;
      for (Node* node : level) {
        if (work() >= most_work || control_.stop()) return has_helped;
        if (try_other(*node)) has_helped = true;
        for (const auto& part : node->parts)
          if (part && part->is_split()) next.push_back(part.get());
      }
      level = std::move(next);
    }
    return has_helped;
  }

  bool try_other(Node& node) {
    if (std::find(inner_.begin(), inner_.end(), &node) == inner_.end()) return false;
    if (node.others.empty())
      draw_other(node, ++n_draws_ % 2 ? options_.seeding : Seeding::kmeans_plus_plus);
    if (node.others.empty()) return false;
    const Split other = std::move(node.others.back());
    node.others.pop_back();
    std::unique_ptr<Node> before[2] = {std::move(node.parts[0]), std::move(node.parts[1])};
    const std::vector<Node*> inner_before = inner_;
    set_parts(node, other);
    const Errors errors = grow();
    if (is_better(errors, errors_)) {
      errors_ = errors;
      return true;
    }
    for (const int part : {0, 1}) node.parts[part] = std::move(before[part]);
    inner_ = inner_before;
    return false;
  }

  Plan plan() const {
    Plan plan;
    std::vector<std::pair<const Node*, int64_t>> stack{
        {root_.get(), -1}};  // and where its number goes
    while (!stack.empty()) {
      const auto [node, where] = stack.back();
      stack.pop_back();
      const int64_t number = plan.n_nodes();
      if (where >= 0) plan.parts[where] = number;
      plan.parts.insert(plan.parts.end(), {-1, -1});
      const std::vector<double> center = two_means_.center(node->cluster.group);
      plan.centers.insert(plan.centers.end(), center.begin(), center.end());
      for (const int part : {1, 0})
        if (node->is_split()) stack.push_back({node->parts[part].get(), 2 * number + part});
    }
    return plan;
  }

  const RowAccess& rows_;
  const PlanOptions& options_;
  const Control& control_;
  TwoMeans two_means_;
  Starts starts_;
  std::unique_ptr<Node> root_;
  std::vector<Node*> inner_;
  Errors errors_;
  double work_ = 0;
  int n_more_starts_ = 0;
  bool is_drawn_ = false;  // the tree that grows
  uint64_t n_draws_ = 0;   // of other optima
};

template <class R>
Plan plan_of(const R& rows, const std::vector<double>& origin, const PlanOptions& options,
             const Control& control) {
  if (rows.n_rows > std::numeric_limits<int32_t>::max())
    throw std::invalid_argument("a plan is made of a sample of so many rows");
  const RowAccessOf<R> access(rows, origin);
  return Planner(access, options, control).run();
}

}  // namespace

Plan plan_bisecting(const Data& data, const PlanOptions& options, const Control& control) {
  return with_dtype(data.x.dtype, [&](auto zero) {
    const auto rows = rows_of<decltype(zero)>(data.x, data.weights, nullptr, data.n_threads);
    return plan_of(rows, data.summary.origin, options, control);
  });
}

Plan plan_bisecting(const SparseData& data, const PlanOptions& options, const Control& control) {
  return with_dtype(data.x.dtype, [&](auto zero) {
    const auto rows = rows_of<decltype(zero)>(data.x, data.weights, nullptr, data.n_threads);
    return plan_of(rows, data.summary.origin, options, control);
  });
}

}  // namespace centroids
