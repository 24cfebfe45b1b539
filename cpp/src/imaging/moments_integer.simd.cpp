// Exact sums over one frame of 8- or 16-bit pixels whose weights are 0 and 1.
//
// s = I − bias fits into a signed word (bias = 2^15, or 0 for bytes); a multiply-add of words (madd) then sums pairs of
// pixels, each with a weight, in one instruction. Of a row with V vectors p_v = madd(s, 1):
//   R = Σ p_v,   Q = Σ (V − v) p_v as the sum of the running R,   X = Σ madd(s, column − middle of the vector)
// and of N rows A = Σ R, B = Σ (N − r) R in the same way: y and x moments for three additions a vector, two a row.
// The 32-bit lanes are emptied into 64-bit ones before they can overflow; the bias is taken off at the end.
#include "imaging/moments_kernel.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace crewe::imaging::CREWE_ISA_LEVEL {
namespace {

// The widest vectors of each level: as these sums are exact, their width doesn't show.
#if CREWE_ISA_IS_v4
constexpr std::size_t kBytes = 64;
typedef std::uint32_t Bits;  // of a mask, one per pixel of a vector
#elif CREWE_ISA_IS_v3
constexpr std::size_t kBytes = 32;
typedef std::uint16_t Bits;
#else
constexpr std::size_t kBytes = 16;
typedef std::uint8_t Bits;
#endif
constexpr std::size_t kPixels = kBytes / 2;  // of a vector
constexpr std::size_t kPanel = 128;          // vectors of a row that are summed at a time

typedef std::int16_t Words __attribute__((vector_size(kBytes)));
typedef std::int16_t WordsAnywhere __attribute__((vector_size(kBytes), aligned(1)));
typedef std::uint16_t UnsignedWords __attribute__((vector_size(kBytes)));
typedef std::uint8_t HalfBytes __attribute__((vector_size(kBytes / 2), aligned(1)));
typedef std::int32_t Lanes __attribute__((vector_size(kBytes)));
typedef std::int32_t HalfLanes __attribute__((vector_size(kBytes / 2)));
typedef std::int64_t WideLanes __attribute__((vector_size(kBytes)));

// Σ a·b over pairs of neighbours.
inline Lanes madd(Words a, Words b) {
#if CREWE_ISA_IS_v4
  return reinterpret_cast<Lanes>(_mm512_madd_epi16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif CREWE_ISA_IS_v3
  return reinterpret_cast<Lanes>(_mm256_madd_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__x86_64__)
  return reinterpret_cast<Lanes>(_mm_madd_epi16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  Lanes sums;
  for (std::size_t k = 0; k < kBytes / 4; ++k) sums[k] = a[2 * k] * b[2 * k] + a[2 * k + 1] * b[2 * k + 1];
  return sums;
#endif
}

constexpr Words numbered(std::int16_t first) {
  Words words{};
  for (std::size_t k = 0; k < kPixels; ++k) words[k] = static_cast<std::int16_t>(first + static_cast<std::int16_t>(k));
  return words;
}

// The words whose bit is set, zeros elsewhere.
inline Words select(Bits bits, Words words) {
#if CREWE_ISA_IS_v4
  return reinterpret_cast<Words>(_mm512_maskz_mov_epi16(bits, reinterpret_cast<__m512i>(words)));
#else
  const UnsignedWords bit = (UnsignedWords{} + 1) << reinterpret_cast<UnsignedWords>(numbered(0));
  return words & (((UnsignedWords{} + bits) & bit) == bit);
#endif
}

inline WideLanes widen(Lanes lanes) {
  const HalfLanes* half = reinterpret_cast<const HalfLanes*>(&lanes);
  return __builtin_convertvector(half[0], WideLanes) + __builtin_convertvector(half[1], WideLanes);
}

inline std::int64_t sum(WideLanes lanes) {
  std::int64_t total = 0;
  for (std::size_t k = 0; k < kBytes / 8; ++k) total += lanes[k];
  return total;
}

struct Bytes {
  static constexpr std::size_t size = 1;
  static constexpr std::int16_t bias = 0;
  static constexpr std::uint8_t nothing[size] = {0};  // the pixel that s = 0 stands for
  static Words load(const std::byte* p) {
    return __builtin_convertvector(*reinterpret_cast<const HalfBytes*>(p), Words);
  }
  static std::int64_t count(const std::byte* p) { return static_cast<std::int64_t>(*p); }
};

struct LittleWords {
  static constexpr std::size_t size = 2;
  static constexpr std::int16_t bias = -32768;
  static constexpr std::uint8_t nothing[size] = {0x00, 0x80};
  static Words load(const std::byte* p) { return *reinterpret_cast<const WordsAnywhere*>(p); }
  static std::int64_t count(const std::byte* p) {
    std::uint16_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
  }
};

struct BigWords {
  static constexpr std::size_t size = 2;
  static constexpr std::int16_t bias = -32768;
  static constexpr std::uint8_t nothing[size] = {0x80, 0x00};
  static Words load(const std::byte* p) {
    const Words words = LittleWords::load(p);
#if CREWE_ISA_IS_v4
    const __m512i order = _mm512_set4_epi32(0x0e0f0c0d, 0x0a0b0809, 0x06070405, 0x02030001);
    return reinterpret_cast<Words>(_mm512_shuffle_epi8(reinterpret_cast<__m512i>(words), order));
#elif CREWE_ISA_IS_v3
    const __m256i order = _mm256_setr_epi32(0x02030001, 0x06070405, 0x0a0b0809, 0x0e0f0c0d,  //
                                            0x02030001, 0x06070405, 0x0a0b0809, 0x0e0f0c0d);
    return reinterpret_cast<Words>(_mm256_shuffle_epi8(reinterpret_cast<__m256i>(words), order));
#else
    const UnsignedWords bits = reinterpret_cast<UnsignedWords>(words);
    return reinterpret_cast<Words>(bits << 8 | bits >> 8);
#endif
  }
  static std::int64_t count(const std::byte* p) {
    return __builtin_bswap16(static_cast<std::uint16_t>(LittleWords::count(p)));
  }
};

std::size_t smaller(std::size_t a, std::size_t b) {
  return a < b ? a : b;
}
std::size_t larger(std::size_t a, std::size_t b) {
  return a > b ? a : b;
}

// `count` pixels that lie `step` bytes apart, and nothing behind them.
template <class P>
Words gather(const std::byte* first, std::ptrdiff_t step, std::size_t count) {
  alignas(64) std::byte near[kPixels * P::size];
  for (std::size_t i = 0; i < kPixels; ++i) {
    const void* pixel =
        i < count ? static_cast<const void*>(first + static_cast<std::ptrdiff_t>(i) * step) : P::nothing;
    __builtin_memcpy(near + i * P::size, pixel, P::size);
  }
  return P::load(near);
}

// Rows until a 32-bit lane could overflow, V vectors to a row: |p| <= 2^16, |X| of a vector <= 31·2^15.
std::size_t rows_at_once(std::size_t vectors) {
  std::size_t rows = smaller(64, smaller(2048 / vectors, larger(65535 / (vectors * (vectors + 1)), 1)));
  while (rows * (rows + 1) * vectors >= 65536) --rows;
  return rows;
}

// Rows [first, last) of vectors [left, right).
struct Range {
  std::size_t first, last, left, right;
};

struct Sums {
  std::int64_t n, y, x, detector;
};

// `whole`: the range holds vectors whose pixels lie side by side, and nothing else. One load instruction walks over
// them in order: the prefetcher of the processor follows it; several loads in an unrolled loop lose a tenth of the
// speed.
template <class P, bool moments, bool weighted, bool detector, bool whole>
__attribute__((noinline)) Sums sum_range(const IntegerTask& task, const FrameView& frame, const std::uint32_t* mask,
                                         const Range& range) {
  const std::size_t mask_width = (task.nx + kMaskPixels - 1) / kMaskPixels * (kMaskPixels / kPixels);
  const std::size_t vectors = range.right - range.left, rows = rows_at_once(vectors);
  const std::ptrdiff_t step =
      static_cast<std::ptrdiff_t>(kPixels) * (whole ? static_cast<std::ptrdiff_t>(P::size) : frame.stride_col);
  const std::byte* row = frame.data + static_cast<std::ptrdiff_t>(range.first) * frame.stride_row +
                         static_cast<std::ptrdiff_t>(range.left) * step;
  const Bits* weights = nullptr;
  const Bits* ring = nullptr;
  if constexpr (weighted) weights = reinterpret_cast<const Bits*>(task.weights) + range.first * mask_width + range.left;
  if constexpr (detector) ring = reinterpret_cast<const Bits*>(mask) + range.first * mask_width + range.left;
  WideLanes n{}, y_moment{}, running{}, x_moment{}, counted{};
  for (std::size_t y = range.first; y < range.last;) {
    const std::size_t end = smaller(y + rows, range.last);
    Lanes a{}, b{}, q{}, x{}, d{};
    for (; y < end; ++y) {
      Lanes r{};
      for (std::size_t v = 0; v < vectors; ++v) {
        Words words;
        if constexpr (whole) {
          words = P::load(row + static_cast<std::ptrdiff_t>(v) * step);
        } else {
          words = gather<P>(row + static_cast<std::ptrdiff_t>(v) * step, frame.stride_col,
                            smaller(task.nx - (range.left + v) * kPixels, kPixels));
        }
        words ^= P::bias;
        if constexpr (moments) {
          const Words chosen = weighted ? select(weights[v], words) : words;
          r += madd(chosen, Words{} + 1);
          q += r;
          x += madd(chosen, numbered(-static_cast<std::int16_t>(kPixels / 2)));
        }
        if constexpr (detector) d += madd(select(ring[v], words), Words{} + 1);
      }
      a += r;
      b += a;
      row += frame.stride_row;
      if constexpr (weighted) weights += mask_width;
      if constexpr (detector) ring += mask_width;
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
    constexpr std::int64_t width = kPixels;
    sums.n = sum(n);
    sums.y = sum(y_moment);
    sums.x =
        width * (static_cast<std::int64_t>(range.right) * sums.n - sum(running)) + width / 2 * sums.n + sum(x_moment);
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
void reduce_range(const IntegerTask& task, const FrameView& frame, const Range& range, std::int64_t* nyx,
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
                     larger(range.left, detector.first_column / kPixels),
                     smaller(range.right, (detector.last_column + kPixels - 1) / kPixels)};
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

// A vector that the row doesn't fill is a panel of its own. Behind the moments, further detectors take what is still in
// the cache, 32 KB at a time.
template <class P>
void reduce(const IntegerTask& task, const FrameView& frame, std::int64_t* nyx, double* sums) {
  const std::size_t vectors = (task.nx + kPixels - 1) / kPixels, whole = task.nx / kPixels;
  const std::size_t passes = larger(task.detector_count, 1);
  for (std::size_t left = 0; left < vectors;) {
    const std::size_t right = left < whole ? smaller(left + kPanel, whole) : vectors;
    const std::size_t rows = passes > 1 ? larger(32768 / kBytes / (right - left), 1) : task.ny;
    for (std::size_t first = 0; first < task.ny; first += rows) {
      reduce_range<P>(task, frame, {first, smaller(first + rows, task.ny), left, right}, nyx, sums);
    }
    left = right;
  }
  take_out_dead<P>(task, frame, nyx);
  constexpr std::int64_t bias = -static_cast<std::int64_t>(P::bias);
  for (int i = 0; i < 3; ++i) nyx[i] += bias * task.weight_moments[i];
  for (std::size_t k = 0; k < task.detector_count; ++k) sums[k] += static_cast<double>(bias * task.detectors[k].pixels);
}

}  // namespace

void reduce_integer(const IntegerTask& task, const FrameView& frame, std::int64_t* nyx, double* sums) {
  switch (frame.pixel) {
    case Pixel::u8:
      return reduce<Bytes>(task, frame, nyx, sums);
    case Pixel::u16:
      return reduce<LittleWords>(task, frame, nyx, sums);
    default:
      return reduce<BigWords>(task, frame, nyx, sums);
  }
}

}  // namespace crewe::imaging::CREWE_ISA_LEVEL
