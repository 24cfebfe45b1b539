#include "imaging/ricom_kernel.hpp"

namespace crewe::imaging::CREWE_ISA_LEVEL {
namespace {

#if CREWE_ISA_IS_v4
constexpr std::size_t kBytes = 64;
#elif CREWE_ISA_IS_v3
constexpr std::size_t kBytes = 32;
#else
constexpr std::size_t kBytes = 16;
#endif
typedef float Vector __attribute__((vector_size(kBytes)));

template <class V>
inline V load(const float* from) {
  V value;
  __builtin_memcpy(&value, from, sizeof(V));
  return value;
}

template <class V>
inline void store(V value, float* to) {
  __builtin_memcpy(to, &value, sizeof(V));
}

constexpr int kStrip = 8;  // vectors side by side, unrolled: their number is no branch of the inner loop

enum class Rows { both, one };

// Rows r ± e of the image, e in [begin, end), from the last to the first if `backwards`; the pointers are those of e =
// 0 at the first column that is touched. kernel: s_y(0) there.
struct Sweep {
  const float* kernel;
  std::size_t line;
  float *up, *down;
  std::ptrdiff_t stride;
  std::size_t begin, end;
  bool backwards;
};

// P positions into N vectors of each row. The terms of a pixel are added in the order of positions, each rounded as if
// it came alone: pixel = pixel + (s_x·x ± s_y·y). Rows::one leaves `up` alone.
template <class V, int P, int N, Rows R>
void sweep(const Sweep& s, const float* com, float sign) {
  V y[P], x[P];
  for (int j = 0; j < P; ++j) {
    y[j] = V{} + sign * com[2 * j];
    x[j] = V{} + com[2 * j + 1];
  }
  constexpr int kWide = sizeof(V) / sizeof(float);
  const auto line = static_cast<std::ptrdiff_t>(s.line);
  const auto start = static_cast<std::ptrdiff_t>(s.backwards ? s.end - 1 : s.begin);
  const std::ptrdiff_t direction = s.backwards ? -1 : 1;
  const float* ky = s.kernel + 2 * line * start;
  float *up = s.up - s.stride * start, *down = s.down + s.stride * start;
  for (std::size_t e = s.begin; e < s.end; ++e) {
    const float* kx = ky + line;
#pragma GCC unroll 16
    for (int v = 0; v < N; ++v) {
      V above{}, below = load<V>(down + v * kWide);
      if constexpr (R == Rows::both) above = load<V>(up + v * kWide);
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) {
        const V a = load<V>(ky + v * kWide - j) * y[j];
        const V b = load<V>(kx + v * kWide - j) * x[j];
        below = below + (b + a);
        if constexpr (R == Rows::both) above = above + (b - a);
      }
      store(below, down + v * kWide);
      if constexpr (R == Rows::both) store(above, up + v * kWide);
    }
    ky += 2 * line * direction;
    up -= s.stride * direction;
    down += s.stride * direction;
  }
}

template <class V, int P, Rows R>
void strips(Sweep s, const float* com, float sign, std::size_t vectors) {
  constexpr std::size_t kWide = sizeof(V) / sizeof(float);
  while (vectors > 0) {
    const std::size_t n = vectors < kStrip ? vectors : kStrip;
    switch (n) {
      case 1:
        sweep<V, P, 1, R>(s, com, sign);
        break;
      case 2:
        sweep<V, P, 2, R>(s, com, sign);
        break;
      case 3:
        sweep<V, P, 3, R>(s, com, sign);
        break;
      case 4:
        sweep<V, P, 4, R>(s, com, sign);
        break;
      case 5:
        sweep<V, P, 5, R>(s, com, sign);
        break;
      case 6:
        sweep<V, P, 6, R>(s, com, sign);
        break;
      case 7:
        sweep<V, P, 7, R>(s, com, sign);
        break;
      default:
        sweep<V, P, kStrip, R>(s, com, sign);
        break;
    }
    vectors -= n;
    s.kernel += n * kWide;
    s.up += n * kWide;
    s.down += n * kWide;
  }
}

// Distances [begin, end) from the row of the positions.
struct Range {
  std::size_t begin, end;
  bool empty() const { return begin >= end; }
};

Range common(Range a, Range b) {
  return {a.begin > b.begin ? a.begin : b.begin, a.end < b.end ? a.end : b.end};
}

struct Job {
  const RicomTable& kernel;
  const RicomImage& image;
  std::size_t row;
  Range up, down;  // rows of the image above and below (or at) the positions
};

// P positions from `col` on, distances within `part`.
template <int P>
void add(const Job& job, std::size_t col, const float* com, Range part, bool backwards) {
  constexpr std::size_t kLanes = kBytes / sizeof(float);
  const std::size_t half = job.kernel.half, width = job.image.width;
  // The window, shifted into the image; an image that is smaller is done as a whole, what is left of it by single
  // pixels.
  const std::size_t wanted = (2 * half + P + kLanes - 1) / kLanes * kLanes;
  const std::size_t vectors = (wanted < width ? wanted : width) / kLanes;
  const std::size_t window = wanted <= width ? wanted : width;
  std::size_t base = col < half ? 0 : col - half;
  if (base > width - window) base = width - window;
  const std::size_t done = vectors * kLanes;

  const float* kernel = job.kernel.table + (job.kernel.zero + base - col);
  float* here = job.image.image + static_cast<std::ptrdiff_t>(job.row) * job.image.stride + base;
  const auto run = [&]<Rows R>(Range range, float sign, std::ptrdiff_t stride) {
    if (range.empty()) return;
    Sweep s{kernel, job.kernel.line, here, here, stride, range.begin, range.end, backwards};
    strips<Vector, P, R>(s, com, sign, vectors);
    s.kernel += done;
    s.up += done;
    s.down += done;
    for (std::size_t x = done; x < window; ++x, ++s.kernel, ++s.up, ++s.down) sweep<float, P, 1, R>(s, com, sign);
  };
  const Range up = common(job.up, part), down = common(job.down, part), both = common(up, down);
  const std::ptrdiff_t stride = job.image.stride;
  if (both.empty()) {
    run.template operator()<Rows::one>(up, -1.0F, -stride);
    run.template operator()<Rows::one>(down, 1.0F, stride);
    return;
  }
  run.template operator()<Rows::both>(both, 1.0F, stride);
  run.template operator()<Rows::one>({up.begin, both.begin}, -1.0F, -stride);
  run.template operator()<Rows::one>({both.end, up.end}, -1.0F, -stride);
  run.template operator()<Rows::one>({down.begin, both.begin}, 1.0F, stride);
  run.template operator()<Rows::one>({both.end, down.end}, 1.0F, stride);
}

}  // namespace

void ricom_add(const RicomTable& kernel, const RicomImage& image, std::size_t row, std::size_t col, const float* com,
               std::size_t count) {
  const std::size_t half = kernel.half, first = image.first, last = image.last;
  Job job{kernel, image, row, {1, 0}, {0, 0}};
  if (row >= first) job.up = {row >= last ? row - last + 1 : 1, (row - first < half ? row - first : half) + 1};
  if (row < last) job.down = {row < first ? first - row : 0, (last - 1 - row < half ? last - 1 - row : half) + 1};
  // A run of positions goes over some rows at a time, which then stay in the first-level cache (32 KiB; the rows of a
  // 61 × 61 kernel and of its window are 36). Single positions go over them to and fro, for the same reason.
  const std::size_t rows = count > kRicomPositions ? 8 : half + 1;
  for (std::size_t begin = 0; begin <= half; begin += rows) {
    const Range part{begin, begin + rows};
    std::size_t j = 0;
    for (; j + 4 <= count; j += 4) add<4>(job, col + j, com + 2 * j, part, ((col + j) / 4) % 2 != 0);
    for (; j + 2 <= count; j += 2) add<2>(job, col + j, com + 2 * j, part, ((col + j) / 2) % 2 != 0);
    if (j < count) add<1>(job, col + j, com + 2 * j, part, (col + j) % 2 != 0);
  }
}

}  // namespace crewe::imaging::CREWE_ISA_LEVEL
