#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "crewe/live/device.hpp"
#include "crewe/live/session.hpp"

namespace crewe::bindings {
namespace {

using live::Kind;
using live::Session;

// ("ricom", kernel, low, high) and so on: what the dataclasses of crewe.live give.
Kind kind_of(const py::tuple& spec) {
  const auto name = spec[0].cast<std::string>();
  const auto number = [&](std::size_t i) { return spec[i].cast<double>(); };
  if (name == "ricom") return live::RiCOM{spec[1].cast<std::size_t>(), number(2), number(3)};
  if (name == "detector") return live::VirtualDetector{number(1), number(2)};
  if (name == "com") return live::CenterOfMass{};
  if (name == "icom") return live::ICOM{number(1)};
  if (name == "field") return live::ElectricField{number(1), number(2)};
  if (name == "sum") return live::Sum{};
  if (name == "ssb") {
    live::SSB ssb{number(1), number(2), number(3), number(4), number(5), {}};
    for (const auto& [n, m, size, azimuth] : spec[6].cast<std::vector<std::tuple<int, int, double, double>>>()) {
      ssb.aberrations.push_back({n, m, size, azimuth});
    }
    return ssb;
  }
  if (name == "external") return live::External{};
  throw std::invalid_argument("images: no kind '" + name + "'");
}

std::vector<std::pair<std::string, Kind>> kinds_of(const py::dict& specs) {
  std::vector<std::pair<std::string, Kind>> kinds;
  for (const auto& [name, spec] : specs) kinds.emplace_back(name.cast<std::string>(), kind_of(spec.cast<py::tuple>()));
  return kinds;
}

std::optional<live::Point> point_of(const py::object& pair) {
  if (pair.is_none()) return std::nullopt;
  const auto [y, x] = pair.cast<std::pair<double, double>>();
  return live::Point{y, x};
}

// None: no descan; "fit"; or ((yy, yx), (xy, xx)).
live::Descan descan_of(const py::object& given) {
  if (given.is_none()) return {};
  if (py::isinstance<py::str>(given)) return {.fit = true};
  const auto s = given.cast<std::array<std::array<double, 2>, 2>>();
  return {.fit = false, .yy = s[0][0], .yx = s[0][1], .xy = s[1][0], .xx = s[1][1]};
}

live::Order order_of(const std::string& name) {
  if (name == "list") return live::Order::list;
  return name == "serpentine" ? live::Order::serpentine : live::Order::raster;
}

template <class T>
std::vector<T> pixels_of(const py::dict& options, const char* name) {
  if (!options.contains(name)) return {};
  const auto array = options[name].cast<py::array_t<T, py::array::c_style>>();
  return {array.data(), array.data() + array.size()};
}

live::Options options_of(const py::dict& given) {
  live::Options options;
  const auto pair = [&](const char* name) { return given[name].cast<std::pair<std::size_t, std::size_t>>(); };
  std::tie(options.sy, options.sx) = pair("scan");
  std::tie(options.ky, options.kx) = pair("detector");
  options.images = kinds_of(given["images"].cast<py::dict>());
  options.center = point_of(given["center"]);
  options.descan = descan_of(given["descan"]);
  options.rotation = given["rotation"].cast<double>();
  options.transpose = given["transpose"].cast<bool>();
  options.threads = given["threads"].cast<int>();
  if (given.contains("device")) {  // of crewe._cuda
    void* const held = PyCapsule_GetPointer(given["device"].ptr(), "crewe.FrameDevice");
    if (held == nullptr) throw py::error_already_set();
    options.device = *static_cast<std::shared_ptr<live::FrameDevice>*>(held);
  }
  options.queue = given["queue"].cast<std::size_t>();
  options.busy_when_full = given["busy_when_full"].cast<bool>();
  options.keep_profile = given["keep_profile"].cast<bool>();
  options.dead_pixels = pixels_of<std::uint8_t>(given, "dead_pixels");
  options.dark = pixels_of<float>(given, "dark");
  options.gain = pixels_of<float>(given, "gain");
  options.com_mask = pixels_of<float>(given, "com_mask");
  std::tie(options.com_inner, options.com_outer) = given["com_radii"].cast<std::pair<double, double>>();
  options.skip = given["skip"].cast<std::size_t>();
  options.flyback = given["flyback"].cast<std::size_t>();
  options.order = order_of(given["order"].cast<std::string>());
  options.positions = pixels_of<std::int32_t>(given, "positions");
  return options;
}

// What a release callback needs; the array is held until then.
struct Borrowed {
  py::object frames, release;
};

void give_back(void* user) {
  const py::gil_scoped_acquire gil;
  const std::unique_ptr<Borrowed> borrowed(static_cast<Borrowed*>(user));
  if (borrowed->release.is_none()) return;
  try {
    borrowed->release();
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable("release of a borrowed block");
  }
}

// One column of events: integers of any type and stride.
class Column {
 public:
  Column(const py::array& array, const char* name)
      : data_(static_cast<const std::byte*>(array.data())),
        size_(static_cast<std::size_t>(array.size())),
        stride_(array.ndim() == 1 ? array.strides(0) : 0),
        item_(array.itemsize()),
        signed_(array.dtype().kind() == 'i') {
    const py::dtype dtype = array.dtype();
    if ((dtype.kind() != 'i' && dtype.kind() != 'u') || dtype.byteorder() == '>') {
      throw py::type_error(std::string(name) + ": an integer array in native byte order wanted, " +
                           py::str(dtype).cast<std::string>() + " came");
    }
    if (array.ndim() != 1) throw std::invalid_argument(std::string(name) + ": one axis wanted");
  }
  std::size_t size() const { return size_; }

  // Numbers [begin, begin + n) as unsigned: what is negative becomes huge.
  void read(std::size_t begin, std::size_t n, std::uint64_t* out) const {
    switch (item_ * 2 + (signed_ ? 1 : 0)) {
      case 2:
        return convert<std::uint8_t>(begin, n, out);
      case 3:
        return convert<std::int8_t>(begin, n, out);
      case 4:
        return convert<std::uint16_t>(begin, n, out);
      case 5:
        return convert<std::int16_t>(begin, n, out);
      case 8:
        return convert<std::uint32_t>(begin, n, out);
      case 9:
        return convert<std::int32_t>(begin, n, out);
      case 16:
        return convert<std::uint64_t>(begin, n, out);
      default:
        return convert<std::int64_t>(begin, n, out);
    }
  }

 private:
  template <class T>
  void convert(std::size_t begin, std::size_t n, std::uint64_t* out) const {
    const std::byte* from = data_ + static_cast<std::ptrdiff_t>(begin) * stride_;
    for (std::size_t i = 0; i < n; ++i, from += stride_) {
      T value;
      __builtin_memcpy(&value, from, sizeof(T));
      out[i] = static_cast<std::uint64_t>(static_cast<std::conditional_t<std::is_signed_v<T>, std::int64_t, T>>(value));
    }
  }

  const std::byte* data_;
  std::size_t size_;
  std::ptrdiff_t stride_;
  py::ssize_t item_;
  bool signed_;
};

// A session that lets go of the GIL wherever it may wait.
class LiveSession {
 public:
  explicit LiveSession(const py::dict& options) : session_(std::make_unique<Session>(options_of(options))) {}
  ~LiveSession() {
    const py::gil_scoped_release free;
    session_.reset();
  }

  void push(const py::array& frames, std::optional<std::size_t> first) {
    const imaging::FrameBlock block = frame_block(frames);
    const py::gil_scoped_release free;
    session_->push(block, first);
  }

  void lend(const py::array& frames, std::optional<std::size_t> first, const py::object& release) {
    const imaging::FrameBlock block = frame_block(frames);
    auto borrowed = std::make_unique<Borrowed>(Borrowed{frames, release});
    {
      const py::gil_scoped_release free;
      session_->push(block, first, {give_back, borrowed.get()});
    }
    static_cast<void>(borrowed.release());  // the worker's now
  }

  void push_records(const py::array& records, bool more) {
    const std::span<const io::Event> events = events_of(records);
    const py::gil_scoped_release free;
    session_->push_events(events, more);
  }

  void lend_records(const py::array& records, const py::object& release, bool more) {
    const std::span<const io::Event> events = events_of(records);
    auto borrowed = std::make_unique<Borrowed>(Borrowed{records, release});
    {
      const py::gil_scoped_release free;
      session_->push_events(events, {give_back, borrowed.get()}, more);
    }
    static_cast<void>(borrowed.release());
  }

  void push_events(const py::array& position, const py::array& y, const py::array& x) {
    const std::array columns{Column(position, "position"), Column(y, "y"), Column(x, "x")};
    const std::size_t n = columns[0].size();
    if (columns[1].size() != n || columns[2].size() != n) {
      reject(
          "position, y, x", "one length",
          std::to_string(n) + ", " + std::to_string(columns[1].size()) + " and " + std::to_string(columns[2].size()));
    }
    const py::gil_scoped_release free;
    // Twice over the columns: the first time they are looked at, the second time they count.
    for (const bool count : {false, true}) {
      for (std::size_t begin = 0; begin < n; begin += kBlock) {
        const std::size_t size = std::min(kBlock, n - begin);
        convert(columns, begin, size, !count);
        if (count) session_->push_events({events_.data(), size}, begin + size < n);
      }
    }
  }

  py::array image(const std::string& name) {
    {
      const py::gil_scoped_release free;
      session_->refresh(name);
    }
    const live::Image image = session_->image(name);
    auto* const held = new std::shared_ptr<const float[]>(image.pixels);
    const py::capsule owner(held, [](void* pointer) { delete static_cast<std::shared_ptr<const float[]>*>(pointer); });
    const std::vector<py::ssize_t> shape(image.shape.begin(), image.shape.begin() + static_cast<int>(image.axes));
    py::array_t<float> view(shape, image.pixels.get(), owner);
    view.attr("setflags")(py::arg("write") = false);
    return view;
  }

  void configure(const py::dict& given) {
    live::Changes changes;
    changes.images = kinds_of(given["images"].cast<py::dict>());
    if (given.contains("center")) changes.center = point_of(given["center"]);
    if (given.contains("descan")) changes.descan = descan_of(given["descan"]);
    if (given.contains("rotation")) changes.rotation = given["rotation"].cast<double>();
    if (given.contains("transpose")) changes.transpose = given["transpose"].cast<bool>();
    const py::gil_scoped_release free;
    session_->configure(changes);
  }

  std::vector<std::pair<std::size_t, std::size_t>> changed_rows(const std::string& name, std::uint64_t since) const {
    std::vector<std::pair<std::size_t, std::size_t>> rows;
    session_->changed_rows(name, since, rows);
    return rows;
  }

  void gather(const std::string& name, std::size_t join, std::pair<std::size_t, std::size_t> corner,
              std::pair<std::size_t, std::size_t> shape) {
    const py::gil_scoped_release free;
    session_->gather(name, {join, corner.first, corner.second, shape.first, shape.second});
  }

  std::optional<std::size_t> take_line(const std::string& name, py::array_t<float, py::array::c_style> out) {
    const std::span<float> line(out.mutable_data(), static_cast<std::size_t>(out.size()));
    const py::gil_scoped_release free;
    return session_->take_line(name, line);
  }

  void read_line(const std::string& name, std::size_t row, py::array_t<float, py::array::c_style> out) const {
    const std::span<float> line(out.mutable_data(), static_cast<std::size_t>(out.size()));
    const py::gil_scoped_release free;
    session_->read_line(name, row, line);
  }

  void write(const std::string& name, std::size_t first, const py::array_t<float, py::array::c_style>& rows) {
    const std::span<const float> values(rows.data(), static_cast<std::size_t>(rows.size()));
    const py::gil_scoped_release free;
    session_->write(name, first, values);
  }

  std::pair<double, double> detector_center() const {
    const py::gil_scoped_release free;
    const live::Point point = session_->detector_center();
    return {point.y, point.x};
  }

  double ring_width() const {
    const py::gil_scoped_release free;
    return session_->ring_width();
  }

  std::pair<double, double> center() const {
    const py::gil_scoped_release free;
    const live::Point point = session_->center();
    return {point.y, point.x};
  }

  std::array<std::array<double, 2>, 2> descan() const {
    const py::gil_scoped_release free;
    const live::Descan d = session_->descan();
    return {{{d.yy, d.yx}, {d.xy, d.xx}}};
  }

  Session& session() { return *session_; }

 private:
  static constexpr std::size_t kBlock = 1 << 16;

  void convert(const std::array<Column, 3>& columns, std::size_t begin, std::size_t size, bool check) {
    const live::Options& options = session_->options();
    const std::array<std::uint64_t, 3> limits{options.sy * options.sx, options.ky, options.kx};
    events_.resize(kBlock);
    numbers_.resize(kBlock);
    for (std::size_t k = 0; k < 3; ++k) {
      columns[k].read(begin, size, numbers_.data());
      if (check) {
        std::uint64_t largest = 0;
        for (std::size_t i = 0; i < size; ++i) largest = std::max(largest, numbers_[i]);
        if (largest >= limits[k]) refuse(k, begin, size, limits[k]);
        continue;
      }
      for (std::size_t i = 0; i < size; ++i) {
        if (k == 0) events_[i].position = static_cast<std::uint32_t>(numbers_[i]);
        if (k == 1) events_[i].y = static_cast<std::uint16_t>(numbers_[i]);
        if (k == 2) events_[i].x = static_cast<std::uint16_t>(numbers_[i]);
      }
    }
  }

  [[noreturn]] void refuse(std::size_t column, std::size_t begin, std::size_t size, std::uint64_t limit) const {
    static constexpr std::array names{"position", "y", "x"};
    for (std::size_t i = 0; i < size; ++i) {
      if (numbers_[i] < limit) continue;
      throw std::invalid_argument(std::string(names[column]) + ": 0 to " + std::to_string(limit - 1) + " wanted, " +
                                  std::to_string(static_cast<std::int64_t>(numbers_[i])) + " came at event " +
                                  std::to_string(begin + i));
    }
    throw std::invalid_argument(names[column]);
  }

  std::unique_ptr<Session> session_;
  std::vector<io::Event> events_;
  std::vector<std::uint64_t> numbers_;
};

}  // namespace

void bind_live(py::module_& m);
void bind_live(py::module_& m) {
  using Free = py::call_guard<py::gil_scoped_release>;
  py::class_<LiveSession>(m, "LiveSession")
      .def(py::init<const py::dict&>())
      .def("push", &LiveSession::push)
      .def("lend", &LiveSession::lend)
      .def("push_records", &LiveSession::push_records, py::arg("records"), py::arg("more") = false)
      .def("lend_records", &LiveSession::lend_records, py::arg("records"), py::arg("release"), py::arg("more") = false)
      .def("push_events", &LiveSession::push_events)
      .def("image", &LiveSession::image)
      .def("configure", &LiveSession::configure)
      .def("changed_rows", &LiveSession::changed_rows)
      .def("gather", &LiveSession::gather)
      .def("take_line", &LiveSession::take_line, py::arg("name"), py::arg("out").noconvert())
      .def("read_line", &LiveSession::read_line, py::arg("name"), py::arg("row"), py::arg("out").noconvert())
      .def("write", &LiveSession::write, py::arg("name"), py::arg("first"), py::arg("rows").noconvert())
      .def(
          "open_lines", [](LiveSession& self, const std::string& name) { return self.session().open_lines(name); },
          Free())
      .def("waiting_lines",
           [](LiveSession& self, const std::string& name) { return self.session().waiting_lines(name); })
      .def("late", [](LiveSession& self, const std::string& name) { return self.session().late(name); })
      .def("stop_gathering", [](LiveSession& self, const std::string& name) { self.session().stop_gathering(name); })
      .def_property_readonly("detector_center", &LiveSession::detector_center)
      .def_property_readonly("turn",
                             [](LiveSession& self) {
                               const live::Options& options = self.session().options();
                               return std::pair(options.rotation, options.transpose);
                             })
      .def_property_readonly("center", &LiveSession::center)
      .def_property_readonly("descan", &LiveSession::descan)
      .def_property_readonly("done", [](LiveSession& self) { return self.session().done(); })
      .def_property_readonly("version", [](LiveSession& self) { return self.session().version(); })
      .def_property_readonly("closed", [](LiveSession& self) { return self.session().closed(); })
      .def_property_readonly("ring_width", &LiveSession::ring_width)
      .def_property_readonly("threads", [](LiveSession& self) { return self.session().threads(); })
      .def_property_readonly("frames", [](LiveSession& self) { return self.session().frames(); })
      .def(
          "flush", [](LiveSession& self) { self.session().flush(); }, Free())
      .def(
          "finish", [](LiveSession& self) { self.session().finish(); }, Free())
      .def(
          "close", [](LiveSession& self) { self.session().close(); }, Free())
      .def("next_scan", [](LiveSession& self) { self.session().next_scan(); }, Free());
}

}  // namespace crewe::bindings
