// A block of events: the sums of the positions that they touch, then what has changed of their centres of mass.
#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "live/state.hpp"

namespace crewe::live {

void Session::State::take(std::span<const io::Event> events, bool more) {
  if (events.empty()) return;
  {
    const auto turn_of_ours = lock.producer();
    if (!event_reducer) begin_events();
    event_reducer->check(events);
  }
  // Waiting for late events must not be seen: who sends a block now and then sees each at once.
  constexpr double kLag = 0.1;  // [s]
  const double time = seconds_now();
  more = more && (last_events == 0 || time - last_events < kLag);
  last_events = time;
  constexpr std::size_t kBlock = 1 << 16;  // some 0.2 ms
  for (std::size_t begin = 0; begin < events.size(); begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, events.size());
    {
      const auto turn_of_ours = lock.producer();
      apply(events.subspan(begin, end - begin), more || end < events.size());
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

void Session::State::apply(std::span<const io::Event> events, bool more) {
  touched.clear();
  event_reducer->add(events,
                     {.moments = moments.data(),
                      .detectors = detectors == 0 ? nullptr : detector_sums.data(),
                      .profiles = ring_count == 0 ? nullptr : profile.data(),
                      .pattern = event_sum.empty() ? nullptr : event_sum.data()},
                     touched);
  if (!event_sum.empty()) show_sum(events);
  for (Picture& picture : pictures) {
    if (picture.ssb) picture.ssb->add(events);
    if (picture.lines) picture.lines->add(events);
  }
  if (!touched.empty()) mark_positions(touched.front() / options.sx, touched.back() / options.sx + 1);
  for (const std::uint32_t position : touched) {
    set_vector_images(position, com_at(moments[position], position / options.sx, position % options.sx));
    set_detector_images(position, detector_sums.data() + position * detectors);
  }
  // Positions that were touched wait with those that wait already, in their order.
  std::swap(held, held_before);
  held.clear();
  ready.clear();
  constexpr std::uint32_t kQuiet = 2;
  auto before = held_before.cbegin();
  const auto age = [&](std::uint32_t limit) {
    for (; before != held_before.cend() && before->position < limit; ++before) {
      if (more && before->quiet + 1 < kQuiet) {
        held.push_back({before->position, before->quiet + 1});
      } else {
        ready.push_back(before->position);
      }
    }
    if (before != held_before.cend() && before->position == limit) ++before;
  };
  for (const std::uint32_t position : touched) {
    age(position);
    if (more) {
      held.push_back({position, 0});
    } else {
      ready.push_back(position);
    }
  }
  age(std::numeric_limits<std::uint32_t>::max());
  add_positions(ready);
  publish();
}

void Session::State::add_positions(std::span<const std::uint32_t> positions_ready) {
  if (positions_ready.empty()) return;
  const bool was_complete = count == positions;
  lines.clear();
  vectors.clear();
  for (const std::uint32_t position : positions_ready) {
    const std::size_t row = position / options.sx, col = position % options.sx;
    const bool follows = !lines.empty() && lines.back().row == row && lines.back().col + lines.back().count == col;
    if (!follows) lines.push_back({row, col, 0, vectors.size()});
    ++lines.back().count;
    see(position);
    const imaging::Com com = com_at(moments[position], row, col);
    float* const in_images = scattered.data() + 2 * std::size_t{position};
    vectors.push_back(com.y - in_images[0]);
    vectors.push_back(com.x - in_images[1]);
    in_images[0] = com.y;
    in_images[1] = com.x;
  }
  scatter();
  after_block(was_complete, false);
}

void Session::State::release_held() {
  ready.clear();
  for (const Held& one : held) ready.push_back(one.position);
  held.clear();
  add_positions(ready);
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
