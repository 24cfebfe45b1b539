// Stockham's autosort transform on vectors of independent transforms, decimation in frequency:
//
//   y[q + s(r p + j)] = exp(−2πi jp/n) Σ_k exp(−2πi jk/r) x[q + s(p + m k)],   n = r m,   q < s, p < m, j < r
//
// then n := m, s := s r, until n = 1; the result is in natural order.
#include "fft/lanes.hpp"

namespace crewe::fft::CREWE_ISA_LEVEL {
namespace {

#if CREWE_ISA_IS_v4
constexpr std::size_t kBytes = 64;
#elif CREWE_ISA_IS_v3
constexpr std::size_t kBytes = 32;
#else
constexpr std::size_t kBytes = 16;
#endif

template <class T>
struct Lanes;
template <>
struct Lanes<float> {
  typedef float type __attribute__((vector_size(kBytes)));
};
template <>
struct Lanes<double> {
  typedef double type __attribute__((vector_size(kBytes)));
};

template <class V>
struct Complex {
  V re, im;
};

template <class V>
inline Complex<V> operator+(Complex<V> a, Complex<V> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class V>
inline Complex<V> operator-(Complex<V> a, Complex<V> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class V, class T>
inline Complex<V> scaled(Complex<V> a, T factor) {
  return {a.re * factor, a.im * factor};
}
template <class V, class T>
inline Complex<V> times(Complex<V> a, T re, T im) {
  return {a.re * re - a.im * im, a.re * im + a.im * re};
}
// −i·a
template <class V>
inline Complex<V> turned(Complex<V> a) {
  return {a.im, -a.re};
}

template <class V>
inline void butterfly4(Complex<V> a, Complex<V> b, Complex<V> c, Complex<V> d, Complex<V>* out, std::size_t step) {
  const Complex<V> p = a + c, q = b + d, r = a - c, s = turned(b - d);
  out[0] = p + q;
  out[step] = r + s;
  out[2 * step] = p - q;
  out[3 * step] = r - s;
}

// X_j of an odd length: pairs (x_k ± x_{R−k}) against cosines and sines.
template <int R, class T, class V>
inline void butterfly_odd(const Complex<V>* x, Complex<V>* out, const T* cosines, const T* sines) {
  constexpr int kHalf = R / 2;
  Complex<V> sum[kHalf], difference[kHalf];
  Complex<V> total = x[0];
  for (int k = 0; k < kHalf; ++k) {
    sum[k] = x[k + 1] + x[R - 1 - k];
    difference[k] = turned(x[k + 1] - x[R - 1 - k]);
    total = total + sum[k];
  }
  out[0] = total;
  for (int j = 1; j <= kHalf; ++j) {
    Complex<V> even = x[0], odd{};
    for (int k = 1; k <= kHalf; ++k) {
      const int turn = j * k % R;
      const bool beyond = turn > kHalf;
      const int index = (beyond ? R - turn : turn) - 1;
      even = even + scaled(sum[k - 1], cosines[index]);
      const Complex<V> part = scaled(difference[k - 1], sines[index]);
      odd = k == 1 ? (beyond ? Complex<V>{-part.re, -part.im} : part) : (beyond ? odd - part : odd + part);
    }
    out[j] = even + odd;
    out[R - j] = even - odd;
  }
}

template <int R, class T, class V>
inline void butterfly(const Complex<V>* x, Complex<V>* out) {
  if constexpr (R == 2) {
    out[0] = x[0] + x[1];
    out[1] = x[0] - x[1];
  } else if constexpr (R == 3) {
    static constexpr T kCos[] = {T(-0.5)}, kSin[] = {T(0.866025403784438646763723170752936183)};
    butterfly_odd<3>(x, out, kCos, kSin);
  } else if constexpr (R == 4) {
    butterfly4(x[0], x[1], x[2], x[3], out, 1);
  } else if constexpr (R == 5) {
    static constexpr T kCos[] = {T(0.309016994374947424102293417182819059), T(-0.809016994374947424102293417182819059)};
    static constexpr T kSin[] = {T(0.951056516295153572116439333379382143), T(0.587785252292473129168705954639072769)};
    butterfly_odd<5>(x, out, kCos, kSin);
  } else if constexpr (R == 7) {
    static constexpr T kCos[] = {T(0.623489801858733530525004884004239811), T(-0.222520933956314404288902564496794759),
                                 T(-0.900968867902419126236102319507445051)};
    static constexpr T kSin[] = {T(0.781831482468029808708444526674057751), T(0.974927912181823607018131682993931217),
                                 T(0.433883739117558120475768332848358755)};
    butterfly_odd<7>(x, out, kCos, kSin);
  } else {
    static_assert(R == 8);
    constexpr T kDiagonal = T(0.707106781186547524400844362104849039);
    Complex<V> odd[4];
    butterfly4(x[0] + x[4], x[1] + x[5], x[2] + x[6], x[3] + x[7], out, 2);
    odd[0] = x[0] - x[4];
    odd[1] = x[1] - x[5];
    odd[2] = turned(x[2] - x[6]);
    odd[3] = x[3] - x[7];
    odd[1] = Complex<V>{(odd[1].re + odd[1].im) * kDiagonal, (odd[1].im - odd[1].re) * kDiagonal};
    odd[3] = Complex<V>{(odd[3].im - odd[3].re) * kDiagonal, -(odd[3].re + odd[3].im) * kDiagonal};
    butterfly4(odd[0], odd[1], odd[2], odd[3], out + 1, 2);
  }
}

// One stage; returns the twiddles of the next.
template <int R, class T, class V>
const T* stage(const Complex<V>* x, Complex<V>* y, std::size_t m, std::size_t s, const T* twiddles) {
  for (std::size_t p = 0; p < m; ++p, twiddles += 2 * (R - 1)) {
    for (std::size_t q = 0; q < s; ++q) {
      Complex<V> in[R], out[R];
      for (std::size_t k = 0; k < R; ++k) in[k] = x[q + s * (p + m * k)];
      butterfly<R, T>(in, out);
      Complex<V>* to = y + q + s * R * p;
      to[0] = out[0];
      for (std::size_t j = 1; j < R; ++j) {
        to[s * j] = p == 0 ? out[j] : times(out[j], twiddles[2 * (j - 1)], twiddles[2 * (j - 1) + 1]);
      }
    }
  }
  return twiddles;
}

// Transforms `from`; the result is in the buffer that is returned, the other one is scratch.
template <class T, class V>
Complex<V>* mixed_radix(const LanePlan<T>& plan, Complex<V>* from, Complex<V>* to) {
  const T* twiddles = plan.twiddles;
  std::size_t n = plan.n, s = 1;
  for (std::size_t i = 0; i < plan.stages; ++i) {
    const std::size_t radix = plan.radices[i];
    n /= radix;
    switch (radix) {
      case 2:
        twiddles = stage<2>(from, to, n, s, twiddles);
        break;
      case 3:
        twiddles = stage<3>(from, to, n, s, twiddles);
        break;
      case 4:
        twiddles = stage<4>(from, to, n, s, twiddles);
        break;
      case 5:
        twiddles = stage<5>(from, to, n, s, twiddles);
        break;
      case 7:
        twiddles = stage<7>(from, to, n, s, twiddles);
        break;
      default:
        twiddles = stage<8>(from, to, n, s, twiddles);
        break;
    }
    s *= radix;
    Complex<V>* const old = from;
    from = to;
    to = old;
  }
  return from;
}

// X_k = c_k Σ_j (c_j x_j) conj(c_{k−j}), the sum as a cyclic convolution. The way back is the way there with re and im
// exchanged.
template <class T, class V>
Complex<V>* bluestein(const LanePlan<T>& plan, Complex<V>* from, Complex<V>* to) {
  const std::size_t n = plan.n, m = plan.inner->n;
  for (std::size_t j = 0; j < n; ++j) from[j] = times(from[j], plan.chirp[2 * j], plan.chirp[2 * j + 1]);
  for (std::size_t j = n; j < m; ++j) from[j] = Complex<V>{};
  Complex<V>* spectrum = mixed_radix(*plan.inner, from, to);
  for (std::size_t k = 0; k < m; ++k) {
    const Complex<V> product = times(spectrum[k], plan.filter[2 * k], plan.filter[2 * k + 1]);
    spectrum[k] = {product.im, product.re};
  }
  Complex<V>* result = mixed_radix(*plan.inner, spectrum, spectrum == from ? to : from);
  for (std::size_t k = 0; k < n; ++k) {
    result[k] = times(Complex<V>{result[k].im, result[k].re}, plan.chirp[2 * k], plan.chirp[2 * k + 1]);
  }
  return result;
}

// Rows are read and written some elements at a time: a cache line is used up before a line of the next row, which may
// fall into the same set, displaces it.
constexpr std::size_t kAtOnce = 8;

// Lane l ↔ data[l·distance]; `swap` exchanges re and im, which turns the forward into the inverse transform.
template <class T, class V>
void load(const T* data, std::size_t n, std::size_t lanes, std::ptrdiff_t distance, std::ptrdiff_t stride, bool swap,
          Complex<V>* to) {
  constexpr std::size_t kLanes = sizeof(V) / sizeof(T);
  for (std::size_t j = 0; j < n; j += kAtOnce) {
    const std::size_t count = n - j < kAtOnce ? n - j : kAtOnce;
    T parts[kAtOnce][2][kLanes] = {};
    const T* from = data + 2 * static_cast<std::ptrdiff_t>(j) * stride;
    if (distance == 1) {
      for (std::size_t i = 0; i < count; ++i, from += 2 * stride) {
        for (std::size_t l = 0; l < lanes; ++l) parts[i][swap][l] = from[2 * l], parts[i][!swap][l] = from[2 * l + 1];
      }
    } else {
      for (std::size_t l = 0; l < lanes; ++l, from += 2 * distance) {
        for (std::size_t i = 0; i < count; ++i) {
          const T* element = from + 2 * static_cast<std::ptrdiff_t>(i) * stride;
          parts[i][swap][l] = element[0], parts[i][!swap][l] = element[1];
        }
      }
    }
    __builtin_memcpy(to + j, parts, count * sizeof *to);
  }
}

template <class T, class V>
void store(const Complex<V>* from, T scale, std::size_t n, std::size_t lanes, std::ptrdiff_t distance,
           std::ptrdiff_t stride, bool swap, T* data) {
  constexpr std::size_t kLanes = sizeof(V) / sizeof(T);
  for (std::size_t j = 0; j < n; j += kAtOnce) {
    const std::size_t count = n - j < kAtOnce ? n - j : kAtOnce;
    T parts[kAtOnce][2][kLanes];
    __builtin_memcpy(parts, from + j, count * sizeof *from);
    T* to = data + 2 * static_cast<std::ptrdiff_t>(j) * stride;
    if (distance == 1) {
      for (std::size_t i = 0; i < count; ++i, to += 2 * stride) {
        for (std::size_t l = 0; l < lanes; ++l) {
          to[2 * l] = parts[i][swap][l] * scale, to[2 * l + 1] = parts[i][!swap][l] * scale;
        }
      }
    } else {
      for (std::size_t l = 0; l < lanes; ++l, to += 2 * distance) {
        for (std::size_t i = 0; i < count; ++i) {
          T* element = to + 2 * static_cast<std::ptrdiff_t>(i) * stride;
          element[0] = parts[i][swap][l] * scale, element[1] = parts[i][!swap][l] * scale;
        }
      }
    }
  }
}

template <class T>
void run(const LanePlan<T>& plan, T* data, std::size_t count, std::ptrdiff_t distance, std::ptrdiff_t stride,
         bool inverse, void* scratch) {
  using V = typename Lanes<T>::type;
  constexpr std::size_t kLanes = kBytes / sizeof(T);
  auto* a = static_cast<Complex<V>*>(scratch);
  Complex<V>* b = a + plan.buffer;
  const T scale = inverse ? T(1) / static_cast<T>(plan.n) : T(1);
  for (std::size_t first = 0; first < count; first += kLanes) {
    const std::size_t lanes = count - first < kLanes ? count - first : kLanes;
    T* group = data + 2 * static_cast<std::ptrdiff_t>(first) * distance;
    load(group, plan.n, lanes, distance, stride, inverse, a);
    const Complex<V>* result = plan.inner == nullptr ? mixed_radix(plan, a, b) : bluestein(plan, a, b);
    store(result, scale, plan.n, lanes, distance, stride, inverse, group);
  }
}

}  // namespace

void transform(const LanePlan<float>& plan, float* data, std::size_t count, std::ptrdiff_t distance,
               std::ptrdiff_t stride, bool inverse, void* scratch) {
  run(plan, data, count, distance, stride, inverse, scratch);
}

void transform(const LanePlan<double>& plan, double* data, std::size_t count, std::ptrdiff_t distance,
               std::ptrdiff_t stride, bool inverse, void* scratch) {
  run(plan, data, count, distance, stride, inverse, scratch);
}

}  // namespace crewe::fft::CREWE_ISA_LEVEL
