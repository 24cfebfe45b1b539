#include "live/lines.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "crewe/checks.hpp"

namespace crewe::live {
namespace {

constexpr std::int32_t kNothing = -1, kComplete = -2;
constexpr std::size_t kPassed = 2;  // blocks of events: between chips they come in some disorder

}  // namespace

void Lines::begin(const Options& options, const Binning& bins) {
  imaging::check_binning(bins, options.ky, options.kx);
  const std::size_t pixels = options.ky * options.kx;
  const std::lock_guard held(mutex_);
  sy_ = options.sy;
  sx_ = options.sx;
  kx_ = options.kx;
  bins_ = bins;
  size_ = bins.rows * bins.columns;
  dark_ = options.dark;
  gain_ = options.gain;
  if (!options.dead_pixels.empty()) gain_.resize(pixels, 1.0F);
  place_.assign(pixels, -1);
  for (std::size_t row = 0; row < bins.rows * bins.join; ++row) {
    for (std::size_t col = 0; col < bins.columns * bins.join; ++col) {
      const std::size_t pixel = (bins.top + row) * kx_ + bins.left + col;
      if (!options.dead_pixels.empty() && options.dead_pixels[pixel] != 0) {
        gain_[pixel] = 0;
      } else {
        place_[pixel] = static_cast<std::int32_t>(row / bins.join * bins.columns + col / bins.join);
      }
    }
  }
  lines_.clear();
  slot_.assign(sy_, kNothing);
  if (!spare_.empty() && spare_.front().size() != sx_ * size_) spare_.clear();
  ready_.clear();
  late_ = 0;
  on_ = true;
}

Lines::Bins Lines::blank() {
  Bins bins;
  {
    const std::lock_guard held(mutex_);
    if (!spare_.empty()) {
      bins = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  bins.assign(sx_ * size_, 0.0F);
  return bins;
}

Lines::Line* Lines::find(std::size_t row) {
  if (slot_[row] == kComplete) return nullptr;
  if (slot_[row] == kNothing) {
    slot_[row] = static_cast<std::int32_t>(lines_.size());
    lines_.push_back({.row = row, .frames = 0, .passed = 0, .bins = blank()});
  }
  return &lines_[static_cast<std::size_t>(slot_[row])];
}

void Lines::close(std::size_t slot) {
  Line line = std::move(lines_[slot]);
  slot_[line.row] = kComplete;
  if (slot + 1 != lines_.size()) {
    lines_[slot] = std::move(lines_.back());
    slot_[lines_[slot].row] = static_cast<std::int32_t>(slot);
  }
  lines_.pop_back();
  const std::lock_guard held(mutex_);
  if (on_) ready_.push_back(std::move(line));
}

void Lines::add(const imaging::FrameBlock& block, std::span<const std::uint32_t> frames,
                std::span<const std::uint32_t> positions, const imaging::Parallel& parallel) {
  {
    const std::lock_guard held(mutex_);
    if (!on_) return;
  }
  const float* const dark = dark_.empty() ? nullptr : dark_.data();
  const float* const gain = gain_.empty() ? nullptr : gain_.data();
  for (std::size_t begin = 0, end = 0; begin < frames.size(); begin = end) {
    const std::size_t row = positions[begin] / sx_;
    while (end < frames.size() && positions[end] / sx_ == row) ++end;
    Line* const line = find(row);
    if (line == nullptr) {
      const std::lock_guard held(mutex_);
      late_ += end - begin;
      continue;
    }
    parallel(end - begin, 4, [&](std::size_t from, std::size_t to) {
      for (std::size_t i = begin + from; i < begin + to; ++i) {
        imaging::join_pixels(block, frames[i], bins_, dark, gain, line->bins.data() + positions[i] % sx_ * size_);
      }
    });
    line->frames += end - begin;
    if (line->frames == sx_) close(static_cast<std::size_t>(slot_[row]));
  }
}

void Lines::add(std::span<const io::Event> events) {
  {
    const std::lock_guard held(mutex_);
    if (!on_) return;
  }
  std::size_t late = 0, first = sy_;
  for (const io::Event& event : events) {
    const std::size_t row = event.position / sx_;
    first = std::min(first, row);
    const std::int32_t place = place_[std::size_t{event.y} * kx_ + event.x];
    if (place < 0) continue;
    Line* const line = find(row);
    if (line == nullptr) {
      ++late;
      continue;
    }
    line->bins[event.position % sx_ * size_ + static_cast<std::size_t>(place)] += 1;
  }
  for (const std::size_t row : open()) {
    Line& line = lines_[static_cast<std::size_t>(slot_[row])];
    line.passed = row < first ? line.passed + 1 : 0;
    if (line.passed == kPassed) close(static_cast<std::size_t>(slot_[row]));
  }
  const std::lock_guard held(mutex_);
  late_ += late;
}

std::vector<std::size_t> Lines::open() const {
  std::vector<std::size_t> rows;
  rows.reserve(lines_.size());
  for (const Line& line : lines_) rows.push_back(line.row);
  std::sort(rows.begin(), rows.end());
  return rows;
}

void Lines::check(std::span<const float> out) const {
  if (out.size() != sx_ * size_) reject("out", std::to_string(sx_ * size_) + " floats", std::to_string(out.size()));
}

bool Lines::look(std::size_t row, std::span<float> out) const {
  check(out);
  if (row >= sy_ || slot_[row] < 0) return false;
  const Bins& bins = lines_[static_cast<std::size_t>(slot_[row])].bins;
  std::copy(bins.begin(), bins.end(), out.begin());
  return true;
}

std::optional<std::size_t> Lines::take(std::span<float> out) {
  Line line;
  {
    const std::lock_guard held(mutex_);
    if (ready_.empty()) return std::nullopt;
    check(out);
    line = std::move(ready_.front());
    ready_.pop_front();
  }
  std::copy(line.bins.begin(), line.bins.end(), out.begin());
  const std::lock_guard held(mutex_);
  spare_.push_back(std::move(line.bins));
  return line.row;
}

std::size_t Lines::waiting() const {
  const std::lock_guard held(mutex_);
  return ready_.size();
}

std::size_t Lines::late() const {
  const std::lock_guard held(mutex_);
  return late_;
}

void Lines::stop() {
  const std::lock_guard held(mutex_);
  on_ = false;
  ready_.clear();
  spare_.clear();
}

}  // namespace crewe::live
