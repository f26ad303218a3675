#include "check.hpp"

#include <cmath>
#include <cstdio>
#include <exception>
#include <mutex>

namespace check {
namespace {

struct Test {
  const char* name;
  void (*run)();
};

std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

std::mutex mutex;
int n_failures = 0;         // of the test under way
constexpr int kShown = 10;  // of each test

}  // namespace

Registered::Registered(const char* name, void (*run)()) {
  tests().push_back({name, run});
}

void report_failure(const char* file, int line, const std::string& what) {
  const std::lock_guard lock(mutex);
  if (++n_failures <= kShown) std::printf("  %s:%d: %s\n", file, line, what.c_str());
}

double chi_square(const std::vector<int64_t>& seen, const std::vector<double>& probability) {
  double total = 0, statistic = 0;
  for (const int64_t count : seen) total += double(count);
  for (size_t i = 0; i < seen.size(); ++i) {
    const double expected = total * probability[i];
    if (expected > 0)
      statistic += (double(seen[i]) - expected) * (double(seen[i]) - expected) / expected;
    else if (seen[i] > 0)
      return HUGE_VAL;
  }
  return statistic;
}

double chi_square_limit(const std::vector<double>& probability) {
  double freedom = -1;
  for (const double p : probability) freedom += p > 0;
  return freedom + 5 * std::sqrt(2 * freedom) + 10;
}

}  // namespace check

int main() {
  int n_failed = 0;
  for (const check::Test& test : check::tests()) {
    check::n_failures = 0;
    std::printf("%s\n", test.name);
    std::fflush(stdout);
    try {
      test.run();
    } catch (const std::exception& error) {
      check::report_failure(test.name, 0, std::string("threw ") + error.what());
    }
    if (check::n_failures == 0) continue;
    std::printf("  FAILED: %d of its checks\n", check::n_failures);
    ++n_failed;
  }
  return n_failed != 0;
}
