#include "io/event_kernels.hpp"

#if defined(CREWE_ISA_IS_v4)
#define VECTOR_BYTES 64
#elif defined(CREWE_ISA_IS_v3)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

namespace crewe::io::CREWE_ISA_LEVEL {
namespace {

typedef std::uint64_t U64 __attribute__((vector_size(VECTOR_BYTES)));
typedef std::int64_t I64 __attribute__((vector_size(VECTOR_BYTES)));
typedef double F64 __attribute__((vector_size(VECTOR_BYTES)));
typedef std::uint64_t LooseU64 __attribute__((vector_size(VECTOR_BYTES), aligned(1), may_alias));
constexpr std::size_t lanes = VECTOR_BYTES / 8;

inline U64 load(const void* at) {
  return *static_cast<const LooseU64*>(at);
}
inline void store(void* at, U64 value) {
  *static_cast<LooseU64*>(at) = value;
}
inline U64 all(std::uint64_t value) {
  return value - U64{};
}
inline F64 all(double value) {
  return value - F64{};
}
inline U64 mask(I64 condition) {
  return reinterpret_cast<U64>(condition);
}
inline bool any(U64 bits) {
  std::uint64_t joined = 0;
  for (std::size_t j = 0; j < lanes; ++j) joined |= bits[j];
  return joined != 0;
}
inline F64 keep(F64 value, U64 where) {
  return reinterpret_cast<F64>(reinterpret_cast<U64>(value) & where);
}

constexpr std::uint64_t low_half = 0xffffffff;
constexpr double two52 = 4503599627370496.0;
constexpr std::uint64_t two52_bits = 0x4330000000000000;

// Whole numbers below 2^52 as double, minus 2^52 − start: their bits are the mantissa of 2^52 + number.
inline F64 number(U64 whole, double start) {
  return reinterpret_cast<F64>(whole | two52_bits) - (two52 - start);
}

// floor of 0 <= value < 2^51.
inline F64 floor_of(F64 value) {
  const F64 nearest = (value + two52) - two52;
  return nearest - keep(all(1.0), mask(nearest > value));
}
inline U64 whole(F64 value) {
  return reinterpret_cast<U64>(value + two52) & low_half;
}

// Joined over the hits of a block: who was in, out, beyond.
struct Seen {
  U64 in = {}, out = {}, beyond = {}, refused = {};
  void note(U64 inside, U64 accepted) {
    in |= inside & accepted;
    out |= ~(inside & accepted);
    refused |= inside & ~accepted;
  }
  unsigned flags() const {
    return (any(in) ? some_in : 0u) | (any(out) ? some_out : 0u) | (any(beyond) ? some_beyond : 0u) |
           (any(refused) ? some_unaccepted : 0u);
  }
};

// The position in place of the time; nowhere where not `in`, unaccepted where in but not `accepted`.
inline U64 event(U64 pixel, U64 position, U64 in, U64 accepted) {
  const U64 none = all(std::uint64_t{nowhere}) - (in & 1);
  const U64 good = in & accepted;
  return (pixel & ~all(low_half)) | (position & good) | (none & ~good);
}

inline U64 place(U64 pixel, F64 time, const DwellPlace& to, Seen& seen) {
  U64 in = mask(time >= all(0.0));
  time = keep(time, in);
  const F64 count = floor_of(time / to.dwell);
  const U64 accepted = mask(time - count * to.dwell < all(to.acceptance));
  F64 position = count;
  if (to.wrap) {
    const F64 scan = floor_of(count / to.total);
    position = count - scan * to.total;
    in &= mask(scan < all(to.scans));
  } else {
    seen.beyond |= mask(count >= all(to.total));
  }
  seen.note(in, accepted);
  return event(pixel, whole(keep(position, in)), in, accepted);
}

// Records of 16 bytes: u32 matrix index, u64 ToA, u8 overflow, u8 FToA, u16 ToT.
struct Records {
  U64 pixel, ticks, strange;  // ticks + 256, so that they aren't negative
  explicit Records(const unsigned char* at) {
    const U64 a = load(at), b = load(at + VECTOR_BYTES);
#if VECTOR_BYTES == 64
    const U64 low = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
    const U64 high = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#elif VECTOR_BYTES == 32
    const U64 low = __builtin_shufflevector(a, b, 0, 2, 4, 6), high = __builtin_shufflevector(a, b, 1, 3, 5, 7);
#else
    const U64 low = __builtin_shufflevector(a, b, 0, 2), high = __builtin_shufflevector(a, b, 1, 3);
#endif
    const U64 toa = (low >> 32) | (high << 32);
    strange = (low & 0xffff0000) | (toa >> 47) | ((high >> 32) & 0xff);
    ticks = ((toa & 0x7fffffffffff) << 4) + 256 - ((high >> 40) & 0xff);
    pixel = ((low & 0xff) << 48) | ((low & 0xff00) << 24);
  }
};

}  // namespace

unsigned place_line(const std::uint64_t* hits, std::size_t n, const LinePlace& line, std::uint64_t* events) {
  Seen seen;
  const double start = line.start, length = line.length, nx = line.nx, region = line.region;
  const double acceptance = line.acceptance;
  const U64 first = all(line.first);
  for (std::size_t i = 0; i < n; i += lanes) {
    const U64 hit = load(hits + i);
    F64 time = number(hit & low_half, start);
    const U64 later = mask(time >= all(0.0));
    const U64 in = later & mask(time < all(length));
    seen.beyond |= ~later | mask(time >= all(region));
    time = keep(time, in);
    const F64 scaled = time * nx;
    const F64 column = floor_of(scaled / length);
    const U64 accepted = mask(scaled - column * length < all(acceptance));
    seen.note(in, accepted);
    store(events + i, event(hit, whole(column) + first, in, accepted));
  }
  return seen.flags();
}

unsigned place_dwell(const std::uint64_t* hits, std::size_t n, const DwellPlace& to, std::uint64_t* events) {
  Seen seen;
  for (std::size_t i = 0; i < n; i += lanes) {
    const U64 hit = load(hits + i);
    store(events + i, place(hit, number(hit & low_half, to.start), to, seen));
  }
  return seen.flags();
}

std::size_t place_within_line(const std::uint64_t* hits, std::size_t n, const LinePlace& line, std::uint64_t* events) {
  const double start = line.start, factor = line.nx / line.length * (1 + 0x1p-50);
  const F64 length = all(line.length);
  const U64 first = all(line.first);
  for (std::size_t block = 0; block < n; block += place_block) {
    const std::size_t end = block + place_block < n ? block + place_block : n;
    U64 elsewhere = {};
    for (std::size_t i = block; i < end; i += lanes) {
      const U64 hit = load(hits + i);
      const F64 time = number(hit & low_half, start);
      elsewhere |= mask(time < all(0.0)) | mask(time >= length);
      const F64 column = time * factor;
#if VECTOR_BYTES == 64
      const U64 position = reinterpret_cast<U64>(__builtin_convertvector(column, I64)) + first;
#else
      const U64 position = whole(floor_of(column)) + first;
#endif
      store(events + i, (hit & ~all(low_half)) | (position & low_half));
    }
    if (any(elsewhere)) return block;
  }
  return n;
}

std::size_t tpx3_extract(const unsigned char* words, std::size_t n, std::uint64_t base, std::uint64_t flip,
                         std::uint64_t shift, std::uint64_t* hits) {
  const U64 pixel_kind = all(std::uint64_t{0xb} << 60), kinds = all(std::uint64_t{0xf} << 60);
  for (std::size_t block = 0; block < n; block += place_block) {
    const std::size_t end = block + place_block < n ? block + place_block : n;
    U64 bad = {};
    for (std::size_t i = block; i < end; i += lanes) {
      const U64 word = load(words + 8 * i);
      // Of the SPIDR time 16 bits, of the ToA 14, in 25 ns = 16 ticks; less the 4 bits of FToA.
      const U64 coarse = ((word << 18) & 0x3fffc0000) | ((word >> 26) & 0x3fff0);
      const U64 time = (coarse - ((word >> 16) & 0xf) - base) & 0x3ffffffff;
      const U64 x = ((word >> 4) & 0x00fe000000000000) | ((word << 2) & 0x0001000000000000);
      const U64 y = ((word >> 13) & 0x000000fc00000000) | ((word >> 12) & 0x0000000300000000);
      bad |= (time & ~all(low_half)) | ((word ^ pixel_kind) & kinds);
      store(hits + i, (((x | y) ^ flip) + shift) | time);
    }
    if (any(bad)) return block;
  }
  return n;
}

std::size_t t3p_within(const unsigned char* records, std::size_t n, std::uint64_t flip, std::uint64_t shift,
                       const DwellPlace& to, std::uint64_t* events) {
  const double factor = (1 + 0x1p-50) / to.dwell;
  const F64 latest = all(to.dwell * to.total < latest_product ? to.dwell * to.total : latest_product);
  for (std::size_t block = 0; block < n; block += place_block) {
    const std::size_t end = block + place_block < n ? block + place_block : n;
    U64 elsewhere = {};
    for (std::size_t i = block; i < end; i += lanes) {
      const Records found(records + 16 * i);
      const F64 time = number(found.ticks, -256.0);
      elsewhere |= found.strange | mask(time < all(0.0)) | mask(time >= latest);
      const F64 count = time * factor;
#if VECTOR_BYTES == 64
      const U64 position = reinterpret_cast<U64>(__builtin_convertvector(count, I64));
#else
      const U64 position = whole(floor_of(count));
#endif
      store(events + i, ((found.pixel ^ flip) + shift) | (position & low_half));
    }
    if (any(elsewhere)) return block;
  }
  return n;
}

unsigned t3p_place(const unsigned char* records, std::size_t n, std::uint64_t flip, std::uint64_t shift,
                   const DwellPlace& to, std::uint64_t* events) {
  Seen seen;
  U64 strange = {};
  for (std::size_t i = 0; i < n; i += lanes) {
    const Records found(records + 16 * i);
    strange |= found.strange;
    store(events + i, place((found.pixel ^ flip) + shift, number(found.ticks, -256.0), to, seen));
  }
  return seen.flags() | (any(strange) ? some_strange : 0u);
}

}  // namespace crewe::io::CREWE_ISA_LEVEL
