// What one thread draws: four pixels j, j + 8, j + 16, j + 24 of a group of 32, those that share Philox blocks
// (crewe/rng.hpp). Eight threads read 32 neighbouring bytes at a time.
#pragma once

#include "crewe/cuda/device.hpp"
#include "crewe/noise/draws.hpp"
#include "crewe/noise/tails.hpp"
#include "crewe/rng.hpp"

namespace crewe::cuda::noise {

constexpr int kFour = 4;

struct Four {
  std::size_t group;
  unsigned lane;
  __device__ std::size_t pixel(int k) const { return group * 32 + static_cast<unsigned>(8 * k) + lane; }
};

struct Tails {
  CREWE_HOST_DEVICE void operator()(bool, double mean, double u, double& count) const {
    count = crewe::noise::poisson_by_tails(mean, u);
  }
};

__device__ inline void draw_counts(const rng::Stream& stream, const Four& place, const float (&mean)[kFour],
                                   double (&count)[kFour]) {
  using crewe::noise::kSwitch;
  double u[kFour], small[kFour], large[kFour];
  bool some_small = false;
  for (int half = 0; half < 2; ++half) {
    const rng::Block words = rng::block(stream, 8 * (2 * place.group + static_cast<unsigned>(half)) + place.lane);
    u[2 * half] = rng::open_unit(words[0], words[1]);
    u[2 * half + 1] = rng::open_unit(words[2], words[3]);
  }
  for (int k = 0; k < kFour; ++k) {
    large[k] = mean[k] > 0.0f ? static_cast<double>(mean[k]) : 0.0;
    small[k] = large[k] >= kSwitch ? 0.0 : large[k];
    some_small = some_small || large[k] < kSwitch;
    count[k] = 0;
  }
  if (some_small) crewe::noise::invert(small, u, count);
  for (int k = 0; k < kFour; ++k) {
    if (large[k] >= kSwitch) count[k] = crewe::noise::quantile(large[k], u[k], Tails{});
  }
}

__device__ inline void draw_normals(const rng::Stream& stream, const Four& place, float (&n)[kFour]) {
  const rng::Block words = rng::block(stream, 8 * place.group + place.lane);
  crewe::noise::normal_pair(words[0], words[1], n[0], n[1]);
  crewe::noise::normal_pair(words[2], words[3], n[2], n[3]);
}

}  // namespace crewe::cuda::noise
