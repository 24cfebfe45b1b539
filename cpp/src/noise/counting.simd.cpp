// Poisson and normal numbers for whole images, eight or sixteen pixels at a time.
//
// A count is the Poisson quantile of one uniform number u of 52 bits: the smallest k with P(X <= k) >= u. Mean < 10:
// the probabilities are subtracted from u until nothing is left. Larger means: with the normal number z of the same
// probability, Φ(z) = u, and s = z/√λ the quantile is ⌊x⌋, x = λ·r(s) + c₀(s) + c₁(s)/λ + ..., f(r) = s for
// f(r) = ±√(2(1 − r + r·ln r)) (Temme, SIAM J. Math. Anal. 10 (1979) 757; Giles, ACM Trans. Math. Softw. 42 (2016) 7);
// where x is so near a whole number that its error could show, the distribution itself is asked (poisson_quantile).
// Both are exact up to the rounding of doubles. Normal numbers: Box and Muller in single precision from two words of 32
// bits.
#include "kernels.hpp"
#include "words.hpp"

namespace crewe::noise::CREWE_ISA_LEVEL {
namespace {

constexpr double kSwitch = 10.0;        // the mean from which on normal numbers lead to the quantiles
constexpr double kExact = 134217728.0;  // from this mean on whole floats are 8 apart: no need to ask

// 1/k. A mean below kSwitch gives more than 64 with a probability of 10^-30.
constexpr int kMost = 64;
struct Inverses {
  double of[kMost + 1];
};
constexpr Inverses inverses() {
  Inverses table{};
  for (int k = 1; k <= kMost; ++k) table.of[k] = 1.0 / k;
  return table;
}
constexpr Inverses kInverse = inverses();

const u64x8 kLane = {0, 1, 2, 3, 4, 5, 6, 7};

// Counts of 32 pixels with means below kSwitch. Four vectors at a time: one alone would wait for its own
// multiplications.
CREWE_INLINE void invert(const f64x8 (&mean)[4], const f64x8 (&u)[4], f64x8 (&count)[4]) {
  f64x8 p[4], rest[4];
  for (int v = 0; v < 4; ++v) {
    p[v] = exponential(-mean[v]);
    rest[v] = u[v] - p[v];
    count[v] = f64x8{};
  }
  for (int k = 1; k <= kMost; ++k) {
    const i64x8 left[4] = {positive(rest[0]), positive(rest[1]), positive(rest[2]), positive(rest[3])};
    if (!any((left[0] | left[1]) | (left[2] | left[3]))) break;
    for (int v = 0; v < 4; ++v) {
      count[v] += f64x8(left[v] & i64x8(f64x8{} + 1.0));
      p[v] = p[v] * (mean[v] * kInverse.of[k]);
      rest[v] -= p[v];
    }
  }
}

// z/(2u − 1) over v = −ln 4u(1 − u) <= 6.25, and |z| over √v beyond.
constexpr double kMiddle[] = {1.253314147856386,      0.32811639791077274,     0.016336809134416264,
                              -0.003312862466133347,  -0.00016505533992760687, 5.160604786971314e-05,
                              1.0842024401728497e-05, -4.2647370423695955e-06, 5.629619640172018e-07,
                              -3.60329759024154e-08,  9.448841572844815e-10};
constexpr double kTail[] = {-0.13141410094957706,   1.726244432780787,     -0.6907342947725944,    0.5600107120733925,
                            -0.2578299551318363,    0.07639598149941892,   -0.015185556057213815,  0.002024963547545646,
                            -0.0001744688315720283, 8.801318624219439e-06, -1.9782230130149718e-07};

// The normal number z of probability Φ(z) = u, |error| < 4·10⁻⁸.
CREWE_INLINE f64x8 normal_quantile(f64x8 u) {
  const f64x8 v = -logarithm(4.0 * (u * (1.0 - u)));
  const f64x8 z = (2.0 * u - 1.0) * polynomial(v, kMiddle);
  const i64x8 tail = v > 6.25;
  if (!any(tail)) return z;
  const f64x8 far = polynomial(square_root(v), kTail);
  return tail ? (u < 0.5 ? -far : far) : z;
}

// (r − 1 − s)/s², c₀ and c₁ over -0.95 <= s <= 1.35: with them |error of x| < 0.012/λ + 0.0006/√λ.
constexpr double kRatio[] = {1.0 / 6.0,
                             -0.013890117161397665,
                             0.0037100493735098385,
                             -0.0013103249169428436,
                             0.0005118146341576809,
                             -0.00029890509247788334,
                             0.00021424771240612214,
                             -6.904942385532738e-05};
constexpr double kFirst[] = {1.0 / 3.0,
                             -0.027744925500815226,
                             0.008393393795650883,
                             -0.0037386422304786777,
                             0.0024893917953042566,
                             -0.0009170607741757509};
constexpr double kSecond[] = {-0.02025008679085694, 0.029048257623548446, -0.016724003515409272};

// Counts of eight pixels with means from kSwitch on.
CREWE_INLINE f64x8 quantile(f64x8 mean, f64x8 u) {
  const f64x8 z = normal_quantile(u), root = square_root(mean), inverse = 1.0 / root, s = z * inverse;
  const f64x8 first = polynomial(s, kFirst) + polynomial(s, kSecond) * (inverse * inverse);
  const f64x8 x = mean + (root * z + ((z * z) * polynomial(s, kRatio) + first));
  const f64x8 error = inverse * (0.012 * inverse + 0.0006) + root * 4e-8, whole = nearest(x), gap = x - whole;
  f64x8 count = gap < 0.0 ? whole - 1.0 : whole;
  const i64x8 near = ((gap < 0.0 ? -gap : gap) <= error) | (s < -0.95) | (s > 1.35);
  const i64x8 asked = near & (mean < kExact);
  if (any(asked)) {
    for (int lane = 0; lane < 8; ++lane) {
      if (asked[lane]) count[lane] = poisson_quantile(mean[lane], u[lane]);
    }
  }
  return count;
}

// 32 pixels from `first` on.
CREWE_INLINE void thirty_two(const float* mean, const float* base, float* out, std::uint64_t first, const Draw& draw) {
  f64x8 large[4], small[4], count[4] = {};
  i64x8 is_large[4], some = {}, all = ~i64x8{};
  for (int v = 0; v < 4; ++v) {
    const f64x8 any_mean = load8(mean + 8 * v), lambda = any_mean > 0.0 ? any_mean : f64x8{};
    is_large[v] = lambda >= kSwitch;
    large[v] = is_large[v] ? lambda : f64x8{} + kSwitch;
    small[v] = is_large[v] ? f64x8{} : lambda;
    some |= is_large[v];
    all &= is_large[v];
  }
  f64x8 u[4];
  for (int half = 0; half < 2; ++half) {
    const Words w =
        philox8(kLane + 8 * (first / 16 + static_cast<std::uint64_t>(half)), draw.stage, draw.image, draw.seed);
    u[2 * half] = open_unit(w.w0, w.w1);
    u[2 * half + 1] = open_unit(w.w2, w.w3);
  }
  if (any(~all)) invert(small, u, count);
  if (any(some)) {
    for (int v = 0; v < 4; ++v) count[v] = is_large[v] ? quantile(large[v], u[v]) : count[v];
  }
  for (int v = 0; v < 4; ++v) {
    if (base != nullptr) count[v] += load8(base + 8 * v);
    store8(out + 8 * v, count[v]);
  }
}

}  // namespace

void poisson(const float* mean, const float* base, float* out, std::size_t begin, std::size_t end, Draw draw) {
  std::size_t p = begin;
  for (; p + 32 <= end; p += 32) thirty_two(mean + p, base == nullptr ? nullptr : base + p, out + p, p, draw);
  if (p == end) return;
  float means[32] = {}, bases[32] = {}, counts[32];
  for (std::size_t i = p; i < end; ++i) {
    means[i - p] = mean[i];
    bases[i - p] = base == nullptr ? 0.0f : base[i];
  }
  thirty_two(means, bases, counts, p, draw);
  for (std::size_t i = p; i < end; ++i) out[i] = counts[i - p];
}

namespace {

CREWE_INLINE f32x16 join(u64x8 a, u64x8 b) {
  union {
    u32x8 part[2];
    f32x16 whole;
  } bits{{__builtin_convertvector(a & 0xFFFFFFFFu, u32x8), __builtin_convertvector(b & 0xFFFFFFFFu, u32x8)}};
  return bits.whole;
}

// 32 normal numbers for one group of pixels.
CREWE_INLINE void normal32(std::uint64_t group, const Draw& draw, float* out) {
  const Words w = philox8(kLane + 8 * group, draw.stage, draw.image, draw.seed);
  const u32x16 first = u32x16(join(w.w0, w.w2)), second = u32x16(join(w.w1, w.w3));
  const f32x16 u = (__builtin_convertvector(i32x16(first >> 1), f32x16) + 0.5f) * 0x1p-31f;
  const f32x16 square = -2.0f * logarithm(u);
  const f32x16 radius = square_root(square > 0.0f ? square : f32x16{});
  f32x16 cosine, sine;
  turn(second, cosine, sine);
  const union {
    f32x16 whole;
    f32x8 part[2];
  } c{radius * cosine}, s{radius * sine};
  *reinterpret_cast<f32x8u*>(out) = c.part[0];
  *reinterpret_cast<f32x8u*>(out + 8) = s.part[0];
  *reinterpret_cast<f32x8u*>(out + 16) = c.part[1];
  *reinterpret_cast<f32x8u*>(out + 24) = s.part[1];
}

CREWE_INLINE f32x16 put(f32x16 x, f32x16 n, Spread kind, float a, float b) {
  if (kind == Spread::gain) return x * (1.0f + a * n);
  if (kind == Spread::add) {
    if (b == 0.0f) return x + a * n;
    return x + square_root(a * a + b * (x > 0.0f ? x : f32x16{})) * n;
  }
  const f32x16 exponent = a + b * n;
  union {
    f32x16 whole;
    f32x8 part[2];
  } y{exponent};
  y.part[0] = __builtin_convertvector(exponential(__builtin_convertvector(y.part[0], f64x8)), f32x8);
  y.part[1] = __builtin_convertvector(exponential(__builtin_convertvector(y.part[1], f64x8)), f32x8);
  return y.whole;
}

}  // namespace

void spread(const float* in, float* out, std::size_t begin, std::size_t end, Spread kind, double a, double b,
            Draw draw) {
  const float fa = static_cast<float>(a), fb = static_cast<float>(b);
  alignas(64) float n[32];
  std::size_t p = begin;
  for (; p + 32 <= end; p += 32) {
    normal32(p / 32, draw, n);
    store16(out + p, put(load16(in + p), load16(n), kind, fa, fb));
    store16(out + p + 16, put(load16(in + p + 16), load16(n + 16), kind, fa, fb));
  }
  if (p < end) {
    float x[32] = {};
    for (std::size_t i = p; i < end; ++i) x[i - p] = in[i];
    normal32(p / 32, draw, n);
    store16(x, put(load16(x), load16(n), kind, fa, fb));
    store16(x + 16, put(load16(x + 16), load16(n + 16), kind, fa, fb));
    for (std::size_t i = p; i < end; ++i) out[i] = x[i - p];
  }
}

}  // namespace crewe::noise::CREWE_ISA_LEVEL
