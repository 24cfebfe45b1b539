#include "imaging/event_kernels.hpp"

namespace crewe::imaging::CREWE_ISA_LEVEL {
namespace {

#if defined(CREWE_ISA_IS_v4)
constexpr std::size_t bytes = 64;
#elif defined(CREWE_ISA_IS_v3)
constexpr std::size_t bytes = 32;
#else
constexpr std::size_t bytes = 16;
#endif
constexpr std::size_t lanes = bytes / 4, step = bytes / 8;

typedef std::uint32_t U32 __attribute__((vector_size(bytes)));
typedef std::uint64_t U64 __attribute__((vector_size(bytes)));
typedef std::uint64_t LooseU64 __attribute__((vector_size(bytes), aligned(1), may_alias));
typedef std::uint32_t LooseU32 __attribute__((vector_size(bytes), aligned(1), may_alias));

// Positions in the even numbers of 32 bits, x << 16 | y in the odd ones.
void see(EventExtent& extent, std::uint32_t first, std::uint32_t last, std::uint32_t pixel, std::uint32_t y) {
  extent.first = first < extent.first ? first : extent.first;
  extent.last = last > extent.last ? last : extent.last;
  extent.x = pixel >> 16 > extent.x ? pixel >> 16 : extent.x;
  extent.y = y > extent.y ? y : extent.y;
}

// Not inlined: gcc would keep a sum whose lanes are picked out at the end in memory all along the loop.
__attribute__((noinline)) EventExtent join(const std::uint32_t* least, const std::uint32_t* most,
                                           const std::uint32_t* most_low) {
  EventExtent extent;
  for (std::size_t j = 0; j < lanes; j += 2) see(extent, least[j], most[j], most[j + 1], most_low[j + 1]);
  return extent;
}

}  // namespace

EventExtent event_extent(const unsigned char* events, std::size_t n) {
  U32 least = ~U32{}, most = {}, most_low = {};
  std::size_t i = 0;
  for (; i + step <= n; i += step) {
    const U32 pairs = *reinterpret_cast<const LooseU32*>(events + 8 * i), low = pairs & 0xffff;
    least = pairs < least ? pairs : least;
    most = pairs > most ? pairs : most;
    most_low = low > most_low ? low : most_low;
  }
  std::uint32_t joined[3][lanes];
  __builtin_memcpy(joined[0], &least, bytes);
  __builtin_memcpy(joined[1], &most, bytes);
  __builtin_memcpy(joined[2], &most_low, bytes);
  EventExtent extent = join(joined[0], joined[1], joined[2]);
  for (; i < n; ++i) {
    std::uint32_t pair[2];
    __builtin_memcpy(pair, events + 8 * i, 8);
    see(extent, pair[0], pair[0], pair[1], pair[1] & 0xffff);
  }
  return extent;
}

void add_packed(const unsigned char* events, std::size_t n, std::uint32_t first, std::uint64_t* window) {
  constexpr std::size_t part = 64;
  alignas(64) std::uint64_t increments[part];
  const auto position = [events](std::size_t i) {
    std::uint32_t at;
    __builtin_memcpy(&at, events + 8 * i, 4);
    return at;
  };
  std::size_t i = 0;
  for (; i + part <= n; i += part) {
    for (std::size_t j = 0; j < part; j += step) {
      const U64 event = *reinterpret_cast<const LooseU64*>(events + 8 * (i + j));
      const U64 increment = ((event >> 16) & 0xffff0000) | ((event >> 8) & 0x00ffff0000000000) | 1;
      __builtin_memcpy(increments + j, &increment, bytes);
    }
    for (std::size_t j = 0; j < part; j += copies) {
      for (std::size_t copy = 0; copy < copies; ++copy) {
        window[(position(i + j + copy) - first) * copies + copy] += increments[j + copy];
      }
    }
  }
  for (; i < n; ++i) {
    std::uint64_t event;
    __builtin_memcpy(&event, events + 8 * i, 8);
    const std::uint64_t increment = (event >> 16 & 0xffff0000) | (event >> 8 & 0x00ffff0000000000) | 1;
    window[(position(i) - first) * copies + i % copies] += increment;
  }
}

}  // namespace crewe::imaging::CREWE_ISA_LEVEL
