// Advacam (Pixet): hits with absolute times → electrons at probe positions, by dwell time.
//
//   t3p   16-byte little-endian records: u32 matrix index, u64 ToA, u8 overflow, u8 FToA, u16 ToT; no header
//   t3pa  text, tab separated, with a header line: Index, Matrix Index, ToA, ToT, FToA, Overflow
//
//   t = 16·ToA − FToA [1.5625 ns]     y = index / 256, x = index mod 256, the chip in the bits 16-31
//   position = floor(t / dwell), modulo the scan (events of repeated scans add up)
//
// A record with overflow (one chip only; with several the field holds the chip) is no hit: index 0x74 begins a gap in
// the data, 0x75 ends it, with the length of the gap as ToA. Source: wiki.advacam.cz, "File types".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "crewe/io/event.hpp"

namespace crewe::io {

class T3pScan {
 public:
  enum class Format { binary, text };
  struct Counts {
    std::uint64_t hits = 0;
    std::uint64_t gaps = 0;       // records of lost data
    std::uint64_t gap_ticks = 0;  // their length
    std::uint64_t bad_lines = 0;  // of text, passed over
  };

  T3pScan(Format format, const EventOptions& options);
  ~T3pScan();
  T3pScan(T3pScan&&) noexcept;
  T3pScan& operator=(T3pScan&&) noexcept;

  // Bytes, cut anywhere; the block is valid until the next call.
  EventBlock feed(std::span<const std::byte> bytes);
  // The end: notes a record that was cut.
  EventBlock finish();

  const Counts& records() const;
  const EventCounts& counts() const;  // lost: gaps
  const std::optional<Damage>& damage() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crewe::io
