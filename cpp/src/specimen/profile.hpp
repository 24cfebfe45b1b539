// A radial profile as a table, and the sums of such tables over places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crewe/specimen/render.hpp"
#include "crewe/specimen/table.hpp"
#include "kernels.hpp"

namespace crewe::specimen {

double value_of(const Profile& profile, double t);

inline float look_up(const Table& table, float t) {
  const float place = t * static_cast<float>(Samples::kSteps);
  if (!(place < table.end)) return 0.0f;
  const auto k = static_cast<std::int32_t>(place);
  const float* pair = table.values.data() + 2 * k;
  return pair[0] + (place - static_cast<float>(k)) * pair[1];
}

void add_items(const std::vector<Item>& items, const std::vector<Table>& tables, View<float, 2> out, int threads);

}  // namespace crewe::specimen
