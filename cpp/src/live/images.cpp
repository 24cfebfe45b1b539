// From sums to pixels: what a position, or a detector pixel, shows in each image.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "live/state.hpp"

namespace crewe::live {

imaging::Com Session::State::com_at(const imaging::Moments& m, std::size_t row, std::size_t col) const {
  if (m.n == 0) return {};
  const Point c = center.at(row, col);
  imaging::Com com = imaging::centre_of_mass(m, c.y, c.x);
  if (turn.transpose) std::swap(com.y, com.x);
  if (turn.turns) com = {turn.cos * com.y + turn.sin * com.x, turn.cos * com.x - turn.sin * com.y};
  // Corrected patterns may add up to next to nothing: such a position shows nothing.
  if (!std::isfinite(com.y) || !std::isfinite(com.x)) return {};
  return com;
}

void Session::State::set_vector_images(std::size_t position, imaging::Com com) {
  for (Picture& picture : pictures) {
    float* const pixel = picture.pixels.get() + 2 * position;
    if (picture.is<CenterOfMass>()) {
      pixel[0] = com.y;
      pixel[1] = com.x;
    } else if (picture.is<ElectricField>()) {
      pixel[0] = picture.scale * com.y;
      pixel[1] = picture.scale * com.x;
    }
  }
}

void Session::State::set_detector_images(std::size_t position, const double* sums) {
  if (detectors == 0) return;
  if (!detector_sums.empty()) std::copy_n(sums, detectors, detector_sums.data() + position * detectors);
  for (Picture& picture : pictures) {
    if (picture.is<VirtualDetector>()) picture.pixels.get()[position] = static_cast<float>(sums[picture.detector]);
  }
}

void Session::State::set_sum_images(std::size_t begin, std::size_t end) {
  for (Picture& picture : pictures) {
    if (!picture.is<Sum>()) continue;
    for (std::size_t i = begin; i < end; ++i) {
      double sum = frame_sum[i];
      if (!options.dark.empty()) sum -= summed * static_cast<double>(options.dark[i]);
      if (!options.gain.empty()) sum *= static_cast<double>(options.gain[i]);
      if (!event_sum.empty()) sum += event_sum[i];
      if (!options.dead_pixels.empty() && options.dead_pixels[i] != 0) sum = 0;
      picture.pixels.get()[i] = static_cast<float>(sum);
    }
  }
}

void Session::State::mark(Picture& picture, std::size_t first, std::size_t last_row) {
  const std::uint64_t next = version.load(std::memory_order_relaxed) + 1;
  for (std::size_t row = first; row < last_row; ++row) picture.changed[row].store(next, std::memory_order_relaxed);
}

void Session::State::mark_positions(std::size_t first, std::size_t last_row) {
  for (Picture& picture : pictures) {
    if (picture.is<Sum>()) {
      mark(picture, 0, picture.rows);
    } else if (!picture.is<RiCOM>() && !picture.is<External>() && !picture.whole.load(std::memory_order_relaxed)) {
      mark(picture, first, last_row);
    }
  }
}

void Session::State::publish() {
  version.store(version.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  done.store(count, std::memory_order_release);
}

}  // namespace crewe::live
