#include <cstdlib>
#include <string>

#include "check.hpp"
#include "kernels/kernels.hpp"

using namespace centroids;

namespace {

std::vector<std::string> isas() {
  const char* names[kMostIsas];
  const int n = available_isas(names);
  return {names, names + n};
}

}  // namespace

TEST(the_baseline_is_always_available_and_comes_last) {
  CHECK(!isas().empty());
  CHECK(isas().back() == "baseline");
}

TEST(every_available_set_has_kernels_of_its_name_for_both_dtypes) {
  for (const std::string& isa : isas()) {
    const auto* f32 = kernels_for<float>(isa.c_str());
    const auto* f64 = kernels_for<double>(isa.c_str());
    CHECK(f32 && f32->isa == isa, isa);
    CHECK(f64 && f64->isa == isa, isa);
  }
}

TEST(an_unknown_set_has_no_kernels) {
  CHECK(kernels_for<float>("mmx") == nullptr);
  CHECK(kernels_for<double>("") == nullptr);
}

TEST(the_best_set_is_chosen_unless_the_environment_forces_one) {
  const char* forced = std::getenv("CENTROIDS_ISA");
  const std::string expected = forced && *forced ? forced : isas().front();
  CHECK(kernels<float>().isa == expected);
  CHECK(kernels<double>().isa == expected);
}
