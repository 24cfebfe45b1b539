#include "crewe/noise/camera.hpp"

#include <cmath>

#include "crewe/parallel.hpp"
#include "lines.hpp"

namespace crewe::noise {
namespace {

void spread_all(View<const float, 2> image, View<float, 2> out, Spread kind, double a, double b, const Draw& draw,
                int threads) {
  check_pair(image, out);
  parallel_for(image.size(), kPixelGrain, threads, [&](std::size_t begin, std::size_t end) {
    CREWE_SIMD_CALL(spread, image.data, out.data, begin, end, kind, a, b, draw);
  });
}

}  // namespace

void fixed_pattern(View<const float, 2> image, View<float, 2> out, double sigma, std::uint64_t sensor, int threads) {
  spread_all(image, out, Spread::gain, sigma, 0, draw_of(sensor, rng::Stage::fixed_pattern, 0), threads);
}

Dark dark(double mean, double std, double hot) {
  const double variance = mean > 0 ? std::log1p(std * std / (mean * mean)) : 0;
  return {std::log(mean) - variance / 2, std::sqrt(variance), mean, std, hot};
}

void dark_map(View<float, 2> out, double mean, double std, double hot, std::uint64_t sensor, int threads) {
  check_pair(out, out);
  const std::size_t n = out.size();
  if (!(mean > 0)) {
    for (std::size_t i = 0; i < n; ++i) out.data[i] = 0;
    return;
  }
  const Dark d = dark(mean, std, hot);
  spread_all(out, out, Spread::log_normal, d.log_mean, d.log_std, draw_of(sensor, rng::Stage::dark_map, 0), threads);
  if (!(hot > 0)) return;
  const rng::Stream stream{sensor, rng::Stage::hot_pixels, 0};
  parallel_for(n, kPixelGrain, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const double more = hot_charge(d, rng::block(stream, i));
      if (more != 0) out.data[i] = static_cast<float>(out.data[i] + more);
    }
  });
}

void dark_shot(View<const float, 2> image, View<const float, 2> map, View<float, 2> out, std::uint64_t seed,
               std::uint32_t picture, int threads) {
  check_pair(image, out);
  check_pair(map, out);
  const Draw draw = draw_of(seed, rng::Stage::dark_shot, picture);
  parallel_for(image.size(), kPixelGrain, threads, [&](std::size_t begin, std::size_t end) {
    CREWE_SIMD_CALL(poisson, map.data, image.data, out.data, begin, end, draw);
  });
}

void thermal(View<const float, 2> image, View<float, 2> out, double sigma, std::uint64_t seed, std::uint32_t picture,
             int threads) {
  spread_all(image, out, Spread::add, sigma, 0, draw_of(seed, rng::Stage::thermal, picture), threads);
}

void reset(View<const float, 2> image, View<float, 2> out, double sigma, std::uint64_t seed, std::uint32_t picture,
           int threads) {
  check_pair(image, out);
  const std::size_t ny = image.shape[0], nx = image.shape[1];
  std::vector<float> rows(ny);
  rng::Sequence numbers({seed, rng::Stage::reset, picture});
  for (float& row : rows) row = static_cast<float>(sigma * numbers.normal());
  parallel_for(ny, 64, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin * nx; i < end * nx; ++i) out.data[i] = image.data[i] + rows[i / nx];
  });
}

}  // namespace crewe::noise
