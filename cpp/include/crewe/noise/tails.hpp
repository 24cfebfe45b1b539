// The Poisson distribution itself: the smallest k with P(X <= k) >= u, X of mean >= 10, from sums of its probabilities.
// For the CPU and the GPU.
#pragma once

#include <cmath>

#include "crewe/host_device.hpp"

namespace crewe::noise {

// P(X = k). From k = 16 on Stirling's series is exact to a double.
inline CREWE_HOST_DEVICE double poisson_probability(double mean, double k) {
  if (k < 16) {
    double p = std::exp(-mean);
    for (double j = 1; j <= k; ++j) p *= mean / j;
    return p;
  }
  const double square = 1 / (k * k);
  const double rest = (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680))) / k;
  return std::exp((k - mean) - k * std::log1p((k - mean) / mean) - rest) / std::sqrt(2 * 3.141592653589793 * k);
}

inline CREWE_HOST_DEVICE double poisson_by_tails(double mean, double u) {
  // Sums run over the smaller tail: it keeps its digits.
  constexpr double kRest = 1e-17;
  const bool low = u < 0.5;
  const double tail = low ? u : 1 - u;
  const double v = -std::log(4 * tail * (1 - tail)), z = (low ? -1 : 1) * std::sqrt(v) * (1.25 + 0.02 * v);
  double k = std::floor(mean + z * std::sqrt(mean) + (z * z + 2) / 6);  // nearly
  k = k > 0 ? k : 0;
  double p = poisson_probability(mean, k);
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

}  // namespace crewe::noise
