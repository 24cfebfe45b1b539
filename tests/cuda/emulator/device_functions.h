// Functions that CUDA knows in kernels without any header. Included by cuda_runtime.h.
#pragma once

template <class T>
T atomicAdd(T* place, T value) {
  const T before = *place;
  *place = before + value;
  return before;
}
template <class T>
T atomicMin(T* place, T value) {
  const T before = *place;
  if (value < before) *place = value;
  return before;
}
template <class T>
T atomicMax(T* place, T value) {
  const T before = *place;
  if (value > before) *place = value;
  return before;
}
template <class T>
T atomicOr(T* place, T value) {
  const T before = *place;
  *place = before | value;
  return before;
}
template <class T>
T atomicAnd(T* place, T value) {
  const T before = *place;
  *place = before & value;
  return before;
}
template <class T>
T atomicExch(T* place, T value) {
  const T before = *place;
  *place = value;
  return before;
}
template <class T>
T atomicCAS(T* place, T expected, T value) {
  const T before = *place;
  if (before == expected) *place = value;
  return before;
}

#define CREWE_MIN_MAX(T)   \
  inline T min(T a, T b) { \
    return b < a ? b : a;  \
  }                        \
  inline T max(T a, T b) { \
    return a < b ? b : a;  \
  }
CREWE_MIN_MAX(int)
CREWE_MIN_MAX(unsigned)
CREWE_MIN_MAX(long)
CREWE_MIN_MAX(unsigned long)
CREWE_MIN_MAX(long long)
CREWE_MIN_MAX(unsigned long long)
inline float min(float a, float b) {
  return std::fmin(a, b);
}
inline float max(float a, float b) {
  return std::fmax(a, b);
}
inline double min(double a, double b) {
  return std::fmin(a, b);
}
inline double max(double a, double b) {
  return std::fmax(a, b);
}

inline int __popc(unsigned bits) {
  return __builtin_popcount(bits);
}
inline int __popcll(unsigned long long bits) {
  return __builtin_popcountll(bits);
}
inline int __clz(int bits) {
  return bits == 0 ? 32 : __builtin_clz(static_cast<unsigned>(bits));
}
inline int __ffs(int bits) {
  return __builtin_ffs(bits);
}
inline int __ffsll(long long bits) {
  return __builtin_ffsll(bits);
}
inline unsigned __brev(unsigned bits) {
  unsigned turned = 0;
  for (int i = 0; i < 32; ++i) turned |= (bits >> i & 1U) << (31 - i);
  return turned;
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(std::uint64_t{a} * b >> 32);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<unsigned long long>(static_cast<Wide>(a) * b >> 64);
}
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
  const std::uint64_t bytes = std::uint64_t{b} << 32 | a;
  unsigned out = 0;
  for (int i = 0; i < 4; ++i) out |= static_cast<unsigned>(bytes >> 8 * (selector >> 4 * i & 7U) & 0xFFU) << 8 * i;
  return out;
}
inline unsigned __dp4a(unsigned a, unsigned b, unsigned c) {
  for (int i = 0; i < 32; i += 8) c += (a >> i & 0xFFU) * (b >> i & 0xFFU);
  return c;
}
inline unsigned __dp2a_lo(unsigned a, unsigned b, unsigned c) {
  return c + (a & 0xFFFFU) * (b & 0xFFU) + (a >> 16) * (b >> 8 & 0xFFU);
}
inline unsigned __dp2a_hi(unsigned a, unsigned b, unsigned c) {
  return __dp2a_lo(a, b >> 16, c);
}
inline unsigned __float_as_uint(float value) {
  return emulator::unpack<unsigned>(emulator::pack(value));
}
inline int __float_as_int(float value) {
  return emulator::unpack<int>(emulator::pack(value));
}
inline float __uint_as_float(unsigned bits) {
  return emulator::unpack<float>(bits);
}
inline float __int_as_float(int bits) {
  return emulator::unpack<float>(static_cast<unsigned>(bits));
}
inline long long __double_as_longlong(double value) {
  return emulator::unpack<long long>(emulator::pack(value));
}
inline double __longlong_as_double(long long bits) {
  return emulator::unpack<double>(static_cast<std::uint64_t>(bits));
}

inline float __fadd_rn(float a, float b) {
  return a + b;
}
inline float __fsub_rn(float a, float b) {
  return a - b;
}
inline float __fmul_rn(float a, float b) {
  return a * b;
}
inline float __fdiv_rn(float a, float b) {
  return a / b;
}
inline float __fsqrt_rn(float a) {
  return std::sqrt(a);
}
inline float __fmaf_rn(float a, float b, float c) {
  return std::fma(a, b, c);
}
inline double __dadd_rn(double a, double b) {
  return a + b;
}
inline double __dsub_rn(double a, double b) {
  return a - b;
}
inline double __dmul_rn(double a, double b) {
  return a * b;
}
inline double __ddiv_rn(double a, double b) {
  return a / b;
}
inline double __fma_rn(double a, double b, double c) {
  return std::fma(a, b, c);
}
inline int __float2int_rn(float a) {
  return static_cast<int>(std::nearbyint(a));
}
inline int __float2int_rd(float a) {
  return static_cast<int>(std::floor(a));
}
inline int __double2int_rn(double a) {
  return static_cast<int>(std::nearbyint(a));
}
inline float __fdividef(float a, float b) {
  return a / b;
}
inline float __saturatef(float a) {
  return a > 0 ? (a < 1 ? a : 1) : 0;
}

inline float rsqrtf(float a) {
  return 1 / std::sqrt(a);
}
inline double rsqrt(double a) {
  return 1 / std::sqrt(a);
}
inline double sinpi(double a) {
  return std::sin(3.14159265358979323846 * std::fmod(a, 2.0));
}
inline double cospi(double a) {
  return std::cos(3.14159265358979323846 * std::fmod(a, 2.0));
}
inline float sinpif(float a) {
  return static_cast<float>(sinpi(static_cast<double>(a)));
}
inline float cospif(float a) {
  return static_cast<float>(cospi(static_cast<double>(a)));
}
inline void sincospi(double a, double* s, double* c) {
  *s = sinpi(a), *c = cospi(a);
}
inline void sincospif(float a, float* s, float* c) {
  *s = sinpif(a), *c = cospif(a);
}
inline float __sinf(float a) {
  return std::sin(a);
}
inline float __cosf(float a) {
  return std::cos(a);
}
inline void __sincosf(float a, float* s, float* c) {
  *s = std::sin(a), *c = std::cos(a);
}
inline float __expf(float a) {
  return std::exp(a);
}
inline float __logf(float a) {
  return std::log(a);
}
