// What the module offers for rows in parts (core/parts).
#pragma once

#include <nanobind/nanobind.h>

namespace centroids {

void list_part(nanobind::module_& m);   // one part, where its rows are
void list_parts(nanobind::module_& m);  // all of it

}  // namespace centroids
