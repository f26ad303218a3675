#include "threads/pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace centroids {
namespace {

constexpr auto kSpin = std::chrono::microseconds(50);
constexpr double kMultiplyAddsPerThread = 4e5;  // about 20 microseconds of work
constexpr int kMostThreads = 256;               // as many as rows are cut into shards

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

struct Job {
  TaskRef body;
  int64_t n_tasks;
  int n_places;                   // helpers still welcome; guarded by the pool's mutex
  int next_worker = 1;            // guarded by the pool's mutex
  std::atomic<int> n_helping{0};  // helpers inside
  std::atomic<int64_t> next_task{0};
  std::mutex failure_mutex;
  std::exception_ptr failure;

  Job(TaskRef b, int64_t tasks, int places) : body(b), n_tasks(tasks), n_places(places) {}

  void work(int worker) {
    try {
      for (int64_t task; (task = next_task.fetch_add(1)) < n_tasks;) body(worker, task);
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
      next_task = n_tasks;
    }
  }
};

class Pool {
 public:
  void run(Job& job) {
    {
      const std::lock_guard lock(mutex_);
      grow(job.n_places);
      jobs_.push_back(&job);
      n_open_.fetch_add(1);
    }
    wake_.notify_all();
    job.work(0);
    {
      const std::lock_guard lock(mutex_);
      jobs_.erase(std::find(jobs_.begin(), jobs_.end(), &job));
      n_open_.fetch_sub(1);
    }
    const auto until = std::chrono::steady_clock::now() + kSpin;
    while (job.n_helping && std::chrono::steady_clock::now() < until) pause();
    if (job.n_helping) {
      std::unique_lock lock(mutex_);
      left_.wait(lock, [&] { return job.n_helping == 0; });
    }
    // A helper still holds the mutex while it counts itself out: do not free the job under it.
    const std::lock_guard lock(mutex_);
  }

 private:
  void grow(int n_workers) {
    for (; n_workers_ < n_workers; ++n_workers_) {
      try {
        std::thread(&Pool::serve, this).detach();
      } catch (const std::system_error&) {
        return;  // no thread to be had: the caller does the work alone
      }
    }
  }

  Job* find_open_job() {
    for (Job* job : jobs_)
      if (job->n_places > 0 && job->next_task < job->n_tasks) return job;
    return nullptr;
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      Job* job = find_open_job();
      if (!job) {
        lock.unlock();
        const auto until = std::chrono::steady_clock::now() + kSpin;
        while (!n_open_ && std::chrono::steady_clock::now() < until) pause();
        lock.lock();
        job = find_open_job();
        if (!job) {
          wake_.wait(lock, [&] { return (job = find_open_job()) != nullptr; });
        }
      }
      --job->n_places;
      ++job->n_helping;
      const int worker = job->next_worker++;
      lock.unlock();
      job->work(worker);
      lock.lock();
      if (--job->n_helping == 0) left_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, left_;
  std::vector<Job*> jobs_;
  std::atomic<int> n_open_{0};
  int n_workers_ = 0;
};

// Never destroyed: its detached workers may outlive the static destructors.
std::atomic<Pool*> the_pool{nullptr};
std::mutex creation;

void forget_pool_after_fork() {
  // The workers do not exist in the child and the mutexes may be held by threads that are gone.
  the_pool = nullptr;
  new (&creation) std::mutex;
}

Pool& pool() {
  Pool* existing = the_pool.load(std::memory_order_acquire);
  if (existing) return *existing;
  const std::lock_guard lock(creation);
  if (!the_pool) {
    static const int registered = pthread_atfork(nullptr, nullptr, forget_pool_after_fork);
    (void)registered;
    the_pool = new Pool;
  }
  return *the_pool.load();
}

}  // namespace

void run_tasks(int n_threads, int64_t n_tasks, TaskRef body) {
  Job job(body, n_tasks, int(std::min<int64_t>(n_threads, n_tasks)) - 1);
  pool().run(job);
  if (job.failure) std::rethrow_exception(job.failure);
}

int worthwhile_threads(int n_threads, double multiply_adds) {
  const double worth = multiply_adds / kMultiplyAddsPerThread;
  return worth < 2 ? 1 : int(std::min<double>(std::clamp(n_threads, 1, kMostThreads), worth));
}

}  // namespace centroids
