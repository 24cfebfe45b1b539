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

// The items of blobs (m, 6) (y, x, a, b, c, height), checked.
std::vector<Item> blob_items(View<const double, 2> blobs, const std::uint32_t* kind, std::size_t profiles);

}  // namespace crewe::specimen
