// Boxes and the order in which non-maximum suppression takes them; for the CPU and the GPU.
#pragma once

#include <cstdint>

#include "crewe/host_device.hpp"

namespace crewe::atoms {

struct Box {
  double y0, x0, y1, x1;
  CREWE_HOST_DEVICE double height() const { return y1 - y0; }
  CREWE_HOST_DEVICE double width() const { return x1 - x0; }
  CREWE_HOST_DEVICE double area() const { return height() * width(); }
};

// |a ∩ b| / |a ∪ b|
inline CREWE_HOST_DEVICE double overlap(const Box& a, const Box& b) {
  const double height = (b.y1 < a.y1 ? b.y1 : a.y1) - (a.y0 < b.y0 ? b.y0 : a.y0);
  const double width = (b.x1 < a.x1 ? b.x1 : a.x1) - (a.x0 < b.x0 ? b.x0 : a.x0);
  if (!(height > 0) || !(width > 0)) return 0;
  const double both = height * width;
  return both / (a.area() + b.area() - both);
}

// Whole numbers that rise as scores fall.
inline CREWE_HOST_DEVICE std::uint64_t falling(double score) {
  const auto bits = __builtin_bit_cast(std::uint64_t, score == 0 ? 0.0 : score);
  return (bits >> 63) != 0 ? bits : ~(bits | std::uint64_t{1} << 63);
}

// Of equal scores the upper box comes first, then the left one, then the one that came first.
inline CREWE_HOST_DEVICE bool earlier(const Box& a, const Box& b, std::uint32_t i, std::uint32_t k) {
  if (a.y0 != b.y0) return a.y0 < b.y0;
  if (a.x0 != b.x0) return a.x0 < b.x0;
  if (a.y1 != b.y1) return a.y1 < b.y1;
  if (a.x1 != b.x1) return a.x1 < b.x1;
  return i < k;
}

}  // namespace crewe::atoms
