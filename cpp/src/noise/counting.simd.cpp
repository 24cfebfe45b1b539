// Poisson and normal numbers for whole images, eight or sixteen pixels at a time; the formulas are in draws.hpp.
#include "crewe/noise/draws.hpp"
#include "kernels.hpp"
#include "words.hpp"

namespace crewe::noise::CREWE_ISA_LEVEL {
namespace {

const u64x8 kLane = {0, 1, 2, 3, 4, 5, 6, 7};

void ask_tails(i64x8 asked, f64x8 mean, f64x8 u, f64x8& count) {
  for (int lane = 0; lane < 8; ++lane) {
    if (asked[lane]) count[lane] = poisson_quantile(mean[lane], u[lane]);
  }
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
    for (int v = 0; v < 4; ++v) count[v] = is_large[v] ? quantile(large[v], u[v], ask_tails) : count[v];
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
  f32x16 one, other;
  normal_pair(first, second, one, other);
  const union {
    f32x16 whole;
    f32x8 part[2];
  } c{one}, s{other};
  *reinterpret_cast<f32x8u*>(out) = c.part[0];
  *reinterpret_cast<f32x8u*>(out + 8) = s.part[0];
  *reinterpret_cast<f32x8u*>(out + 16) = c.part[1];
  *reinterpret_cast<f32x8u*>(out + 24) = s.part[1];
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
