// Poisson and normal numbers for whole images, eight or sixteen pixels at a time.
//
// Poisson, mean < 36.75: the cumulative distribution is subtracted from one 52-bit uniform number until nothing is
// left. Poisson, larger means: transformed rejection with squeeze (PTRS: Hörmann, Insurance: Math. Econ. 12 (1993) 39);
// both are exact up to the rounding of doubles. Normal numbers: Box and Muller in single precision from two words of 32
// bits.
#include "kernels.hpp"
#include "vec.hpp"

namespace crewe::noise::CREWE_ISA_LEVEL {
namespace {

constexpr std::size_t kBatch = 512;  // pixels whose rejected ones are tried again together
constexpr double kSwitch = 36.75;    // the mean from which rejection is faster; its squeeze holds from 10 on

// 1/k. A mean below kSwitch gives more than 140 with a probability of 10^-38.
constexpr int kMost = 140;
struct Inverses {
  double of[kMost + 1];
};
constexpr Inverses inverses() {
  Inverses table{};
  for (int k = 1; k <= kMost; ++k) table.of[k] = 1.0 / k;
  return table;
}
constexpr Inverses kInverse = inverses();

// ln k! for k = 0 ... 15, where Stirling's series is not yet exact to a double.
constexpr double kLogFactorial[16] = {0.0,
                                      0.0,
                                      0.6931471805599453,
                                      1.791759469228055,
                                      3.1780538303479458,
                                      4.787491742782046,
                                      6.579251212010101,
                                      8.525161361065415,
                                      10.60460290274525,
                                      12.801827480081469,
                                      15.104412573075516,
                                      17.502307845873887,
                                      19.987214495661885,
                                      22.552163853123425,
                                      25.191221182738683,
                                      27.899271383840894};

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

// The candidate of one attempt for eight pixels with means from kSwitch on, and whether it lies so near the middle that
// it is accepted without a logarithm.
struct Candidate {
  f64x8 k, us, a, b;
  i64x8 quick;
};
CREWE_INLINE Candidate propose(f64x8 mean, f64x8 u, f64x8 v) {
  Candidate c;
  c.b = 0.931 + 2.53 * square_root(mean);
  c.a = -0.059 + 0.02483 * c.b;
  u -= 0.5;
  c.us = 0.5 - (u < 0.0 ? -u : u);
  c.k = floor_of((2.0 * c.a / c.us + c.b) * u + mean + 0.43);
  c.quick = (c.us >= 0.07) & ((0.9277 - v) * (c.b - 2.0) >= 3.6224);
  return c;
}

// Which of eight candidates are accepted.
CREWE_INLINE i64x8 accept(const Candidate& c, f64x8 mean, f64x8 v) {
  const i64x8 possible = (c.k >= 0.0) & ~((c.us < 0.013) & (v > c.us));
  // ln of v / (hat at u) against ln of the probability of k: −(k ln(k/mean) + mean − k) − ½ ln 2πk − Stirling's rest.
  const f64x8 k = c.k, safe = k < 1.0 ? f64x8{} + 1.0 : k, inverse = 1.0 / safe, square = inverse * inverse;
  const f64x8 rest =
      inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0))));
  const f64x8 below = c.b - 3.4, squared = c.us * c.us;
  const f64x8 hat = v * (1.1239 * below + 1.1328) * squared / (below * (c.a + c.b * squared));
  const f64x8 left = logarithm(hat * square_root(6.283185307179586 * safe));
  const f64x8 right = (k - mean) - rest - safe * logarithm(safe / mean);
  i64x8 accepted = left <= right;
  if (any(k < 16.0)) {
    const f64x8 log_mean = logarithm(mean), log_hat = logarithm(hat);
    for (int lane = 0; lane < 8; ++lane) {
      if (k[lane] < 16.0 && k[lane] >= 0.0) {
        const double exact = k[lane] * log_mean[lane] - mean[lane] - kLogFactorial[static_cast<int>(k[lane])];
        accepted[lane] = log_hat[lane] <= exact ? -1 : 0;
      }
    }
  }
  return c.quick | (accepted & possible);
}

// The pixels first + todo[0 .. n), attempt after attempt until all have a count; the arrays begin at pixel `first`.
void reject(const float* mean, const float* base, float* out, std::size_t first, std::uint16_t* todo, std::size_t n,
            const Draw& draw) {
  for (std::uint32_t round = 1; n != 0; ++round) {
    std::size_t kept = 0;
    for (std::size_t start = 0; start < n; start += 8) {
      const std::size_t lanes = n - start < 8 ? n - start : 8;
      alignas(64) std::uint64_t pixels[8];
      alignas(64) double lambdas[8], counts[8];
      for (std::size_t lane = 0; lane < 8; ++lane) {
        const std::size_t offset = todo[start + (lane < lanes ? lane : 0)];
        pixels[lane] = first + offset;
        lambdas[lane] = static_cast<double>(mean[offset]);
      }
      const f64x8 lambda = *reinterpret_cast<const f64x8*>(lambdas);
      const Words w = philox8(*reinterpret_cast<const u64x8*>(pixels), draw.stage + 256 * round, draw.image, draw.seed);
      const f64x8 v = open_unit(w.w2, w.w3);
      const Candidate candidate = propose(lambda, open_unit(w.w0, w.w1), v);
      const i64x8 accepted = accept(candidate, lambda, v);
      *reinterpret_cast<f64x8*>(counts) = candidate.k;
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const std::uint16_t offset = todo[start + lane];
        const float value = static_cast<float>(counts[lane]);
        todo[kept] = offset;
        kept += accepted[lane] ? 0 : 1;
        if (accepted[lane]) out[offset] = base == nullptr ? value : base[offset] + value;
      }
    }
    n = kept;
  }
}

// 32 pixels from `first` on; those that need the logarithms or mix large and small means go to the list.
CREWE_INLINE std::size_t thirty_two(const float* mean, const float* base, float* out, std::uint64_t first,
                                    std::uint16_t offset, std::uint16_t* todo, std::size_t n, const Draw& draw) {
  f64x8 lambda[4], u[4];
  i64x8 big[4], some = {}, all = ~i64x8{};
  for (int v = 0; v < 4; ++v) {
    lambda[v] = load8(mean + 8 * v);
    big[v] = lambda[v] >= kSwitch;
    some |= big[v];
    all &= big[v];
  }
  if (!any(~all)) {
    for (int v = 0; v < 4; ++v) {
      const Words w =
          philox8(kLane + (first + 8 * static_cast<std::uint64_t>(v)), draw.stage + 256, draw.image, draw.seed);
      const Candidate c = propose(lambda[v], open_unit(w.w0, w.w1), open_unit(w.w2, w.w3));
      // What is not accepted at once keeps its base until its turn comes.
      f64x8 value = c.quick ? c.k : f64x8{};
      if (base != nullptr) value += load8(base + 8 * v);
      store8(out + 8 * v, value);
      for (int lane = 0; lane < 8; ++lane) {
        todo[n] = static_cast<std::uint16_t>(offset + 8 * v + lane);
        n += c.quick[lane] ? 0 : 1;
      }
    }
    return n;
  }
  if (any(some)) {
    for (int lane = 0; lane < 32; ++lane) {
      if (mean[lane] >= static_cast<float>(kSwitch)) todo[n++] = static_cast<std::uint16_t>(offset + lane);
    }
    for (int v = 0; v < 4; ++v) lambda[v] = big[v] ? f64x8{} : lambda[v];
  }
  for (int half = 0; half < 2; ++half) {
    const Words w =
        philox8(kLane + 8 * (first / 16 + static_cast<std::uint64_t>(half)), draw.stage, draw.image, draw.seed);
    u[2 * half] = open_unit(w.w0, w.w1);
    u[2 * half + 1] = open_unit(w.w2, w.w3);
  }
  invert(lambda, u);
  for (int v = 0; v < 4; ++v) {
    if (base != nullptr) u[v] += load8(base + 8 * v);
    store8(out + 8 * v, u[v]);
  }
  return n;
}

}  // namespace

void poisson(const float* mean, const float* base, float* out, std::size_t begin, std::size_t end, Draw draw) {
  std::uint16_t todo[kBatch + 1];
  // In place (out == mean) the rejected pixels still need their means: a copy of the batch.
  float means[kBatch];
  for (std::size_t first = begin; first < end; first += kBatch) {
    const std::size_t size = end - first < kBatch ? end - first : kBatch;
    for (std::size_t k = 0; k < size; ++k) means[k] = mean[first + k];
    for (std::size_t k = size; k % 32 != 0; ++k) means[k] = 0.0f;
    std::size_t n = 0, k = 0;
    for (; k + 32 <= size; k += 32) {
      n = thirty_two(means + k, base == nullptr ? nullptr : base + first + k, out + first + k, first + k,
                     static_cast<std::uint16_t>(k), todo, n, draw);
    }
    if (k < size) {
      float last[32] = {}, last_base[32] = {};
      if (base != nullptr) {
        for (std::size_t i = k; i < size; ++i) last_base[i - k] = base[first + i];
      }
      n = thirty_two(means + k, base == nullptr ? nullptr : last_base, last, first + k, static_cast<std::uint16_t>(k),
                     todo, n, draw);
      for (std::size_t i = k; i < size; ++i) out[first + i] = last[i - k];
    }
    reject(means, base == nullptr ? nullptr : base + first, out + first, first, todo, n, draw);
  }
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
