// The stages of crewe/noise/*.hpp on the device: the same names, draws and formulas. Counts, pulse heights and all else
// that is no Fourier transform have the bits of the CPU, but for the device's own exp, log and cos in a shift of a
// line, a reset level and the far tails of a count.
//
// Images are stacks (n, ny, nx), C-contiguous, in memory of the device; image k of a stack draws with seed + k. `out`
// may be the input unless said otherwise. Nothing waits for the stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/device.hpp"
#include "crewe/noise/camera.hpp"
#include "crewe/noise/pixels.hpp"
#include "crewe/view.hpp"

namespace crewe::cuda::noise {

using Images = View<const float, 3>;
using Results = View<float, 3>;

// What is done to every pixel, in this order; what is off costs nothing.
struct Exposure {
  std::uint64_t seed = 0, sensor = 0;
  std::uint32_t picture = 0;     // of the dark counts
  const float* scale = nullptr;  // per image: x is multiplied by it first
  bool count = false;            // Poisson(x)
  bool pulses = false;           // N(0, pedestal² + spread²·x) more
  float pedestal = 0, variance = 0;
  bool pattern = false;  // x·(1 + gain·N) of the sensor
  float gain = 0;
  bool dark = false;  // Poisson(dark map of the sensor) more
  crewe::noise::Dark map{};
  bool thermal = false;  // N(0, warmth²) more
  float warmth = 0;
  const float2* flicker = nullptr;  // fields of images 2k (x) and 2k + 1 (y), and their mean and scale
  const float2* flicker_of = nullptr;
  const float* rows = nullptr;  // (n, ny): more on every row
};
void expose(Images images, Results out, const Exposure& exposure, cudaStream_t stream);

void shot(Images mean, Results out, std::uint64_t seed, cudaStream_t stream);
void pmt(Images counts, Results out, double width, double pedestal, std::uint64_t seed, cudaStream_t stream);
void fixed_pattern(Images images, Results out, double sigma, std::uint64_t sensor, cudaStream_t stream);
// The map of the sensor is drawn on the way.
void dark_current(Images images, Results out, const crewe::noise::Dark& dark, std::uint64_t sensor, std::uint64_t seed,
                  cudaStream_t stream);
void thermal(Images images, Results out, double sigma, std::uint64_t seed, cudaStream_t stream);
void flicker(Images images, Results out, double sigma, std::uint64_t seed, cudaStream_t stream);
void reset(Images images, Results out, double sigma, std::uint64_t seed, cudaStream_t stream);
// `scale`: one factor per image, or null.
void mtf(Images images, Results out, double a, double b, double c, const float* scale, cudaStream_t stream);

// Parts of stages: levels of rows (n, ny); fields of images 2k (x) and 2k + 1 (y), and (mean, scale) of each image.
Buffer<float> reset_rows(std::size_t n, std::size_t ny, double sigma, std::uint64_t seed, cudaStream_t stream);
struct Flicker {
  Buffer<float2> fields, of;
};
Flicker flicker_fields(std::size_t n, std::size_t ny, std::size_t nx, double sigma, std::uint64_t seed,
                       cudaStream_t stream);

// shifts (n, ny, 2)
void jitter_series(View<double, 3> shifts, const double sigma[2], const double phi[2], std::uint64_t seed,
                   cudaStream_t stream);
// Not in place. `scale`: one factor per image, or null.
void shift_lines(Images images, View<const double, 3> shifts, Results out, const float* scale, cudaStream_t stream);
// data (y, x, n), shifts (y, 2) in memory of the host.
void unshift(Images data, View<const double, 2> shifts, Results out, cudaStream_t stream);
void fast_scan(Images images, Results out, const std::vector<float>& response, cudaStream_t stream);
// In place.
void row_lines(Results images, std::size_t count, const double length[2], const double factor[2], std::uint64_t seed,
               cudaStream_t stream);
void walk(crewe::noise::Walk kind, Results images, std::size_t count, std::size_t steps, const double range[2],
          std::uint64_t seed, cudaStream_t stream);

// One per image.
void statistics(Images images, crewe::noise::Statistics* out, cudaStream_t stream);
void quantile(Images images, double q, double* out, cudaStream_t stream);

void clip(Images images, Results out, float maximum, cudaStream_t stream);
void quantise(Images images, Results out, int bits, double full_scale, double offset, cudaStream_t stream);

// Not in place.
void gaussian_blur(Images images, Results out, double sigma, cudaStream_t stream);
void interpolate(Images images, Results out, const double matrix[4], cudaStream_t stream);

}  // namespace crewe::cuda::noise
