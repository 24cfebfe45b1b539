// Timepix3 (ASI, SERVAL): bytes → hits and triggers, or → electrons at probe positions.
//
// A stream of 64-bit little-endian words in chunks: a header ("TPX3", chip, size in bytes), then the words of that
// chip. A stream that doesn't begin with a header is a bare run of words of chip 0. Times are in ticks of 1.5625 ns:
//
//   t = ((spidr << 14 | toa) << 4) − ftoa     34 bits, a turn lasts 26.8 s; goes on beyond the turn here, by the signed
//                                             difference (modulo a turn) from the word before, so late words stay late
//
// Words of a chip are out of order by tens of places, chips by whole lines. Layout: SERVAL manual 3.2, appendix "TPX3
// raw file format".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "crewe/io/event.hpp"

namespace crewe::io {

struct Tpx3Hit {
  std::int64_t toa;    // [ticks]
  std::uint16_t x, y;  // on the chip
  std::uint16_t tot;   // time over threshold [25 ns]
  std::uint8_t chip = 0;
};
static_assert(sizeof(Tpx3Hit) == 16);

struct Tpx3Tdc {
  std::int64_t toa;      // [ticks]
  std::uint8_t channel;  // 1 or 2
  std::uint8_t rising;
  std::uint8_t chip;
};
static_assert(sizeof(Tpx3Tdc) == 16);

struct Tpx3Counts {
  std::uint64_t hits = 0, tdc = 0, heartbeats = 0, control = 0, unknown = 0, chunks = 0;
};

// Bytes, cut anywhere → hits and triggers in the order of the stream.
class Tpx3Decoder {
 public:
  Tpx3Decoder();
  ~Tpx3Decoder();
  Tpx3Decoder(Tpx3Decoder&&) noexcept;
  Tpx3Decoder& operator=(Tpx3Decoder&&) noexcept;

  // Appends to hits and tdc. Damage is passed over, up to the next chunk header, and noted.
  void feed(std::span<const std::byte> bytes, std::vector<Tpx3Hit>& hits, std::vector<Tpx3Tdc>& tdc);
  // The stream ends here: notes a chunk or word that was cut.
  void finish();

  const Tpx3Counts& counts() const;
  const std::optional<Damage>& damage() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Bytes, cut anywhere → electrons at probe positions.
//
// With line triggers: TDC1 rises where a line begins and falls where it ends; the first line that does so is row 0, and
// after the last row the scan begins again (events of repeated scans add up). Within a line the column is
// floor((t − rise)·nx / (fall − rise)). A chip uses its own triggers, and those of the other chips (which must agree
// within 0.4 µs) for lines of which it has none. Hits wait until the end of their line is known.
// With a dwell time: the position is floor(t / dwell), modulo the scan, and nothing waits.
class Tpx3Scan {
 public:
  explicit Tpx3Scan(EventOptions options);
  ~Tpx3Scan();
  Tpx3Scan(Tpx3Scan&&) noexcept;
  Tpx3Scan& operator=(Tpx3Scan&&) noexcept;

  // The events that are certain now, in no order; valid until the next call.
  EventBlock feed(std::span<const std::byte> bytes);
  // Nothing has come for a while: what waits for more words to be certain is taken as it is.
  EventBlock flush();
  // The stream ends here: hits after the last line belong nowhere.
  EventBlock finish();
  // The connection was cut: what comes next begins with a chunk.
  void cut();

  const Tpx3Counts& words() const;
  std::vector<std::uint64_t> hits_per_chip() const;
  const EventCounts& counts() const;
  const std::optional<Damage>& damage() const;
  std::uint64_t lines() const;  // that have ended so far, of all scans
  double dwell() const;         // [s]: the mean so far of all lines, or as given; 0 = not known yet
  bool complete() const;        // of the scans wanted nothing is to come, but for words that are late

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crewe::io
