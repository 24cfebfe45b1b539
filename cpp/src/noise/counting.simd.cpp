// Poisson and normal numbers for whole images, eight or sixteen pixels at a time.
//
// Poisson, mean < 20.75: the cumulative distribution is subtracted from one 52-bit uniform number until nothing is
// left. Poisson, larger means: transformed rejection with squeeze (PTRS: Hörmann, Insurance: Math. Econ. 12 (1993) 39);
// both are exact up to the rounding of doubles. Normal numbers: Box and Muller in single precision from two words of 32
// bits.
#include "kernels.hpp"
#include "vec.hpp"

namespace crewe::noise::CREWE_ISA_LEVEL {
namespace {

constexpr std::size_t kBatch = 512;  // pixels whose rejected ones are tried again together
constexpr double kSwitch = 20.75;    // the mean from which rejection is faster; its squeeze holds from 10 on

// 1/k. A mean below kSwitch gives 100 and more with a probability of 10^-36.
constexpr int kMost = 100;
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

// Counts of eight pixels with means below kSwitch.
CREWE_INLINE f64x8 invert(f64x8 mean, f64x8 u) {
  f64x8 p = exponential(-mean), count = {};
  u -= p;
  for (int k = 1; k <= kMost; ++k) {
    const i64x8 left = u > 0.0;
    if (!any(left)) break;
    count += left ? f64x8{} + 1.0 : f64x8{};
    p = p * (mean * kInverse.of[k]);
    u -= p;
  }
  return count;
}

// One attempt for eight pixels with means from kSwitch on; returns the mask of those that are accepted.
CREWE_INLINE i64x8 attempt(f64x8 mean, f64x8 u, f64x8 v, f64x8& count) {
  const f64x8 b = 0.931 + 2.53 * square_root(mean), a = -0.059 + 0.02483 * b;
  const f64x8 inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), squeeze = 0.9277 - 3.6224 / (b - 2.0);
  u -= 0.5;
  const f64x8 magnitude = u < 0.0 ? -u : u, us = 0.5 - magnitude;
  const f64x8 k = floor_of((2.0 * a / us + b) * u + mean + 0.43);
  count = k;
  const i64x8 quick = (us >= 0.07) & (v <= squeeze);
  const i64x8 possible = (k >= 0.0) & ~((us < 0.013) & (v > us));
  if (!any(~quick & possible)) return quick;
  // ln of v / (hat at u) against ln of the probability of k: −(k ln(k/mean) + mean − k) − ½ ln 2πk − Stirling's rest.
  const f64x8 safe = k < 1.0 ? f64x8{} + 1.0 : k, inverse = 1.0 / safe, square = inverse * inverse;
  const f64x8 rest =
      inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0))));
  const f64x8 hat = v * inverse_alpha * us * us / (a + b * us * us);
  const f64x8 left = logarithm(hat * square_root(6.283185307179586 * safe));
  f64x8 right = (k - mean) - rest - safe * logarithm(safe / mean);
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
  return quick | (accepted & possible);
}

// The pixels first + todo[0 .. n), attempt after attempt until all have a count; the arrays begin at pixel `first`.
void reject(const float* mean, const float* base, float* out, std::size_t first, std::uint16_t* todo, std::size_t n,
            const Draw& draw) {
  for (std::uint32_t round = 1; n != 0; ++round) {
    std::size_t kept = 0;
    for (std::size_t start = 0; start < n; start += 8) {
      const std::size_t lanes = n - start < 8 ? n - start : 8;
      u64x8 pixel = {};
      f64x8 means = {};
      for (std::size_t lane = 0; lane < 8; ++lane) {
        const std::size_t offset = todo[start + (lane < lanes ? lane : 0)];
        pixel[lane] = first + offset;
        means[lane] = static_cast<double>(mean[offset]);
      }
      const Words w = philox8(pixel, draw.stage + 256 * round, draw.image, draw.seed);
      f64x8 count;
      const i64x8 accepted = attempt(means, open_unit(w.w0, w.w1), open_unit(w.w2, w.w3), count);
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const std::uint16_t offset = todo[start + lane];
        if (accepted[lane]) {
          const float value = static_cast<float>(count[lane]);
          out[offset] = base == nullptr ? value : base[offset] + value;
        } else {
          todo[kept++] = offset;
        }
      }
    }
    n = kept;
  }
}

// Sixteen pixels from `p` on (all of them in memory); the large means go to the list.
CREWE_INLINE std::size_t sixteen(const float* mean, const float* base, float* out, std::uint64_t group,
                                 std::uint16_t offset, std::uint16_t* todo, std::size_t n, const Draw& draw) {
  const f64x8 low = load8(mean), high = load8(mean + 8);
  const i64x8 big_low = low >= kSwitch, big_high = high >= kSwitch;
  const bool some = any(big_low | big_high);
  if (some) {
    for (int lane = 0; lane < 16; ++lane) {
      if (mean[lane] >= static_cast<float>(kSwitch)) todo[n++] = static_cast<std::uint16_t>(offset + lane);
    }
    if (!any(~(big_low & big_high))) return n;
  }
  const Words w = philox8(kLane + 8 * group, draw.stage, draw.image, draw.seed);
  const f64x8 zero = {};
  f64x8 a = invert(some ? (big_low ? zero : low) : low, open_unit(w.w0, w.w1));
  f64x8 b = invert(some ? (big_high ? zero : high) : high, open_unit(w.w2, w.w3));
  if (base != nullptr) {
    a += load8(base);
    b += load8(base + 8);
  }
  store8(out, a);
  store8(out + 8, b);
  return n;
}

}  // namespace

void poisson(const float* mean, const float* base, float* out, std::size_t begin, std::size_t end, Draw draw) {
  std::uint16_t todo[kBatch];
  // In place (out == mean) the rejected pixels still need their means: a copy of the batch.
  float means[kBatch];
  for (std::size_t first = begin; first < end; first += kBatch) {
    const std::size_t size = end - first < kBatch ? end - first : kBatch;
    for (std::size_t k = 0; k < size; ++k) means[k] = mean[first + k];
    for (std::size_t k = size; k % 16 != 0; ++k) means[k] = 0.0f;
    std::size_t n = 0, k = 0;
    for (; k + 16 <= size; k += 16) {
      n = sixteen(means + k, base == nullptr ? nullptr : base + first + k, out + first + k, (first + k) / 16,
                  static_cast<std::uint16_t>(k), todo, n, draw);
    }
    if (k < size) {
      float last[16] = {}, last_base[16] = {};
      if (base != nullptr) {
        for (std::size_t i = k; i < size; ++i) last_base[i - k] = base[first + i];
      }
      n = sixteen(means + k, base == nullptr ? nullptr : last_base, last, (first + k) / 16,
                  static_cast<std::uint16_t>(k), todo, n, draw);
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
