#include "io/event_sink.hpp"

#include <array>
#include <limits>
#include <string>

#include "crewe/checks.hpp"

namespace crewe::io {

std::vector<Chip> quad_chips(std::size_t gap) {
  const std::size_t far = 256 + gap;
  return {{0, far, false, false}, {far, far, true, true}, {far, 0, true, true}, {0, 0, false, false}};
}

void check(const EventOptions& options) {
  if (options.sy == 0 || options.sx == 0 || options.sx > 65536 || options.sy >= unaccepted / options.sx) {
    reject("scan", "1 to 2^32 - 3 positions, at most 65536 in a line,", shape_text(std::array{options.sy, options.sx}));
  }
  if (options.ny == 0 || options.nx == 0 || options.ny > 65536 || options.nx > 65536) {
    reject("detector", "1 to 65536 pixels along y and x", shape_text(std::array{options.ny, options.nx}));
  }
  if (options.chips.empty() || options.chips.size() > 256) {
    reject("chips", "1 to 256 places", std::to_string(options.chips.size()));
  }
  for (const Chip& chip : options.chips) {
    if (chip.y0 >= options.ny || chip.x0 >= options.nx || chip.y0 > 65280 || chip.x0 > 65280) {
      reject("chips", "places within the detector", shape_text(std::array{chip.y0, chip.x0}));
    }
  }
  if (!(options.dwell >= 0) || !std::isfinite(options.dwell)) {
    reject("dwell", "0 or more [s]", std::to_string(options.dwell));
  }
  if (!(options.acceptance >= 0)) reject("acceptance", "0 or more [s]", std::to_string(options.acceptance));
}

ChipPlaces::ChipPlaces(const EventOptions& options) {
  for (const Chip& chip : options.chips) {
    crop |= chip.y0 + 256 > options.ny || chip.x0 + 256 > options.nx;
    flip.push_back((chip.flip_y ? std::uint64_t{255} << 32 : 0) | (chip.flip_x ? std::uint64_t{255} << 48 : 0));
    shift.push_back(std::uint64_t{chip.y0} << 32 | std::uint64_t{chip.x0} << 48);
  }
}

DwellPlace dwell_place(const EventOptions& options) {
  const double infinity = std::numeric_limits<double>::infinity();
  DwellPlace place{};
  place.dwell = ticks_of(options.dwell);
  place.acceptance = options.acceptance > 0 ? ticks_of(options.acceptance) : infinity;
  place.total = static_cast<double>(options.sy * options.sx);
  place.scans = options.scans > 0 ? static_cast<double>(options.scans) : infinity;
  return place;
}

}  // namespace crewe::io
