// A radial profile as a table, and the sums of such tables over places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crewe/specimen/render.hpp"

namespace crewe::specimen {

double value_of(const Profile& profile, double t);

// f(k/256) for k = 0, 1, ... until |f| stays below `part`·f(0); linear in between, zero beyond.
struct Table {
  static constexpr double kSteps = 256;
  std::vector<float> values;  // two more than needed, so that the last interval ends in zero
  float end = 0;              // t·kSteps from which on there is nothing
  bool cusp = false;
};
Table tabulate(const Profile& profile, double part);

inline float look_up(const Table& table, float t) {
  const float place = t * static_cast<float>(Table::kSteps);
  if (!(place < table.end)) return 0.0f;
  const auto k = static_cast<std::size_t>(place);
  const float f = place - static_cast<float>(k);
  return table.values[k] + f * (table.values[k + 1] - table.values[k]);
}

// t² = a·dy² + 2b·dy·dx + c·dx²; weight·f(t) is added to the pixels.
struct Item {
  double y, x, a, b, c, weight;
  std::uint32_t kind;
};
void add_items(const std::vector<Item>& items, const std::vector<Table>& tables, View<float, 2> out, int threads);

}  // namespace crewe::specimen
