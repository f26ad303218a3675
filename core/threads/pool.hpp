// The thread pool. No maths lives here; the passes, the seeding and the measures call it.
//
// Workers are created on first use, spin briefly between jobs and then sleep. After fork() the
// child starts with a fresh, empty pool. Several Python threads may run jobs at once: each caller
// works on its own job, and idle workers join whichever job still has a place.
#pragma once

#include <cstdint>
#include <type_traits>

namespace centroids {

// A borrowed callable (worker, task); workers are numbered 0 .. n_threads-1, 0 being the caller.
class TaskRef {
 public:
  // Not for F = TaskRef: copying a non-const TaskRef must copy it, not point to it.
  template <class F, class = std::enable_if_t<!std::is_same_v<F, TaskRef>>>
  explicit TaskRef(F& f)
      : object_(&f), call_([](void* object, int worker, int64_t task) {
          (*static_cast<F*>(object))(worker, task);
        }) {}
  void operator()(int worker, int64_t task) const { call_(object_, worker, task); }

 private:
  void* object_;
  void (*call_)(void*, int, int64_t);
};

void run_tasks(int n_threads, int64_t n_tasks, TaskRef body);

// Calls body(worker, task) once for each task, on at most n_threads threads, claimed in ascending
// order. With one thread (or one task) everything runs in the caller and no thread is woken.
// The first exception thrown by a task is rethrown here after the others have ended.
template <class F>
void parallel_for(int n_threads, int64_t n_tasks, F&& body) {
  if (n_threads <= 1 || n_tasks <= 1) {
    for (int64_t task = 0; task < n_tasks; ++task) body(0, task);
    return;
  }
  auto& callable = body;
  run_tasks(n_threads, n_tasks, TaskRef(callable));
}

// Threads worth using for this many multiply-adds: waking one costs more than a small job.
int worthwhile_threads(int n_threads, double multiply_adds);

}  // namespace centroids
