// A block of frames, chunk by chunk: sums per frame in parallel, then the images in order of position.
#include <algorithm>
#include <atomic>
#include <limits>
#include <stdexcept>
#include <string>

#include "live/state.hpp"
#include "live/sum.hpp"

namespace crewe::live {

namespace {

constexpr std::size_t kChunkBytes = 8 << 20;  // of frames: long against a fork and join, short against a picture
constexpr std::size_t kGrainBytes = 128 << 10;
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

[[noreturn]] void refuse(std::size_t frame, std::size_t first) {
  throw std::invalid_argument("frames: finite numbers wanted, NaN or infinity came in frame " + std::to_string(frame) +
                              " of the block that begins with frame " + std::to_string(first));
}

}  // namespace

void Session::State::take(const imaging::FrameBlock& frames, std::size_t first) {
  if (frames.count == 0) return;
  if (options.device) return take_on_device(frames, first);
  const std::size_t bytes = frames.ny * frames.nx * imaging::pixel_size(frames.pixel);
  // Integers can't hold a NaN. Floats are all looked at before anything is written: in one chunk if they fit.
  const bool floats = frames.pixel == imaging::Pixel::f32;
  const std::size_t chunk = floats ? capacity : std::clamp<std::size_t>(kChunkBytes / bytes, 1, capacity);
  if (floats && frames.count > chunk) {
    for (std::size_t begin = 0; begin < frames.count; begin += chunk) {
      const auto held = lock.producer();
      reduce(frames, begin, std::min(begin + chunk, frames.count), first);
    }
  }
  for (std::size_t begin = 0; begin < frames.count; begin += chunk) {
    const std::size_t end = std::min(begin + chunk, frames.count);
    {
      const auto held = lock.producer();
      reduce(frames, begin, end, first);
      apply(frames, begin, end, first + begin);
    }
    integrate_in_time();
  }
}

void Session::State::reduce(const imaging::FrameBlock& frames, std::size_t begin, std::size_t end, std::size_t first) {
  const std::size_t bytes = frames.ny * frames.nx * imaging::pixel_size(frames.pixel);
  std::atomic<std::size_t> bad{kNone};
  const std::size_t grain = std::max<std::size_t>(1, kGrainBytes / bytes);
  pool.run(end - begin, grain, [&](std::size_t from, std::size_t to) {
    const std::ptrdiff_t wrong = reducer->reduce(frames, begin + from, begin + to, chunk_moments.data() + from,
                                                 detectors == 0 ? nullptr : chunk_sums.data() + from * detectors,
                                                 ring_count == 0 ? nullptr : chunk_profiles.data() + from * ring_count);
    if (wrong < 0) return;
    const auto frame = static_cast<std::size_t>(wrong);
    for (std::size_t lowest = bad.load(); frame < lowest && !bad.compare_exchange_weak(lowest, frame);) {
    }
  });
  if (bad.load() != kNone) refuse(bad.load(), first);
}

// One chunk is copied while the one before is summed, and its images are made.
void Session::State::take_on_device(const imaging::FrameBlock& frames, std::size_t first) {
  FrameDevice& device = *options.device;
  const struct Tidy {
    FrameDevice& device;
    ~Tidy() { device.abandon(); }  // of an error: after the last chunk nothing is on its way
  } tidy{device};
  const std::size_t bytes = frames.ny * frames.nx * imaging::pixel_size(frames.pixel);
  const std::size_t chunk = std::clamp<std::size_t>(device.chunk_bytes() / bytes, 1, capacity);
  const auto run = [&](bool show) {
    std::size_t sent = 0;
    const auto send = [&] {
      const auto held = lock.producer();
      const std::size_t end = std::min(sent + chunk, frames.count);
      device.begin(frames, sent, end);
      sent = end;
    };
    send();
    for (std::size_t begin = 0; begin < frames.count; begin += chunk) {
      if (sent < frames.count) send();
      {
        const auto held = lock.producer();
        const std::ptrdiff_t bad = device.end(chunk_moments.data(), chunk_sums.data(), chunk_profiles.data());
        if (bad >= 0) refuse(static_cast<std::size_t>(bad), first);
        if (show) apply(frames, begin, std::min(begin + chunk, frames.count), first + begin);
      }
      if (show) integrate_in_time();
    }
  };
  if (frames.pixel == imaging::Pixel::f32 && frames.count > chunk) run(false);  // all are looked at before
  run(true);
}

void Session::State::apply(const imaging::FrameBlock& frames, std::size_t begin, std::size_t end, std::size_t first) {
  lines.clear();
  fresh.clear();
  where.clear();
  vectors.clear();
  const bool was_complete = count == positions;
  std::size_t lowest_row = options.sy, highest_row = 0;
  for (std::size_t at = begin; at < end;) {
    const Run run = order.run(first + (at - begin), end - at);
    const std::size_t frame = at - begin;  // in the chunk
    at += run.frames;
    if (!run.used) continue;
    const std::size_t col = run.first_col();
    lines.push_back({run.row, col, run.frames, vectors.size()});
    lowest_row = std::min(lowest_row, run.row);
    highest_row = std::max(highest_row, run.row);
    for (std::size_t i = 0; i < run.frames; ++i) {
      const std::size_t position = run.row * options.sx + col + i;
      const std::size_t from = frame + (run.backwards ? run.frames - 1 - i : i);
      const imaging::Com now = com_at(chunk_moments[from], run.row, col + i);
      imaging::Com before{};
      if (see(position)) {
        fresh.push_back(static_cast<std::uint32_t>(begin + from));
        where.push_back(static_cast<std::uint32_t>(position));
      } else if (scattered.empty()) {
        before = com_at(moments[position], run.row, col + i);
      }
      if (!scattered.empty()) {
        float* const in_images = scattered.data() + 2 * position;
        before = {in_images[0], in_images[1]};
        in_images[0] = now.y;
        in_images[1] = now.x;
      }
      moments[position] = chunk_moments[from];
      vectors.push_back(now.y - before.y);
      vectors.push_back(now.x - before.x);
      set_vector_images(position, now);
      set_detector_images(position, chunk_sums.data() + from * detectors);
      if (ring_count != 0) {
        std::copy_n(chunk_profiles.data() + from * ring_count, ring_count, profile.data() + position * ring_count);
      }
    }
  }
  if (lines.empty()) return;
  mark_positions(lowest_row, highest_row + 1);
  scatter();
  add_to_sum(frames);
  for (Picture& picture : pictures) {
    if (picture.ssb) picture.ssb->add(frames, fresh, where);
    if (picture.lines) picture.lines->add(frames, fresh, where, by_pool());
  }
  after_block(was_complete, order.complete(first + (end - begin)));
  publish();
}

void Session::State::scatter() {
  for (Picture& picture : pictures) {
    if (!picture.kernel) continue;
    const std::size_t half = picture.kernel->width() / 2;
    std::size_t top = options.sy, bottom = 0;
    for (const Line& line : lines) {
      top = std::min(top, line.row - std::min(line.row, half));
      bottom = std::max(bottom, std::min(options.sy, line.row + half + 1));
    }
    // Each thread has rows of the image to itself and sees all positions in their order.
    const View<float, 2> image(picture.pixels.get(), {options.sy, options.sx});
    const auto add = [&](std::size_t from, std::size_t to) {
      for (const Line& line : lines) {
        imaging::ricom_scatter(*picture.kernel, image, line.row, line.col, vectors.data() + line.start, line.count,
                               from, to);
      }
    };
    const std::size_t rows_changed = bottom - top, work = vectors.size() / 2 * picture.kernel->values().size() / 2;
    constexpr std::size_t kWork = 60'000;  // multiply-adds for which waking a thread pays: some 6 µs
    const auto parts = std::min<std::size_t>(static_cast<std::size_t>(pool.threads()), work / kWork);
    if (parts < 2) {
      add(top, bottom);
    } else {
      const std::size_t grain = (rows_changed + parts - 1) / parts;
      pool.run(rows_changed, grain, [&](std::size_t from, std::size_t to) { add(top + from, top + to); });
    }
    mark(picture, top, bottom);
  }
}

void Session::State::add_to_sum(const imaging::FrameBlock& frames) {
  if (frame_sum.empty() || fresh.empty()) return;
  summed += static_cast<double>(fresh.size());
  constexpr std::size_t kPiece = 4096;  // pixels: 32 KB of sums stay in the first cache
  const std::size_t size = frame_sum.size();
  pool.run((size + kPiece - 1) / kPiece, 1, [&](std::size_t from, std::size_t to) {
    const std::size_t begin = from * kPiece, end = std::min(size, to * kPiece);
    add_frames(frames, fresh, begin, end, frame_sum.data());
    set_sum_images(begin, end);
  });
}

bool Session::State::see(std::size_t position) {
  if (last && position <= *last) {
    exact = false;
  } else {
    last = position;
    rows = position / options.sx + 1;
  }
  std::uint64_t& word = seen[position / 64];
  const std::uint64_t bit = std::uint64_t{1} << position % 64;
  if ((word & bit) != 0) return false;
  word |= bit;
  ++count;
  return true;
}

void Session::State::after_block(bool was_complete, bool at_end) {
  com_version = version.load(std::memory_order_relaxed) + 1;
  if (count == positions && (!was_complete || (at_end && !exact))) {
    settle();
  } else if (adaptive && count >= refine_at) {
    refine(false);
  }
}

}  // namespace crewe::live
