// Single electrons → the sums that a pattern would give: events come in pieces, late and in any order, and add up.
//
//   n(p) += w·g   y(p) += y·w·g   x(p) += x·w·g   d_k(p) += m_k·g   ring_j(p) += g   pattern(y, x) += g
//
// per event (p, y, x), with the weights w and m_k, the gain g and the ring j of its pixel; an event on a dead pixel is
// left out of everything. Weights of 0 and 1 without gain are summed in integers: exact, hence the same bits in any
// order of events. Otherwise the events are added in double in the order in which they come. specs: Yu et al., Microsc.
// Microanal. 28 (2022) 1526, eqs. 3.1-3.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "crewe/imaging/moments.hpp"
#include "crewe/io/event.hpp"

namespace crewe::imaging {

// What to sum, prepared once. `add` uses scratch memory of the object: one thread at a time.
class EventReducer {
 public:
  // The options of the frames of the same detector; `dark` has no meaning for single electrons and isn't used.
  EventReducer(const FrameReducer::Options& options, std::size_t positions);
  ~EventReducer();
  EventReducer(EventReducer&&) noexcept;
  EventReducer& operator=(EventReducer&&) noexcept;

  std::size_t positions() const;
  std::size_t pixels() const;
  std::size_t detectors() const;
  std::size_t rings() const;

  // Throws std::out_of_range naming the first event beyond the scan or the detector.
  void check(std::span<const io::Event> events) const;

  // Where to add; what isn't wanted is nullptr.
  struct Sums {
    Moments* moments = nullptr;   // [position]
    double* detectors = nullptr;  // [position][k]
    float* profiles = nullptr;    // [position][ring]
    double* pattern = nullptr;    // [y][x]
  };

  // Adds events that have passed `check`. The positions whose numbers changed are appended to `touched`, ascending,
  // each once per call.
  void add(std::span<const io::Event> events, const Sums& into, std::vector<std::uint32_t>& touched);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crewe::imaging
