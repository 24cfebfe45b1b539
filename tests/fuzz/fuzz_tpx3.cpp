// Timepix3 words: any bytes, in any pieces, give the same hits and the same damage as in one piece; at probe positions
// every event lies within scan and detector, and every hit is accounted for. The first two bytes of the input choose
// the way to a position and the size of the pieces.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "crewe/io/tpx3.hpp"

namespace {

using namespace crewe::io;

void expect(bool holds) {
  if (!holds) std::abort();
}

template <class Feed>
void in_pieces(std::span<const std::byte> bytes, std::size_t piece, Feed&& feed) {
  for (std::size_t at = 0; at < bytes.size(); at += piece) feed(bytes.subspan(at, std::min(piece, bytes.size() - at)));
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b, bool (*equal)(const T&, const T&)) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), equal);
}

struct Decoded {
  std::vector<Tpx3Hit> hits;
  std::vector<Tpx3Tdc> tdc;
  std::optional<Damage> damage;

  Decoded(std::span<const std::byte> bytes, std::size_t piece) {
    Tpx3Decoder decoder;
    in_pieces(bytes, piece, [&](std::span<const std::byte> part) { decoder.feed(part, hits, tdc); });
    decoder.finish();
    damage = decoder.damage();
    expect(decoder.counts().hits == hits.size() && decoder.counts().tdc == tdc.size());
    expect(!damage || (damage->offset <= bytes.size() && damage->skipped <= bytes.size()));
  }
  bool operator==(const Decoded& other) const {
    return same<Tpx3Hit>(hits, other.hits,
                         [](const Tpx3Hit& a, const Tpx3Hit& b) {
                           return a.toa == b.toa && a.x == b.x && a.y == b.y && a.tot == b.tot && a.chip == b.chip;
                         }) &&
           same<Tpx3Tdc>(tdc, other.tdc,
                         [](const Tpx3Tdc& a, const Tpx3Tdc& b) {
                           return a.toa == b.toa && a.channel == b.channel && a.rising == b.rising && a.chip == b.chip;
                         }) &&
           damage.has_value() == other.damage.has_value() &&
           (!damage || (damage->offset == other.damage->offset && damage->skipped == other.damage->skipped));
  }
};

EventOptions options_of(unsigned choice) {
  EventOptions options;
  options.sy = 1 + choice % 5;
  options.sx = 1 + choice % 7;
  options.ny = options.nx = 512;
  options.chips = quad_chips();
  if ((choice & 1) != 0) options.dwell = (choice & 2) != 0 ? 1e-6 : 1.2345e-5;
  if ((choice & 4) != 0) options.acceptance = 4e-7;
  if ((choice & 8) != 0) options.scans = 1;
  if ((choice & 16) != 0) options.waiting = 3000;
  if ((choice & 32) != 0) {
    options.ny = 200;
    options.chips = {{0, 0, true, false}, {0, 256, false, true}};
  }
  return options;
}

void check_scan(std::span<const std::byte> bytes, std::size_t piece, unsigned choice) {
  const EventOptions options = options_of(choice);
  Tpx3Scan scan(options);
  std::size_t given = 0, step = 0;
  const auto see = [&](const EventBlock& block) {
    for (const Event& event : block.events) {
      expect(event.position < options.sy * options.sx && event.y < options.ny && event.x < options.nx);
    }
    given += block.events.size();
  };
  in_pieces(bytes, piece, [&](std::span<const std::byte> part) {
    see(scan.feed(part));
    if ((choice & 64) != 0 && ++step % 3 == 0) see(scan.flush());
    if ((choice & 128) != 0 && step % 7 == 6) scan.cut();
    scan.complete();
  });
  see(scan.finish());
  const EventCounts& counts = scan.counts();
  expect(counts.events == given);
  expect(scan.words().hits == counts.events + counts.stray + counts.unaccepted + counts.lost);
  expect(scan.dwell() >= 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = 1 + 7 * static_cast<std::size_t>(data[1]);
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data) + 2, size - 2);
  expect(Decoded(bytes, bytes.size() + 1) == Decoded(bytes, piece));
  check_scan(bytes, piece, data[0]);
  check_scan(bytes, bytes.size() + 1, data[0]);
  return 0;
}
