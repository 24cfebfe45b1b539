// Which probe position a frame belongs to: rows with flyback frames, serpentine scans, or any list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crewe/live/kinds.hpp"

namespace crewe::live {

// Consecutive frames at consecutive positions of one row, forwards or backwards; or frames that belong nowhere.
struct Run {
  std::size_t frames = 0;
  std::size_t row = 0, col = 0;  // of the first frame
  bool used = true, backwards = false;

  std::size_t first_col() const { return backwards ? col + 1 - frames : col; }
};

class ScanOrder {
 public:
  explicit ScanOrder(const Options& options);

  // Of a whole scan, with what is skipped.
  std::size_t frames() const { return frames_; }
  // From the last position on: all but the flyback of the last row.
  bool complete(std::size_t frame) const { return frame + flyback_ >= frames_; }
  // The longest run from a frame on, at most `limit` frames.
  Run run(std::size_t frame, std::size_t limit) const;

 private:
  Run listed(std::size_t frame, std::size_t limit) const;

  std::size_t sx_, skip_, flyback_, frames_;
  bool serpentine_;
  std::vector<std::int32_t> positions_;
};

}  // namespace crewe::live
