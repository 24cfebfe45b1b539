// Frames on the device as blocks that kernels take.
#pragma once

#include <string>
#include <vector>

#include "arrays.hpp"
#include "crewe/imaging/pixel.hpp"

namespace crewe::bindings {

inline imaging::Pixel pixel_of(const std::string& dtype) {
  if (dtype == "|u1") return imaging::Pixel::u8;
  if (dtype == "<u2") return imaging::Pixel::u16;
  if (dtype == "<u4") return imaging::Pixel::u32;
  if (dtype == "<f4") return imaging::Pixel::f32;
  throw py::type_error("frames: dtype " + dtype);
}

// Frames (..., ky, kx) with any strides in C order: one block where the leading axes lie evenly in memory, else one per
// index of them.
inline std::vector<imaging::FrameBlock> frame_blocks(const py::handle& view) {
  const auto shape = view.attr("shape").cast<std::vector<std::size_t>>();
  const auto strides = view.attr("strides").cast<std::vector<std::ptrdiff_t>>();
  const std::size_t axes = shape.size() - 2;
  imaging::FrameBlock block;
  block.data = reinterpret_cast<const std::byte*>(view.attr("pointer").cast<std::uintptr_t>());
  block.pixel = pixel_of(view.attr("dtype").attr("str").cast<std::string>());
  block.ny = shape[axes];
  block.nx = shape[axes + 1];
  block.row_stride = imaging::stride_of(strides[axes]);
  block.column_stride = imaging::stride_of(strides[axes + 1]);
  block.count = 1;
  // Axes from the last one on that follow each other evenly are one.
  std::size_t merged = axes;
  std::ptrdiff_t step = 0;
  while (merged > 0) {
    const std::size_t k = merged - 1;
    if (shape[k] == 1) {
    } else if (block.count == 1) {
      step = strides[k];
    } else if (strides[k] != step * static_cast<std::ptrdiff_t>(block.count)) {
      break;
    }
    block.count *= shape[k];
    --merged;
  }
  block.frame_stride = imaging::stride_of(step);
  std::vector<imaging::FrameBlock> blocks{block};
  for (std::size_t k = merged; k-- > 0;) {
    std::vector<imaging::FrameBlock> all;
    for (std::size_t i = 0; i < shape[k]; ++i) {
      for (imaging::FrameBlock each : blocks) {
        each.data += static_cast<std::ptrdiff_t>(i) * strides[k];
        all.push_back(each);
      }
    }
    blocks = std::move(all);
  }
  return blocks;
}

}  // namespace crewe::bindings
