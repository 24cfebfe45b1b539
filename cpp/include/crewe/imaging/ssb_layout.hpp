// How the bright pixels of a pattern lie in memory. Plain types only: the vectorised loops include this header.
#pragma once

#include <cstddef>
#include <cstdint>

namespace crewe::imaging {

inline constexpr std::size_t kSsbLanes = 16;  // rows of weights and of a line are filled up to a multiple with zeros

// Neighbouring detector pixels of one row that belong to the disc.
struct SsbPiece {
  std::uint32_t row, col, count;
  std::uint32_t place;  // of the first one's joined pixel; those of the next ones follow
};

}  // namespace crewe::imaging
