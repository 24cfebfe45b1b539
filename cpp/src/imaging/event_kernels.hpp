// Inner loops over blocks of events.
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

// Packed moments of the events at positions from `first` on: window[(position − first)·copies + i mod copies] +=
// 1 + y·2^16 + x·2^40 for event i.
inline constexpr std::size_t copies = 8;
CREWE_SIMD_DECLARE(void add_packed(const unsigned char* events, std::size_t n, std::uint32_t first,
                                   std::uint64_t* window);)

}  // namespace crewe::imaging
