// crewe/imaging/moments.hpp on the device: centre of mass, any number of virtual detectors and a radial profile of
// every frame. Integer frames with weights of 0 and 1 and no correction are summed exactly: the numbers of the CPU to
// the bit. All else is summed in double, in another order than the CPU's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "crewe/cuda/device.hpp"
#include "crewe/imaging/moments.hpp"

namespace crewe::cuda::imaging {

using crewe::imaging::FrameBlock;
using crewe::imaging::Moments;

// Where to write, on the device; what isn't wanted is nullptr.
struct FrameSums {
  Moments* moments = nullptr;   // [frame]
  float2* com = nullptr;        // [frame], (y, x) from the centre
  double cy = 0, cx = 0;        // the centre
  double* detectors = nullptr;  // [frame][k]
  float* images = nullptr;      // [frame][k], the same rounded
  float* profiles = nullptr;    // [frame][ring]
};

// What to sum, prepared once; its tables lie on the device and are freed in the order of `stream`.
class FrameReducer {
 public:
  using Options = crewe::imaging::FrameReducer::Options;
  FrameReducer(const Options& options, cudaStream_t stream);
  ~FrameReducer();
  FrameReducer(FrameReducer&&) noexcept;
  FrameReducer& operator=(FrameReducer&&) noexcept;

  std::size_t detectors() const;
  std::size_t rings() const;

  // Frames [begin, end) of a block on the device; sums of frame i lie at index i − begin. Asynchronous.
  // `bad` (on the device): lowered to the first frame of the block that holds a number that isn't finite; set it to
  // kNoFrame before.
  void reduce(const FrameBlock& block, std::size_t begin, std::size_t end, const FrameSums& into,
              unsigned long long* bad, cudaStream_t stream) const;

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

inline constexpr unsigned long long kNoFrame = ~0ULL;

}  // namespace crewe::cuda::imaging
