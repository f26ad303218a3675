// What the module offers for rows in parts (core/parts).
#pragma once

#include <nanobind/nanobind.h>

namespace centroids {

void list_parts(nanobind::module_& m);

}  // namespace centroids
