#include "live/sum_kernel.hpp"

namespace crewe::live::CREWE_ISA_LEVEL {
namespace {

struct U8 {
  using Type = std::uint8_t;
  static double value(Type raw) { return raw; }
};
struct U16 {
  using Type = std::uint16_t;
  static double value(Type raw) { return raw; }
};
struct U16Big {
  using Type = std::uint16_t;
  static double value(Type raw) { return static_cast<Type>(raw << 8 | raw >> 8); }
};
struct U32 {
  using Type = std::uint32_t;
  static double value(Type raw) { return raw; }
};
struct U32Big {
  using Type = std::uint32_t;
  static double value(Type raw) { return __builtin_bswap32(raw); }
};
struct F32 {
  using Type = float;
  static double value(Type raw) { return static_cast<double>(raw); }
};

template <class P>
void add(const std::byte* data, std::ptrdiff_t stride, std::size_t n, double* sums) {
  using T = typename P::Type;
  if (stride == sizeof(T)) {
    for (std::size_t i = 0; i < n; ++i) {
      T raw;  // frames in a stream need not be aligned
      __builtin_memcpy(&raw, data + i * sizeof(T), sizeof(T));
      sums[i] += P::value(raw);
    }
    return;
  }
  for (std::size_t i = 0; i < n; ++i, data += stride) {
    T raw;
    __builtin_memcpy(&raw, data, sizeof(T));
    sums[i] += P::value(raw);
  }
}

}  // namespace

void add_pixels(imaging::Pixel pixel, const std::byte* data, std::ptrdiff_t stride, std::size_t n, double* sums) {
  switch (pixel) {
    case imaging::Pixel::u8:
      return add<U8>(data, stride, n, sums);
    case imaging::Pixel::u16:
      return add<U16>(data, stride, n, sums);
    case imaging::Pixel::u16_be:
      return add<U16Big>(data, stride, n, sums);
    case imaging::Pixel::u32:
      return add<U32>(data, stride, n, sums);
    case imaging::Pixel::u32_be:
      return add<U32Big>(data, stride, n, sums);
    case imaging::Pixel::f32:
      return add<F32>(data, stride, n, sums);
  }
}

}  // namespace crewe::live::CREWE_ISA_LEVEL
