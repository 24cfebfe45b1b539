// One pass over a diffraction pattern: centre-of-mass sums and any number of virtual detectors.
//
//   n = Σ w·I     y = Σ y·w·I     x = Σ x·w·I     d_k = Σ m_k·I     p_j = Σ_(ring j) I        with I = (raw −
//   dark)·gain
//
// over the pixels (y, x) of the pattern, counted from the centre of the first pixel; w and m_k are weights per pixel.
// Integer patterns with weights of 0 and 1 are summed in integers (exact); all else in double, in an order that doesn't
// depend on the instruction set. COM = (y/n − c_y, x/n − c_x): Yu et al., Microsc. Microanal. 28 (2022) 1526,
// eqs. 3.1-3.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "crewe/host_device.hpp"
#include "crewe/imaging/pixel.hpp"

namespace crewe::imaging {

struct Moments {
  double n = 0, y = 0, x = 0;
};

// Centre of mass from the centre (cy, cx), (y, x) [pixels]; a frame without counts gives (0, 0).
struct Com {
  float y = 0, x = 0;
};
CREWE_HOST_DEVICE inline Com centre_of_mass(const Moments& moments, double cy, double cx) {
  if (moments.n == 0) return {};
  return {static_cast<float>(moments.y / moments.n - cy), static_cast<float>(moments.x / moments.n - cx)};
}

// inner <= distance of the pixel's centre from (cy, cx) < outer → 1, else 0; (ny·nx) [pixels].
std::vector<float> ring_weights(std::size_t ny, std::size_t nx, double inner, double outer, double cy, double cx);

inline constexpr std::uint8_t no_ring = 255;

// What to sum, prepared once; `reduce` may run in any number of threads at a time.
class FrameReducer {
 public:
  struct Options {
    std::size_t ny = 0, nx = 0;
    bool moments = true;                        // fill Moments at all
    std::vector<float> weights;                 // w (ny·nx); empty = 1
    std::vector<std::vector<float>> detectors;  // m_k (ny·nx) each; an empty one = 1
    std::vector<std::uint8_t> rings;            // j of each pixel, or `no_ring` (ny·nx); or empty: no profile
    std::vector<float> dark, gain;              // (ny·nx) or empty
    std::vector<std::uint8_t> dead_pixels;      // (ny·nx), nonzero = left out of everything; or empty
  };
  explicit FrameReducer(Options options);
  ~FrameReducer();
  FrameReducer(FrameReducer&&) noexcept;
  FrameReducer& operator=(FrameReducer&&) noexcept;

  std::size_t detectors() const;
  std::size_t rings() const;  // 1 + the largest j

  // Frames [begin, end) of a block → moments[0 .. end−begin), detector sums [frame − begin][k] and profiles
  // [frame − begin][j]; a pointer may be null where there is nothing to fill.
  // A float frame with a number that isn't finite (dead pixels aside): returns the frame's index in the block, all else
  // is undefined; otherwise −1.
  std::ptrdiff_t reduce(const FrameBlock& block, std::size_t begin, std::size_t end, Moments* moments, double* sums,
                        float* profiles = nullptr) const;

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

}  // namespace crewe::imaging
