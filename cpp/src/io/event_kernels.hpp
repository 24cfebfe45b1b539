// Inner loops from detector words to events. A timed hit is a 64-bit number: time since a base in the bits 0-31
// [ticks], y in 32-47, x in 48-63; an event has its position in place of the time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cpu.hpp"

namespace crewe::io {

inline constexpr std::size_t most_hits = 1024;  // per call
inline constexpr std::size_t place_block = 64;  // what isn't all alike is looked at again in blocks of so many
// Vectors are up to 8 numbers wide: arrays are readable and writable up to the next multiple.
inline constexpr std::size_t place_pad = 8;

// Positions that are none.
inline constexpr std::uint32_t nowhere = 0xffffffff, unaccepted = 0xfffffffe;

// What a block of hits held.
enum Placed : unsigned { some_in = 1, some_out = 2, some_beyond = 4, some_unaccepted = 8, some_strange = 16 };

// A scan line: position = first + floor(d·nx / length) for 0 <= d < length with d = time + start [ticks], if the time
// since the column began is below the acceptance. All numbers are whole, and the products below 2^53, so that the
// quotient in double has the right floor.
struct LinePlace {
  double start, length;
  double region;  // hits at d < 0 or d >= region are reported as some_beyond
  double nx;
  double acceptance;  // [ticks · nx], or infinity
  std::uint64_t first;
};

// A dwell time: position = floor(t / dwell) modulo `total` with t = time + start >= 0, of the first `scans` scans.
struct DwellPlace {
  double start, dwell;
  double acceptance;  // [ticks], or infinity
  double total, scans;
  bool wrap;  // false: positions >= total are reported as some_beyond, not placed
};

// hits → events of one line. Returns Placed flags.
CREWE_SIMD_DECLARE(unsigned place_line(const std::uint64_t* hits, std::size_t n, const LinePlace& line,
                                       std::uint64_t* events);)
CREWE_SIMD_DECLARE(unsigned place_dwell(const std::uint64_t* hits, std::size_t n, const DwellPlace& place,
                                        std::uint64_t* events);)

// The same by a product in place of the quotient, for hits that all lie in the line. The factor nx/length is made
// larger by 2^-50: d·nx/length, at least 1/length below the next whole number if it isn't one, keeps its floor as long
// as nx·length < 2^49. Returns how many hits were placed: all of them, or whole blocks before the first hit elsewhere.
inline constexpr double largest_product = 562949953421312.0;
CREWE_SIMD_DECLARE(std::size_t place_within_line(const std::uint64_t* hits, std::size_t n, const LinePlace& line,
                                                 std::uint64_t* events);)

// TPX3 pixel words → timed hits since `base` (34 bits); the pixel is (chip's pixel ^ flip) + shift, packed as in a hit.
// n is a multiple of place_pad. Returns how many words were taken: all, or whole blocks before a word that is no pixel,
// or whose time lies 2^32 or more after the base.
CREWE_SIMD_DECLARE(std::size_t tpx3_extract(const unsigned char* words, std::size_t n, std::uint64_t base,
                                            std::uint64_t flip, std::uint64_t shift, std::uint64_t* hits);)

// Advacam records of 16 bytes → events, by a product in place of the quotient, as above: for a dwell time of whole
// ticks and times below 2^49. Returns how many were placed: all, or whole blocks before a record that needs a closer
// look, or lies beyond the first scan.
inline constexpr double latest_product = 562949953421312.0;
CREWE_SIMD_DECLARE(std::size_t t3p_within(const unsigned char* records, std::size_t n, std::uint64_t flip,
                                          std::uint64_t shift, const DwellPlace& place, std::uint64_t* events);)

// Advacam records of 16 bytes, n of them → events, their pixels placed as above; returns some_strange as well if a
// record needs a closer look (overflow, matrix index beyond one chip, time beyond 2^52 ticks).
CREWE_SIMD_DECLARE(unsigned t3p_place(const unsigned char* records, std::size_t n, std::uint64_t flip,
                                      std::uint64_t shift, const DwellPlace& place, std::uint64_t* events);)

}  // namespace crewe::io
