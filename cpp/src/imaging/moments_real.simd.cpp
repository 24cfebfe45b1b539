// Moments, detector sums and profiles of one frame in double, eight lanes wide at every level, so that all levels give
// the same bits: a row is turned into corrected doubles in a buffer that stays in the L1 cache, and summed from there.
#include "imaging/moments_kernel.hpp"

namespace crewe::imaging::CREWE_ISA_LEVEL {
namespace {

constexpr std::size_t kLanes = 8, kPanel = 1024;  // pixels of a row at a time: 8 KB
typedef double f64x8 __attribute__((vector_size(64)));
typedef double f64x8_loose __attribute__((vector_size(64), aligned(8)));
typedef float f32x8_loose __attribute__((vector_size(32), aligned(4)));

template <class T>
T pixel_at(const std::byte* place) {
  T value;
  __builtin_memcpy(&value, place, sizeof value);
  return value;
}

struct Little8 {
  static constexpr std::ptrdiff_t size = 1;
  static double at(const std::byte* p) { return pixel_at<std::uint8_t>(p); }
};
struct Little16 {
  static constexpr std::ptrdiff_t size = 2;
  static double at(const std::byte* p) { return pixel_at<std::uint16_t>(p); }
};
struct Little32 {
  static constexpr std::ptrdiff_t size = 4;
  static double at(const std::byte* p) { return pixel_at<std::uint32_t>(p); }
};
struct Big16 {
  static constexpr std::ptrdiff_t size = 2;
  static double at(const std::byte* p) { return __builtin_bswap16(pixel_at<std::uint16_t>(p)); }
};
struct Big32 {
  static constexpr std::ptrdiff_t size = 4;
  static double at(const std::byte* p) { return __builtin_bswap32(pixel_at<std::uint32_t>(p)); }
};
struct Float32 {
  static constexpr std::ptrdiff_t size = 4;
  static double at(const std::byte* p) { return static_cast<double>(pixel_at<float>(p)); }
};

template <class P>
void decode(const std::byte* row, std::ptrdiff_t step, std::size_t count, double* out) {
  if (step == P::size) {
    for (std::size_t i = 0; i < count; ++i) out[i] = P::at(row + static_cast<std::ptrdiff_t>(i) * P::size);
  } else {
    for (std::size_t i = 0; i < count; ++i) out[i] = P::at(row + static_cast<std::ptrdiff_t>(i) * step);
  }
}

void decode(Pixel pixel, const std::byte* row, std::ptrdiff_t step, std::size_t count, double* out) {
  switch (pixel) {
    case Pixel::u8:
      return decode<Little8>(row, step, count, out);
    case Pixel::u16:
      return decode<Little16>(row, step, count, out);
    case Pixel::u32:
      return decode<Little32>(row, step, count, out);
    case Pixel::u16_be:
      return decode<Big16>(row, step, count, out);
    case Pixel::u32_be:
      return decode<Big32>(row, step, count, out);
    case Pixel::f32:
      return decode<Float32>(row, step, count, out);
  }
}

f64x8 load(const double* p) {
  return *reinterpret_cast<const f64x8_loose*>(p);
}
f64x8 load(const float* p) {
  return __builtin_convertvector(*reinterpret_cast<const f32x8_loose*>(p), f64x8);
}

double sum(f64x8 v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

// The weights of a row, with zeros behind its end: the last lanes of a row have no pixels.
struct Weights {
  const float* row;  // null: all ones
  std::size_t count;
  f64x8 at(std::size_t i) const {
    if (row == nullptr) return f64x8{1, 1, 1, 1, 1, 1, 1, 1};
    if (i + kLanes <= count) return load(row + i);
    float tail[kLanes] = {};
    for (std::size_t k = i; k < count; ++k) tail[k - i] = row[k];
    return load(tail);
  }
};

bool finite(const double* row, std::size_t padded) {
  f64x8 zero{};
  for (std::size_t i = 0; i < padded; i += kLanes) zero += load(row + i) * 0.0;
  return sum(zero) == 0;
}

double dot(const double* row, std::size_t padded, const Weights& weights) {
  f64x8 total{};
  if (weights.row == nullptr) {
    for (std::size_t i = 0; i < padded; i += kLanes) total += load(row + i);
  } else {
    for (std::size_t i = 0; i < padded; i += kLanes) total += load(row + i) * weights.at(i);
  }
  return sum(total);
}

void add_moments(const double* row, std::size_t padded, const Weights& weights, double y, double x, double* nyx) {
  f64x8 place{x, x + 1, x + 2, x + 3, x + 4, x + 5, x + 6, x + 7};
  f64x8 total{}, moment{};
  for (std::size_t i = 0; i < padded; i += kLanes) {
    const f64x8 value = weights.row == nullptr ? load(row + i) : load(row + i) * weights.at(i);
    total += value;
    moment += value * place;
    place += static_cast<double>(kLanes);
  }
  const double n = sum(total);
  nyx[0] += n;
  nyx[1] += y * n;
  nyx[2] += sum(moment);
}

}  // namespace

bool reduce_real(const RealTask& task, const FrameView& frame, double* nyx, double* sums, double* profile) {
  alignas(64) double buffer[kPanel];
  const DeadPixel *dead = task.dead, *end = task.dead + task.dead_count;
  for (std::size_t y = 0; y < task.ny; ++y) {
    const auto row_number = static_cast<std::ptrdiff_t>(y);
    for (std::size_t x = 0; x < task.nx; x += kPanel) {
      const std::size_t count = task.nx - x < kPanel ? task.nx - x : kPanel;
      const std::size_t padded = (count + kLanes - 1) / kLanes * kLanes, first = y * task.nx + x;
      const std::byte* row = frame.data + static_cast<std::ptrdiff_t>(y) * frame.stride_row +
                             static_cast<std::ptrdiff_t>(x) * frame.stride_col;
      decode(frame.pixel, row, frame.stride_col, count, buffer);
      for (std::size_t i = count; i < padded; ++i) buffer[i] = 0;
      for (; dead < end && dead->y == row_number && dead->x < static_cast<std::ptrdiff_t>(x + count); ++dead) {
        buffer[dead->x - static_cast<std::ptrdiff_t>(x)] = 0;
      }
      if (frame.pixel == Pixel::f32 && !finite(buffer, padded)) return false;
      if (task.dark != nullptr) {
        for (std::size_t i = 0; i < count; ++i) buffer[i] -= static_cast<double>(task.dark[first + i]);
      }
      if (task.gain != nullptr) {
        for (std::size_t i = 0; i < count; ++i) buffer[i] *= static_cast<double>(task.gain[first + i]);
      }
      if (task.moments) {
        const Weights weights{task.weights != nullptr ? task.weights + first : nullptr, count};
        add_moments(buffer, padded, weights, static_cast<double>(y), static_cast<double>(x), nyx);
      }
      for (std::size_t k = 0; k < task.detector_count; ++k) {
        const float* detector = task.detectors[k];
        sums[k] += dot(buffer, padded, {detector != nullptr ? detector + first : nullptr, count});
      }
      if (task.rings != nullptr) {
        for (std::size_t i = 0; i < count; ++i) profile[task.rings[first + i]] += buffer[i];
      }
    }
  }
  return true;
}

}  // namespace crewe::imaging::CREWE_ISA_LEVEL
