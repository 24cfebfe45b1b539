#include "crewe/noise/pixels.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

#include "crewe/parallel.hpp"
#include "lines.hpp"

namespace crewe::noise {

Statistics statistics(View<const float, 2> image) {
  check_pair(image, image);
  Statistics result;
  const std::size_t n = image.size();
  const float infinity = std::numeric_limits<float>::infinity();
  float low[kLanes], high[kLanes], zero[kLanes] = {};  // x·0 is NaN for infinity and NaN, else 0
  std::fill_n(low, kLanes, infinity);
  std::fill_n(high, kLanes, -infinity);
  double sum = 0;
  for (std::size_t first = 0; first < n; first += kStretch) {
    double sums[kLanes] = {};
    const auto take = [&](std::size_t lane, float x) {
      sums[lane] += static_cast<double>(x);
      zero[lane] += x * 0.0f;
      low[lane] = x < low[lane] ? x : low[lane];
      high[lane] = x > high[lane] ? x : high[lane];
    };
    const std::size_t end = std::min(first + kStretch, n);
    std::size_t i = first;
    for (; i + kLanes <= end; i += kLanes) {
      for (std::size_t k = 0; k < kLanes; ++k) take(k, image.data[i + k]);
    }
    for (; i < end; ++i) take(0, image.data[i]);
    double stretch = 0;
    for (const double part : sums) stretch += part;
    sum += stretch;
  }
  for (const float value : zero) result.finite = result.finite && value == 0.0f;
  result.minimum = *std::min_element(low, low + kLanes);
  result.maximum = *std::max_element(high, high + kLanes);
  result.mean = sum / static_cast<double>(n);
  return result;
}

std::vector<PixelChange> walks(Walk kind, std::size_t ny, std::size_t nx, std::size_t count, std::size_t steps,
                               const double range[2], std::uint64_t seed, std::uint32_t picture) {
  rng::Sequence numbers({seed, kind == Walk::black ? rng::Stage::black : rng::Stage::zingers, picture});
  std::vector<PixelChange> changes;
  std::vector<std::size_t> path;
  for (std::size_t k = 0; k < count; ++k) {
    std::size_t y = numbers.below(ny), x = numbers.below(nx);
    const double value = numbers.uniform(range[0], range[1]);
    const std::size_t length = steps == 0 ? 0 : numbers.below(steps + 1);
    path.assign(1, y * nx + x);
    for (std::size_t step = 0; step < length; ++step) {
      switch (numbers.below(4)) {
        case 0:
          y = y > 0 ? y - 1 : y;
          break;
        case 1:
          y = y + 1 < ny ? y + 1 : y;
          break;
        case 2:
          x = x > 0 ? x - 1 : x;
          break;
        default:
          x = x + 1 < nx ? x + 1 : x;
      }
      path.push_back(y * nx + x);
    }
    // A pixel that a walk crosses twice is changed once.
    std::sort(path.begin(), path.end());
    path.erase(std::unique(path.begin(), path.end()), path.end());
    for (const std::size_t pixel : path) changes.push_back({pixel, value});
  }
  return changes;
}

namespace {

void walk(Walk kind, View<float, 2> image, std::size_t count, std::size_t steps, const double range[2],
          std::uint64_t seed, std::uint32_t picture) {
  check_pair(image, image);
  if (count == 0) return;
  const double mean = kind == Walk::zinger ? statistics(image).mean : 0;
  for (const PixelChange& change : walks(kind, image.shape[0], image.shape[1], count, steps, range, seed, picture)) {
    float& pixel = image.data[change.pixel];
    pixel = changed(kind, pixel, change.value, mean);
  }
}

}  // namespace

void black_pixels(View<float, 2> image, std::size_t count, std::size_t steps, const double level[2], std::uint64_t seed,
                  std::uint32_t picture) {
  walk(Walk::black, image, count, steps, level, seed, picture);
}

void zingers(View<float, 2> image, std::size_t count, std::size_t steps, const double gain[2], std::uint64_t seed,
             std::uint32_t picture) {
  walk(Walk::zinger, image, count, steps, gain, seed, picture);
}

double quantile(View<const float, 2> image, double q, int threads) {
  check_pair(image, image);
  const std::size_t n = image.size();
  if (!(q >= 0 && q <= 1)) reject("q", "0 to 1", std::to_string(q));
  const double place = q * static_cast<double>(n - 1);
  const auto rank = static_cast<std::size_t>(place);
  // Floats as whole numbers in the same order; their upper 12 bits say in which bin a pixel lies.
  constexpr std::size_t kBins = 4096;
  std::vector<std::size_t> bins(kBins);
  std::mutex adding;
  parallel_for(n, std::size_t{1} << 18, threads, [&](std::size_t begin, std::size_t end) {
    // Four sets of bins: equal neighbours would otherwise wait for each other's count.
    std::vector<std::uint32_t> sets(4 * kBins);
    for (std::size_t i = begin; i < end; ++i) ++sets[(i % 4) * kBins + (ordered(image.data[i]) >> 20)];
    const std::scoped_lock lock(adding);
    for (std::size_t k = 0; k < sets.size(); ++k) bins[k % kBins] += sets[k];
  });
  std::size_t below = 0, first = 0;
  while (below + bins[first] <= rank) below += bins[first++];
  std::size_t last = first;
  for (std::size_t sum = below + bins[first]; sum <= rank + 1 && last + 1 < bins.size();) sum += bins[++last];
  std::vector<float> kept;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t bin = ordered(image.data[i]) >> 20;
    if (bin >= first && bin <= last) kept.push_back(image.data[i]);
  }
  const auto at = kept.begin() + static_cast<std::ptrdiff_t>(rank - below);
  std::nth_element(kept.begin(), at, kept.end());
  const double low = *at,
               high = at + 1 == kept.end() ? low : static_cast<double>(*std::min_element(at + 1, kept.end()));
  return low + (place - static_cast<double>(rank)) * (high - low);
}

void clip(View<const float, 2> image, View<float, 2> out, float maximum, int threads) {
  check_pair(image, out);
  parallel_for(image.size(), kPixelGrain, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out.data[i] = std::min(image.data[i], maximum);
  });
}

void quantise(View<const float, 2> image, View<float, 2> out, int bits, double full_scale, double offset, int threads) {
  check_pair(image, out);
  if (bits < 1 || bits > 24) reject("bits", "1..24", std::to_string(bits));
  if (!(full_scale > 0)) reject("full_scale", "a positive number", std::to_string(full_scale));
  const Levels to = levels(bits, full_scale, offset);
  parallel_for(image.size(), kPixelGrain, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out.data[i] = quantised(image.data[i], to);
  });
}

}  // namespace crewe::noise
