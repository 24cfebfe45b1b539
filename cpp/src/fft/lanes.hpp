// As many independent complex signals as a vector register has lanes: the numbers of all vector code of the transforms
// and of the multislice. No lane knows of another, so every level and every lane count gives the same bits.
//
// Include only from *.simd.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace crewe::fft {
namespace CREWE_ISA_LEVEL {
namespace {

#if defined(CREWE_ISA_IS_v4)
constexpr int kVectorBytes = 64;
#elif defined(CREWE_ISA_IS_v3)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <class T>
struct Lanes;

template <>
struct Lanes<float> {
  typedef float V __attribute__((vector_size(kVectorBytes)));
  typedef std::int32_t I __attribute__((vector_size(kVectorBytes)));
  typedef float Unaligned __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));
  static constexpr std::size_t n = kVectorBytes / 4;
};

template <>
struct Lanes<double> {
  typedef double V __attribute__((vector_size(kVectorBytes)));
  typedef std::int64_t I __attribute__((vector_size(kVectorBytes)));
  typedef double Unaligned __attribute__((vector_size(kVectorBytes), aligned(8), may_alias));
  static constexpr std::size_t n = kVectorBytes / 8;
};

template <class T>
using Vector = typename Lanes<T>::V;

template <class T>
inline Vector<T> load(const T* from) {
  return *reinterpret_cast<const typename Lanes<T>::Unaligned*>(from);
}
template <class T>
inline void store(T* to, Vector<T> v) {
  *reinterpret_cast<typename Lanes<T>::Unaligned*>(to) = v;
}

// One sample of all lanes.
template <class T>
struct Cx {
  Vector<T> re, im;
};

template <class T>
inline Cx<T> operator+(const Cx<T>& a, const Cx<T>& b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
inline Cx<T> operator-(const Cx<T>& a, const Cx<T>& b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
inline Cx<T> times(const Cx<T>& a, T re, T im) {
  return {a.re * re - a.im * im, a.re * im + a.im * re};
}
template <class T>
inline Cx<T> times_conjugate(const Cx<T>& a, T re, T im) {
  return {a.re * re + a.im * im, a.im * re - a.re * im};
}
template <class T>
inline Cx<T> times(const Cx<T>& a, const Cx<T>& b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
// a·(−i)
template <class T>
inline Cx<T> turned(const Cx<T>& a) {
  return {a.im, -a.re};
}

// out[l] = (a, b)[from[l]], a's lanes counted before b's, for lanes known when this is compiled, so that clang makes
// shuffles of the loop. By __builtin_shufflevector, which both know, gcc's transforms take 3 to 20 % longer.
template <class V, class I>
inline __attribute__((always_inline)) V shuffle(V a, V b, I from) {
#if defined(__clang__)
  constexpr int n = sizeof(V) / sizeof(a[0]);
  V out{};
#pragma GCC unroll 16
  for (int l = 0; l < n; ++l) out[l] = from[l] < n ? a[from[l]] : b[from[l] - n];
  return out;
#else
  return __builtin_shuffle(a, b, from);
#endif
}

// v[i] lane j ↔ v[j] lane i, by exchanging ever larger blocks.
template <int D, class T>
inline __attribute__((always_inline)) void exchange_blocks(Vector<T>* v) {
  constexpr int n = static_cast<int>(Lanes<T>::n);
  typename Lanes<T>::I low, high;
#pragma GCC unroll 16
  for (int l = 0; l < n; ++l) {
    low[l] = (l & D) == 0 ? l : n + l - D;
    high[l] = (l & D) == 0 ? l + D : n + l;
  }
#pragma GCC unroll 16
  for (int i = 0; i < n; ++i) {
    if ((i & D) != 0) continue;
    const Vector<T> a = v[i], b = v[i + D];
    v[i] = shuffle(a, b, low);
    v[i + D] = shuffle(a, b, high);
  }
}

template <class T>
inline __attribute__((always_inline)) void transpose(Vector<T>* v) {
  constexpr std::size_t n = Lanes<T>::n;
  exchange_blocks<1, T>(v);
  if constexpr (n > 2) exchange_blocks<2, T>(v);
  if constexpr (n > 4) exchange_blocks<4, T>(v);
  if constexpr (n > 8) exchange_blocks<8, T>(v);
}

}  // namespace
}  // namespace CREWE_ISA_LEVEL
}  // namespace crewe::fft
