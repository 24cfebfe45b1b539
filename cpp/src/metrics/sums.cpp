#include "crewe/metrics/sums.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "crewe/parallel.hpp"
#include "metrics/checks.hpp"
#include "metrics/kernels.hpp"

namespace crewe::metrics {

namespace {

Sums add_up(View<const float, 2> a, View<const float, 2> b, bool everything, int threads) {
  check_image(a, "a");
  check_image(b, "b");
  check_shape(b, a.shape, "b");
  constexpr std::size_t kGrain = 16384;
  const std::size_t n = a.size();
  std::vector<Stretch> parts((n + kGrain - 1) / kGrain);
  parallel_for(parts.size(), 4, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t first = i * kGrain;
      const std::size_t length = std::min(kGrain, n - first);
      parts[i] = everything ? CREWE_SIMD_CALL(stretch, a.data + first, b.data + first, length)
                            : CREWE_SIMD_CALL(stretch_products, a.data + first, b.data + first, length);
    }
  });
  constexpr float kMost = std::numeric_limits<float>::infinity();
  Sums s{.min_a = kMost, .max_a = -kMost, .min_b = kMost, .max_b = -kMost};
  for (const Stretch& part : parts) {
    s.a += part.sums[0];
    s.b += part.sums[1];
    s.aa += part.sums[2];
    s.ab += part.sums[3];
    s.bb += part.sums[4];
    s.min_a = std::min(s.min_a, part.min_a);
    s.max_a = std::max(s.max_a, part.max_a);
    s.min_b = std::min(s.min_b, part.min_b);
    s.max_b = std::max(s.max_b, part.max_b);
  }
  return s;
}

}  // namespace

Sums sums(View<const float, 2> a, View<const float, 2> b, int threads) {
  return add_up(a, b, true, threads);
}

Sums products(View<const float, 2> a, View<const float, 2> b, int threads) {
  return add_up(a, b, false, threads);
}

}  // namespace crewe::metrics
