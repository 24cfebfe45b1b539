// Poisson and normal numbers for whole images, eight or sixteen pixels at a time.
//
// Poisson, mean < 10: the cumulative distribution is subtracted from one 52-bit uniform number until nothing is left.
// Larger means: a normal number w of 52 bits (Box and Muller) stands for the probability Φ(w), the count is its
// quantile. With s = w/√λ the quantile is ⌊x⌋, x = λ·r(s) + c₀(s) + c₁(s)/λ + ..., f(r) = s for
// f(r) = ±√(2(1 − r + r·ln r)) (Temme, SIAM J. Math. Anal. 10 (1979) 757; Giles, ACM Trans. Math. Softw. 42 (2016) 7);
// where x is so near a whole number that its error could show, the distribution itself is asked (poisson_quantile).
// Both are exact up to the rounding of doubles. Other normal numbers: Box and Muller in single precision from two words
// of 32 bits.
#include "kernels.hpp"
#include "vec.hpp"

namespace crewe::noise::CREWE_ISA_LEVEL {
namespace {

constexpr double kSwitch = 10.0;        // the mean from which on quantiles are taken of normal numbers
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

// Counts of 32 pixels with means below kSwitch, in place of their uniform numbers. Four vectors at a time: one alone
// would wait for its own multiplications.
CREWE_INLINE void invert(const f64x8 (&mean)[4], f64x8 (&u)[4]) {
  f64x8 p[4], count[4] = {};
  for (int v = 0; v < 4; ++v) {
    p[v] = exponential(-mean[v]);
    u[v] -= p[v];
  }
  for (int k = 1; k <= kMost; ++k) {
    const i64x8 left[4] = {u[0] > 0.0, u[1] > 0.0, u[2] > 0.0, u[3] > 0.0};
    if (!any((left[0] | left[1]) | (left[2] | left[3]))) break;
    for (int v = 0; v < 4; ++v) {
      count[v] += left[v] ? f64x8{} + 1.0 : f64x8{};
      p[v] = p[v] * (mean[v] * kInverse.of[k]);
      u[v] -= p[v];
    }
  }
  for (int v = 0; v < 4; ++v) u[v] = count[v];
}

// Sixteen normal numbers of the words of eight blocks.
CREWE_INLINE void normals(const Words& w, f64x8& first, f64x8& second) {
  const f64x8 radius = square_root(-2.0 * logarithm(open_unit(w.w0, w.w1)));
  f64x8 cosine, sine;
  turn(open_unit(w.w2, w.w3), cosine, sine);
  first = radius * cosine;
  second = radius * sine;
}

// Counts of eight pixels with means from kSwitch on. The polynomials are fits to (r − 1 − s)/s² − 1/6 and c₀ − 1/3 over
// s, and to c₁, within -0.95 <= s <= 1.35; with them |error of x| < 0.012/λ + 0.0006/√λ.
CREWE_INLINE f64x8 quantile(f64x8 mean, f64x8 w) {
  const f64x8 root = square_root(mean), inverse = 1.0 / root, s = w * inverse;
  f64x8 r = s * -6.904942385532738e-05 + 0.00021424771240612214;
  r = r * s - 0.00029890509247788334;
  r = r * s + 0.0005118146341576809;
  r = r * s - 0.0013103249169428436;
  r = r * s + 0.0037100493735098385;
  r = r * s - 0.013890117161397665;
  r = r * s + 1.0 / 6.0;
  f64x8 c = s * -0.0009170607741757509 + 0.0024893917953042566;
  c = c * s - 0.0037386422304786777;
  c = c * s + 0.008393393795650883;
  c = c * s - 0.027744925500815226;
  const f64x8 c1 = (s * -0.016724003515409272 + 0.029048257623548446) * s - 0.02025008679085694;
  const f64x8 x = mean + (root * w + ((w * w) * r + (c * s + (c1 * (inverse * inverse) + 1.0 / 3.0))));
  const f64x8 error = inverse * (0.012 * inverse + 0.0006), gap = x - nearest(x);
  f64x8 count = floor_of(x);
  const i64x8 near = ((gap < 0.0 ? -gap : gap) <= error) | (s < -0.95) | (s > 1.35);
  const i64x8 asked = near & (mean < kExact);
  if (any(asked)) {
    for (int lane = 0; lane < 8; ++lane) {
      if (asked[lane]) count[lane] = poisson_quantile(mean[lane], w[lane]);
    }
  }
  return count > 0.0 ? count : f64x8{};
}

// 32 pixels from `first` on.
CREWE_INLINE void thirty_two(const float* mean, const float* base, float* out, std::uint64_t first, const Draw& draw) {
  f64x8 large[4], small[4], count[4];
  i64x8 is_large[4], some = {}, all = ~i64x8{};
  for (int v = 0; v < 4; ++v) {
    const f64x8 any_mean = load8(mean + 8 * v), lambda = any_mean > 0.0 ? any_mean : f64x8{};
    is_large[v] = lambda >= kSwitch;
    large[v] = is_large[v] ? lambda : f64x8{} + kSwitch;
    small[v] = is_large[v] ? f64x8{} : lambda;
    some |= is_large[v];
    all &= is_large[v];
  }
  Words words[2];
  for (int half = 0; half < 2; ++half) {
    words[half] =
        philox8(kLane + 8 * (first / 16 + static_cast<std::uint64_t>(half)), draw.stage, draw.image, draw.seed);
  }
  if (any(~all)) {
    for (int half = 0; half < 2; ++half) {
      count[2 * half] = open_unit(words[half].w0, words[half].w1);
      count[2 * half + 1] = open_unit(words[half].w2, words[half].w3);
    }
    invert(small, count);
  }
  if (any(some)) {
    for (int half = 0; half < 2; ++half) {
      f64x8 w[2];
      normals(words[half], w[0], w[1]);
      for (int k = 0; k < 2; ++k) {
        const int v = 2 * half + k;
        count[v] = is_large[v] ? quantile(large[v], w[k]) : count[v];
      }
    }
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
