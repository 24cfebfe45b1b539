// Formulas that the CPU and the GPU share are written once, in headers, and marked with these.
#pragma once

#if defined(__CUDACC__)
#define CREWE_HOST_DEVICE __host__ __device__
#else
#define CREWE_HOST_DEVICE
#endif

// Static and always inline, for *.simd.cpp files too: each instruction-set level has its own.
#define CREWE_INLINE static inline CREWE_HOST_DEVICE __attribute__((always_inline))
