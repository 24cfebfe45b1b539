#include "live/order.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "crewe/checks.hpp"

namespace crewe::live {

ScanOrder::ScanOrder(const Options& options)
    : sx_(options.sx),
      skip_(options.skip),
      flyback_(options.flyback),
      frames_(options.skip + options.sy * (options.sx + options.flyback)),
      serpentine_(options.order == Order::serpentine),
      positions_(options.positions) {
  constexpr std::size_t kMost = std::size_t{1} << 32;  // no count of a scan's frames overflows
  if (skip_ > kMost || flyback_ > kMost) {
    reject("order", "skip and flyback of at most 2^32 frames",
           std::to_string(skip_) + " and " + std::to_string(flyback_));
  }
  if (options.order != Order::list) {
    if (!positions_.empty()) reject("order", "a list, as there are positions,", "another one");
    return;
  }
  if (positions_.empty()) reject("positions", "one for each frame", "none");
  if (flyback_ != 0) {
    throw std::invalid_argument("order: a list of positions goes without flyback frames (write -1 in their places)");
  }
  const auto total = static_cast<std::int64_t>(options.sy * options.sx);
  for (const std::int32_t position : positions_) {
    if (position < -1 || position >= total) {
      reject("order", "positions from -1 to " + std::to_string(total - 1), std::to_string(position));
    }
  }
  frames_ = skip_ + positions_.size();
}

Run ScanOrder::run(std::size_t frame, std::size_t limit) const {
  Run run;
  if (frame < skip_) {
    run.used = false;
    run.frames = std::min(limit, skip_ - frame);
    return run;
  }
  frame -= skip_;
  if (!positions_.empty()) return listed(frame, limit);
  const std::size_t line = sx_ + flyback_, along = frame % line;
  run.row = frame / line;
  run.used = along < sx_;
  run.frames = std::min(limit, (run.used ? sx_ : line) - along);
  run.backwards = run.used && serpentine_ && run.row % 2 == 1;
  run.col = run.backwards ? sx_ - 1 - along : along;
  return run;
}

Run ScanOrder::listed(std::size_t frame, std::size_t limit) const {
  Run run;
  const std::int32_t* const first = positions_.data() + frame;
  limit = std::min(limit, positions_.size() - frame);
  run.used = *first >= 0;
  run.frames = 1;
  if (!run.used) {
    while (run.frames < limit && first[run.frames] < 0) ++run.frames;
    return run;
  }
  run.row = static_cast<std::size_t>(*first) / sx_;
  run.col = static_cast<std::size_t>(*first) % sx_;
  run.backwards = limit > 1 && run.col > 0 && first[1] == *first - 1;
  const std::int32_t step = run.backwards ? -1 : 1;
  limit = std::min(limit, run.backwards ? run.col + 1 : sx_ - run.col);
  while (run.frames < limit && first[run.frames] == first[run.frames - 1] + step) ++run.frames;
  return run;
}

}  // namespace crewe::live
