// Exact sums over one frame of 8- or 16-bit pixels whose weights are 0 and 1, 32 pixels at a time.
//
// s = I − bias fits into a signed word (bias = 2^15, or 0 for bytes); a multiply-add of words (madd) then sums pairs of
// pixels, each with a weight, in one instruction. Of a row with V vectors p_v = madd(s, 1):
//   R = Σ p_v,   Q = Σ (V − v) p_v as the sum of the running R,   X = Σ madd(s, column within the vector − 16)
// and of N rows A = Σ R, B = Σ (N − r) R in the same way: y and x moments for three additions a vector, two a row.
// The 32-bit lanes are emptied into 64-bit ones before they can overflow; the bias is taken off at the end.
#include "imaging/moments_kernel.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace crewe::imaging::CREWE_ISA_LEVEL {
namespace {

constexpr std::size_t kPixels = kMaskPixels;

typedef std::int16_t i16x32 __attribute__((vector_size(64)));
typedef std::int32_t i32x16 __attribute__((vector_size(64)));
typedef std::uint8_t u8x32_loose __attribute__((vector_size(32), aligned(1)));
typedef std::int16_t i16x32_loose __attribute__((vector_size(64), aligned(1)));

std::size_t smaller(std::size_t a, std::size_t b) {
  return a < b ? a : b;
}
std::size_t larger(std::size_t a, std::size_t b) {
  return a > b ? a : b;
}

// Σ a·b over pairs of neighbours.
inline i32x16 madd(i16x32 a, i16x32 b) {
#if CREWE_ISA_IS_v4
  return reinterpret_cast<i32x16>(_mm512_madd_epi16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif CREWE_ISA_IS_v3
  union Parts {
    i16x32 words;
    __m256i part[2];
    i32x16 sums;
  } x{a}, y{b};
  x.part[0] = _mm256_madd_epi16(x.part[0], y.part[0]);
  x.part[1] = _mm256_madd_epi16(x.part[1], y.part[1]);
  return x.sums;
#elif defined(__x86_64__)
  union Parts {
    i16x32 words;
    __m128i part[4];
    i32x16 sums;
  } x{a}, y{b};
  for (int k = 0; k < 4; ++k) x.part[k] = _mm_madd_epi16(x.part[k], y.part[k]);
  return x.sums;
#else
  i32x16 sums;
  for (int k = 0; k < 16; ++k) sums[k] = a[2 * k] * b[2 * k] + a[2 * k + 1] * b[2 * k + 1];
  return sums;
#endif
}

// The words whose bit is set, zeros elsewhere.
inline i16x32 select(std::uint32_t bits, i16x32 words) {
#if CREWE_ISA_IS_v4
  return reinterpret_cast<i16x32>(_mm512_maskz_mov_epi16(bits, reinterpret_cast<__m512i>(words)));
#else
  typedef std::int16_t i16x16 __attribute__((vector_size(32)));
  constexpr i16x16 bit = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, -32768};
  union {
    i16x16 half[2];
    i16x32 whole;
  } mask;
  mask.half[0] = ((i16x16{} + static_cast<std::int16_t>(bits)) & bit) == bit;
  mask.half[1] = ((i16x16{} + static_cast<std::int16_t>(bits >> 16)) & bit) == bit;
  return words & mask.whole;
#endif
}

typedef std::int32_t i32x8 __attribute__((vector_size(32)));
typedef std::int64_t i64x8 __attribute__((vector_size(64)));

// Lanes of twice the width, neighbours far apart added up.
inline i64x8 widen(i32x16 lanes) {
  union {
    i32x16 whole;
    i32x8 half[2];
  } parts{lanes};
  return __builtin_convertvector(parts.half[0], i64x8) + __builtin_convertvector(parts.half[1], i64x8);
}

inline std::int64_t sum(i64x8 v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

struct Bytes {
  static constexpr std::size_t size = 1;
  static constexpr std::int16_t bias = 0;
  static i16x32 load(const std::byte* p) {
    return __builtin_convertvector(*reinterpret_cast<const u8x32_loose*>(p), i16x32);
  }
  static std::int64_t count(const std::byte* p) { return static_cast<std::int64_t>(*p); }
};

struct Words {
  static constexpr std::size_t size = 2;
  static constexpr std::int16_t bias = -32768;
  static i16x32 load(const std::byte* p) { return *reinterpret_cast<const i16x32_loose*>(p); }
  static std::int64_t count(const std::byte* p) {
    std::uint16_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
  }
};

struct SwappedWords : Words {
  static i16x32 load(const std::byte* p) {
    const i16x32 words = *reinterpret_cast<const i16x32_loose*>(p);
#if CREWE_ISA_IS_v4
    const __m512i order = _mm512_set4_epi32(0x0e0f0c0d, 0x0a0b0809, 0x06070405, 0x02030001);
    return reinterpret_cast<i16x32>(_mm512_shuffle_epi8(reinterpret_cast<__m512i>(words), order));
#else
    typedef std::uint16_t u16x32 __attribute__((vector_size(64)));
    const u16x32 bits = reinterpret_cast<u16x32>(words);
    return reinterpret_cast<i16x32>((bits << 8) | (bits >> 8));
#endif
  }
  static std::int64_t count(const std::byte* p) {
    return __builtin_bswap16(static_cast<std::uint16_t>(Words::count(p)));
  }
};

// Pixels [first, first + count) of a row that lie `step` bytes apart, zeros behind them.
template <class P>
i16x32 gather(const std::byte* row, std::ptrdiff_t step, std::size_t count) {
  alignas(64) std::byte near[kPixels * P::size] = {};
  for (std::size_t i = 0; i < count; ++i) {
    __builtin_memcpy(near + i * P::size, row + static_cast<std::ptrdiff_t>(i) * step, P::size);
  }
  return P::load(near);
}

const i16x32 kOnes = i16x32{} + 1;
const i16x32 kPlaces = {-16, -15, -14, -13, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1,
                        0,   1,   2,   3,   4,   5,   6,   7,  8,  9,  10, 11, 12, 13, 14, 15};

// Rows [first, last) of vectors [left, right).
struct Range {
  std::size_t first, last, left, right;
};

struct Sums {
  std::int64_t n, y, x, detector;
};

// `whole`: the range holds vectors of 32 pixels that lie side by side, and nothing else. One load instruction walks
// over them in order: the prefetcher of the processor follows it, several loads in an unrolled loop lose a tenth of the
// speed.
template <class P, bool moments, bool weighted, bool detector, bool whole>
__attribute__((noinline)) Sums sum_range(const IntegerTask& task, const FrameView& frame, const std::uint32_t* mask,
                                         const Range& range) {
  const std::size_t vectors = (task.nx + kPixels - 1) / kPixels;
  const auto step =
      static_cast<std::ptrdiff_t>(kPixels) * (whole ? static_cast<std::ptrdiff_t>(P::size) : frame.stride_col);
  const std::byte* row = frame.data + static_cast<std::ptrdiff_t>(range.first) * frame.stride_row +
                         static_cast<std::ptrdiff_t>(range.left) * step;
  const std::uint32_t* weights = weighted ? task.weights + range.first * vectors + range.left : nullptr;
  const std::uint32_t* ring = detector ? mask + range.first * vectors + range.left : nullptr;
  i64x8 n{}, y_moment{}, running{}, x_moment{}, counted{};
  for (std::size_t y = range.first; y < range.last;) {
    const std::size_t end = smaller(y + task.rows_at_once, range.last);
    i32x16 a{}, b{}, q{}, x{}, d{};
    for (; y < end; ++y) {
      i32x16 r{};
      for (std::size_t v = 0; v < range.right - range.left; ++v) {
        i16x32 words;
        if constexpr (whole) {
          words = P::load(row + static_cast<std::ptrdiff_t>(v) * step);
        } else {
          words = gather<P>(row + static_cast<std::ptrdiff_t>(v) * step, frame.stride_col,
                            smaller(task.nx - (range.left + v) * kPixels, kPixels));
        }
        words ^= P::bias;
        if constexpr (moments) {
          const i16x32 chosen = weighted ? select(weights[v], words) : words;
          r += madd(chosen, kOnes);
          q += r;
          x += madd(chosen, kPlaces);
        }
        if constexpr (detector) d += madd(select(ring[v], words), kOnes);
      }
      a += r;
      b += a;
      row += frame.stride_row;
      if constexpr (weighted) weights += vectors;
      if constexpr (detector) ring += vectors;
    }
    // What comes next is on its way while these wait for the last pixels.
    if constexpr (whole) {
      for (int line = 0; line < 32; ++line) __builtin_prefetch(row + 64 * line);
    }
    if constexpr (moments) {
      n += widen(a);
      y_moment += widen(a) * static_cast<std::int64_t>(end) - widen(b);
      running += widen(q);
      x_moment += widen(x);
    }
    if constexpr (detector) counted += widen(d);
  }
  Sums sums{};
  if constexpr (moments) {
    sums.n = sum(n);
    sums.y = sum(y_moment);
    sums.x = 32 * (static_cast<std::int64_t>(range.right) * sums.n - sum(running)) + 16 * sums.n + sum(x_moment);
  }
  if constexpr (detector) sums.detector = sum(counted);
  return sums;
}

template <class P, bool moments, bool weighted, bool detector>
Sums sum_range(const IntegerTask& task, const FrameView& frame, const std::uint32_t* mask, const Range& range) {
  const bool dense = frame.stride_col == static_cast<std::ptrdiff_t>(P::size);
  if (dense && range.right * kPixels <= task.nx) {
    return sum_range<P, moments, weighted, detector, true>(task, frame, mask, range);
  }
  return sum_range<P, moments, weighted, detector, false>(task, frame, mask, range);
}

// The first detector goes with the moments.
template <class P>
Sums sum_moments(const IntegerTask& task, const FrameView& frame, const Range& range) {
  const std::uint32_t* mask = task.detector_count > 0 ? task.detectors[0].mask : nullptr;
  if (task.weights != nullptr) {
    return mask != nullptr ? sum_range<P, true, true, true>(task, frame, mask, range)
                           : sum_range<P, true, true, false>(task, frame, mask, range);
  }
  return mask != nullptr ? sum_range<P, true, false, true>(task, frame, mask, range)
                         : sum_range<P, true, false, false>(task, frame, mask, range);
}

template <class P>
void reduce_panel(const IntegerTask& task, const FrameView& frame, const Range& range, std::int64_t* nyx,
                  double* sums) {
  std::size_t k = 0;
  if (task.moments) {
    const Sums found = sum_moments<P>(task, frame, range);
    nyx[0] += found.n;
    nyx[1] += found.y;
    nyx[2] += found.x;
    if (task.detector_count > 0) sums[k++] += static_cast<double>(found.detector);
  }
  for (; k < task.detector_count; ++k) {
    const IntegerDetector& detector = task.detectors[k];
    const Range part{larger(range.first, detector.first_row), smaller(range.last, detector.last_row),
                     larger(range.left, detector.left), smaller(range.right, detector.right)};
    if (part.first >= part.last || part.left >= part.right) continue;
    sums[k] += static_cast<double>(sum_range<P, false, false, true>(task, frame, detector.mask, part).detector);
  }
}

template <class P>
void take_out_dead(const IntegerTask& task, const FrameView& frame, std::int64_t* nyx) {
  std::int64_t n = 0, y = 0, x = 0;
  for (std::size_t i = 0; i < task.dead_count; ++i) {
    const DeadPixel& dead = task.dead[i];
    const std::int64_t count = P::count(frame.data + dead.y * frame.stride_row + dead.x * frame.stride_col);
    n += count;
    y += dead.y * count;
    x += dead.x * count;
  }
  nyx[0] -= n;
  nyx[1] -= y;
  nyx[2] -= x;
}

// Panels of up to `kPanelVectors`; a vector that the row doesn't fill is a panel of its own. Behind the moments, other
// detectors take what is still in the cache, 32 KB at a time.
template <class P>
void reduce(const IntegerTask& task, const FrameView& frame, std::int64_t* nyx, double* sums) {
  const std::size_t vectors = (task.nx + kPixels - 1) / kPixels, whole = task.nx / kPixels;
  const std::size_t passes = task.detector_count + (task.moments && task.detector_count == 0 ? 1 : 0);
  for (std::size_t left = 0; left < vectors;) {
    const std::size_t right = left < whole ? smaller(left + kPanelVectors, whole) : vectors;
    const std::size_t rows = passes > 1 ? larger(512 / (right - left), 1) : task.ny;
    for (std::size_t first = 0; first < task.ny; first += rows) {
      reduce_panel<P>(task, frame, {first, smaller(first + rows, task.ny), left, right}, nyx, sums);
    }
    left = right;
  }
  take_out_dead<P>(task, frame, nyx);
  constexpr std::int64_t bias = -static_cast<std::int64_t>(P::bias);
  if (task.moments) {
    for (int i = 0; i < 3; ++i) nyx[i] += bias * task.bias[i];
  }
  for (std::size_t k = 0; k < task.detector_count; ++k) sums[k] += static_cast<double>(bias * task.detectors[k].pixels);
}

}  // namespace

void reduce_integer(const IntegerTask& task, const FrameView& frame, std::int64_t* nyx, double* sums) {
  switch (frame.pixel) {
    case Pixel::u8:
      return reduce<Bytes>(task, frame, nyx, sums);
    case Pixel::u16:
      return reduce<Words>(task, frame, nyx, sums);
    default:
      return reduce<SwappedWords>(task, frame, nyx, sums);
  }
}

}  // namespace crewe::imaging::CREWE_ISA_LEVEL
