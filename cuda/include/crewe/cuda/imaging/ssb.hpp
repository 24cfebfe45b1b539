// crewe/imaging/ssb.hpp on the device: the same plan, the same sums but for the order in which floats are added.
// Memory of the device [bytes], with K joined pixels, N frequencies of a half plane and a scan (sy, sx): 4·K·N for the
// weights (8·K·N with aberrations), 64·K·sx for the lines, 50·N and 8·sy·sx.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "crewe/cuda/device.hpp"
#include "crewe/imaging/ssb.hpp"
#include "crewe/io/event.hpp"
#include "crewe/view.hpp"

namespace crewe::cuda::imaging {

using crewe::imaging::FrameBlock;
using crewe::imaging::SsbOptions;

// Patterns of one scan, in any order, though line by line is fast. All work goes to one stream.
class Ssb {
 public:
  // std::invalid_argument names what is wrong with the options. `threads` of the host make the weights.
  Ssb(const SsbOptions& options, int threads, cudaStream_t stream);
  ~Ssb();
  Ssb(const Ssb&) = delete;
  Ssb& operator=(const Ssb&) = delete;

  const SsbOptions& options() const noexcept;

  void clear();
  // frames[i] of the block (on the device) at positions[i] (row·sx + column), all different.
  void add(const FrameBlock& block, std::span<const std::uint32_t> frames, std::span<const std::uint32_t> positions);
  // Events of the host.
  void add(std::span<const io::Event> events);
  // φ(Q) of what was added at `positions` positions, C-contiguous (sy·sx) on the device, in the order of the transform.
  // Waits for the stream. False: a number that isn't finite was added.
  bool spectrum(std::size_t positions, float2* out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// exp(i·phase) of a whole scan, the phase's mean 0; the blocks (on the device) hold its patterns in order. False: a
// number that isn't finite in the bright disc.
bool ssb(std::span<const FrameBlock> blocks, const SsbOptions& options, View<float2, 2> wave, int threads,
         cudaStream_t stream);

}  // namespace crewe::cuda::imaging
