#include "crewe/noise/counting.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "crewe/parallel.hpp"
#include "lines.hpp"

namespace crewe::noise {
namespace {

// P(X = k). From k = 16 on Stirling's series is exact to a double.
double probability(double mean, double k) {
  if (k < 16) {
    double p = std::exp(-mean);
    for (double j = 1; j <= k; ++j) p *= mean / j;
    return p;
  }
  const double square = 1 / (k * k);
  const double rest = (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680))) / k;
  return std::exp((k - mean) - k * std::log1p((k - mean) / mean) - rest) / std::sqrt(2 * std::numbers::pi * k);
}

}  // namespace

double poisson_quantile(double mean, double u) {
  // Sums run over the smaller tail: it keeps its digits.
  constexpr double kRest = 1e-17;
  const bool low = u < 0.5;
  const double tail = low ? u : 1 - u;
  const double v = -std::log(4 * tail * (1 - tail)), z = (low ? -1 : 1) * std::sqrt(v) * (1.25 + 0.02 * v);
  double k = std::max(0.0, std::floor(mean + z * std::sqrt(mean) + (z * z + 2) / 6));  // nearly
  double p = probability(mean, k);
  if (low) {
    double sum = p;  // P(X <= k)
    for (double j = k, term = p; j > 0 && term > kRest * sum; --j) sum += term *= j / mean;
    for (; sum < tail; sum += p) p *= mean / ++k;
    for (; k > 0 && sum - p >= tail; p *= k-- / mean) sum -= p;
    return k;
  }
  double sum = 0;  // P(X > k)
  for (double j = k + 1, term = p * mean / j; term > kRest * sum; term *= mean / ++j) sum += term;
  for (; sum > tail; sum -= p) p *= mean / ++k;
  for (; k > 0 && sum + p <= tail; p *= k-- / mean) sum += p;
  return k;
}

void shot(View<const float, 2> mean, View<float, 2> out, std::uint64_t seed, std::uint32_t image, int threads) {
  check_pair(mean, out);
  const Draw draw = draw_of(seed, rng::Stage::shot, image);
  parallel_for(mean.size(), kPixelGrain, threads, [&](std::size_t begin, std::size_t end) {
    CREWE_SIMD_CALL(poisson, mean.data, nullptr, out.data, begin, end, draw);
  });
}

void pmt(View<const float, 2> counts, View<float, 2> out, double width, double pedestal, std::uint64_t seed,
         std::uint32_t image, int threads) {
  check_pair(counts, out);
  const Draw draw = draw_of(seed, rng::Stage::pmt, image);
  parallel_for(counts.size(), kPixelGrain, threads, [&](std::size_t begin, std::size_t end) {
    CREWE_SIMD_CALL(spread, counts.data, out.data, begin, end, Spread::add, pedestal, width * width, draw);
  });
}

}  // namespace crewe::noise
