// Advacam records and text: any bytes, in any pieces, give the same events and the same damage as in one piece, and
// every event lies within scan and detector. The first two bytes of the input choose format and options, and the size
// of the pieces.
#include <algorithm>
#include <cstdlib>
#include <span>
#include <vector>

#include "crewe/io/t3p.hpp"

namespace {

using namespace crewe::io;

void expect(bool holds) {
  if (!holds) std::abort();
}

EventOptions options_of(unsigned choice) {
  EventOptions options;
  options.sy = 1 + choice % 5;
  options.sx = 1 + choice % 7;
  options.ny = options.nx = 256;
  options.chips = {{0, 0, false, (choice & 2) != 0}};
  options.dwell = (choice & 4) != 0 ? 1e-6 : 1.2345e-5;
  if ((choice & 8) != 0) options.acceptance = 4e-7;
  if ((choice & 16) != 0) options.scans = 1;
  if ((choice & 32) != 0) options.chips.push_back({100, 0, true, false});
  return options;
}

struct Outcome {
  std::vector<Event> events;
  std::optional<Damage> damage;

  Outcome(std::span<const std::byte> bytes, std::size_t piece, unsigned choice) {
    const EventOptions options = options_of(choice);
    T3pScan scan((choice & 1) != 0 ? T3pScan::Format::text : T3pScan::Format::binary, options);
    const auto see = [&](const EventBlock& block) {
      for (const Event& event : block.events) {
        expect(event.position < options.sy * options.sx && event.y < options.ny && event.x < options.nx);
      }
      events.insert(events.end(), block.events.begin(), block.events.end());
    };
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      see(scan.feed(bytes.subspan(at, std::min(piece, bytes.size() - at))));
    }
    see(scan.finish());
    damage = scan.damage();
    expect(scan.counts().events == events.size());
    expect(scan.records().hits == events.size() + scan.counts().stray + scan.counts().unaccepted);
    expect(!damage || damage->offset <= bytes.size());
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = 1 + 7 * static_cast<std::size_t>(data[1]);
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data) + 2, size - 2);
  const Outcome whole(bytes, bytes.size() + 1, data[0]), pieces(bytes, piece, data[0]);
  expect(
      std::equal(whole.events.begin(), whole.events.end(), pieces.events.begin(), pieces.events.end(),
                 [](const Event& a, const Event& b) { return a.position == b.position && a.y == b.y && a.x == b.x; }));
  expect(whole.damage.has_value() == pieces.damage.has_value());
  expect(!whole.damage ||
         (whole.damage->offset == pieces.damage->offset && whole.damage->skipped == pieces.damage->skipped));
  return 0;
}
