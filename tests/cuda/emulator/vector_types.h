// The short vectors of CUDA, with their alignment.
#pragma once

#define CREWE_VECTOR_2(T, name, bytes)          \
  struct __attribute__((aligned(bytes))) name { \
    T x, y;                                     \
  };                                            \
  inline name make_##name(T x, T y) {           \
    return {x, y};                              \
  }
#define CREWE_VECTOR_3(T, name)            \
  struct name {                            \
    T x, y, z;                             \
  };                                       \
  inline name make_##name(T x, T y, T z) { \
    return {x, y, z};                      \
  }
#define CREWE_VECTOR_4(T, name, bytes)          \
  struct __attribute__((aligned(bytes))) name { \
    T x, y, z, w;                               \
  };                                            \
  inline name make_##name(T x, T y, T z, T w) { \
    return {x, y, z, w};                        \
  }

CREWE_VECTOR_2(unsigned char, uchar2, 2)
CREWE_VECTOR_2(short, short2, 4)
CREWE_VECTOR_2(unsigned short, ushort2, 4)
CREWE_VECTOR_2(int, int2, 8)
CREWE_VECTOR_2(unsigned, uint2, 8)
CREWE_VECTOR_2(float, float2, 8)
CREWE_VECTOR_2(double, double2, 16)
CREWE_VECTOR_2(long long, longlong2, 16)
CREWE_VECTOR_2(unsigned long long, ulonglong2, 16)
CREWE_VECTOR_3(int, int3)
CREWE_VECTOR_3(unsigned, uint3)
CREWE_VECTOR_3(float, float3)
CREWE_VECTOR_3(double, double3)
CREWE_VECTOR_4(unsigned char, uchar4, 4)
CREWE_VECTOR_4(short, short4, 8)
CREWE_VECTOR_4(unsigned short, ushort4, 8)
CREWE_VECTOR_4(int, int4, 16)
CREWE_VECTOR_4(unsigned, uint4, 16)
CREWE_VECTOR_4(float, float4, 16)
CREWE_VECTOR_4(double, double4, 16)

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  constexpr operator uint3() const { return {x, y, z}; }
};
