// crewe/imaging/event_moments.hpp on the device: single electrons, in any order, add up. Weights of 0 and 1 without
// gain are whole numbers in double: exact, the sums of the CPU to the bit. Otherwise the order in which events are
// added, and with it the last bits, change from run to run.
#pragma once

#include <cstddef>
#include <memory>

#include "crewe/cuda/device.hpp"
#include "crewe/imaging/moments.hpp"
#include "crewe/io/event.hpp"

namespace crewe::cuda::imaging {

class EventReducer {
 public:
  // The options of the frames of the same detector; `dark` isn't used.
  EventReducer(const crewe::imaging::FrameReducer::Options& options, std::size_t positions, cudaStream_t stream);
  ~EventReducer();
  EventReducer(EventReducer&&) noexcept;
  EventReducer& operator=(EventReducer&&) noexcept;

  std::size_t positions() const;
  std::size_t detectors() const;
  std::size_t rings() const;

  // Where to add, on the device; what isn't wanted is nullptr.
  struct Sums {
    crewe::imaging::Moments* moments = nullptr;  // [position]
    double* detectors = nullptr;                 // [position][k]
    float* profiles = nullptr;                   // [position][ring]
    double* pattern = nullptr;                   // [y][x]
  };

  // Adds n events of the device, unless one lies beyond the scan or the detector: then none counts, and `bad` (on the
  // device, kNoEvent before) is lowered to the first one's index. Asynchronous.
  void add(const io::Event* events, std::size_t n, const Sums& into, unsigned long long* bad,
           cudaStream_t stream) const;

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

inline constexpr unsigned long long kNoEvent = ~0ULL;

}  // namespace crewe::cuda::imaging
