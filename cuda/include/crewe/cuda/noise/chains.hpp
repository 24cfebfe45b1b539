// Whole chains (python/crewe/noise/chains.py) for stacks of images; nothing waits for the device.
//
// STEM and SEM, 1024², all stages on: shift (8 bytes per pixel), count and pulse heights in one pass (8), smear (8),
// single pixels, statistics (4), quantile (16), clip, digits and scale in one pass (8): 50 to 60 bytes per pixel beside
// the Philox blocks and the smear, that is some 15 µs of memory and 50 µs of arithmetic for an image on a large GPU.
// TEM: two transforms of the mirrored image, two for flicker noise (two images go through one), everything that is
// drawn per pixel in one pass.
#pragma once

#include "crewe/cuda/noise/stages.hpp"

namespace crewe::cuda::noise {

struct Walks {
  std::size_t count = 0, steps = 0;
  double range[2] = {};
};

// What both chains end with; a count of 0, a quantile or maximum that isn't there: off.
struct Damage {
  Walks black, zingers;
  bool clip = false;
  double maximum = 0, quantile = -1;  // quantile >= 0: instead of the maximum
  int bits = 0;
};

struct ScanChain {
  double electrons = 0;  // per pixel
  std::uint64_t seed = 0;
  bool jitter = false;
  double sigma[2] = {}, phi[2] = {};  // [pixels]
  bool detector = false;
  double width = 0, pedestal = 0;
  std::vector<float> response;  // of fast_scan
  std::size_t parts = 0;        // of row_lines
  double length[2] = {}, factor[2] = {};
  Damage damage;
};
// images (n, ny, nx) with means > 0 → out, shifts (n, ny, 2). Not in place.
void scan_chain(Images images, Results out, View<double, 3> shifts, const ScanChain& chain, cudaStream_t stream);

struct CameraChain {
  double electrons = 0;  // per pixel
  std::uint64_t seed = 0, sensor = 0;
  bool mtf = false;
  double a = 0, b = 0, c = 0;
  double pattern = 0;  // sigmas; 0: off
  bool dark = false;
  crewe::noise::Dark map{};
  double thermal = 0, flicker = 0, reset = 0;
  Damage damage;  // black pixels belong to the sensor
};
void camera_chain(Images images, Results out, const CameraChain& chain, cudaStream_t stream);

}  // namespace crewe::cuda::noise
