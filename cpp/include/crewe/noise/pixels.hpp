// Single pixels and the range of values: Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 37-40,
// 52-55.
//
//   black:    x·S on the pixels of random walks, S ~ U(level) for each walk
//   zingers:  max(x·S, x + (S − 1)·mean(x)), S ~ U(gain): also seen on a dark background
//   clip:     min(x, maximum)
//   quantise: the nearest of 2^bits levels from −offset to full_scale − offset
//
// A walk starts anywhere and takes 0 to `steps` steps to one of four neighbours, staying inside the image.
// Arrays are C-contiguous.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crewe/host_device.hpp"
#include "crewe/rng.hpp"
#include "crewe/view.hpp"

namespace crewe::noise {

struct Statistics {
  float minimum = 0, maximum = 0;
  double mean = 0;
  bool finite = true;
};

Statistics statistics(View<const float, 2> image);

// Sums run over stretches of so many pixels, in each over kLanes of them side by side: pixel i of a stretch goes to
// sum i % kLanes, those after the last whole kLanes to the first. They are joined in order.
constexpr std::size_t kStretch = 4096, kLanes = 16;

// What walks do to single pixels: those of one walk together, in the order of walks.
struct PixelChange {
  std::size_t pixel;
  double value;
};
enum class Walk { black, zinger };
std::vector<PixelChange> walks(Walk kind, std::size_t ny, std::size_t nx, std::size_t count, std::size_t steps,
                               const double range[2], std::uint64_t seed, std::uint32_t picture);
inline CREWE_HOST_DEVICE float changed(Walk kind, float pixel, double value, double mean) {
  const double x = pixel, scaled = x * value;
  if (kind == Walk::black) return static_cast<float>(scaled);
  const double raised = x + (value - 1) * mean;
  return static_cast<float>(scaled < raised ? raised : scaled);
}

// In place.
void black_pixels(View<float, 2> image, std::size_t count, std::size_t steps, const double level[2], std::uint64_t seed,
                  std::uint32_t picture);
void zingers(View<float, 2> image, std::size_t count, std::size_t steps, const double gain[2], std::uint64_t seed,
             std::uint32_t picture);

// The value below which a part q of the pixels lies, linear between two order statistics.
double quantile(View<const float, 2> image, double q, int threads);

// Whole numbers in the order of the floats.
inline CREWE_HOST_DEVICE std::uint32_t ordered(float value) {
  const auto bits = __builtin_bit_cast(std::uint32_t, value);
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

// The float of such a number.
inline CREWE_HOST_DEVICE float unordered(std::uint32_t key) {
  return __builtin_bit_cast(float, (key & 0x80000000u) != 0 ? key & 0x7FFFFFFFu : ~key);
}

void clip(View<const float, 2> image, View<float, 2> out, float maximum, int threads);
void quantise(View<const float, 2> image, View<float, 2> out, int bits, double full_scale, double offset, int threads);

struct Levels {
  float last, step, inverse, zero;
};
inline CREWE_HOST_DEVICE Levels levels(int bits, double full_scale, double offset) {
  const auto last = static_cast<float>((1 << bits) - 1);
  return {last, static_cast<float>(full_scale / static_cast<double>(last)),
          static_cast<float>(static_cast<double>(last) / full_scale), static_cast<float>(offset)};
}
inline CREWE_HOST_DEVICE float quantised(float x, const Levels& to) {
  const float raw = (x + to.zero) * to.inverse, positive = raw < 0.0f ? 0.0f : raw;
  const float level = to.last < positive ? to.last : positive;
  return ((level + 0x1.8p23f) - 0x1.8p23f) * to.step - to.zero;  // to the nearest whole number
}

// The digits of a chain: so wide that the highest pixel lies at 1 to 1/1.5 of what is above zero, kBelow of it below.
constexpr double kBelow = 0.02;
CREWE_HOST_DEVICE inline double full_scale(double highest, std::uint64_t seed) {
  const double top = highest < 1 ? 1 : highest;  // at least one electron
  const rng::Block words = rng::block({seed, rng::Stage::adc, 0}, 0);
  return top * (1 + 0.5 * words[0] * 0x1p-32) / (1 - kBelow);
}

}  // namespace crewe::noise
