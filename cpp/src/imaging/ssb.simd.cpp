#include "imaging/read_pixels.hpp"
#include "imaging/ssb_kernel.hpp"

namespace crewe::imaging::CREWE_ISA_LEVEL {
namespace {

// Sums have kSsbLanes lanes at every level, in as many registers as that takes.
#if CREWE_ISA_IS_v4
constexpr std::size_t kWidth = 16;
#elif CREWE_ISA_IS_v3
constexpr std::size_t kWidth = 8;
#else
constexpr std::size_t kWidth = 4;
#endif
typedef float Vector __attribute__((vector_size(4 * kWidth), aligned(4), may_alias));

// Not by memcpy: gcc 12 takes 32 bytes through the stack in two halves.
inline Vector load(const float* p) {
  return *reinterpret_cast<const Vector*>(p);
}

// Σ of the lanes in an order that all levels share.
inline float sum(float* lanes) {
  for (std::size_t width = kSsbLanes / 2; width > 0; width /= 2) {
    for (std::size_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

// Some rows of weights at a time, so that every g(k) is loaded once for all of them.
template <std::size_t kRows, bool kComplex>
inline void rows(const float* weights, std::size_t pixels, const float* real, const float* imag, float* out) {
  const std::size_t row = kComplex ? 2 * pixels : pixels;
  float re_lanes[kRows][kSsbLanes], im_lanes[kRows][kSsbLanes];
  for (std::size_t part = 0; part < kSsbLanes; part += kWidth) {
    Vector re[kRows] = {}, im[kRows] = {};
    for (std::size_t k = part; k < pixels; k += kSsbLanes) {
      const Vector a = load(real + k), b = load(imag + k);
#pragma GCC unroll 4
      for (std::size_t q = 0; q < kRows; ++q) {
        const float* const w = weights + q * row + k;
        const Vector c = load(w);
        re[q] += c * a;
        im[q] += c * b;
        if constexpr (kComplex) {
          const Vector d = load(w + pixels);
          re[q] -= d * b;
          im[q] += d * a;
        }
      }
    }
#pragma GCC unroll 4
    for (std::size_t q = 0; q < kRows; ++q) {
      *reinterpret_cast<Vector*>(re_lanes[q] + part) = re[q];
      *reinterpret_cast<Vector*>(im_lanes[q] + part) = im[q];
    }
  }
  for (std::size_t q = 0; q < kRows; ++q) {
    out[2 * q] = sum(re_lanes[q]);
    out[2 * q + 1] = sum(im_lanes[q]);
  }
}

template <bool kComplex>
void project(const SsbProjection& task) {
  constexpr std::size_t kRows = 4;
  const std::size_t row = kComplex ? 2 * task.pixels : task.pixels;
  for (std::size_t q = 0; q < task.count;) {
    const bool whole = q + kRows <= task.count;
    for (std::size_t line = 0; line < task.lines; ++line) {
      const float* const real = task.signals + line * 2 * task.pixels;
      float* const out = task.out + line * task.stride + 2 * q;
      if (whole) {
        rows<kRows, kComplex>(task.weights + q * row, task.pixels, real, real + task.pixels, out);
      } else {
        rows<1, kComplex>(task.weights + q * row, task.pixels, real, real + task.pixels, out);
      }
    }
    q += whole ? kRows : 1;
  }
}

}  // namespace

void ssb_gather(const SsbGather& task, float* out) {
  constexpr std::size_t kPart = 256;
  float part[kPart];
  for (std::size_t p = 0; p < task.piece_count; ++p) {
    const SsbPiece& piece = task.pieces[p];
    const std::byte* const row = task.frame + static_cast<std::ptrdiff_t>(piece.row) * task.row_stride;
    for (std::size_t begin = 0; begin < piece.count; begin += kPart) {
      const std::size_t n = piece.count - begin < kPart ? piece.count - begin : kPart, col = piece.col + begin;
      read_pixels(row + static_cast<std::ptrdiff_t>(col) * task.column_stride, task.pixel, task.column_stride, n, part);
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
        std::size_t place = piece.place + col / task.join - piece.col / task.join;
        for (std::size_t i = 0; i < n; ++place) {
          const std::size_t end = i + task.join - (col + i) % task.join;
          for (; i < end && i < n; ++i) out[place] += part[i];
        }
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

void ssb_project(const SsbProjection& task) {
  if (task.complex) {
    project<true>(task);
  } else {
    project<false>(task);
  }
}

}  // namespace crewe::imaging::CREWE_ISA_LEVEL
