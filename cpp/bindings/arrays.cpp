#include "arrays.hpp"

namespace crewe::bindings {
namespace {

imaging::Pixel pixel_of(const py::dtype& dtype) {
  const char kind = dtype.kind(), order = dtype.byteorder();
  const py::ssize_t size = dtype.itemsize();
  const bool big = order == '>';
  if (kind == 'u' && size == 1) return imaging::Pixel::u8;
  if (kind == 'u' && size == 2) return big ? imaging::Pixel::u16_be : imaging::Pixel::u16;
  if (kind == 'u' && size == 4) return big ? imaging::Pixel::u32_be : imaging::Pixel::u32;
  if (kind == 'f' && size == 4 && !big) return imaging::Pixel::f32;
  throw py::type_error("frames: dtype uint8, uint16, uint32 or float32 wanted, " + py::str(dtype).cast<std::string>() +
                       " came");
}

}  // namespace

imaging::FrameBlock frame_block(const py::array& frames) {
  const auto shape = extents<3>(frames, "frames");
  imaging::FrameBlock block;
  block.data = static_cast<const std::byte*>(frames.data());
  block.pixel = pixel_of(frames.dtype());
  block.count = shape[0];
  block.ny = shape[1];
  block.nx = shape[2];
  block.frame_stride = imaging::stride_of(frames.strides(0));
  block.row_stride = imaging::stride_of(frames.strides(1));
  block.column_stride = imaging::stride_of(frames.strides(2));
  return block;
}

std::vector<imaging::FrameBlock> frame_blocks(const py::array& frames) {
  const py::ssize_t axes = frames.ndim() - 2;
  if (axes < 0) reject("frames", "shape (..., ky, kx)", std::to_string(frames.ndim()) + " axes");
  imaging::FrameBlock block;
  block.data = static_cast<const std::byte*>(frames.data());
  block.pixel = pixel_of(frames.dtype());
  block.count = 1;
  block.ny = static_cast<std::size_t>(frames.shape(axes));
  block.nx = static_cast<std::size_t>(frames.shape(axes + 1));
  block.row_stride = imaging::stride_of(frames.strides(axes));
  block.column_stride = imaging::stride_of(frames.strides(axes + 1));
  py::ssize_t k = axes, step = 0;
  for (; k > 0; --k) {  // inner axes that one stride can walk
    const auto extent = static_cast<std::size_t>(frames.shape(k - 1));
    if (block.count != 1 && extent != 1 && frames.strides(k - 1) != step * static_cast<py::ssize_t>(block.count)) {
      break;
    }
    if (block.count == 1) step = frames.strides(k - 1);
    block.count *= extent;
  }
  block.frame_stride = imaging::stride_of(step);
  std::vector<imaging::FrameBlock> blocks{block};
  for (; k > 0; --k) {  // outer axes: a copy of all blocks per index
    std::vector<imaging::FrameBlock> more;
    for (py::ssize_t i = 0; i < frames.shape(k - 1); ++i) {
      for (imaging::FrameBlock inner : blocks) {
        inner.data += i * frames.strides(k - 1);
        more.push_back(inner);
      }
    }
    blocks = std::move(more);
  }
  return blocks;
}

std::span<const io::Event> events_of(const py::array& records) {
  if (records.itemsize() != sizeof(io::Event) || records.ndim() != 1 ||
      (records.size() > 1 && records.strides(0) != sizeof(io::Event))) {
    throw std::invalid_argument("events: one contiguous row of EVENT records wanted");
  }
  return {static_cast<const io::Event*>(records.data()), static_cast<std::size_t>(records.size())};
}

}  // namespace crewe::bindings
