// Fourier transforms of lines in shared memory, in place: what the sweeps of the multislice (sweeps.cu) are made of.
//
//   forward:  X(k) = Σ_j x(j) exp(−2πi jk/n)        inverse: exp(+2πi jk/n), not divided by n
//
// A block holds `lanes` lines; sample i of lane l lies at i·(lanes + 1) + l, so that neither neighbouring lanes nor
// neighbouring samples meet in a bank. Radix 2, 3, 4, 5, 7, 8, first pass over the whole line: forward leaves frequency
// k at place order[k], inverse takes it from there. A pass reads and writes 16 B per sample.
#pragma once

#include <cstddef>

#include "crewe/cuda/device.hpp"

namespace crewe::cuda::sim {

constexpr int kMostPasses = 14;  // lines of at most 2¹⁴ samples

struct LinePass {
  int radix, length, stride;  // stride = length / radix
  int twiddle;                // where its factors begin: exp(−2πi jq/length), (j < stride, 0 < q < radix)
  unsigned reciprocal;        // ⌈2³²/stride⌉, 0 for 1: u / stride is its upper product with u
  __device__ int block_of(int u) const {
    return stride == 1 ? u : static_cast<int>(__umulhi(static_cast<unsigned>(u), reciprocal));
  }
};

// Goes to kernels by value.
struct LinePlan {
  int n = 0, passes = 0, lanes = 0;
  LinePass pass[kMostPasses] = {};
  const float2* twiddle = nullptr;  // of all passes, on the device
};

__device__ inline float2 times(float2 a, float2 b) {
  return make_float2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}
__device__ inline float2 times_conjugate(float2 a, float2 b) {
  return make_float2(a.x * b.x + a.y * b.y, a.y * b.x - a.x * b.y);
}
__device__ inline float2 plus(float2 a, float2 b) {
  return make_float2(a.x + b.x, a.y + b.y);
}
__device__ inline float2 minus(float2 a, float2 b) {
  return make_float2(a.x - b.x, a.y - b.y);
}
// a·(−i) forward, a·i inverse.
template <bool kInverse>
__device__ inline float2 turned(float2 a) {
  return kInverse ? make_float2(-a.y, a.x) : make_float2(a.y, -a.x);
}

// cos and sin of 2πm/R for odd R, 0 <= m < R; folded by the compiler, since m is known when loops are unrolled.
template <int R>
__device__ inline float root_cosine(int m) {
  if constexpr (R == 3) return m == 0 ? 1.0F : -0.5F;
  if constexpr (R == 5) return m == 0 ? 1.0F : m == 1 || m == 4 ? 0.30901699437494742F : -0.80901699437494742F;
  if constexpr (R == 7) {
    return m == 0             ? 1.0F
           : m == 1 || m == 6 ? 0.62348980185873353F
           : m == 2 || m == 5 ? -0.22252093395631440F
                              : -0.90096886790241913F;
  }
}
template <int R>
__device__ inline float root_sine(int m) {
  const int folded = 2 * m > R ? R - m : m;
  float sine = 0.0F;
  if constexpr (R == 3) sine = folded == 1 ? 0.86602540378443865F : 0.0F;
  if constexpr (R == 5) sine = folded == 1 ? 0.95105651629515357F : folded == 2 ? 0.58778525229247313F : 0.0F;
  if constexpr (R == 7) {
    sine = folded == 1   ? 0.78183148246802981F
           : folded == 2 ? 0.97492791218182361F
           : folded == 3 ? 0.43388373911755812F
                         : 0.0F;
  }
  return 2 * m > R ? -sine : sine;
}

template <bool kInverse>
__device__ inline void transform4(float2& a, float2& b, float2& c, float2& d) {
  const float2 s = plus(a, c), t = minus(a, c), u = plus(b, d), v = turned<kInverse>(minus(b, d));
  a = plus(s, u);
  b = plus(t, v);
  c = minus(s, u);
  d = minus(t, v);
}

// x ← its Fourier transform, R samples in registers.
template <int R, bool kInverse>
__device__ inline void transform(float2 (&x)[R]) {
  if constexpr (R == 2) {
    const float2 a = x[0];
    x[0] = plus(a, x[1]);
    x[1] = minus(a, x[1]);
  } else if constexpr (R == 4) {
    transform4<kInverse>(x[0], x[1], x[2], x[3]);
  } else if constexpr (R == 8) {
    constexpr float h = 0.70710678118654752F;
    transform4<kInverse>(x[0], x[2], x[4], x[6]);
    transform4<kInverse>(x[1], x[3], x[5], x[7]);
    const float2 a = x[3], b = x[5], c = x[7];
    const float sign = kInverse ? -1.0F : 1.0F;
    const float2 odd[4] = {x[1], make_float2(h * (a.x + sign * a.y), h * (a.y - sign * a.x)), turned<kInverse>(b),
                           make_float2(h * (sign * c.y - c.x), -h * (c.y + sign * c.x))};
    const float2 even[4] = {x[0], x[2], x[4], x[6]};
#pragma unroll
    for (int q = 0; q < 4; ++q) {
      x[q] = plus(even[q], odd[q]);
      x[q + 4] = minus(even[q], odd[q]);
    }
  } else {
    constexpr int half = (R - 1) / 2;
    float2 sum[half], difference[half];
    const float2 zero = x[0];
#pragma unroll
    for (int k = 0; k < half; ++k) {
      sum[k] = plus(x[k + 1], x[R - 1 - k]);
      difference[k] = turned<kInverse>(minus(x[k + 1], x[R - 1 - k]));
      x[0] = plus(x[0], sum[k]);
    }
#pragma unroll
    for (int q = 1; q <= half; ++q) {
      float2 a = zero, b = make_float2(0.0F, 0.0F);
#pragma unroll
      for (int k = 0; k < half; ++k) {
        const float cosine = root_cosine<R>((k + 1) * q % R), sine = root_sine<R>((k + 1) * q % R);
        a = make_float2(a.x + cosine * sum[k].x, a.y + cosine * sum[k].y);
        b = make_float2(b.x + sine * difference[k].x, b.y + sine * difference[k].y);
      }
      x[q] = plus(a, b);
      x[R - q] = minus(a, b);
    }
  }
}

// The lines of a block and this thread's place among them.
class Lines {
 public:
  __device__ Lines(const LinePlan& plan, float2* shared)
      : plan_(plan),
        shared_(shared),
        pitch_(plan.lanes + 1),
        lane_(static_cast<int>(threadIdx.x) % plan.lanes),
        first_(static_cast<int>(threadIdx.x) / plan.lanes),
        step_(static_cast<int>(blockDim.x) / plan.lanes) {}

  // Lane of this thread, and the samples or butterflies first, first + step, … that it works on.
  __device__ int lane() const { return lane_; }
  __device__ int first() const { return first_; }
  __device__ int step() const { return step_; }
  __device__ float2& at(int sample, int lane) { return shared_[sample * pitch_ + lane]; }

  // All passes; shared memory may be read when they return.
  __device__ void forward() { forward_from(0); }
  __device__ void inverse() { inverse_to(0); }

  // Inverse, each sample times factor(sample), forward: places stay as they are.
  template <class Factor>
  __device__ void inverse_forward(const Factor& factor) {
    inverse_to(1);
    with_radix(plan_.pass[0].radix, [&](auto radix) {
      constexpr int R = decltype(radix)::value;
      const LinePass pass = plan_.pass[0];
      for (int j = first_; j < pass.stride; j += step_) {
        float2 x[R];
        load(pass, 0, j, x);
        twist<R, true>(pass, j, x);
        transform<R, true>(x);
#pragma unroll
        for (int k = 0; k < R; ++k) x[k] = times(x[k], factor(j + k * pass.stride));
        transform<R, false>(x);
        twist<R, false>(pass, j, x);
        store(pass, 0, j, x);
      }
    });
    __syncthreads();
    forward_from(1);
  }

  // Forward, each place times factor(place), inverse: samples stay as they are.
  template <class Factor>
  __device__ void forward_inverse(const Factor& factor) {
    const int last = plan_.passes - 1;
    for (int p = 0; p < last; ++p) forward_pass(plan_.pass[p]);
    with_radix(plan_.pass[last].radix, [&](auto radix) {
      constexpr int R = decltype(radix)::value;
      const LinePass pass = plan_.pass[last];
      for (int block = first_; block < plan_.n / R; block += step_) {
        float2 x[R];
        load(pass, block, 0, x);
        transform<R, false>(x);
#pragma unroll
        for (int q = 0; q < R; ++q) x[q] = times(x[q], factor(block * R + q));
        transform<R, true>(x);
        store(pass, block, 0, x);
      }
    });
    __syncthreads();
    for (int p = last - 1; p >= 0; --p) inverse_pass(plan_.pass[p]);
  }

 private:
  template <int R>
  struct Radix {
    static constexpr int value = R;
  };

  template <class F>
  __device__ static void with_radix(int radix, const F& f) {
    switch (radix) {
      case 2:
        return f(Radix<2>{});
      case 3:
        return f(Radix<3>{});
      case 4:
        return f(Radix<4>{});
      case 5:
        return f(Radix<5>{});
      case 7:
        return f(Radix<7>{});
      default:
        return f(Radix<8>{});
    }
  }

  __device__ void forward_from(int p) {
    for (; p < plan_.passes; ++p) forward_pass(plan_.pass[p]);
  }
  __device__ void inverse_to(int p) {
    for (int q = plan_.passes - 1; q >= p; --q) inverse_pass(plan_.pass[q]);
  }

  __device__ void forward_pass(const LinePass& pass) {
    with_radix(pass.radix, [&](auto radix) {
      constexpr int R = decltype(radix)::value;
      for (int u = first_; u < plan_.n / R; u += step_) {
        const int block = pass.block_of(u), j = u - block * pass.stride;
        float2 x[R];
        load(pass, block, j, x);
        transform<R, false>(x);
        twist<R, false>(pass, j, x);
        store(pass, block, j, x);
      }
    });
    __syncthreads();
  }

  __device__ void inverse_pass(const LinePass& pass) {
    with_radix(pass.radix, [&](auto radix) {
      constexpr int R = decltype(radix)::value;
      for (int u = first_; u < plan_.n / R; u += step_) {
        const int block = pass.block_of(u), j = u - block * pass.stride;
        float2 x[R];
        load(pass, block, j, x);
        twist<R, true>(pass, j, x);
        transform<R, true>(x);
        store(pass, block, j, x);
      }
    });
    __syncthreads();
  }

  template <int R>
  __device__ void load(const LinePass& pass, int block, int j, float2 (&x)[R]) const {
    const float2* from = shared_ + (block * pass.length + j) * pitch_ + lane_;
#pragma unroll
    for (int k = 0; k < R; ++k) x[k] = from[k * pass.stride * pitch_];
  }
  template <int R>
  __device__ void store(const LinePass& pass, int block, int j, const float2 (&x)[R]) {
    float2* to = shared_ + (block * pass.length + j) * pitch_ + lane_;
#pragma unroll
    for (int k = 0; k < R; ++k) to[k * pass.stride * pitch_] = x[k];
  }
  // x[q] times exp(∓2πi jq/length); the last pass has j = 0 only.
  template <int R, bool kInverse>
  __device__ void twist(const LinePass& pass, int j, float2 (&x)[R]) const {
    if (pass.stride == 1) return;
    const float2* factors = plan_.twiddle + pass.twiddle + j * (R - 1);
#pragma unroll
    for (int q = 1; q < R; ++q) {
      const float2 w = __ldg(factors + q - 1);
      x[q] = kInverse ? times_conjugate(x[q], w) : times(x[q], w);
    }
  }

  const LinePlan& plan_;
  float2* shared_;
  int pitch_, lane_, first_, step_;
};

}  // namespace crewe::cuda::sim
