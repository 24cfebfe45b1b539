#include "crewe/cuda/noise/chains.hpp"

#include "crewe/cuda/check.hpp"
#include "noise/finish.hpp"
#include "noise/shapes.hpp"

namespace crewe::cuda::noise {
namespace {

using crewe::noise::Statistics;
using crewe::noise::Walk;

Images reading(const Results& images) {
  return {images.data, images.shape, images.strides};
}

struct Scales {
  Buffer<float> to_electrons, back;
};

Scales scales_of(Images images, double electrons, cudaStream_t stream) {
  const std::size_t n = images.shape[0];
  const Buffer<Statistics> found(n, stream);
  statistics(images, found.data(), stream);
  Scales result{Buffer<float>(n, stream), Buffer<float>(n, stream)};
  scales(found.data(), n, electrons, result.to_electrons.data(), result.back.data(), stream);
  return result;
}

// Zingers, clipping, digits, and back to the scale of the undistorted image. Black pixels are there already.
void end(Results images, const Damage& damage, std::uint64_t seed, const Scales& scale, cudaStream_t stream) {
  const std::size_t n = images.shape[0];
  walk(Walk::zinger, images, damage.zingers.count, damage.zingers.steps, damage.zingers.range, seed, stream);
  Finish what;
  Buffer<double> tops;
  Buffer<Statistics> found;
  if (damage.clip && damage.quantile >= 0) {
    tops = Buffer<double>(n, stream);
    quantile(reading(images), damage.quantile, tops.data(), stream);
  }
  if (damage.bits != 0) {
    found = Buffer<Statistics>(n, stream);
    statistics(reading(images), found.data(), stream);
  }
  what.clip = damage.clip;
  what.maximum = static_cast<float>(damage.maximum);
  what.tops = tops.data();
  what.bits = damage.bits;
  what.statistics = found.data();
  what.seed = seed;
  what.scale = scale.back.data();
  finish(reading(images), images, what, stream);
}

}  // namespace

void scan_chain(Images images, Results out, View<double, 3> shifts, const ScanChain& chain, cudaStream_t stream) {
  check_stacks(images, out);
  check_shape(shifts, {images.shape[0], images.shape[1], 2}, "shifts");
  check_contiguous(shifts, "shifts");
  if (images.size() == 0) return;
  const Scales scale = scales_of(images, chain.electrons, stream);
  Exposure exposure;
  exposure.seed = chain.seed;
  exposure.count = true;
  exposure.pulses = chain.detector;
  exposure.pedestal = static_cast<float>(chain.pedestal);
  exposure.variance = static_cast<float>(chain.width * chain.width);
  if (chain.jitter) {
    jitter_series(shifts, chain.sigma, chain.phi, chain.seed, stream);
    shift_lines(images, {shifts.data, shifts.shape, shifts.strides}, out, scale.to_electrons.data(), stream);
    images = reading(out);
  } else {
    check(cudaMemsetAsync(shifts.data, 0, shifts.size() * sizeof(double), stream), "shifts");
    exposure.scale = scale.to_electrons.data();
  }
  if (chain.response.empty()) {
    expose(images, out, exposure, stream);
  } else {
    const Buffer<float> counted(images.size(), stream);
    const Results between{counted.data(), out.shape, out.strides};
    expose(images, between, exposure, stream);
    fast_scan(reading(between), out, chain.response, stream);
  }
  row_lines(out, chain.parts, chain.length, chain.factor, chain.seed, stream);
  const Walks& black = chain.damage.black;
  walk(Walk::black, out, black.count, black.steps, black.range, chain.seed, stream);
  end(out, chain.damage, chain.seed, scale, stream);
}

void camera_chain(Images images, Results out, const CameraChain& chain, cudaStream_t stream) {
  check_stacks(images, out);
  if (images.size() == 0) return;
  const auto [n, ny, nx] = images.shape;
  const Scales scale = scales_of(images, chain.electrons, stream);
  Exposure exposure;
  exposure.seed = chain.seed;
  exposure.sensor = chain.sensor;
  exposure.picture = static_cast<std::uint32_t>(chain.sensor);
  exposure.count = true;
  exposure.pattern = chain.pattern != 0;
  exposure.gain = static_cast<float>(chain.pattern);
  exposure.dark = chain.dark && chain.map.mean > 0;
  exposure.map = chain.map;
  exposure.thermal = chain.thermal != 0;
  exposure.warmth = static_cast<float>(chain.thermal);
  exposure.scale = scale.to_electrons.data();
  if (chain.mtf) {
    mtf(images, out, chain.a, chain.b, chain.c, exposure.scale, stream);
    exposure.scale = nullptr;
    images = reading(out);
  }
  Flicker flickering;
  if (chain.flicker != 0 && ny * nx > 1) flickering = flicker_fields(n, ny, nx, chain.flicker, chain.seed, stream);
  exposure.flicker = flickering.fields.data();
  exposure.flicker_of = flickering.of.data();
  Buffer<float> rows;
  if (chain.reset != 0) rows = reset_rows(n, ny, chain.reset, chain.seed, stream);
  exposure.rows = rows.data();
  expose(images, out, exposure, stream);
  const Walks& black = chain.damage.black;
  // All images of a sensor have the same black pixels.
  for (std::size_t k = 0; k < n; ++k) {
    const Results image{out.data + k * ny * nx, {1, ny, nx}, out.strides};
    walk(Walk::black, image, black.count, black.steps, black.range, chain.sensor, stream);
  }
  end(out, chain.damage, chain.seed, scale, stream);
}

}  // namespace crewe::cuda::noise
