// A fit as Python sees it: what may end it, and what it returns.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "loop.hpp"
#include "measures/summary.hpp"
#include "options.hpp"

namespace centroids {

inline std::optional<std::tuple<std::string, int64_t, int64_t>> describe_range(const Summary& s) {
  if (s.squares == Squares::fit) return std::nullopt;
  const char* what = s.squares == Squares::overflow ? "overflow" : "underflow";
  return std::make_tuple(std::string(what), s.far_row, s.far_col);
}

// Follows a fit from Python: signals, the deadline and the callback. The first exception raised on
// the way ends the fit and is handed back, so that the caller can keep the model and re-raise.
class Supervisor {
 public:
  Supervisor(std::optional<double> seconds, nb::object on_iteration)
      : on_iteration_(std::move(on_iteration)) {
    if (seconds && *seconds < kForever)
      deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(*seconds));
  }

  Control control() {
    Control control;
    control.should_stop = [this](double seconds) { return should_stop(seconds); };
    if (!on_iteration_.is_none())
      control.on_iteration = [this](const Iteration& iteration, const Centers& centers) {
        return report(iteration, centers);
      };
    return control;
  }

  nb::object exception() const { return exception_; }
  bool timed_out() const { return timed_out_; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr double kForever = 1e9;  // seconds; the clock does not count much further

  bool should_stop(double seconds) {
    const auto now = Clock::now();
    if (deadline_ && *deadline_ - now <= std::chrono::duration<double>(seconds))
      return timed_out_ = true;
    if (now - last_look_ < std::chrono::milliseconds(20)) return stopped_;
    last_look_ = now;
    const nb::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) keep_exception();
    return stopped_;
  }

  bool report(const Iteration& iteration, const Centers& centers) {
    const nb::gil_scoped_acquire gil;
    try {
      on_iteration_(iteration.number, iteration.inertia, iteration.center_shift,
                    iteration.n_changed, centers_array(centers));
    } catch (nb::python_error& error) {
      error.restore();
      keep_exception();
    }
    return stopped_;
  }

  void keep_exception() {
    try {
      nb::raise_python_error();
    } catch (nb::python_error& error) {
      exception_ = nb::borrow(error.value());
    }
    stopped_ = true;
  }

  nb::object on_iteration_;
  std::optional<Clock::time_point> deadline_;
  Clock::time_point last_look_ = Clock::now();
  bool stopped_ = false, timed_out_ = false;
  nb::object exception_ = nb::none();
};

[[noreturn]] inline void raise_again(const nb::object& exception) {
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
  nb::raise_python_error();
}

inline nb::dict as_dict(const LoopResult& result, const Supervisor& supervisor) {
  const Centers& centers = result.centers;
  std::vector<double> history;
  for (const Iteration& i : result.history)
    history.insert(history.end(), {i.inertia, i.center_shift, double(i.n_changed)});
  nb::dict out;
  out["centers"] = centers_array(centers);
  out["counts"] = copied_array(result.counts, {result.counts.size()});
  out["inertia"] = result.inertia;
  out["n_iter"] = result.n_iter;
  out["converged"] = result.converged;
  out["timed_out"] = supervisor.timed_out();
  out["exception"] = supervisor.exception();
  out["history"] = copied_array(history, {result.history.size(), 3});
  return out;
}

}  // namespace centroids
