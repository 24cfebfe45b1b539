// A detected electron at a probe position: what every event decoder makes and a session takes.
#pragma once

#include <cstdint>

namespace crewe::io {

struct Event {
  std::uint32_t position;  // row · sx + column of the probe
  std::uint16_t y, x;      // detector pixel
};
static_assert(sizeof(Event) == 8);

}  // namespace crewe::io
