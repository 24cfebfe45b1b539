// Frames with strides left out are dense; rows and frames may lie apart, and lie repeated.
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <vector>

#include "crewe/live/session.hpp"

namespace {

namespace live = crewe::live;
using crewe::imaging::FrameBlock;

constexpr std::size_t kScan = 3, kRows = 5, kCols = 7, kFrames = kScan * kScan;

std::uint16_t pixel(std::size_t frame, std::size_t row, std::size_t col) {
  return static_cast<std::uint16_t>(1 + (frame * 31 + row * 5 + col * 3) % 11);
}

// Memory in which pixels, rows and frames lie so many numbers apart.
std::vector<std::uint16_t> spread(std::size_t frame_step, std::size_t row_step, std::size_t step) {
  std::vector<std::uint16_t> memory(kFrames * frame_step + kRows * row_step, 999);
  for (std::size_t frame = 0; frame < kFrames; ++frame) {
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t col = 0; col < kCols; ++col) {
        memory[frame * frame_step + row * row_step + col * step] = pixel(frame, row, col);
      }
    }
  }
  return memory;
}

FrameBlock block(const std::vector<std::uint16_t>& memory) {
  return {.data = reinterpret_cast<const std::byte*>(memory.data()),
          .pixel = crewe::imaging::Pixel::u16,
          .count = kFrames,
          .ny = kRows,
          .nx = kCols};
}

std::vector<float> images_of(const FrameBlock& frames) {
  live::Options options;
  options.sy = options.sx = kScan;
  options.ky = kRows;
  options.kx = kCols;
  options.images = {{"com", live::CenterOfMass{}}, {"ring", live::VirtualDetector{.inner = 1}}, {"sum", live::Sum{}}};
  live::Session session(options);
  session.push(frames);
  session.finish();
  std::vector<float> all;
  for (const auto& [name, kind] : options.images) {
    const live::Image image = session.image(name);
    all.insert(all.end(), image.pixels.get(), image.pixels.get() + image.size());
  }
  return all;
}

void expect(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

void compare() {
  const auto dense = spread(kRows * kCols, kCols, 1);
  FrameBlock frames = block(dense);
  const std::vector<float> want = images_of(frames);
  expect(want[2 * kFrames] > 0, "the images hold something");
  frames.column_stride = 2;
  frames.row_stride = 2 * kCols;
  frames.frame_stride = 2 * kRows * kCols;
  expect(images_of(frames) == want, "dense is what 0 means");

  const auto padded = spread(kRows * (kCols + 2), kCols + 2, 1);
  frames = block(padded);
  frames.row_stride = 2 * (kCols + 2);
  expect(images_of(frames) == want, "a frame follows the rows of the frame before");

  const auto every_third = spread(3 * kRows * kCols, 3 * kCols, 3);
  frames = block(every_third);
  frames.column_stride = 6;
  expect(images_of(frames) == want, "a row follows the pixels of the row before");

  frames = block(dense);
  frames.frame_stride = crewe::imaging::kRepeated;
  std::vector<std::uint16_t> first;
  for (std::size_t i = 0; i < kFrames; ++i) first.insert(first.end(), dense.begin(), dense.begin() + kRows * kCols);
  expect(images_of(frames) == images_of(block(first)), "the same frame again");
}

}  // namespace

int main() {
  try {
    compare();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "not so: " << error.what() << '\n';
    return 1;
  }
}
