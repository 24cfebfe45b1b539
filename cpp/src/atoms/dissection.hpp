// The order of elimination: the columns' plane halved again and again; what lies between two halves comes after both.
#pragma once

#include <cstdint>
#include <vector>

#include "atoms/normal.hpp"

namespace crewe::atoms {

// Columns eliminated together (`own`), and those eliminated later that they or their children couple to (`border`, in
// the order of elimination).
struct Front {
  std::vector<std::uint32_t> own, border;
  std::vector<std::size_t> children;
};

struct Neighbour {
  std::uint32_t column, pair;
};

struct Dissection {
  std::vector<Front> fronts;         // children before parents
  std::vector<std::size_t> roots;    // fronts without a parent
  std::vector<std::uint32_t> order;  // when a column is eliminated
  std::vector<std::vector<Neighbour>> neighbours;
};
Dissection dissect(const std::vector<Column>& columns, const std::vector<Pair>& pairs);

}  // namespace crewe::atoms
