// A block of events: the sums of the positions that they touch, then what has changed of their centres of mass.
#include <algorithm>
#include <span>

#include "live/state.hpp"

namespace crewe::live {

void Session::State::take(std::span<const io::Event> events) {
  if (events.empty()) return;
  if (!event_reducer) {
    const auto held = lock.producer();
    begin_events();
  }
  event_reducer->check(events);
  constexpr std::size_t kBlock = 1 << 18;  // some 0.8 ms; a position that is cut in two is scattered twice
  for (std::size_t begin = 0; begin < events.size(); begin += kBlock) {
    const auto block = events.subspan(begin, std::min(kBlock, events.size() - begin));
    {
      const auto held = lock.producer();
      apply(block);
    }
    integrate_in_time();
  }
}

void Session::State::begin_events() {
  scattered.resize(2 * positions);
  for (std::size_t row = 0; row < rows; ++row) com_row(row, scattered.data() + 2 * row * options.sx);
  if (!frame_sum.empty()) event_sum.resize(frame_sum.size());
  event_reducer.emplace(wanted, positions);
  set_detector_sums();
}

void Session::State::apply(std::span<const io::Event> events) {
  touched.clear();
  event_reducer->add(events,
                     {.moments = moments.data(),
                      .detectors = detectors == 0 ? nullptr : detector_sums.data(),
                      .profiles = ring_count == 0 ? nullptr : profile.data(),
                      .pattern = event_sum.empty() ? nullptr : event_sum.data()},
                     touched);
  if (!event_sum.empty()) show_sum(events);
  if (touched.empty()) return;  // all on dead pixels

  const bool was_complete = count == positions;
  lines.clear();
  vectors.clear();
  for (const std::uint32_t position : touched) {
    const std::size_t row = position / options.sx, col = position % options.sx;
    const bool follows = !lines.empty() && lines.back().row == row && lines.back().col + lines.back().count == col;
    if (!follows) lines.push_back({row, col, 0, vectors.size()});
    ++lines.back().count;
    see(position);
    const imaging::Com com = com_at(moments[position], row, col);
    vectors.push_back(com.y - scattered[2 * std::size_t{position}]);
    vectors.push_back(com.x - scattered[2 * std::size_t{position} + 1]);
    set_vector_images(position, com);
    set_detector_images(position, detector_sums.data() + position * detectors);
  }
  mark_positions(lines.front().row, lines.back().row + 1);
  scatter();
  after_block(was_complete, false);
  publish();
}

void Session::State::show_sum(std::span<const io::Event> events) {
  if (events.size() >= event_sum.size()) {
    set_sum_images(0, event_sum.size());
    return;
  }
  for (const io::Event& event : events) {
    const std::size_t pixel = std::size_t{event.y} * options.kx + event.x;
    set_sum_images(pixel, pixel + 1);
  }
}

}  // namespace crewe::live
