// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC'11, doi 10.1145/2063384.2063405).
//
//   block(index) = philox(counter = (index low, index high, stage + 256·attempt, image), key = seed)
//
// A number is a function of (seed, image, stage, pixel) alone: any thread may draw it, in any order, and switching one
// stage on or off leaves the numbers of the others as they are. Within a stage pixel p (row-major) reads
//
//   one word:   groups of 32 pixels:  block 8·(p/32) + p%8, word (p/8)%4
//   two words:  groups of 16 pixels:  block 8·(p/16) + p%8, words 2·((p/8)%2) and the next
//
// so that eight blocks made side by side in vector registers serve consecutive pixels without a shuffle.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "crewe/host_device.hpp"

namespace crewe::rng {

// One number per stage that draws. Results depend on them: add, never renumber.
enum class Stage : std::uint32_t {
  shot = 1,
  pmt = 2,
  jitter = 3,
  row_lines = 4,
  black = 5,
  zingers = 6,
  fixed_pattern = 7,
  dark_map = 8,
  dark_shot = 9,
  thermal = 10,
  flicker = 11,
  reset = 12,
  hot_pixels = 13,
  adc = 14,
  specimen = 15,
};

// Whose numbers: seed and image name the picture, stage what is done to it.
struct Stream {
  std::uint64_t seed = 0;
  Stage stage = Stage::shot;
  std::uint32_t image = 0;
};

using Block = std::array<std::uint32_t, 4>;

CREWE_HOST_DEVICE constexpr Block philox(Block c, std::uint32_t k0, std::uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0], b = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(a)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

CREWE_HOST_DEVICE constexpr Block block(const Stream& stream, std::uint64_t index, std::uint32_t attempt = 0) {
  return philox({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                 static_cast<std::uint32_t>(stream.stage) + 256 * attempt, stream.image},
                static_cast<std::uint32_t>(stream.seed), static_cast<std::uint32_t>(stream.seed >> 32));
}

// 64 bits → (0, 1), the middle of one of 2^52 cells.
CREWE_HOST_DEVICE constexpr double open_unit(std::uint32_t low, std::uint32_t high) {
  const std::uint64_t bits = (std::uint64_t{high} << 32 | low) >> 12;
  return (static_cast<double>(bits) + 0.5) * 0x1p-52;
}

// Numbers one after the other from consecutive blocks, for what is drawn in small amounts (lines, walks, atoms).
class Sequence {
 public:
  explicit CREWE_HOST_DEVICE Sequence(const Stream& stream, std::uint64_t first = 0) : stream_(stream), index_(first) {}

  // (0, 1)
  CREWE_HOST_DEVICE double uniform() {
    if (left_ == 0) {
      words_ = block(stream_, index_++);
      left_ = 2;
    }
    --left_;
    return left_ == 1 ? open_unit(words_[0], words_[1]) : open_unit(words_[2], words_[3]);
  }
  CREWE_HOST_DEVICE double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // 0, 1, ..., n − 1
  CREWE_HOST_DEVICE std::size_t below(std::size_t n) {
    const auto k = static_cast<std::size_t>(uniform() * static_cast<double>(n));
    return k < n ? k : n - 1;
  }
  // Mean 0, standard deviation 1 (Box, Muller).
  CREWE_HOST_DEVICE double normal() {
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  Stream stream_;
  std::uint64_t index_;
  Block words_{};
  int left_ = 0;
};

}  // namespace crewe::rng
