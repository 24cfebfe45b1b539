#include "crewe/live/session.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "crewe/checks.hpp"
#include "crewe/error.hpp"
#include "live/state.hpp"

namespace crewe::live {

Session::Session(Options options) : state_(std::make_unique<State>(std::move(options))) {}

Session::~Session() {
  try {
    close();
  } catch (...) {  // a late NaN or a lack of memory: the images are what they are, and nobody is left to be told
  }
}

const Options& Session::options() const noexcept {
  return state_->options;
}
int Session::threads() const noexcept {
  return state_->pool.threads();
}
std::size_t Session::frames() const noexcept {
  return state_->order.frames();
}

void Session::State::check_open() const {
  if (closed.load(std::memory_order_relaxed)) throw std::invalid_argument("push: the session is closed");
}

std::size_t Session::State::place(const imaging::FrameBlock& frames, std::optional<std::size_t> first) const {
  check_open();
  if (frames.data == nullptr && frames.count != 0) throw std::invalid_argument("frames: data is NULL");
  if (frames.ny != options.ky || frames.nx != options.kx) {
    reject("frames", "detector of " + shape_text(std::array{options.ky, options.kx}) + " pixels",
           shape_text(std::array{frames.ny, frames.nx}));
  }
  const std::size_t begin = first.value_or(next_frame);
  if (begin > order.frames() || frames.count > order.frames() - begin) {
    throw std::invalid_argument("frames: " + std::to_string(frames.count) + " frames from frame " +
                                std::to_string(begin) + " on don't fit into a scan of " +
                                std::to_string(order.frames()) + " frames (" + std::to_string(positions) +
                                " positions); use next_scan() to begin again");
  }
  return begin;
}

void Session::push(const imaging::FrameBlock& frames, std::optional<std::size_t> first) {
  State& state = *state_;
  state.wait_for_queue();
  const std::size_t begin = state.place(frames, first);
  state.take(frames, begin);
  state.next_frame = begin + frames.count;
}

void Session::State::lend(const Queue::Slot& slot) {
  if (!queue) {
    queue = std::make_unique<Queue>(options.queue, [this](const Queue::Slot& next) {
      if (next.frames.count != 0) {
        take(next.frames, next.first);
      } else {
        take(next.events, next.more);
      }
    });
  }
  queue->raise();
  if (!queue->put(slot, !options.busy_when_full)) {
    throw BusyError("push: all " + std::to_string(options.queue) + " blocks of the queue are waiting");
  }
}

void Session::State::wait_for_queue() {
  if (!queue) return;
  queue->drain();
  queue->raise();
}

void Session::push(const imaging::FrameBlock& frames, std::optional<std::size_t> first, Release release) {
  State& state = *state_;
  const std::size_t begin = state.place(frames, first);
  state.lend({.frames = frames, .first = begin, .events = {}, .more = false, .release = release});
  state.next_frame = begin + frames.count;
}

void Session::push_events(std::span<const io::Event> events, bool more) {
  State& state = *state_;
  state.check_open();
  state.wait_for_queue();
  state.take(events, more);
}

void Session::push_events(std::span<const io::Event> events, Release release, bool more) {
  State& state = *state_;
  state.check_open();
  state.lend({.frames = {}, .first = 0, .events = events, .more = more, .release = release});
}

void Session::flush() {
  state_->wait_for_queue();
}

void Session::finish() {
  State& state = *state_;
  if (state.queue) state.queue->drain();
  {
    const auto turn = state.lock.producer();
    state.release_held();
    state.settle();
  }
  for (Picture& picture : state.pictures) {
    state.integrate(picture);
  }
  if (state.queue) state.queue->raise();
}

void Session::close() {
  State& state = *state_;
  if (state.closed.load(std::memory_order_acquire)) return;
  struct Closing {
    State& state;
    ~Closing() {
      state.queue.reset();
      state.closed.store(true, std::memory_order_release);
    }
  } const closing{state};
  finish();
}

void Session::next_scan() {
  State& state = *state_;
  state.wait_for_queue();
  const auto turn = state.lock.producer();
  state.clear();
}

void Session::State::clear() {
  bool moved = false;
  if (adaptive && count > 0 && !options.center) {
    // The beam stays where the scan before found it.
    const Point middle = fit_center(moments.data(), rows, options.sx, center, false).model.middle;
    if (is_near(middle)) {  // corrected patterns may add up to next to nothing
      moved = middle.y != detector_center.y || middle.x != detector_center.x;
      detector_center = middle;
    }
  }
  if (options.keep_profile && (ring_center.y != detector_center.y || ring_center.x != detector_center.x)) {
    prepare_rings();
    moved = true;
  }
  if (moved) prepare_reducers();
  begin_ssb();
  for (Picture& picture : pictures) {
    std::fill_n(picture.pixels.get(), picture.size(), 0.0F);
    mark(picture, 0, picture.rows);
    if (picture.lines) picture.lines->stop();
  }
  std::fill(moments.begin(), moments.end(), imaging::Moments{});
  std::fill(seen.begin(), seen.end(), 0);
  std::fill(profile.begin(), profile.end(), 0.0F);
  std::fill(frame_sum.begin(), frame_sum.end(), 0.0);
  std::fill(event_sum.begin(), event_sum.end(), 0.0);
  std::fill(detector_sums.begin(), detector_sums.end(), 0.0);
  std::fill(scattered.begin(), scattered.end(), 0.0F);
  held.clear();
  last_events = 0;
  count = rows = next_frame = 0;
  summed = 0;
  last.reset();
  exact = true;
  refine_at = options.sx;
  publish();
}

void Session::State::settle() {
  if (!(adaptive && refine(true)) && !exact) recompute();
  publish();
}

Picture& Session::State::find(std::string_view name) {
  for (Picture& picture : pictures) {
    if (picture.name == name) return picture;
  }
  throw std::out_of_range("no image '" + std::string(name) + "'");
}

Image Session::image(std::string_view name) const {
  const Picture& picture = state_->find(name);
  Image image;
  image.pixels = picture.pixels;
  image.shape = {picture.rows, picture.columns, picture.depth};
  image.axes = picture.depth == 1 ? 2 : 3;
  return image;
}

void Session::refresh(std::string_view name) {
  Picture& picture = state_->find(name);
  if (picture.whole.load(std::memory_order_acquire)) state_->integrate(picture);
}

// The producer's stores of whole floats are no data race on any machine that this library is built for, but a sanitizer
// can't know it.
#if defined(__SANITIZE_THREAD__)
__attribute__((no_sanitize("thread")))
#endif
void Session::read(std::string_view name, std::span<float> out) const {
  const Picture& picture = state_->find(name);
  if (out.size() != picture.size()) {
    reject("out", std::to_string(picture.size()) + " floats", std::to_string(out.size()));
  }
  const float* const pixels = picture.pixels.get();
  float* const to = out.data();
  for (std::size_t i = 0, n = picture.size(); i < n; ++i) to[i] = pixels[i];
}

std::size_t Session::done() const noexcept {
  return state_->done.load(std::memory_order_acquire);
}
std::uint64_t Session::version() const noexcept {
  return state_->version.load(std::memory_order_acquire);
}
bool Session::closed() const noexcept {
  return state_->closed.load(std::memory_order_acquire);
}
double Session::ring_width() const {
  const auto held = state_->lock.guest();
  return state_->ring_width;
}

Point Session::center() const {
  const auto held = state_->lock.guest();
  return state_->center.middle;
}

Descan Session::descan() const {
  const auto held = state_->lock.guest();
  return state_->center.slopes;
}

Point Session::detector_center() const {
  const auto held = state_->lock.guest();
  return state_->detector_center;
}

void Session::changed_rows(std::string_view name, std::uint64_t since,
                           std::vector<std::pair<std::size_t, std::size_t>>& rows) const {
  const Picture& picture = state_->find(name);
  rows.clear();
  for (std::size_t row = 0; row < picture.rows; ++row) {
    if (picture.changed[row].load(std::memory_order_relaxed) <= since) continue;
    if (!rows.empty() && rows.back().second + 1 == row) {
      rows.back().second = row;
    } else {
      rows.emplace_back(row, row);
    }
  }
}

}  // namespace crewe::live
