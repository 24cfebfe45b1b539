// The extent of a block of events.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cpu.hpp"

namespace crewe::imaging {

struct EventExtent {
  std::uint32_t first = 0xffffffff, last = 0;  // least and largest position
  std::uint32_t y = 0, x = 0;                  // largest pixel
};

// n events of 8 bytes: u32 position, u16 y, u16 x.
CREWE_SIMD_DECLARE(EventExtent event_extent(const unsigned char* events, std::size_t n);)

}  // namespace crewe::imaging
