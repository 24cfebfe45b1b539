#include "imaging/ssb_kernel.hpp"

namespace crewe::imaging::CREWE_ISA_LEVEL {
namespace {

typedef float f32x16 __attribute__((vector_size(64), aligned(4)));

inline std::uint16_t swapped(std::uint16_t value) {
  return __builtin_bswap16(value);
}
inline std::uint32_t swapped(std::uint32_t value) {
  return __builtin_bswap32(value);
}

template <class T, bool kSwap>
inline void convert(const std::byte* from, std::ptrdiff_t stride, std::size_t n, float* out) {
  if (stride == static_cast<std::ptrdiff_t>(sizeof(T))) {
    for (std::size_t i = 0; i < n; ++i) {
      T value;
      __builtin_memcpy(&value, from + i * sizeof(T), sizeof(T));
      if constexpr (kSwap) value = swapped(value);
      out[i] = static_cast<float>(value);
    }
    return;
  }
  for (std::size_t i = 0; i < n; ++i) {
    T value;
    __builtin_memcpy(&value, from + static_cast<std::ptrdiff_t>(i) * stride, sizeof(T));
    if constexpr (kSwap) value = swapped(value);
    out[i] = static_cast<float>(value);
  }
}

void read(const std::byte* from, Pixel pixel, std::ptrdiff_t stride, std::size_t n, float* out) {
  switch (pixel) {
    case Pixel::u8:
      return convert<std::uint8_t, false>(from, stride, n, out);
    case Pixel::u16:
      return convert<std::uint16_t, false>(from, stride, n, out);
    case Pixel::u32:
      return convert<std::uint32_t, false>(from, stride, n, out);
    case Pixel::f32:
      return convert<float, false>(from, stride, n, out);
    case Pixel::u16_be:
      return convert<std::uint16_t, true>(from, stride, n, out);
    case Pixel::u32_be:
      return convert<std::uint32_t, true>(from, stride, n, out);
  }
}

// Σ of the lanes in an order that all levels share.
inline float sum(f32x16 v) {
  float lanes[16];
  __builtin_memcpy(lanes, &v, sizeof lanes);
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

inline f32x16 load(const float* p) {
  f32x16 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

// kRows rows of weights at a time, so that every g(k) is loaded once for all of them.
template <int kRows, bool kComplex>
inline void rows(const float* weights, std::size_t pixels, const float* real, const float* imag, float* out) {
  const std::size_t row = kComplex ? 2 * pixels : pixels;
  f32x16 re[kRows] = {}, im[kRows] = {};
  for (std::size_t k = 0; k < pixels; k += kSsbLanes) {
    const f32x16 a = load(real + k), b = load(imag + k);
    for (int q = 0; q < kRows; ++q) {
      const float* const w = weights + static_cast<std::size_t>(q) * row + k;
      const f32x16 c = load(w);
      re[q] += c * a;
      im[q] += c * b;
      if constexpr (kComplex) {
        const f32x16 d = load(w + pixels);
        re[q] -= d * b;
        im[q] += d * a;
      }
    }
  }
  for (int q = 0; q < kRows; ++q) {
    out[2 * q] = sum(re[q]);
    out[2 * q + 1] = sum(im[q]);
  }
}

template <bool kComplex>
void project(const float* weights, std::size_t pixels, std::size_t count, const float* real, const float* imag,
             float* out) {
  constexpr std::size_t kRows = 4;
  const std::size_t row = kComplex ? 2 * pixels : pixels;
  std::size_t q = 0;
  for (; q + kRows <= count; q += kRows) rows<kRows, kComplex>(weights + q * row, pixels, real, imag, out + 2 * q);
  for (; q < count; ++q) rows<1, kComplex>(weights + q * row, pixels, real, imag, out + 2 * q);
}

}  // namespace

void ssb_gather(const SsbGather& task, float* out) {
  constexpr std::size_t kPart = 256;
  float part[kPart];
  for (std::size_t p = 0; p < task.piece_count; ++p) {
    const SsbPiece& piece = task.pieces[p];
    const std::byte* const row = task.frame + static_cast<std::ptrdiff_t>(piece.row) * task.stride_row;
    for (std::size_t begin = 0; begin < piece.count; begin += kPart) {
      const std::size_t n = piece.count - begin < kPart ? piece.count - begin : kPart, col = piece.col + begin;
      read(row + static_cast<std::ptrdiff_t>(col) * task.stride_col, task.pixel, task.stride_col, n, part);
      const std::size_t at = piece.row * task.nx + col;
      if (task.dark != nullptr) {
        for (std::size_t i = 0; i < n; ++i) part[i] -= task.dark[at + i];
      }
      if (task.gain != nullptr) {
        for (std::size_t i = 0; i < n; ++i) part[i] *= task.gain[at + i];
      }
      if (task.join == 1) {
        for (std::size_t i = 0; i < n; ++i) out[piece.place + begin + i] += part[i];
      } else {
        const std::size_t first = piece.col / task.join;
        for (std::size_t i = 0; i < n; ++i) out[piece.place + (col + i) / task.join - first] += part[i];
      }
    }
  }
}

void ssb_unpack(const float* z, const float* mirror, std::size_t pairs, float* real, float* imag) {
  for (std::size_t j = 0; j < pairs; ++j) {
    const float a = z[2 * j], b = z[2 * j + 1], c = mirror[2 * j], d = mirror[2 * j + 1];
    real[j] = 0.5F * (a + c);
    imag[j] = 0.5F * (b - d);
    real[pairs + j] = 0.5F * (b + d);
    imag[pairs + j] = 0.5F * (c - a);
  }
}

void ssb_project(const float* weights, std::size_t pixels, bool complex, std::size_t count, const float* real,
                 const float* imag, float* out) {
  if (complex) {
    project<true>(weights, pixels, count, real, imag, out);
  } else {
    project<false>(weights, pixels, count, real, imag, out);
  }
}

}  // namespace crewe::imaging::CREWE_ISA_LEVEL
