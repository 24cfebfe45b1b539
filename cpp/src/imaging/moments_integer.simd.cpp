// Exact sums over one frame of integers whose weights are 0 and 1.
//
// With p_v = Σ I of vector v, of a row with V vectors
//   R = Σ p_v,   Q = Σ (V − v) p_v as the sum of the running R,   X = Σ (column − middle of the vector) I
// and of N rows A = Σ R, B = Σ (N − r) R in the same way: y and x moments for a few additions a vector, two a row.
#include "imaging/moments_kernel.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace crewe::imaging::CREWE_ISA_LEVEL {
namespace {

// The widest vectors of each level: as these sums are exact, their width doesn't show.
#if CREWE_ISA_IS_v4
constexpr std::size_t kBytes = 64;
#elif CREWE_ISA_IS_v3
constexpr std::size_t kBytes = 32;
#else
constexpr std::size_t kBytes = 16;
#endif
constexpr std::size_t kPanel = 128;  // vectors of a row that are summed at a time

typedef std::int16_t Words __attribute__((vector_size(kBytes)));
typedef std::int16_t WordsAnywhere __attribute__((vector_size(kBytes), aligned(1)));
typedef std::uint16_t UnsignedWords __attribute__((vector_size(kBytes)));
typedef std::uint8_t Bytes __attribute__((vector_size(kBytes)));
typedef std::uint8_t BytesAnywhere __attribute__((vector_size(kBytes), aligned(1)));
typedef std::int8_t SignedBytes __attribute__((vector_size(kBytes)));
typedef std::int32_t Lanes __attribute__((vector_size(kBytes)));
typedef std::int32_t HalfLanes __attribute__((vector_size(kBytes / 2)));
typedef std::uint32_t Doubles __attribute__((vector_size(kBytes)));
typedef std::uint32_t DoublesAnywhere __attribute__((vector_size(kBytes), aligned(1)));
typedef std::int64_t WideLanes __attribute__((vector_size(kBytes)));
typedef std::uint64_t UnsignedWideLanes __attribute__((vector_size(kBytes)));

std::size_t smaller(std::size_t a, std::size_t b) {
  return a < b ? a : b;
}
std::size_t larger(std::size_t a, std::size_t b) {
  return a > b ? a : b;
}

inline std::int64_t sum(WideLanes lanes) {
  std::int64_t total = 0;
  for (std::size_t k = 0; k < kBytes / 8; ++k) total += lanes[k];
  return total;
}

// ---- 16 bits: s = I − bias fits into a signed word (bias = 2^15); a multiply-add of words (madd) sums pairs of
// pixels, each with a weight, in one instruction. The 32-bit lanes are emptied into 64-bit ones before they can
// overflow; the bias is taken off in the end.

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

template <class Vector, class Number>
constexpr Vector numbered(Number first) {
  Vector numbers{};
  for (std::size_t k = 0; k < sizeof(Vector) / sizeof(Number); ++k) {
    numbers[k] = static_cast<Number>(first + static_cast<Number>(k));
  }
  return numbers;
}

inline WideLanes widen(Lanes lanes) {
  const HalfLanes* half = reinterpret_cast<const HalfLanes*>(&lanes);
  return __builtin_convertvector(half[0], WideLanes) + __builtin_convertvector(half[1], WideLanes);
}

// What all rows of a range add up to, without the bias; the columns of x count from that of the vector at `right`.
struct Sums {
  std::int64_t n = 0, y = 0, x = 0, detector = 0;
};

inline WideLanes widen(WideLanes lanes) {
  return lanes;
}

// The way from row to row, in lanes that hold a block of rows: Σ R and Σ y·R of all blocks.
template <class Held>
class RowSums {
 public:
  void end_row() {
    a_ += r_;
    b_ += a_;
    r_ = Held{};
  }

 protected:
  void end_rows(std::size_t end) {
    n_ += widen(a_);
    y_moment_ += widen(a_) * static_cast<std::int64_t>(end) - widen(b_);
    a_ = b_ = Held{};
  }

  Held r_{}, a_{}, b_{};
  WideLanes n_{}, y_moment_{};
};

class NarrowSums : public RowSums<Lanes> {
 public:
  static constexpr std::size_t kPixels = kBytes / 2;

  // Rows until a lane could overflow, V vectors to a row: |p| <= 2^16, |X| of a vector <= 31·2^15.
  static std::size_t rows_at_once(std::size_t vectors) {
    std::size_t rows = 64;
    while (rows > 1 &&
           (rows * vectors > 2048 || rows * vectors * (vectors + 1) >= 65536 || rows * (rows + 1) * vectors >= 65536)) {
      --rows;
    }
    return rows;
  }
  void add(Words s) {
    r_ += madd(s, Words{} + 1);
    q_ += r_;
    x_ += madd(s, numbered<Words, std::int16_t>(-static_cast<std::int16_t>(kPixels / 2)));
  }
  void add_to_detector(Words s) { d_ += madd(s, Words{} + 1); }
  void end_block(std::size_t end) {
    end_rows(end);
    running_ += widen(q_);
    x_moment_ += widen(x_);
    detector_ += widen(d_);
    q_ = x_ = d_ = Lanes{};
  }
  Sums result(std::size_t right) const {
    constexpr std::int64_t width = kPixels;
    const std::int64_t n = sum(n_), vectors = static_cast<std::int64_t>(right);
    return {n, sum(y_moment_), width * (vectors * n - sum(running_)) + width / 2 * n + sum(x_moment_), sum(detector_)};
  }

 private:
  Lanes q_{}, x_{}, d_{};
  WideLanes running_{}, x_moment_{}, detector_{};
};

struct NarrowPixel {
  using Vector = Words;
  using Total = NarrowSums;
#if CREWE_ISA_IS_v4
  typedef std::uint32_t Bits;  // of a mask, one per pixel of a vector
#elif CREWE_ISA_IS_v3
  typedef std::uint16_t Bits;
#else
  typedef std::uint8_t Bits;
#endif
  static Bits bits(const std::uint64_t* row, std::size_t v) { return reinterpret_cast<const Bits*>(row)[v]; }

  // The words whose bit is set, zeros elsewhere.
  static Words select(Bits bits, Words words) {
#if CREWE_ISA_IS_v4
    return reinterpret_cast<Words>(_mm512_maskz_mov_epi16(bits, reinterpret_cast<__m512i>(words)));
#else
    const UnsignedWords bit = (UnsignedWords{} + 1) << numbered<UnsignedWords, std::uint16_t>(0);
    return words & (((UnsignedWords{} + bits) & bit) == bit);
#endif
  }
};

struct Pixel16 : NarrowPixel {
  static constexpr std::size_t size = 2;
  static constexpr std::int64_t bias = 32768;
  static constexpr std::uint8_t nothing[size] = {0x00, 0x80};
  static Words load(const std::byte* p) { return *reinterpret_cast<const WordsAnywhere*>(p) ^ std::int16_t{-32768}; }
  static std::int64_t count(const std::byte* p) {
    std::uint16_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
  }
};

#if CREWE_ISA_IS_v4
#define CREWE_SHUFFLE(vector, b0, b1, b2, b3) \
  _mm512_shuffle_epi8(reinterpret_cast<__m512i>(vector), _mm512_set4_epi32(b3, b2, b1, b0))
#elif CREWE_ISA_IS_v3
#define CREWE_SHUFFLE(vector, b0, b1, b2, b3) \
  _mm256_shuffle_epi8(reinterpret_cast<__m256i>(vector), _mm256_setr_epi32(b0, b1, b2, b3, b0, b1, b2, b3))
#endif

struct Pixel16Swapped : NarrowPixel {
  static constexpr std::size_t size = 2;
  static constexpr std::int64_t bias = 32768;
  static constexpr std::uint8_t nothing[size] = {0x80, 0x00};
  static Words load(const std::byte* p) {
    const Words words = *reinterpret_cast<const WordsAnywhere*>(p);
#ifdef CREWE_SHUFFLE
    const Words swapped = reinterpret_cast<Words>(CREWE_SHUFFLE(words, 0x02030001, 0x06070405, 0x0a0b0809, 0x0e0f0c0d));
#else
    const UnsignedWords bits = reinterpret_cast<UnsignedWords>(words);
    const Words swapped = reinterpret_cast<Words>(bits << 8 | bits >> 8);
#endif
    return swapped ^ std::int16_t{-32768};
  }
  static std::int64_t count(const std::byte* p) {
    return __builtin_bswap16(static_cast<std::uint16_t>(Pixel16::count(p)));
  }
};

// ---- 8 bits: sums of absolute differences (sad) from 0 add up eight bytes in one instruction.

class ByteSums : public RowSums<WideLanes> {
 public:
  static constexpr std::size_t kPixels = kBytes;

  // Rows until a lane of x could overflow: |X| <= 4·255·32 of a vector; the others are 64 bits wide.
  static std::size_t rows_at_once(std::size_t vectors) { return smaller(64, larger(65536 / vectors, 1)); }
  void add(Bytes pixels) {
    r_ += sad(pixels);
    q_ += r_;
    x_ += dot(pixels, numbered<SignedBytes, std::int8_t>(-static_cast<std::int8_t>(kPixels / 2)));
  }
  void add_to_detector(Bytes pixels) { d_ += sad(pixels); }
  void end_block(std::size_t end) {
    end_rows(end);
    x_moment_ += widen(x_);
    x_ = Lanes{};
  }
  Sums result(std::size_t right) const {
    constexpr std::int64_t width = kPixels;
    const std::int64_t n = sum(n_), vectors = static_cast<std::int64_t>(right);
    return {n, sum(y_moment_), width * (vectors * n - sum(q_)) + width / 2 * n + sum(x_moment_), sum(d_)};
  }

 private:
  static WideLanes sad(Bytes pixels) {
#if CREWE_ISA_IS_v4
    return reinterpret_cast<WideLanes>(_mm512_sad_epu8(reinterpret_cast<__m512i>(pixels), __m512i{}));
#elif CREWE_ISA_IS_v3
    return reinterpret_cast<WideLanes>(_mm256_sad_epu8(reinterpret_cast<__m256i>(pixels), __m256i{}));
#elif defined(__x86_64__)
    return reinterpret_cast<WideLanes>(_mm_sad_epu8(reinterpret_cast<__m128i>(pixels), __m128i{}));
#else
    WideLanes sums{};
    for (std::size_t k = 0; k < kBytes; ++k) sums[k / 8] += pixels[k];
    return sums;
#endif
  }

  // Σ pixel·weight over four neighbours, or others: each pixel once.
  static Lanes dot(Bytes pixels, SignedBytes weights) {
#if CREWE_ISA_IS_v4
    return madd(reinterpret_cast<Words>(
                    _mm512_maddubs_epi16(reinterpret_cast<__m512i>(pixels), reinterpret_cast<__m512i>(weights))),
                Words{} + 1);
#elif CREWE_ISA_IS_v3
    return madd(reinterpret_cast<Words>(
                    _mm256_maddubs_epi16(reinterpret_cast<__m256i>(pixels), reinterpret_cast<__m256i>(weights))),
                Words{} + 1);
#else
    const UnsignedWords pairs = reinterpret_cast<UnsignedWords>(pixels);
    const Words two = reinterpret_cast<Words>(weights);
    const Words even = reinterpret_cast<Words>(pairs & 0xff), odd = reinterpret_cast<Words>(pairs >> 8);
    return madd(even, two << 8 >> 8) + madd(odd, two >> 8);
#endif
  }

  WideLanes q_{}, d_{}, x_moment_{};
  Lanes x_{};
};

struct Pixel8 {
  using Vector = Bytes;
  using Total = ByteSums;
  static constexpr std::size_t size = 1;
  static constexpr std::int64_t bias = 0;
  static constexpr std::uint8_t nothing[size] = {};
#if CREWE_ISA_IS_v4
  typedef std::uint64_t Bits;
#elif CREWE_ISA_IS_v3
  typedef std::uint32_t Bits;
#else
  typedef std::uint16_t Bits;
#endif
  static Bits bits(const std::uint64_t* row, std::size_t v) { return reinterpret_cast<const Bits*>(row)[v]; }
  static Bytes select(Bits bits, Bytes pixels) {
#if CREWE_ISA_IS_v4
    return reinterpret_cast<Bytes>(_mm512_maskz_mov_epi8(bits, reinterpret_cast<__m512i>(pixels)));
#else
    const Bytes bit = (Bytes{} + 1) << (numbered<Bytes, std::uint8_t>(0) & 7);
    // Each byte of the mask eight times.
#if CREWE_ISA_IS_v3
    const __m256i spread =
        _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)),
                            _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
#else
    UnsignedWideLanes spread{};
    for (std::size_t k = 0; k < kBytes / 8; ++k) spread[k] = (bits >> 8 * k & 0xff) * 0x0101010101010101;
#endif
    return pixels & reinterpret_cast<Bytes>((reinterpret_cast<Bytes>(spread) & bit) == bit);
#endif
  }
  static Bytes load(const std::byte* p) { return *reinterpret_cast<const BytesAnywhere*>(p); }
  static std::int64_t count(const std::byte* p) { return static_cast<std::int64_t>(*p); }
};

// ---- 32 bits: the even and the odd pixels of a vector apart in 64-bit lanes, which take all there is. As the lanes of
// A keep the columns apart, X comes from them in the end.

class WideSums : public RowSums<WideLanes> {
 public:
  static constexpr std::size_t kPixels = kBytes / 4;

  static std::size_t rows_at_once(std::size_t) { return 64; }
  void add(Doubles pixels) {
    const UnsignedWideLanes pairs = reinterpret_cast<UnsignedWideLanes>(pixels);
    const UnsignedWideLanes odd = pairs >> 32;
    r_ += reinterpret_cast<WideLanes>((pairs & 0xffffffff) + odd);
    q_ += r_;
    odd_ += reinterpret_cast<WideLanes>(odd);
  }
  void add_to_detector(Doubles pixels) {
    const UnsignedWideLanes pairs = reinterpret_cast<UnsignedWideLanes>(pixels);
    d_ += reinterpret_cast<WideLanes>((pairs & 0xffffffff) + (pairs >> 32));
  }
  void end_block(std::size_t end) { end_rows(end); }
  Sums result(std::size_t right) const {
    constexpr std::int64_t width = kPixels;
    const std::int64_t n = sum(n_), vectors = static_cast<std::int64_t>(right);
    const std::int64_t within = 2 * sum(n_ * numbered<WideLanes, std::int64_t>(0)) + sum(odd_);
    return {n, sum(y_moment_), width * (vectors * n - sum(q_)) + within, sum(d_)};
  }

 private:
  WideLanes q_{}, odd_{}, d_{};
};

struct Pixel32 {
  using Vector = Doubles;
  using Total = WideSums;
  static constexpr std::size_t size = 4;
  static constexpr std::int64_t bias = 0;
  static constexpr std::uint8_t nothing[size] = {};
#if CREWE_ISA_IS_v4
  static std::uint32_t bits(const std::uint64_t* row, std::size_t v) {
    return reinterpret_cast<const std::uint16_t*>(row)[v];
  }
#else
  static std::uint32_t bits(const std::uint64_t* row, std::size_t v) {
    constexpr std::size_t pixels = WideSums::kPixels;
    return static_cast<std::uint32_t>(row[v * pixels / kMaskPixels] >> v * pixels % kMaskPixels);
  }
#endif
  static Doubles select(std::uint32_t bits, Doubles pixels) {
#if CREWE_ISA_IS_v4
    return reinterpret_cast<Doubles>(
        _mm512_maskz_mov_epi32(static_cast<__mmask16>(bits), reinterpret_cast<__m512i>(pixels)));
#else
    const Doubles bit = (Doubles{} + 1) << numbered<Doubles, std::uint32_t>(0);
    return pixels & reinterpret_cast<Doubles>(((Doubles{} + bits) & bit) == bit);
#endif
  }
  static Doubles load(const std::byte* p) { return *reinterpret_cast<const DoublesAnywhere*>(p); }
  static std::int64_t count(const std::byte* p) {
    std::uint32_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
  }
};

struct Pixel32Swapped : Pixel32 {
  static Doubles load(const std::byte* p) {
    const Doubles pixels = Pixel32::load(p);
#ifdef CREWE_SHUFFLE
    return reinterpret_cast<Doubles>(CREWE_SHUFFLE(pixels, 0x00010203, 0x04050607, 0x08090a0b, 0x0c0d0e0f));
#else
    return pixels << 24 | (pixels & 0xff00) << 8 | (pixels >> 8 & 0xff00) | pixels >> 24;
#endif
  }
  static std::int64_t count(const std::byte* p) {
    return __builtin_bswap32(static_cast<std::uint32_t>(Pixel32::count(p)));
  }
};

// ---- The way over the frame, for all of them.

// `count` pixels that lie `step` bytes apart, and nothing behind them.
template <class P>
typename P::Vector gather(const std::byte* first, std::ptrdiff_t step, std::size_t count) {
  constexpr std::size_t pixels = P::Total::kPixels;
  alignas(64) std::byte near[pixels * P::size];
  for (std::size_t i = 0; i < pixels; ++i) {
    const void* pixel =
        i < count ? static_cast<const void*>(first + static_cast<std::ptrdiff_t>(i) * step) : P::nothing;
    __builtin_memcpy(near + i * P::size, pixel, P::size);
  }
  return P::load(near);
}

// Rows [first, last) of vectors [left, right).
struct Range {
  std::size_t first, last, left, right;
};

// `whole`: the range holds vectors whose pixels lie side by side, and nothing else. One load instruction walks over
// them in order: the prefetcher of the processor follows it; several loads in an unrolled loop lose a tenth of the
// speed.
template <class P, bool moments, bool weighted, bool detector, bool whole>
__attribute__((noinline)) Sums sum_range(const IntegerTask& task, const FrameView& frame, const std::uint64_t* mask,
                                         const Range& range) {
  constexpr std::size_t pixels = P::Total::kPixels;
  const std::size_t mask_width = (task.nx + kMaskPixels - 1) / kMaskPixels,
                    rows = P::Total::rows_at_once(range.right - range.left);
  const std::ptrdiff_t step =
      static_cast<std::ptrdiff_t>(pixels) * (whole ? static_cast<std::ptrdiff_t>(P::size) : frame.column_stride);
  const DeadPixel *dead = task.dead, *dead_end = task.dead + task.dead_count;
  while (dead != dead_end && dead->y < static_cast<std::ptrdiff_t>(range.first)) ++dead;
  Sums dead_sums;
  typename P::Total total;
  for (std::size_t y = range.first; y < range.last;) {
    const std::size_t end = smaller(y + rows, range.last);
    const std::byte* row = frame.data + static_cast<std::ptrdiff_t>(y) * frame.row_stride;
    for (; y < end; ++y, row += frame.row_stride) {
      const std::uint64_t* weights = weighted ? task.weights + y * mask_width : nullptr;
      const std::uint64_t* ring = detector ? mask + y * mask_width : nullptr;
      for (std::size_t v = range.left; v < range.right; ++v) {
        const std::byte* place = row + static_cast<std::ptrdiff_t>(v) * step;
        typename P::Vector values;
        if constexpr (whole) {
          values = P::load(place);
        } else {
          values = gather<P>(place, frame.column_stride, smaller(task.nx - v * pixels, pixels));
        }
        if constexpr (moments) total.add(weighted ? P::select(P::bits(weights, v), values) : values);
        if constexpr (detector) total.add_to_detector(P::select(P::bits(ring, v), values));
      }
      if constexpr (moments) total.end_row();
      if constexpr (moments && !weighted) {
        // Now, while the row is in the L1 cache: at the end of the frame each would wait behind the prefetches.
        for (; dead != dead_end && dead->y == static_cast<std::ptrdiff_t>(y); ++dead) {
          const auto vector = static_cast<std::size_t>(dead->x) / pixels;
          if (vector < range.left || vector >= range.right) continue;
          const std::int64_t count = P::count(row + dead->x * frame.column_stride);
          dead_sums.n += count;
          dead_sums.y += dead->y * count;
          dead_sums.x += dead->x * count;
        }
      }
    }
    // What comes next is on its way while the sums wait for the last pixels.
    if constexpr (whole) {
      const std::byte* next =
          y < range.last ? row : frame.next + static_cast<std::ptrdiff_t>(range.first) * frame.row_stride;
      next += static_cast<std::ptrdiff_t>(range.left) * step;
      for (int line = 0; line < 32; ++line) __builtin_prefetch(next + 64 * line);
    }
    total.end_block(end);
  }
  Sums sums = total.result(range.right);
  sums.n -= dead_sums.n;
  sums.y -= dead_sums.y;
  sums.x -= dead_sums.x;
  return sums;
}

template <class P, bool moments, bool weighted, bool detector>
Sums sum_range(const IntegerTask& task, const FrameView& frame, const std::uint64_t* mask, const Range& range) {
  const bool dense = frame.column_stride == static_cast<std::ptrdiff_t>(P::size);
  if (dense && range.right * P::Total::kPixels <= task.nx) {
    return sum_range<P, moments, weighted, detector, true>(task, frame, mask, range);
  }
  return sum_range<P, moments, weighted, detector, false>(task, frame, mask, range);
}

// The first detector goes with the moments.
template <class P>
Sums sum_moments(const IntegerTask& task, const FrameView& frame, const Range& range) {
  const std::uint64_t* mask = task.detector_count > 0 ? task.detectors[0].mask : nullptr;
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
  constexpr std::size_t pixels = P::Total::kPixels;
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
                     larger(range.left, detector.first_column / pixels),
                     smaller(range.right, (detector.last_column + pixels - 1) / pixels)};
    if (part.first >= part.last || part.left >= part.right) continue;
    sums[k] += static_cast<double>(sum_range<P, false, false, true>(task, frame, detector.mask, part).detector);
  }
}

// A vector that the row doesn't fill is a panel of its own. Behind the moments, further detectors take what is still in
// the cache, 32 KB at a time.
template <class P>
void reduce(const IntegerTask& task, const FrameView& frame, std::int64_t* nyx, double* sums) {
  constexpr std::size_t pixels = P::Total::kPixels;
  const std::size_t vectors = (task.nx + pixels - 1) / pixels, whole = task.nx / pixels;
  const std::size_t passes = larger(task.detector_count, 1);
  for (std::size_t left = 0; left < vectors;) {
    const std::size_t right = left < whole ? smaller(left + kPanel, whole) : vectors;
    const std::size_t rows = passes > 1 ? larger(32768 / kBytes / (right - left), 1) : task.ny;
    for (std::size_t first = 0; first < task.ny; first += rows) {
      reduce_range<P>(task, frame, {first, smaller(first + rows, task.ny), left, right}, nyx, sums);
    }
    left = right;
  }
  for (int i = 0; i < 3; ++i) nyx[i] += P::bias * task.weight_moments[i];
  for (std::size_t k = 0; k < task.detector_count; ++k)
    sums[k] += static_cast<double>(P::bias * task.detectors[k].pixels);
}

}  // namespace

void reduce_integer(const IntegerTask& task, const FrameView& frame, std::int64_t* nyx, double* sums) {
  switch (frame.pixel) {
    case Pixel::u8:
      return reduce<Pixel8>(task, frame, nyx, sums);
    case Pixel::u16:
      return reduce<Pixel16>(task, frame, nyx, sums);
    case Pixel::u16_be:
      return reduce<Pixel16Swapped>(task, frame, nyx, sums);
    case Pixel::u32:
      return reduce<Pixel32>(task, frame, nyx, sums);
    default:
      return reduce<Pixel32Swapped>(task, frame, nyx, sums);
  }
}

}  // namespace crewe::imaging::CREWE_ISA_LEVEL
