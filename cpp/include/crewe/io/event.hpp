// A detected electron at a probe position: what every event decoder makes and a session takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace crewe::io {

struct Event {
  std::uint32_t position;  // row · sx + column of the probe
  std::uint16_t y, x;      // detector pixel
};
static_assert(sizeof(Event) == 8);

// Events of one call of a decoder; the next call overwrites them.
struct EventBlock {
  std::span<const Event> events;
  std::shared_ptr<const Event[]> memory;  // keeps the memory, not the content
};

inline constexpr double tick = 1.5625e-9;  // [s], the finest time of a Timepix3

// Where a chip of 256×256 pixels lies in the detector: y = y0 + (flip_y ? 255 − y_chip : y_chip), x likewise.
struct Chip {
  std::size_t y0 = 0, x0 = 0;
  bool flip_y = false, flip_x = false;
};

// Four chips as in an ASI CheeTah, `gap` empty pixels between them: (512 + gap)² pixels.
std::vector<Chip> quad_chips(std::size_t gap = 0);

// How timed hits become events at probe positions.
struct EventOptions {
  std::size_t sy = 0, sx = 0;     // probe positions
  std::size_t ny = 0, nx = 0;     // detector pixels
  std::vector<Chip> chips;        // by chip number
  double dwell = 0;               // [s]: position = floor(time / dwell); 0 = by line triggers
  double acceptance = 0;          // [s] later events of a dwell are left out; 0 = none
  std::size_t scans = 0;          // a scan that is over begins again; later ones are left out; 0 = all are taken
  std::size_t waiting = 1 << 24;  // hits that may wait for the end of their line, 8 B each
};

struct EventCounts {
  std::uint64_t events = 0;      // given out
  std::uint64_t stray = 0;       // hits outside of lines and scans, or on pixels beyond the detector
  std::uint64_t unaccepted = 0;  // left out by `acceptance`
  std::uint64_t lost = 0;        // reported by the detector, or too many hits waited
};

// Where a stream was damaged: the first place, and how many bytes were passed over in all.
struct Damage {
  std::string what;
  std::uint64_t offset = 0, skipped = 0;
};

}  // namespace crewe::io
