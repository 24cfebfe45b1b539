// What pixels draw, as formulas that the CPU's vectors and the GPU's threads share.
//
// A count is the Poisson quantile of one uniform number u of 52 bits: the smallest k with P(X <= k) >= u. Mean < 10:
// the probabilities are subtracted from u until nothing is left. Larger means: with the normal number z of the same
// probability, Φ(z) = u, and s = z/√λ the quantile is ⌊x⌋, x = λ·r(s) + c₀(s) + c₁(s)/λ + ..., f(r) = s for
// f(r) = ±√(2(1 − r + r·ln r)) (Temme, SIAM J. Math. Anal. 10 (1979) 757; Giles, ACM Trans. Math. Softw. 42 (2016) 7);
// where x is so near a whole number that its error could show, the distribution itself is asked (tails.hpp).
// Both are exact up to the rounding of doubles. Normal numbers: Box and Muller in single precision from two words of 32
// bits.
#pragma once

#include "crewe/elementary.hpp"

namespace crewe::noise {

constexpr double kSwitch = 10.0;        // the mean from which on normal numbers lead to the quantiles
constexpr double kExact = 134217728.0;  // from this mean on whole floats are 8 apart: no need to ask
constexpr int kMost = 64;               // a mean below kSwitch gives more with a probability of 10^-30

struct Inverses {
  double of[kMost + 1];
};
constexpr Inverses inverses() {
  Inverses table{};
  for (int k = 1; k <= kMost; ++k) table.of[k] = 1.0 / k;
  return table;
}

// Counts for means below kSwitch. Several at a time: one alone would wait for its own multiplications.
template <class V, int several>
CREWE_INLINE void invert(const V (&mean)[several], const V (&u)[several], V (&count)[several]) {
  static constexpr Inverses inverse = inverses();
  using L = Lanes<V>;
  V p[several], rest[several];
  for (int v = 0; v < several; ++v) {
    p[v] = exponential(-mean[v]);
    rest[v] = u[v] - p[v];
    count[v] = V{};
  }
  for (int k = 1; k <= kMost; ++k) {
    decltype(L::positive(rest[0])) left[several], some{};
    for (int v = 0; v < several; ++v) {
      left[v] = L::positive(rest[v]);
      some = some | left[v];
    }
    if (!L::any(some)) break;
    for (int v = 0; v < several; ++v) {
      count[v] += L::one_where(left[v]);
      p[v] = p[v] * (mean[v] * inverse.of[k]);
      rest[v] -= p[v];
    }
  }
}

// The normal number z of probability Φ(z) = u, |error| < 4·10⁻⁸: z/(2u − 1) over v = −ln 4u(1 − u) <= 6.25, and |z|
// over √v beyond.
template <class V>
CREWE_INLINE V normal_quantile(V u) {
  constexpr double middle[] = {1.253314147856386,      0.32811639791077274,     0.016336809134416264,
                               -0.003312862466133347,  -0.00016505533992760687, 5.160604786971314e-05,
                               1.0842024401728497e-05, -4.2647370423695955e-06, 5.629619640172018e-07,
                               -3.60329759024154e-08,  9.448841572844815e-10};
  constexpr double tail[] = {-0.13141410094957706,  1.726244432780787,      -0.6907342947725944,
                             0.5600107120733925,    -0.2578299551318363,    0.07639598149941892,
                             -0.015185556057213815, 0.002024963547545646,   -0.0001744688315720283,
                             8.801318624219439e-06, -1.9782230130149718e-07};
  const V v = -logarithm(4.0 * (u * (1.0 - u)));
  const V z = (2.0 * u - 1.0) * polynomial(v, middle);
  const auto beyond = v > 6.25;
  if (!Lanes<V>::any(beyond)) return z;
  const V far = polynomial(Lanes<V>::square_root(v), tail);
  return beyond ? (u < 0.5 ? -far : far) : z;
}

// Counts for means from kSwitch on. tails(asked, mean, u, count) puts the quantile that the distribution itself gives
// where it is asked.
template <class V, class Tails>
CREWE_INLINE V quantile(V mean, V u, const Tails& tails) {
  // (r − 1 − s)/s², c₀ and c₁ over -0.95 <= s <= 1.35: with them |error of x| < 0.012/λ + 0.0006/√λ.
  constexpr double ratio[] = {1.0 / 6.0,
                              -0.013890117161397665,
                              0.0037100493735098385,
                              -0.0013103249169428436,
                              0.0005118146341576809,
                              -0.00029890509247788334,
                              0.00021424771240612214,
                              -6.904942385532738e-05};
  constexpr double first[] = {1.0 / 3.0,
                              -0.027744925500815226,
                              0.008393393795650883,
                              -0.0037386422304786777,
                              0.0024893917953042566,
                              -0.0009170607741757509};
  constexpr double second[] = {-0.02025008679085694, 0.029048257623548446, -0.016724003515409272};
  const V z = normal_quantile(u), root = Lanes<V>::square_root(mean), inverse = 1.0 / root, s = z * inverse;
  const V shift = polynomial(s, first) + polynomial(s, second) * (inverse * inverse);
  const V x = mean + (root * z + ((z * z) * polynomial(s, ratio) + shift));
  const V error = inverse * (0.012 * inverse + 0.0006) + root * 4e-8, whole = nearest(x), gap = x - whole;
  V count = gap < 0.0 ? whole - 1.0 : whole;
  const auto near = ((gap < 0.0 ? -gap : gap) <= error) | (s < -0.95) | (s > 1.35);
  const auto asked = near & (mean < kExact);
  if (Lanes<V>::any(asked)) tails(asked, mean, u, count);
  return count;
}

// Two independent normal numbers from two words.
template <class V>
CREWE_INLINE void normal_pair(Unsigned<V> first, Unsigned<V> second, V& one, V& other) {
  const V u = (Lanes<V>::convert(Signed<V>(first >> 1)) + 0.5f) * 0x1p-31f;
  const V square = -2.0f * logarithm_single(u);
  const V radius = Lanes<V>::square_root(square > 0.0f ? square : V{});
  V cosine, sine;
  turn<V>(second, cosine, sine);
  one = radius * cosine;
  other = radius * sine;
}

enum class Spread : int {
  add,         // x + σ N, σ² = a + b·max(x, 0)
  gain,        // x·(1 + a N)
  log_normal,  // exp(a + b N)
};

// What a pixel x becomes with the normal number n. (add: a is the root of the constant part of σ².)
template <class V>
CREWE_INLINE V put(V x, V n, Spread kind, float a, float b) {
  if (kind == Spread::gain) return x * (1.0f + a * n);
  if (kind == Spread::log_normal) return Lanes<V>::exponential(a + b * n);
  if (b == 0.0f) return x + a * n;
  return x + Lanes<V>::square_root(a * a + b * (x > 0.0f ? x : V{})) * n;
}

}  // namespace crewe::noise
