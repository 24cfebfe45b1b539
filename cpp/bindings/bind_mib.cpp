// crewe._core.MibFraming, MibDecoder: Merlin frames in files and streams.
#include "arrays.hpp"
#include "crewe/io/mib.hpp"

namespace crewe::bindings {
namespace {

using Bytes = Array<std::uint8_t>;

std::span<const std::byte> span_of(const Bytes& bytes) {
  if (bytes.ndim() != 1 || (bytes.size() > 1 && bytes.strides(0) != 1)) {
    throw std::invalid_argument("bytes: contiguous bytes wanted");
  }
  return {reinterpret_cast<const std::byte*>(bytes.data()), static_cast<std::size_t>(bytes.size())};
}

py::dtype dtype_of(const io::MibLayout& layout) {
  return py::dtype("u" + std::to_string(layout.pixel));
}

// (n, ky, kx): what these bytes complete. Under the GIL, which keeps a second thread out of the decoder's state.
py::array feed(io::MibDecoder& decoder, const Bytes& bytes) {
  py::array images = py::array_t<std::uint8_t>(std::vector<std::size_t>{0, 0, 0});
  const std::size_t count = decoder.feed(span_of(bytes), [&](const io::MibLayout& layout, std::size_t most) {
    images = py::module_::import("numpy").attr("empty")(py::make_tuple(most, layout.ny, layout.nx), dtype_of(layout));
    return static_cast<std::byte*>(images.mutable_data());
  });
  if (images.shape(0) == static_cast<py::ssize_t>(count)) {
    const io::MibLayout* const layout = decoder.layout();
    if (count != 0 || layout == nullptr) return images;
    return py::array(dtype_of(*layout), std::vector<std::size_t>{0, layout->ny, layout->nx});
  }
  return images[py::slice(0, static_cast<py::ssize_t>(count), 1)];
}

void unpack(const io::MibFraming& framing, const Bytes& bytes, std::size_t prefix, py::array& images) {
  const auto input = span_of(bytes);
  const io::MibLayout& layout = framing.layout();
  const auto shape = extents<3>(images, "images");
  if (shape[1] != layout.ny || shape[2] != layout.nx || images.itemsize() != static_cast<py::ssize_t>(layout.pixel) ||
      (images.flags() & py::array::c_style) == 0) {
    throw std::invalid_argument("images: contiguous images of the frames' shape and type wanted");
  }
  if (input.size() / framing.stride(prefix) < shape[0]) {
    reject("bytes", std::to_string(shape[0]) + " frames", std::to_string(input.size() / framing.stride(prefix)));
  }
  auto* const out = static_cast<std::byte*>(images.mutable_data());
  const py::gil_scoped_release unlocked;
  framing.unpack(input.data(), shape[0], prefix, out);
}

}  // namespace

void bind_mib(py::module_& m);
void bind_mib(py::module_& m) {
  using io::MibDecoder;
  using io::MibFraming;
  py::class_<MibFraming>(m, "MibFraming", "The frames of one Merlin file or acquisition, by their first header.")
      .def(py::init([](const Bytes& bytes, std::uint64_t offset, int depth) {
             return MibFraming(span_of(bytes), offset, depth);
           }),
           py::arg("bytes").noconvert(), py::kw_only(), py::arg("offset") = 0, py::arg("depth") = 0)
      .def_property_readonly("shape", [](const MibFraming& f) { return std::pair(f.layout().ny, f.layout().nx); })
      .def_property_readonly("dtype", [](const MibFraming& f) { return dtype_of(f.layout()); })
      .def_property_readonly(
          "header", [](const MibFraming& f) { return f.layout().header; }, "Bytes before the pixels.")
      .def_property_readonly(
          "data", [](const MibFraming& f) { return f.layout().data; }, "Bytes of pixels.")
      .def_property_readonly(
          "depth", [](const MibFraming& f) { return f.layout().depth; }, "Counter bits, 0 = unknown.")
      .def_property_readonly("raw", [](const MibFraming& f) { return f.layout().raw; })
      .def("stride", &MibFraming::stride, py::arg("prefix") = 0, "Bytes from one frame to the next.")
      .def(
          "check",
          [](const MibFraming& framing, const Bytes& bytes, std::uint64_t offset, std::size_t prefix,
             bool consecutive) {
            const auto input = span_of(bytes);
            const py::gil_scoped_release unlocked;
            const MibFraming::Run run = framing.check(input, offset, prefix, consecutive);
            return std::pair(run.count, run.sequence);
          },
          py::arg("bytes").noconvert(), py::kw_only(), py::arg("offset") = 0, py::arg("prefix") = 0,
          py::arg("consecutive") = false, "(whole frames of this layout that `bytes` begin with, number of the first).")
      .def("unpack", &unpack, py::arg("bytes").noconvert(), py::kw_only(), py::arg("prefix") = 0,
           py::arg("images").noconvert(), "Frames, checked before, → images (n, ky, kx).");

  py::class_<MibDecoder>(m, "MibDecoder")
      .def(py::init<int>(), py::kw_only(), py::arg("depth") = 0)
      .def("feed", &feed, py::arg("bytes").noconvert())
      .def_property_readonly("pending", &MibDecoder::pending)
      .def_property_readonly("offset", &MibDecoder::offset);
}

}  // namespace crewe::bindings
