// Moments, detector sums and profiles of one frame in double. Eight sums run side by side at every level, whatever the
// width of its vectors, and each detector is summed in the same order whatever else is asked for: the bits depend on
// neither.
//
// Rows of floats are summed as they lie in memory; all others are first turned into doubles, corrected for dark, gain
// and dead pixels, in a buffer that stays in the L1 cache. With the eight lanes of vector v of a row with V vectors
//   R = Σ I_v,   Q = Σ (V − v) I_v as the sum of the running R;   of N rows A = Σ R, B = Σ (N − r) R.
#include "imaging/moments_kernel.hpp"

namespace crewe::imaging::CREWE_ISA_LEVEL {
namespace {

#if CREWE_ISA_IS_v4
constexpr std::size_t kPart = 8;  // doubles of a vector
#elif CREWE_ISA_IS_v3
constexpr std::size_t kPart = 4;
#else
constexpr std::size_t kPart = 2;
#endif
constexpr std::size_t kLanes = kRealLanes, kParts = kLanes / kPart;
constexpr std::size_t kPanel = 1024;  // pixels of a row at a time: 8 KB of doubles
static_assert(kLanes == 8);

typedef double Part __attribute__((vector_size(kPart * 8)));
typedef double PartAnywhere __attribute__((vector_size(kPart * 8), aligned(8)));
typedef float FloatPart __attribute__((vector_size(kPart * 4), aligned(1)));

struct Lanes {
  Part part[kParts];
};

inline Lanes load(const double* p) {
  Lanes lanes;
  for (std::size_t k = 0; k < kParts; ++k) lanes.part[k] = *reinterpret_cast<const PartAnywhere*>(p + k * kPart);
  return lanes;
}

inline Lanes load(const float* p) {
  Lanes lanes;
  for (std::size_t k = 0; k < kParts; ++k) {
    const FloatPart* part = reinterpret_cast<const FloatPart*>(reinterpret_cast<const std::byte*>(p) + k * kPart * 4);
    lanes.part[k] = __builtin_convertvector(*part, Part);
  }
  return lanes;
}

inline void add(Lanes& a, const Lanes& b) {
  for (std::size_t k = 0; k < kParts; ++k) a.part[k] += b.part[k];
}

inline Lanes product(const Lanes& a, const Lanes& b) {
  Lanes lanes;
  for (std::size_t k = 0; k < kParts; ++k) lanes.part[k] = a.part[k] * b.part[k];
  return lanes;
}

inline double sum(const Lanes& lanes) {
  double v[kLanes];
  __builtin_memcpy(v, &lanes, sizeof v);
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

// R, Q, A, B.
struct Running {
  Lanes r{}, q{}, a{}, b{};

  void end_row() {
    add(a, r);
    add(b, a);
    r = Lanes{};
  }
  void result(std::size_t rows, std::size_t vectors, double* nyx) const {
    double lane[kLanes], within = 0;
    __builtin_memcpy(lane, &a, sizeof lane);
    for (std::size_t k = 1; k < kLanes; ++k) within += static_cast<double>(k) * lane[k];
    nyx[0] = sum(a);
    nyx[1] = static_cast<double>(rows) * nyx[0] - sum(b);
    nyx[2] = static_cast<double>(kLanes) * (static_cast<double>(vectors) * nyx[0] - sum(q)) + within;
  }
};

// Part of a row into the running sums, and its sum over a detector, which is returned.
template <bool moments, bool weighted, bool detector, class T>
double sum_row(const T* row, std::size_t count, const float* weights, const float* mask, Running& running) {
  Lanes r = running.r, q = running.q, d{};
  for (std::size_t i = 0; i < count; i += kLanes) {
    const Lanes values = load(row + i);
    if constexpr (moments) {
      add(r, weighted ? product(values, load(weights + i)) : values);
      add(q, r);
    }
    if constexpr (detector) add(d, product(values, load(mask + i)));
  }
  running.r = r;
  running.q = q;
  return detector ? sum(d) : 0;
}

template <class T>
T pixel_at(const std::byte* place) {
  T value;
  __builtin_memcpy(&value, place, sizeof value);
  return value;
}

struct Little8 {
  static constexpr std::ptrdiff_t size = 1;
  static double at(const std::byte* p) { return pixel_at<std::uint8_t>(p); }
};
struct Little16 {
  static constexpr std::ptrdiff_t size = 2;
  static double at(const std::byte* p) { return pixel_at<std::uint16_t>(p); }
};
struct Little32 {
  static constexpr std::ptrdiff_t size = 4;
  static double at(const std::byte* p) { return pixel_at<std::uint32_t>(p); }
};
struct Big16 {
  static constexpr std::ptrdiff_t size = 2;
  static double at(const std::byte* p) { return __builtin_bswap16(pixel_at<std::uint16_t>(p)); }
};
struct Big32 {
  static constexpr std::ptrdiff_t size = 4;
  static double at(const std::byte* p) { return __builtin_bswap32(pixel_at<std::uint32_t>(p)); }
};
struct Float32 {
  static constexpr std::ptrdiff_t size = 4;
  static double at(const std::byte* p) { return static_cast<double>(pixel_at<float>(p)); }
};

template <class P>
void decode(const std::byte* row, std::ptrdiff_t step, std::size_t count, double* out) {
  if (step == P::size) {
    for (std::size_t i = 0; i < count; ++i) out[i] = P::at(row + static_cast<std::ptrdiff_t>(i) * P::size);
  } else {
    for (std::size_t i = 0; i < count; ++i) out[i] = P::at(row + static_cast<std::ptrdiff_t>(i) * step);
  }
}

void decode(Pixel pixel, const std::byte* row, std::ptrdiff_t step, std::size_t count, double* out) {
  switch (pixel) {
    case Pixel::u8:
      return decode<Little8>(row, step, count, out);
    case Pixel::u16:
      return decode<Little16>(row, step, count, out);
    case Pixel::u32:
      return decode<Little32>(row, step, count, out);
    case Pixel::u16_be:
      return decode<Big16>(row, step, count, out);
    case Pixel::u32_be:
      return decode<Big32>(row, step, count, out);
    case Pixel::f32:
      return decode<Float32>(row, step, count, out);
  }
}

// Neighbours mostly lie in one ring: eight sets of sums, taken in turn, so that none waits for the one before.
class RingSums {
 public:
  void add(const double* row, const std::uint8_t* rings, std::size_t count) {
    for (std::size_t i = 0; i < count; i += kLanes) {
      for (std::size_t k = 0; k < kLanes; ++k) sums_[k][rings[i + k]] += row[i + k];
    }
  }
  double ring(std::size_t j) const {
    double total = 0;
    for (std::size_t k = 0; k < kLanes; ++k) total += sums_[k][j];
    return total;
  }

 private:
  double sums_[kLanes][256] = {};
};

class Frame {
 public:
  Frame(const RealTask& task, const FrameView& frame, double* sums)
      : task_(task), frame_(frame), sums_(sums), width_((task.nx + kLanes - 1) / kLanes * kLanes), dead_(task.dead) {}

  void sum(RingSums* rings) {
    const bool corrected = task_.dark != nullptr || task_.gain != nullptr || rings != nullptr;
    const bool floats = frame_.pixel == Pixel::f32 && frame_.column_stride == sizeof(float) && !corrected;
    for (std::size_t y = 0; y < task_.ny; ++y) {
      const bool direct = floats && !dead_in_row(y);
      for (std::size_t x = 0; x < task_.nx; x += kPanel) {
        const std::size_t count = task_.nx - x < kPanel ? task_.nx - x : kPanel;
        // The last vector is summed on its own, wherever the others come from.
        const std::size_t whole = count / kLanes * kLanes, rest = count - whole;
        if (direct) {
          sum_panel(reinterpret_cast<const float*>(place(y, x)), y, x, whole);
          if (rest > 0) fill_buffer(y, x + whole, rest);
          if (rest > 0) sum_panel(buffer_, y, x + whole, kLanes);
        } else {
          const std::size_t padded = fill_buffer(y, x, count);
          sum_panel(buffer_, y, x, whole);
          if (rest > 0) sum_panel(buffer_ + whole, y, x + whole, kLanes);
          if (rings != nullptr) rings->add(buffer_, task_.rings + y * width_ + x, padded);
        }
      }
      running_.end_row();
    }
  }

  void moments(double* nyx) const { running_.result(task_.ny, width_ / kLanes, nyx); }

 private:
  const std::byte* place(std::size_t y, std::size_t x) const {
    return frame_.data + static_cast<std::ptrdiff_t>(y) * frame_.row_stride +
           static_cast<std::ptrdiff_t>(x) * frame_.column_stride;
  }

  bool dead_in_row(std::size_t y) const {
    return dead_ != task_.dead + task_.dead_count && dead_->y == static_cast<std::ptrdiff_t>(y);
  }

  // Corrected pixels, zeros up to a whole vector; how many that are.
  std::size_t fill_buffer(std::size_t y, std::size_t x, std::size_t count) {
    const std::size_t first = y * width_ + x, padded = (count + kLanes - 1) / kLanes * kLanes;
    decode(frame_.pixel, place(y, x), frame_.column_stride, count, buffer_);
    for (std::size_t i = count; i < padded; ++i) buffer_[i] = 0;
    for (; dead_in_row(y) && dead_->x < static_cast<std::ptrdiff_t>(x + count); ++dead_) {
      buffer_[dead_->x - static_cast<std::ptrdiff_t>(x)] = 0;
    }
    if (task_.dark != nullptr) {
      for (std::size_t i = 0; i < padded; ++i) buffer_[i] -= static_cast<double>(task_.dark[first + i]);
    }
    if (task_.gain != nullptr) {
      for (std::size_t i = 0; i < padded; ++i) buffer_[i] *= static_cast<double>(task_.gain[first + i]);
    }
    return padded;
  }

  // The first detector goes with the moments.
  template <class T>
  void sum_panel(const T* row, std::size_t y, std::size_t x, std::size_t count) {
    const std::size_t first = y * width_ + x;
    const float* weights = task_.weights != nullptr ? task_.weights + first : nullptr;
    std::size_t k = 0;
    if (task_.moments) {
      if (task_.detector_count > 0) {
        const float* mask = task_.detectors[k] + first;
        sums_[k++] += weights != nullptr ? sum_row<true, true, true>(row, count, weights, mask, running_)
                                         : sum_row<true, false, true>(row, count, weights, mask, running_);
      } else if (weights != nullptr) {
        sum_row<true, true, false>(row, count, weights, nullptr, running_);
      } else {
        sum_row<true, false, false>(row, count, nullptr, nullptr, running_);
      }
    }
    for (; k < task_.detector_count; ++k) {
      sums_[k] += sum_row<false, false, true>(row, count, nullptr, task_.detectors[k] + first, running_);
    }
  }

  alignas(64) double buffer_[kPanel];
  const RealTask& task_;
  const FrameView& frame_;
  double* sums_;
  std::size_t width_;
  const DeadPixel* dead_;
  Running running_;
};

inline bool finite(double number) {
  return number - number == 0;  // NOLINT(misc-redundant-expression): NaN for what isn't
}

}  // namespace

bool reduce_real(const RealTask& task, const FrameView& frame, double* nyx, double* sums, double* profile) {
  Frame work(task, frame, sums);
  bool all_finite = true;  // a number that isn't finite spoils each sum, whatever its weight: 0·∞ is no number
  if (task.rings != nullptr) {
    RingSums rings;
    work.sum(&rings);
    for (std::size_t j = 0; j < 256; ++j) {
      profile[j] = rings.ring(j);
      all_finite = all_finite && finite(profile[j]);
    }
  } else {
    work.sum(nullptr);
  }
  if (task.moments) {
    work.moments(nyx);
    all_finite = all_finite && finite(nyx[0]);
  }
  for (std::size_t k = 0; k < task.detector_count; ++k) all_finite = all_finite && finite(sums[k]);
  return all_finite;
}

}  // namespace crewe::imaging::CREWE_ISA_LEVEL
