// Images made again from the kept sums: after a change of centre, rotation or kernel, and when a scan is complete.
#include <algorithm>
#include <chrono>
#include <utility>

#include "crewe/fft.hpp"
#include "crewe/imaging/icom.hpp"
#include "live/state.hpp"

namespace crewe::live {

bool Session::State::refine(bool always) {
  const CenterFit fit = fit_center(moments.data(), rows, options.sx, center, options.center.has_value());
  refine_at = std::max(2 * count, count + 1);
  const double moved = distance(fit.model, center, options.sy, options.sx);
  constexpr double kSmall = 0.01;  // of the spread of the centres of mass: not seen in a picture
  if (moved == 0 || (!always && moved <= kSmall * fit.spread)) return false;
  center = fit.model;
  recompute();
  return true;
}

void Session::State::recompute() {
  // What waits to be scattered is in the images from now on.
  for (const Held& one : held) see(one.position);
  held.clear();
  recompute_vectors();
  for (Picture& picture : pictures) {
    if (picture.kernel) recompute_ricom(picture);
  }
  exact = true;
  com_version = version.load(std::memory_order_relaxed) + 1;
}

void Session::State::com_row(std::size_t row, float* out) const {
  for (std::size_t col = 0; col < options.sx; ++col) {
    const imaging::Com com = com_at(moments[row * options.sx + col], row, col);
    out[2 * col] = com.y;
    out[2 * col + 1] = com.x;
  }
}

void Session::State::recompute_vectors() {
  const auto shows = [](const Picture& picture) { return picture.is<CenterOfMass>() || picture.is<ElectricField>(); };
  if (scattered.empty() && std::none_of(pictures.begin(), pictures.end(), shows)) return;
  pool.run(rows, 16, [&](std::size_t from, std::size_t to) {
    for (std::size_t row = from; row < to; ++row) {
      for (std::size_t col = 0; col < options.sx; ++col) {
        const std::size_t position = row * options.sx + col;
        const imaging::Com com = com_at(moments[position], row, col);
        set_vector_images(position, com);
        if (scattered.empty()) continue;
        scattered[2 * position] = com.y;
        scattered[2 * position + 1] = com.x;
      }
    }
  });
  for (Picture& picture : pictures) {
    if (shows(picture)) mark(picture, 0, rows);
  }
}

// The scatter of the whole scan in order of position (`imaging::ricom`), band by band of the image: a reader never sees
// a half-made pixel.
void Session::State::recompute_ricom(Picture& picture) {
  const std::size_t sx = options.sx, half = picture.kernel->width() / 2, shown = std::min(options.sy, rows + half);
  const auto threads = static_cast<std::size_t>(pool.threads());
  const std::size_t height =
      std::clamp<std::size_t>((std::size_t{1} << 18) / sx, 8, 64);  // some 1 MB: the second cache
  // Per thread: the band with room for the kernel above and below, and one row of vectors.
  const std::size_t band_size = (height + 2 * half) * sx, each = band_size + 2 * sx;
  if (band.size() < threads * each) band.resize(threads * each);
  for (std::size_t group = 0; group < shown; group += threads * height) {
    pool.run(threads, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t t = begin; t < end; ++t) {
        const std::size_t first = group + t * height, last_row = std::min(shown, first + height);
        if (first >= last_row) return;
        float* const scratch = band.data() + t * each;
        float* const vectors_of_row = scratch + band_size;
        float* const made = scratch + half * sx;
        const std::size_t size = (last_row - first) * sx;
        std::fill_n(made, size, 0.0F);
        const View<float, 2> image(scratch, {height + 2 * half, sx});
        for (std::size_t row = first - std::min(first, half); row < std::min(rows, last_row + half); ++row) {
          com_row(row, vectors_of_row);
          imaging::ricom_scatter(*picture.kernel, image, row + half - first, 0, vectors_of_row, sx, half,
                                 half + last_row - first);
        }
        std::copy_n(made, size, picture.pixels.get() + first * sx);
      }
    });
  }
  std::fill(picture.pixels.get() + shown * sx, picture.pixels.get() + picture.size(), 0.0F);  // of a wider kernel
  mark(picture, 0, picture.rows);
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool Session::State::integrate(Picture& picture) {
  const std::lock_guard one(whole_lock);
  return integrate_locked(picture);
}

bool Session::State::integrate_locked(Picture& picture) {
  const double begun = seconds_now();
  if (!icom_locked(picture) && !ssb_locked(picture)) return false;
  picture.ended = seconds_now();
  picture.seconds = picture.ended - begun;
  return true;
}

bool Session::State::icom_locked(Picture& picture) {
  double high_pass = 0;
  std::uint64_t made_of = 0;
  std::size_t seen_then = 0;
  {
    const auto held = lock.guest();
    if (!picture.is<ICOM>() || picture.made == com_version) return false;
    high_pass = std::get<ICOM>(picture.kind).high_pass;
    made_of = com_version;
    seen_then = count;
    pool.run(options.sy, 16, [&](std::size_t from, std::size_t to) {
      for (std::size_t row = from; row < to; ++row) com_row(row, icom_com.data() + 2 * row * options.sx);
    });
  }
  // Without the lock: the producer goes on.
  imaging::icom(View<const float, 3>(icom_com.data(), {options.sy, options.sx, 2}),
                View<float, 2>(icom_out.data(), {options.sy, options.sx}), 1.0, high_pass, options.threads);
  {
    const auto held = lock.guest();
    if (!picture.is<ICOM>()) return false;
    std::copy_n(icom_out.data(), positions, picture.pixels.get());
    picture.made = made_of;
    mark(picture, 0, picture.rows);
    publish();
  }
  picture.positions = seen_then;
  return true;
}

bool Session::State::ssb_locked(Picture& picture) {
  std::uint64_t made_of = 0;
  std::size_t seen_then = 0;
  {
    const auto held = lock.guest();
    if (!picture.is<SSB>() || !picture.ssb || picture.made == com_version) return false;
    made_of = com_version;
    seen_then = count;
    // Positions without a single electron don't come as events.
    const std::size_t scanned = event_reducer && last ? *last + 1 : count;
    if (!picture.ssb->spectrum(scanned, ssb_field.data())) return false;
  }
  // Without the lock: the producer goes on.
  fft::fft2(ssb_field.data(), 1, options.sy, options.sx, fft::Direction::inverse, options.threads);
  {
    const auto held = lock.guest();
    if (!picture.is<SSB>()) return false;
    for (std::size_t i = 0; i < positions; ++i) picture.pixels.get()[i] = ssb_field[i].real();
    picture.made = made_of;
    mark(picture, 0, picture.rows);
    publish();
  }
  picture.positions = seen_then;
  return true;
}

void Session::State::integrate_in_time() {
  constexpr double kShare = 0.1;  // of the producer's time
  for (Picture& picture : pictures) {
    if (!picture.whole.load(std::memory_order_acquire)) continue;
    const std::unique_lock one(whole_lock, std::try_to_lock);
    if (!one.owns_lock()) return;  // a reader is at it
    const bool complete = done.load(std::memory_order_relaxed) == positions && picture.positions != positions;
    if (complete || seconds_now() - picture.ended >= picture.seconds / kShare) integrate_locked(picture);
  }
}

}  // namespace crewe::live
