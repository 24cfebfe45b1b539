// A radial profile as a table.
#pragma once

#include <vector>

#include "crewe/specimen/item.hpp"
#include "crewe/specimen/render.hpp"

namespace crewe::specimen {

// f(k/256) for k = 0, 1, ... until |f| stays below `part`·f(0); linear in between, zero beyond.
struct Table {
  std::vector<float> values;
  float end = 0;
  bool cusp = false;

  operator Samples() const { return {values.data(), end, cusp}; }
};
Table tabulate(const Profile& profile, double part);

}  // namespace crewe::specimen
