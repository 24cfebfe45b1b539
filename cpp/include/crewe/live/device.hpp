// Where a session sums its frames, if not on the CPU: an interface, so that the library needs no GPU. What is made of
// the sums stays with the session: an error of the device leaves all images as they are.
#pragma once

#include <cstddef>
#include <memory>

#include "crewe/imaging/moments.hpp"
#include "crewe/imaging/ssb.hpp"

namespace crewe::live {

// Two chunks of frames may be on their way: while one is copied, the other is summed. Errors: crewe::DeviceError.
class FrameDevice {
 public:
  virtual ~FrameDevice() = default;

  // How much a chunk may hold.
  virtual std::size_t chunk_bytes() const = 0;
  // What to sum from now on, chunks on their way included.
  virtual void prepare(const imaging::FrameReducer::Options& options) = 0;
  // Copies and sums the frames [begin, end) of a block of the host, which stays as it is until `end`.
  virtual void begin(const imaging::FrameBlock& block, std::size_t begin, std::size_t end) = 0;
  // Waits for the chunk that was begun first; results as those of imaging::FrameReducer::reduce.
  virtual std::ptrdiff_t end(imaging::Moments* moments, double* sums, float* profiles) = 0;
  // Forgets the chunks on their way.
  virtual void abandon() noexcept = 0;

  // Sums for single-sideband ptychography. They take frames of the chunk that `end` was called for last.
  virtual std::unique_ptr<imaging::SsbSums> ssb(const imaging::SsbOptions& options) = 0;
};

}  // namespace crewe::live
