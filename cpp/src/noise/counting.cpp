#include "crewe/noise/counting.hpp"

#include "crewe/noise/tails.hpp"
#include "crewe/parallel.hpp"
#include "lines.hpp"

namespace crewe::noise {
double poisson_quantile(double mean, double u) {
  return poisson_by_tails(mean, u);
}

void shot(View<const float, 2> mean, View<float, 2> out, std::uint64_t seed, std::uint32_t picture, int threads) {
  check_pair(mean, out);
  const Draw draw = draw_of(seed, rng::Stage::shot, picture);
  parallel_for(mean.size(), kPixelGrain, threads, [&](std::size_t begin, std::size_t end) {
    CREWE_SIMD_CALL(poisson, mean.data, nullptr, out.data, begin, end, draw);
  });
}

void pmt(View<const float, 2> counts, View<float, 2> out, double width, double pedestal, std::uint64_t seed,
         std::uint32_t picture, int threads) {
  check_pair(counts, out);
  const Draw draw = draw_of(seed, rng::Stage::pmt, picture);
  parallel_for(counts.size(), kPixelGrain, threads, [&](std::size_t begin, std::size_t end) {
    CREWE_SIMD_CALL(spread, counts.data, out.data, begin, end, Spread::add, pedestal, width * width, draw);
  });
}

}  // namespace crewe::noise
