// One thread per event: 8 B in, some table look-ups that stay in the caches, then sums by atomics on double. Events
// come nearly in order of position, so that a warp mostly holds those of one: then it adds up first, and one lane does
// the atomics. Bound by the atomics where positions have few electrons (3 for each position of a warp), else by memory.
#include <algorithm>
#include <vector>

#include "crewe/checks.hpp"
#include "crewe/cuda/block_sum.hpp"
#include "crewe/cuda/imaging/event_moments.hpp"
#include "crewe/cuda/launch.hpp"
#include "crewe/cuda/table.hpp"

namespace crewe::cuda::imaging {
namespace {

using crewe::imaging::FrameReducer;
using crewe::imaging::Moments;

// Per detector pixel (ny·nx); null: all ones, or nothing.
struct Maps {
  unsigned positions, ny, nx, detector_count, ring_count;
  const float *weights, *gain, *detectors;  // detectors (k, ny·nx)
  const std::uint8_t *dead, *rings;
};

__global__ void check_events(const io::Event* events, std::size_t n, Maps maps, unsigned long long* bad) {
  const std::size_t i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const io::Event event = events[i];
  if (event.position >= maps.positions || event.y >= maps.ny || event.x >= maps.nx) {
    atomicMin(bad, static_cast<unsigned long long>(i));
  }
}

// Adds a number of every lane to *place, where all lanes of the warp have the same place if `together`.
__device__ void add_to(double* place, double value, bool together, bool counts) {
  if (together) {
    value = warp_sum(counts ? value : 0.0);
    if (threadIdx.x % kWarp == 0 && value != 0) atomicAdd(place, value);
  } else if (counts && value != 0) {
    atomicAdd(place, value);
  }
}

__global__ void add_events(const io::Event* events, std::size_t n, Maps maps, EventReducer::Sums into,
                           const unsigned long long* bad) {
  if (*bad != kNoEvent) return;
  const std::size_t i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  // Lanes past the end go along with the last event, and count nothing.
  const io::Event event = events[min(i, n - 1)];
  const std::size_t pixel = static_cast<std::size_t>(event.y) * maps.nx + event.x;
  const bool counts = i < n && (maps.dead == nullptr || maps.dead[pixel] == 0);
  const unsigned leader = __shfl_sync(kWholeWarp, event.position, 0);
  const bool together = __all_sync(kWholeWarp, event.position == leader ? 1 : 0) != 0;
  const double gain = maps.gain == nullptr ? 1.0 : static_cast<double>(maps.gain[pixel]);
  if (into.moments != nullptr) {
    const double w = maps.weights == nullptr ? gain : static_cast<double>(maps.weights[pixel]) * gain;
    Moments* const sum = into.moments + event.position;
    add_to(&sum->n, w, together, counts);
    add_to(&sum->y, event.y * w, together, counts);
    add_to(&sum->x, event.x * w, together, counts);
  }
  if (into.detectors != nullptr) {
    const std::size_t size = static_cast<std::size_t>(maps.ny) * maps.nx;
    for (unsigned k = 0; k < maps.detector_count; ++k) {
      add_to(into.detectors + static_cast<std::size_t>(event.position) * maps.detector_count + k,
             static_cast<double>(maps.detectors[k * size + pixel]) * gain, together, counts);
    }
  }
  if (!counts) return;
  if (into.profiles != nullptr && maps.rings != nullptr && maps.rings[pixel] < maps.ring_count) {
    atomicAdd(into.profiles + static_cast<std::size_t>(event.position) * maps.ring_count + maps.rings[pixel],
              static_cast<float>(gain));
  }
  if (into.pattern != nullptr) atomicAdd(into.pattern + pixel, gain);
}

}  // namespace

struct EventReducer::Plan {
  Plan(const FrameReducer::Options& options, std::size_t positions_, cudaStream_t stream)
      : positions(positions_), detectors(options.detectors.size()), moments(options.moments) {
    const FrameReducer checked(options);  // throws what is wrong
    if (options.ny > 65536 || options.nx > 65536) {
      reject("detector", "1 to 65536 pixels along y and x", shape_text(std::array{options.ny, options.nx}));
    }
    if (positions == 0 || positions > 0xFFFFFFFFU) reject("positions", "1 to 2^32 - 1", std::to_string(positions));
    rings = checked.rings();
    weights = table_on_device(options.weights, stream);
    gain = table_on_device(options.gain, stream);
    dead = table_on_device(options.dead_pixels, stream);
    ring_of = table_on_device(options.rings, stream);
    std::vector<float> all;
    for (const std::vector<float>& each : options.detectors) {
      if (each.empty()) all.insert(all.end(), options.ny * options.nx, 1.0F);
      all.insert(all.end(), each.begin(), each.end());
    }
    detector_weights = table_on_device(all, stream);
    maps = {static_cast<unsigned>(positions),
            static_cast<unsigned>(options.ny),
            static_cast<unsigned>(options.nx),
            static_cast<unsigned>(detectors),
            static_cast<unsigned>(rings),
            weights.data(),
            gain.data(),
            detector_weights.data(),
            dead.data(),
            ring_of.data()};
  }

  std::size_t positions, detectors, rings = 0;
  bool moments;
  Buffer<float> weights, gain, detector_weights;
  Buffer<std::uint8_t> dead, ring_of;
  Maps maps;
};

EventReducer::EventReducer(const FrameReducer::Options& options, std::size_t positions, cudaStream_t stream)
    : plan_(std::make_unique<Plan>(options, positions, stream)) {}
EventReducer::~EventReducer() = default;
EventReducer::EventReducer(EventReducer&&) noexcept = default;
EventReducer& EventReducer::operator=(EventReducer&&) noexcept = default;

std::size_t EventReducer::positions() const {
  return plan_->positions;
}
std::size_t EventReducer::detectors() const {
  return plan_->detectors;
}
std::size_t EventReducer::rings() const {
  return plan_->rings;
}

void EventReducer::add(const io::Event* events, std::size_t n, const Sums& into, unsigned long long* bad,
                       cudaStream_t stream) const {
  if (n == 0) return;
  constexpr unsigned kThreads = 256;
  Sums wanted = into;
  if (!plan_->moments) wanted.moments = nullptr;
  launch(check_events, blocks_of(n, kThreads), kThreads, 0, stream, events, n, plan_->maps, bad);
  launch(add_events, blocks_of(n, kThreads), kThreads, 0, stream, events, n, plan_->maps, wanted, bad);
}

}  // namespace crewe::cuda::imaging
