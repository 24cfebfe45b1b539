#include "crewe/imaging/moments.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string>

#include "imaging/moments_kernel.hpp"

namespace crewe::imaging {
namespace {

template <class T>
const T* pointer(const std::vector<T>& values) {
  return values.empty() ? nullptr : values.data();
}

void check_size(std::size_t size, std::size_t wanted, const char* name) {
  if (size == 0 || size == wanted) return;
  throw std::invalid_argument(std::string(name) + ": " + std::to_string(wanted) + " pixels wanted, " +
                              std::to_string(size) + " came");
}

void check_weights(const std::vector<float>& values, std::size_t wanted, const char* name) {
  check_size(values.size(), wanted, name);
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
    throw std::invalid_argument(std::string(name) + ": finite numbers wanted, NaN or infinity came");
  }
}

double squared_distance(std::size_t y, std::size_t x, double cy, double cx) {
  const double dy = static_cast<double>(y) - cy, dx = static_cast<double>(x) - cx;
  return dy * dy + dx * dx;
}

bool binary(const std::vector<float>& weights) {
  return std::ranges::all_of(weights, [](float weight) { return weight == 0 || weight == 1; });
}

// A bit per pixel, in rows of whole words.
class Mask {
 public:
  Mask(std::size_t ny, std::size_t nx) : width_((nx + kMaskPixels - 1) / kMaskPixels), words_(ny * width_) {}
  void set(std::size_t y, std::size_t x) {
    words_[y * width_ + x / kMaskPixels] |= std::uint64_t{1} << x % kMaskPixels;
  }
  const std::uint64_t* data() const { return words_.data(); }

 private:
  std::size_t width_;
  std::vector<std::uint64_t> words_;
};

// Up to so many dead pixels are summed with the others and subtracted afterwards; a mask for all pixels costs more.
constexpr std::size_t kFewDead = 256;

}  // namespace

std::vector<float> ring_weights(std::size_t ny, std::size_t nx, double inner, double outer, double cy, double cx) {
  std::vector<float> weights(ny * nx);
  for (std::size_t y = 0; y < ny; ++y) {
    for (std::size_t x = 0; x < nx; ++x) {
      const double squared = squared_distance(y, x, cy, cx);
      weights[y * nx + x] = squared >= inner * inner && squared < outer * outer ? 1.0F : 0.0F;
    }
  }
  return weights;
}

struct FrameReducer::Plan {
  Options options;
  std::size_t rings = 0;
  std::vector<DeadPixel> dead;  // in the order of memory
  std::vector<const float*> detectors;
  RealTask real{}, profile{};  // everything; the profile alone
  bool exact = false;          // all weights are 0 or 1, nothing is corrected: integers are summed as integers
  std::vector<Mask> masks;
  std::vector<IntegerDetector> integer_detectors;
  IntegerTask integer{};

  explicit Plan(Options wanted) : options(std::move(wanted)) {
    check();
    list_dead_pixels();
    for (const std::uint8_t ring : options.rings) {
      if (ring != no_ring) rings = std::max(rings, std::size_t{ring} + 1);
    }
    exact = options.dark.empty() && options.gain.empty() && binary(options.weights) &&
            std::ranges::all_of(options.detectors, binary);
    if (exact) prepare_integers();
    prepare_reals();
  }

  void check() const {
    const std::size_t pixels = options.ny * options.nx;
    if (pixels == 0) throw std::invalid_argument("detector: at least one pixel wanted");
    check_weights(options.weights, pixels, "weights");
    for (const std::vector<float>& detector : options.detectors) check_weights(detector, pixels, "detector");
    check_size(options.rings.size(), pixels, "rings");
    check_size(options.dark.size(), pixels, "dark");
    check_size(options.gain.size(), pixels, "gain");
    check_size(options.dead_pixels.size(), pixels, "dead_pixels");
    check_living(options.dark, "dark");
    check_living(options.gain, "gain");
  }

  void check_living(const std::vector<float>& values, const char* name) const {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool lives = options.dead_pixels.empty() || options.dead_pixels[i] == 0;
      if (lives && !std::isfinite(values[i]))
        throw std::invalid_argument(std::string(name) + ": finite numbers wanted");
    }
  }

  void list_dead_pixels() {
    for (std::size_t i = 0; i < options.dead_pixels.size(); ++i) {
      if (options.dead_pixels[i] == 0) continue;
      dead.push_back({static_cast<std::ptrdiff_t>(i / options.nx), static_cast<std::ptrdiff_t>(i % options.nx)});
      if (!options.dark.empty()) options.dark[i] = 0;
      if (!options.gain.empty()) options.gain[i] = 0;
    }
  }

  void prepare_reals() {
    for (std::vector<float>& detector : options.detectors) {
      if (detector.empty()) detector.assign(options.ny * options.nx, 1.0F);
      detector = filled_up(std::move(detector), 0.0F);
      detectors.push_back(detector.data());
    }
    options.weights = filled_up(std::move(options.weights), 0.0F);
    options.dark = filled_up(std::move(options.dark), 0.0F);
    options.gain = filled_up(std::move(options.gain), 0.0F);
    options.rings = filled_up(std::move(options.rings), no_ring);
    real = {.ny = options.ny,
            .nx = options.nx,
            .moments = options.moments || (detectors.empty() && options.rings.empty()),  // finds what isn't finite
            .weights = pointer(options.weights),
            .dark = pointer(options.dark),
            .gain = pointer(options.gain),
            .dead = pointer(dead),
            .dead_count = dead.size(),
            .detectors = pointer(detectors),
            .detector_count = detectors.size(),
            .rings = pointer(options.rings)};
    profile = real;
    profile.moments = false;
    profile.detector_count = 0;
  }

  // Rows with whole vectors.
  template <class T>
  std::vector<T> filled_up(std::vector<T> values, T nothing) const {
    const std::size_t width = (options.nx + kRealLanes - 1) / kRealLanes * kRealLanes;
    if (values.empty() || width == options.nx) return values;
    std::vector<T> wide(options.ny * width, nothing);
    for (std::size_t y = 0; y < options.ny; ++y) {
      std::copy_n(values.data() + y * options.nx, options.nx, wide.data() + y * width);
    }
    return wide;
  }

  void prepare_integers() {
    integer.ny = options.ny;
    integer.nx = options.nx;
    integer.moments = options.moments;
    masks.reserve(options.detectors.size() + 1);
    if (options.moments) prepare_integer_weights();
    for (const std::vector<float>& weights : options.detectors) {
      IntegerDetector detector{nullptr, options.ny, 0, options.nx, 0, 0};
      detector.mask = add_mask(weights, [&detector](std::size_t y, std::size_t x) {
        detector.first_row = std::min(detector.first_row, y);
        detector.last_row = y + 1;
        detector.first_column = std::min(detector.first_column, x);
        detector.last_column = std::max(detector.last_column, x + 1);
        ++detector.pixels;
      });
      integer_detectors.push_back(detector);
    }
    integer.detectors = pointer(integer_detectors);
    integer.detector_count = integer_detectors.size();
  }

  void prepare_integer_weights() {
    if (options.weights.empty() && dead.size() <= kFewDead) {
      const auto ny = static_cast<std::int64_t>(options.ny), nx = static_cast<std::int64_t>(options.nx);
      integer.dead = pointer(dead);
      integer.dead_count = dead.size();
      integer.weight_moments[0] = ny * nx;
      integer.weight_moments[1] = ny * (ny - 1) / 2 * nx;
      integer.weight_moments[2] = nx * (nx - 1) / 2 * ny;
    } else {
      integer.weights = add_mask(options.weights, [this](std::size_t y, std::size_t x) {
        integer.weight_moments[0] += 1;
        integer.weight_moments[1] += static_cast<std::int64_t>(y);
        integer.weight_moments[2] += static_cast<std::int64_t>(x);
      });
    }
  }

  // The pixels that have a weight and live, each told to `seen`.
  template <class Seen>
  const std::uint64_t* add_mask(const std::vector<float>& weights, Seen seen) {
    Mask& mask = masks.emplace_back(options.ny, options.nx);
    for (std::size_t y = 0; y < options.ny; ++y) {
      for (std::size_t x = 0; x < options.nx; ++x) {
        const std::size_t i = y * options.nx + x;
        if ((!weights.empty() && weights[i] == 0) || (!options.dead_pixels.empty() && options.dead_pixels[i] != 0))
          continue;
        mask.set(y, x);
        seen(y, x);
      }
    }
    return mask.data();
  }

  bool reduce(const FrameView& frame, Moments* moments, double* sums, float* profiles) const {
    for (std::size_t k = 0; k < detectors.size(); ++k) sums[k] = 0;
    if (exact && frame.pixel != Pixel::f32) {
      std::int64_t nyx[3] = {};
      CREWE_SIMD_CALL(reduce_integer, integer, frame, nyx, sums);
      if (moments != nullptr) {
        *moments = {static_cast<double>(nyx[0]), static_cast<double>(nyx[1]), static_cast<double>(nyx[2])};
      }
      return profiles == nullptr || sum_real(profile, frame, nullptr, nullptr, profiles);
    }
    return sum_real(real, frame, moments, sums, profiles);
  }

  bool sum_real(const RealTask& task, const FrameView& frame, Moments* moments, double* sums, float* profiles) const {
    double nyx[3] = {}, ring_sums[256] = {};
    if (!CREWE_SIMD_CALL(reduce_real, task, frame, nyx, sums, ring_sums)) return false;
    if (moments != nullptr) *moments = {nyx[0], nyx[1], nyx[2]};
    if (profiles != nullptr) std::copy_n(ring_sums, rings, profiles);
    return true;
  }
};

FrameReducer::FrameReducer(Options options) : plan_(std::make_unique<Plan>(std::move(options))) {}
FrameReducer::~FrameReducer() = default;
FrameReducer::FrameReducer(FrameReducer&&) noexcept = default;
FrameReducer& FrameReducer::operator=(FrameReducer&&) noexcept = default;

std::size_t FrameReducer::detectors() const {
  return plan_->detectors.size();
}
std::size_t FrameReducer::rings() const {
  return plan_->rings;
}

std::ptrdiff_t FrameReducer::reduce(const FrameBlock& block, std::size_t begin, std::size_t end, Moments* moments,
                                    double* sums, float* profiles) const {
  const Plan& plan = *plan_;
  if (block.ny != plan.options.ny || block.nx != plan.options.nx) {
    throw std::invalid_argument("frames: (" + std::to_string(plan.options.ny) + ", " + std::to_string(plan.options.nx) +
                                ") pixels wanted, (" + std::to_string(block.ny) + ", " + std::to_string(block.nx) +
                                ") came");
  }
  if (begin > end || end > block.count) throw std::out_of_range("frames: no such range");
  if (!plan.detectors.empty() && sums == nullptr)
    throw std::invalid_argument("sums: room for the detectors' sums wanted");
  const FrameBlock::Steps step = block.steps();
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t place = i - begin;
    const std::byte* data = block.data + static_cast<std::ptrdiff_t>(i) * step.frame;
    const FrameView frame{data, block.pixel, step.row, step.column, i + 1 < block.count ? data + step.frame : data};
    const bool finite =
        plan.reduce(frame, moments == nullptr ? nullptr : moments + place, sums + place * plan.detectors.size(),
                    profiles == nullptr ? nullptr : profiles + place * plan.rings);
    if (!finite) return static_cast<std::ptrdiff_t>(i);
  }
  return -1;
}

}  // namespace crewe::imaging
