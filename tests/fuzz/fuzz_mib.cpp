// Merlin frames: any bytes, in any pieces, give the same images and the same damage as in one piece, and harm nothing.
// The first two bytes of the input choose the depth that is hinted at and the size of the pieces.
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "crewe/io/mib.hpp"

namespace {

using crewe::FormatError;
using crewe::io::MibDecoder;
using crewe::io::MibFraming;
using crewe::io::MibLayout;

void expect(bool holds) {
  if (!holds) std::abort();
}

struct Outcome {
  std::vector<std::byte> images;
  std::optional<std::uint64_t> damage;
};

Outcome decode(std::span<const std::byte> bytes, int depth, std::size_t piece) {
  Outcome outcome;
  MibDecoder decoder(depth);
  std::vector<std::byte> memory;
  std::size_t at = 0;
  try {
    do {
      const auto part = bytes.subspan(at, std::min(piece, bytes.size() - at));
      const std::size_t count = decoder.feed(part, [&](const MibLayout& layout, std::size_t most) {
        expect(most * layout.frame_bytes() <= 8 * bytes.size() + (1 << 21));
        memory.resize(most * layout.frame_bytes());
        return memory.data();
      });
      if (count != 0) {
        const std::size_t size = count * decoder.layout()->frame_bytes();
        expect(size <= memory.size());
        outcome.images.insert(outcome.images.end(), memory.begin(), memory.begin() + static_cast<std::ptrdiff_t>(size));
      }
      at += part.size();
      expect(decoder.offset() + decoder.pending() <= at);
    } while (at < bytes.size());
    decoder.feed({}, [&](const MibLayout&, std::size_t) { return memory.data(); });
  } catch (const FormatError& error) {
    expect(error.offset <= bytes.size());
    outcome.damage = error.offset;
  }
  return outcome;
}

// As on the socket: a prefix before each header.
void check_messages(std::span<const std::byte> bytes, int depth) {
  constexpr std::size_t prefix = 15;
  if (bytes.size() <= prefix) return;
  try {
    const MibFraming framing(bytes.subspan(prefix), 0, depth);
    const MibFraming::Run run = framing.check(bytes, 0, prefix, true);
    expect(run.count * framing.stride(prefix) <= bytes.size());
    std::vector<std::byte> images(run.count * framing.layout().frame_bytes());
    framing.unpack(bytes.data(), run.count, prefix, images.data());
  } catch (const FormatError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr int depths[] = {0, 0, 0, 1, 6, 12, 24, 99};
  const int depth = depths[data[0] % 8];
  const std::size_t piece = 1 + 7 * static_cast<std::size_t>(data[1]);
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data) + 2, size - 2);
  const Outcome whole = decode(bytes, depth, bytes.size() + 1), pieces = decode(bytes, depth, piece);
  expect(whole.damage == pieces.damage);
  expect(whole.images == pieces.images);
  check_messages(bytes, depth);
  return 0;
}
