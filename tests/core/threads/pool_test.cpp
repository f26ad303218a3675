#include "threads/pool.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <functional>
#include <limits>
#include <stdexcept>
#include <thread>

#include "check.hpp"
#include "threads/shards.hpp"

using namespace centroids;

namespace {

// Sum of the task numbers, computed by a job.
int64_t sum_of_tasks(int n_threads, int64_t n_tasks) {
  std::atomic<int64_t> sum{0};
  parallel_for(n_threads, n_tasks, [&](int, int64_t task) { sum += task; });
  return sum;
}

int64_t sum_below(int64_t n) {
  return n * (n - 1) / 2;
}

void run_on_threads(int n, const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST(every_task_runs_exactly_once) {
  for (const int n_threads : {0, 1, 2, 3, 8, 50})
    for (const int64_t n_tasks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(n_tasks);
      parallel_for(n_threads, n_tasks, [&](int, int64_t task) { ++runs[task]; });
      for (const auto& count : runs) CHECK(count == 1, n_threads, " threads ", n_tasks, " tasks");
    }
}

TEST(workers_are_numbered_below_n_threads_and_work_on_one_task_at_a_time) {
  for (const int n_threads : {2, 3, 8}) {
    std::vector<std::atomic<int>> busy(n_threads);
    parallel_for(n_threads, 500, [&](int worker, int64_t) {
      CHECK(worker >= 0 && worker < n_threads, worker);
      CHECK(++busy[worker] == 1, worker);
      std::this_thread::yield();
      --busy[worker];
    });
  }
}

TEST(each_worker_meets_its_tasks_in_ascending_order) {
  std::vector<int64_t> last(4, -1);
  parallel_for(4, 2000, [&](int worker, int64_t task) {
    CHECK(task > last[worker]);
    last[worker] = task;
  });
}

TEST(one_thread_or_one_task_stays_with_the_caller) {
  const auto caller = std::this_thread::get_id();
  parallel_for(1, 100, [&](int worker, int64_t) {
    CHECK(worker == 0 && std::this_thread::get_id() == caller);
  });
  parallel_for(8, 1, [&](int worker, int64_t) {
    CHECK(worker == 0 && std::this_thread::get_id() == caller);
  });
}

TEST(an_exception_reaches_the_caller_after_the_others_have_ended) {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> inside{0};
    bool caught = false;
    try {
      parallel_for(4, 64, [&](int, int64_t task) {
        ++inside;
        if (task == round % 64) {
          --inside;
          throw std::runtime_error("task failed");
        }
        std::this_thread::yield();
        --inside;
      });
    } catch (const std::runtime_error& error) {
      caught = std::string(error.what()) == "task failed";
    }
    CHECK(caught);
    CHECK(inside == 0);
    CHECK(sum_of_tasks(4, 100) == sum_below(100));  // the pool is none the worse
  }
}

TEST(many_exceptions_at_once_give_one) {
  for (int round = 0; round < 100; ++round)
    CHECK_THROWS(std::logic_error, parallel_for(8, 64, [](int, int64_t) {
                   throw std::logic_error("every task fails");
                 }));
}

TEST(thousands_of_small_jobs_run) {
  int64_t total = 0;
  for (int job = 0; job < 20000; ++job) total += sum_of_tasks(2 + job % 3, 4);
  CHECK(total == 20000 * sum_below(4));
}

TEST(several_callers_share_the_pool) {
  std::atomic<int> right{0};
  run_on_threads(8, [&](int caller) {
    for (int job = 0; job < 300; ++job) right += sum_of_tasks(1 + caller % 4, 50) == sum_below(50);
  });
  CHECK(right == 8 * 300, right);
}

TEST(jobs_may_start_jobs_from_several_callers) {
  std::atomic<int64_t> total{0};
  run_on_threads(4, [&](int) {
    for (int job = 0; job < 20; ++job)
      parallel_for(3, 10, [&](int, int64_t) { total += sum_of_tasks(3, 20); });
  });
  CHECK(total == 4 * 20 * 10 * sum_below(20));
}

TEST(an_exception_in_an_inner_job_passes_through_the_outer_one) {
  for (int round = 0; round < 50; ++round)
    CHECK_THROWS(std::runtime_error, parallel_for(3, 6, [](int, int64_t outer) {
                   parallel_for(3, 6, [&](int, int64_t inner) {
                     if (outer == 4 && inner == 2) throw std::runtime_error("inner");
                   });
                 }));
}

TEST(a_forked_child_has_a_working_pool_even_while_others_use_the_parents) {
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) sum_of_tasks(4, 100);
  });
  for (int round = 0; round < 10; ++round) {
    sum_of_tasks(4, 100);
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);  // a child that hangs is killed
      bool right = true;
      for (int job = 0; job < 50; ++job) right &= sum_of_tasks(4, 100) == sum_below(100);
      _exit(right ? 0 : 1);
    }
    CHECK(child > 0);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status ", status);
    CHECK(sum_of_tasks(4, 100) == sum_below(100));
  }
  stop = true;
  other.join();
}

TEST(worthwhile_threads_is_one_for_small_work_and_never_less) {
  CHECK(worthwhile_threads(8, 0) == 1);
  CHECK(worthwhile_threads(8, 1e3) == 1);
  CHECK(worthwhile_threads(8, 1e12) == 8);
  CHECK(worthwhile_threads(1, 1e12) == 1);
  CHECK(worthwhile_threads(0, 1e12) == 1);
  CHECK(worthwhile_threads(-3, 1e12) == 1);
  CHECK(worthwhile_threads(8, std::numeric_limits<double>::infinity()) == 8);
  // No more than there can be shards: each worker has its own buffers.
  CHECK(worthwhile_threads(INT_MAX, 1e300) <= 256);
}

TEST(shards_cover_every_row_once_and_are_few) {
  for (const int64_t n : {int64_t(1), int64_t(63), int64_t(64), int64_t(1025), int64_t(262145),
                          int64_t(3) << 31, int64_t(1) << 40})
    for (const int64_t least : {int64_t(1), int64_t(64), int64_t(1024), int64_t(100000)}) {
      const Shards shards(n, least);
      CHECK(shards.count() >= 1 && shards.count() <= 256, n);
      CHECK(shards.begin(0) == 0 && shards.end(shards.count() - 1) == n, n);
      CHECK(shards.shard_rows % kBlockRows == 0, n);
      for (int64_t s = 1; s < shards.count(); ++s) {
        CHECK(shards.begin(s) == shards.end(s - 1), n);
        CHECK(shards.begin(s) < shards.end(s), n);
      }
    }
}
