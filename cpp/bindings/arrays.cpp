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
  block.stride_frame = frames.strides(0);
  block.stride_row = frames.strides(1);
  block.stride_col = frames.strides(2);
  return block;
}

}  // namespace crewe::bindings
