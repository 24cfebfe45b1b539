// Where the events of a call are gathered, what was left out, and why.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "crewe/io/event.hpp"
#include "io/event_kernels.hpp"

namespace crewe::io {

// Seconds in ticks of 1.5625 ns; 6.4e-6 s means 4096 ticks, whatever the last bit says.
inline double ticks_of(double seconds) {
  const double ticks = seconds / tick, whole = std::round(ticks);
  return std::abs(ticks - whole) <= 1e-9 * whole ? whole : ticks;
}

// The chips of a detector as numbers that turn a packed pixel of a chip into one of the detector: (p ^ flip) + shift.
struct ChipPlaces {
  std::vector<std::uint64_t> flip, shift;
  bool crop = false;  // some pixels lie beyond the detector
  explicit ChipPlaces(const EventOptions& options);
};

// Checks the options; throws std::invalid_argument.
void check(const EventOptions& options);
DwellPlace dwell_place(const EventOptions& options);

class EventSink {
 public:
  EventCounts counts;

  explicit EventSink(const EventOptions& options) : ny_(options.ny), nx_(options.nx), crop_(ChipPlaces(options).crop) {
    check(options);
  }

  void clear() { size_ = 0; }
  EventBlock block() const { return {{events_.get(), size_}, events_}; }

  // Memory for what a call of a kernel writes.
  std::uint64_t* room() {
    if (size_ + most_hits + place_pad > capacity_) grow();
    return reinterpret_cast<std::uint64_t*>(events_.get() + size_);
  }

  // Keeps those of the n events just written that have a position on the detector.
  void take(std::size_t n, unsigned seen) {
    if ((seen & some_out) == 0 && !crop_) {
      counts.events += n;
      size_ += n;
      return;
    }
    if ((seen & (some_in | some_unaccepted)) == 0) {
      counts.stray += n;
      return;
    }
    const Event* from = events_.get() + size_;
    Event* to = events_.get() + size_;
    std::size_t kept = 0, refused = 0;
    for (std::size_t j = 0; j < n; ++j) {
      const Event event = from[j];
      to[kept] = event;
      kept += event.position < unaccepted && event.y < ny_ && event.x < nx_;
      refused += event.position == unaccepted;
    }
    counts.events += kept;
    counts.unaccepted += refused;
    counts.stray += n - kept - refused;
    size_ += kept;
  }

 private:
  // Shared, so that a block that somebody still looks at isn't freed when more room is needed.
  std::shared_ptr<Event[]> events_;
  std::size_t size_ = 0, capacity_ = 0;
  std::size_t ny_, nx_;
  bool crop_;

  void grow() {
    const std::size_t larger = std::max<std::size_t>(2 * capacity_, 16384);
    auto events = std::make_shared_for_overwrite<Event[]>(larger);
    std::copy_n(events_.get(), size_, events.get());
    events_ = std::move(events);
    capacity_ = larger;
  }
};

}  // namespace crewe::io
