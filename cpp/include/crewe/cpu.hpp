// The instruction-set level of this process, chosen once: x86-64 (base), x86-64-v3 (AVX2) or x86-64-v4 (AVX-512).
#pragma once

namespace crewe {

enum class Isa { base, v3, v4 };

// The highest level that the processor has; the environment variable CREWE_ISA=base|v3|v4 forces a lower one.
Isa isa();

const char* isa_name();

}  // namespace crewe

// Declares a function of a *.simd.cpp file at every level: CREWE_SIMD_DECLARE(void f(int);)
#if defined(__x86_64__)
#define CREWE_SIMD_DECLARE(...) \
  namespace base {              \
  __VA_ARGS__                   \
  }                             \
  namespace v3 {                \
  __VA_ARGS__                   \
  }                             \
  namespace v4 {                \
  __VA_ARGS__                   \
  }
// Calls it at the level of this process, from the namespace in which it was declared: CREWE_SIMD_CALL(f, 3)
#define CREWE_SIMD_CALL(function, ...)                              \
  (::crewe::isa() == ::crewe::Isa::v4   ? v4::function(__VA_ARGS__) \
   : ::crewe::isa() == ::crewe::Isa::v3 ? v3::function(__VA_ARGS__) \
                                        : base::function(__VA_ARGS__))
#else
#define CREWE_SIMD_DECLARE(...) \
  namespace base {              \
  __VA_ARGS__                   \
  }
#define CREWE_SIMD_CALL(function, ...) base::function(__VA_ARGS__)
#endif
