// The patterns of a scan, gathered line by line for someone who works on them later and in another thread.
//
// Detector pixels are joined b × b as they come, (raw − dark)·gain, without dead ones. A line is complete when each of
// its positions had a frame; where single electrons come, once two blocks of them lay behind it. It then waits until it
// is taken. What comes for a line after that is counted as late. Memory: 4·sx·rows·columns bytes for a line that is
// open or waits; memory of lines that were taken is used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "crewe/imaging/ssb.hpp"
#include "crewe/io/event.hpp"
#include "crewe/live/kinds.hpp"

namespace crewe::live {

class Lines {
 public:
  // ---- the producer's, or under the session's lock

  // From an empty scan on; std::invalid_argument where the bins lie outside of the detector.
  void begin(const Options& options, const Binning& bins);
  // frames[i] of the block at positions[i] (row·sx + column), all different and new.
  void add(const imaging::FrameBlock& block, std::span<const std::uint32_t> frames,
           std::span<const std::uint32_t> positions, const imaging::Parallel& parallel);
  void add(std::span<const io::Event> events);
  // Rows that aren't complete, ascending; and one of them as it is, (sx, rows, columns).
  std::vector<std::size_t> open() const;
  bool look(std::size_t row, std::span<float> out) const;

  // ---- from any thread

  // The row that has waited longest, its patterns (sx, rows, columns) to `out`.
  std::optional<std::size_t> take(std::span<float> out);
  std::size_t waiting() const;
  std::size_t late() const;  // frames and electrons
  void stop();               // gathers no more, and forgets what waits

 private:
  using Bins = std::vector<float>;
  struct Line {
    std::size_t row = 0, frames = 0, passed = 0;  // passed: blocks of events that lay behind it
    Bins bins;
  };

  Line* find(std::size_t row);  // null: it is complete
  void close(std::size_t slot);
  Bins blank();
  void check(std::span<const float> out) const;

  std::size_t sy_ = 0, sx_ = 0, kx_ = 0, size_ = 0;  // size: of a pattern
  Binning bins_;
  std::vector<float> dark_, gain_;   // (ky, kx) or empty; gain 0: dead
  std::vector<std::int32_t> place_;  // (ky, kx): bin or −1
  std::vector<Line> lines_;          // open
  std::vector<std::int32_t> slot_;   // of each row in `lines_`; −1: nothing came, −2: complete

  mutable std::mutex mutex_;  // of all that follows
  std::deque<Line> ready_;
  std::vector<Bins> spare_;
  std::size_t late_ = 0;
  bool on_ = false;
};

}  // namespace crewe::live
