#include <pybind11/stl.h>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "crewe/imaging/event_moments.hpp"
#include "crewe/io/event.hpp"
#include "crewe/io/t3p.hpp"
#include "crewe/io/tpx3.hpp"

namespace crewe::bindings {
namespace {

using io::Event;

// An array to add to: absent (None), or C-contiguous with this many numbers.
template <class T>
T* sums_of(const py::object& array, std::size_t size, const char* name) {
  if (array.is_none()) return nullptr;
  if (!py::isinstance<py::array_t<T, py::array::c_style>>(array)) {
    throw py::type_error(std::string(name) + ": a C-contiguous array of " +
                         py::str(py::dtype::of<T>()).cast<std::string>() + " wanted");
  }
  auto typed = py::reinterpret_borrow<py::array_t<T, py::array::c_style>>(array);
  if (static_cast<std::size_t>(typed.size()) != size) {
    reject(name, std::to_string(size) + " numbers", std::to_string(typed.size()));
  }
  return typed.mutable_data();
}

template <class T>
std::vector<T> numbers_of(const py::object& array) {
  if (array.is_none()) return {};
  const auto typed = py::array_t<T, py::array::c_style | py::array::forcecast>::ensure(array);
  if (!typed) throw py::error_already_set();
  return {typed.data(), typed.data() + typed.size()};
}

void bind_event_reducer(py::module_& m) {
  using imaging::EventReducer;
  py::class_<EventReducer>(m, "EventReducer")
      .def(py::init([](std::size_t ny, std::size_t nx, std::size_t positions, const py::object& weights,
                       const py::sequence& detectors, const py::object& rings, const py::object& gain,
                       const py::object& dead_pixels) {
             imaging::FrameReducer::Options options;
             options.ny = ny;
             options.nx = nx;
             options.weights = numbers_of<float>(weights);
             for (const py::handle mask : detectors) {
               options.detectors.push_back(numbers_of<float>(py::reinterpret_borrow<py::object>(mask)));
             }
             options.rings = numbers_of<std::uint8_t>(rings);
             options.gain = numbers_of<float>(gain);
             options.dead_pixels = numbers_of<std::uint8_t>(dead_pixels);
             return EventReducer(options, positions);
           }),
           py::arg("ny"), py::arg("nx"), py::arg("positions"), py::kw_only(), py::arg("weights") = py::none(),
           py::arg("detectors") = py::tuple(), py::arg("rings") = py::none(), py::arg("gain") = py::none(),
           py::arg("dead_pixels") = py::none())
      .def(
          "add",
          [](EventReducer& self, const py::array& records, const py::object& moments, const py::object& detectors,
             const py::object& profiles, const py::object& pattern) {
            const auto events = events_of(records);
            EventReducer::Sums into;
            into.moments =
                reinterpret_cast<imaging::Moments*>(sums_of<double>(moments, 3 * self.positions(), "moments"));
            into.detectors = sums_of<double>(detectors, self.detectors() * self.positions(), "detectors");
            into.profiles = sums_of<float>(profiles, self.rings() * self.positions(), "profiles");
            into.pattern = sums_of<double>(pattern, self.pixels(), "pattern");
            std::vector<std::uint32_t> touched;
            {
              const py::gil_scoped_release free;
              self.check(events);
              self.add(events, into, touched);
            }
            return py::array_t<std::uint32_t>(static_cast<py::ssize_t>(touched.size()), touched.data());
          },
          py::arg("events"), py::kw_only(), py::arg("moments") = py::none(), py::arg("detectors") = py::none(),
          py::arg("profiles") = py::none(), py::arg("pattern") = py::none(),
          "Adds EVENT records to (positions, 3), (positions, k), (positions, rings) and (ny, nx); returns the "
          "positions "
          "that changed.");
}

// ------------------------------------------------------------------------------------------------------- decoders
// The bytes of a bytes-like object, for as long as this lives.
class Bytes {
 public:
  explicit Bytes(const py::buffer& object) : info_(object.request()) {
    py::ssize_t expected = info_.itemsize;
    for (auto i = static_cast<std::size_t>(info_.ndim); i-- > 0;) {
      if (info_.shape[i] > 1 && info_.strides[i] != expected) throw py::type_error("bytes: a contiguous buffer wanted");
      expected *= info_.shape[i];
    }
  }
  std::span<const std::byte> span() const {
    return {static_cast<const std::byte*>(info_.ptr), static_cast<std::size_t>(info_.size * info_.itemsize)};
  }

 private:
  py::buffer_info info_;
};

struct Field {
  const char *name, *format;
  std::size_t offset;
};

py::dtype record_dtype(std::initializer_list<Field> fields, std::size_t size) {
  py::list names, formats, offsets;
  for (const Field& field : fields) {
    names.append(field.name);
    formats.append(py::dtype(field.format));
    offsets.append(field.offset);
  }
  return py::dtype(names, formats, offsets, static_cast<py::ssize_t>(size));
}

py::dtype hit_dtype() {
  using io::Tpx3Hit;
  return record_dtype({{"x", "<u2", offsetof(Tpx3Hit, x)},
                       {"y", "<u2", offsetof(Tpx3Hit, y)},
                       {"toa", "<i8", offsetof(Tpx3Hit, toa)},
                       {"tot", "<u2", offsetof(Tpx3Hit, tot)},
                       {"chip", "u1", offsetof(Tpx3Hit, chip)}},
                      sizeof(Tpx3Hit));
}

py::dtype tdc_dtype() {
  using io::Tpx3Tdc;
  return record_dtype({{"toa", "<i8", offsetof(Tpx3Tdc, toa)},
                       {"channel", "u1", offsetof(Tpx3Tdc, channel)},
                       {"rising", "?", offsetof(Tpx3Tdc, rising)},
                       {"chip", "u1", offsetof(Tpx3Tdc, chip)}},
                      sizeof(Tpx3Tdc));
}

py::dtype event_dtype() {
  return record_dtype({{"position", "<u4", offsetof(Event, position)},
                       {"y", "<u2", offsetof(Event, y)},
                       {"x", "<u2", offsetof(Event, x)}},
                      sizeof(Event));
}

// A vector becomes the memory of an array.
template <class T>
py::array array_of(const py::dtype& dtype, std::vector<T>&& records) {
  auto* kept = new std::vector<T>(std::move(records));
  const py::capsule owner(kept, [](void* memory) { delete static_cast<std::vector<T>*>(memory); });
  return py::array(dtype, {static_cast<py::ssize_t>(kept->size())}, {}, kept->data(), owner);
}

// Events stay where the decoder has them; the array keeps that memory, not its content, beyond the next call.
py::array event_array(const io::EventBlock& block) {
  using Memory = std::shared_ptr<const Event[]>;
  auto* kept = new Memory(block.memory);
  const py::capsule owner(kept, [](void* memory) { delete static_cast<Memory*>(memory); });
  py::array array(event_dtype(), {static_cast<py::ssize_t>(block.events.size())}, {}, block.events.data(), owner);
  array.attr("flags").attr("writeable") = false;
  return array;
}

py::object damage_of(const std::optional<io::Damage>& damage) {
  if (!damage) return py::none();
  return py::make_tuple(damage->what, damage->offset, damage->skipped);
}

py::dict counts_of(const io::Tpx3Counts& counts) {
  py::dict all;
  all["hits"] = counts.hits;
  all["tdc"] = counts.tdc;
  all["heartbeats"] = counts.heartbeats;
  all["control"] = counts.control;
  all["unknown"] = counts.unknown;
  all["chunks"] = counts.chunks;
  return all;
}

void add_counts(py::dict& all, const io::EventCounts& counts) {
  all["events"] = counts.events;
  all["stray"] = counts.stray;
  all["unaccepted"] = counts.unaccepted;
  all["lost"] = counts.lost;
}

using Pair = std::pair<std::size_t, std::size_t>;
using Place = std::tuple<std::size_t, std::size_t, bool, bool>;

io::EventOptions event_options(const Pair& scan, const Pair& detector, const std::vector<Place>& chips, double dwell,
                               double acceptance, std::size_t scans, std::size_t waiting) {
  io::EventOptions options;
  std::tie(options.sy, options.sx) = scan;
  std::tie(options.ny, options.nx) = detector;
  for (const auto& [y0, x0, flip_y, flip_x] : chips) options.chips.push_back({y0, x0, flip_y, flip_x});
  options.dwell = dwell;
  options.acceptance = acceptance;
  options.scans = scans;
  options.waiting = waiting;
  return options;
}

template <class Scan, class Step>
py::array events_from(Scan& scan, Step&& step) {
  io::EventBlock block;
  {
    const py::gil_scoped_release free;
    block = step(scan);
  }
  return event_array(block);
}

void bind_tpx3_decoder(py::module_& m) {
  using io::Tpx3Decoder;
  m.attr("HIT") = hit_dtype();
  m.attr("TDC") = tdc_dtype();
  py::class_<Tpx3Decoder>(m, "Tpx3Decoder")
      .def(py::init<>())
      .def(
          "feed",
          [](Tpx3Decoder& self, const py::buffer& buffer) {
            const Bytes bytes(buffer);
            std::vector<io::Tpx3Hit> hits;
            std::vector<io::Tpx3Tdc> tdc;
            {
              const py::gil_scoped_release free;
              self.feed(bytes.span(), hits, tdc);
            }
            return py::make_tuple(array_of(hit_dtype(), std::move(hits)), array_of(tdc_dtype(), std::move(tdc)));
          },
          py::arg("buffer"))
      .def("finish", &Tpx3Decoder::finish)
      .def_property_readonly("counts", [](const Tpx3Decoder& self) { return counts_of(self.counts()); })
      .def_property_readonly("damage", [](const Tpx3Decoder& self) { return damage_of(self.damage()); });
}

template <class Scan>
void bind_event_scan(py::class_<Scan>& type) {
  type.def(
          "feed",
          [](Scan& self, const py::buffer& buffer) {
            const Bytes bytes(buffer);
            return events_from(self, [&](Scan& scan) { return scan.feed(bytes.span()); });
          },
          py::arg("buffer"), "EVENT records, valid until the next call.")
      .def("finish", [](Scan& self) { return events_from(self, [](Scan& scan) { return scan.finish(); }); })
      .def_property_readonly("damage", [](const Scan& self) { return damage_of(self.damage()); });
}

void bind_tpx3_scan(py::module_& m) {
  using io::Tpx3Scan;
  const io::EventOptions defaults;
  py::class_<Tpx3Scan> type(m, "Tpx3Scan");
  bind_event_scan(type);
  type.def(py::init([](Pair scan, Pair detector, const std::vector<Place>& chips, double dwell, double acceptance,
                       std::size_t scans, std::size_t waiting) {
             return Tpx3Scan(event_options(scan, detector, chips, dwell, acceptance, scans, waiting));
           }),
           py::kw_only(), py::arg("scan"), py::arg("detector"), py::arg("chips"), py::arg("dwell") = defaults.dwell,
           py::arg("acceptance") = defaults.acceptance, py::arg("scans") = defaults.scans,
           py::arg("waiting") = defaults.waiting)
      .def("flush", [](Tpx3Scan& self) { return events_from(self, [](Tpx3Scan& scan) { return scan.flush(); }); })
      .def("cut", &Tpx3Scan::cut)
      .def_property_readonly("dwell", &Tpx3Scan::dwell)
      .def_property_readonly("lines", &Tpx3Scan::lines)
      .def_property_readonly("complete", &Tpx3Scan::complete)
      .def_property_readonly("counts", [](const Tpx3Scan& self) {
        py::dict all = counts_of(self.words());
        all["chips"] = self.hits_per_chip();
        add_counts(all, self.counts());
        return all;
      });
}

void bind_t3p_scan(py::module_& m) {
  using io::T3pScan;
  const io::EventOptions defaults;
  py::class_<T3pScan> type(m, "T3pScan");
  bind_event_scan(type);
  type.def(py::init([](bool text, Pair scan, Pair detector, const std::vector<Place>& chips, double dwell,
                       double acceptance, std::size_t scans) {
             return T3pScan(text ? T3pScan::Format::text : T3pScan::Format::binary,
                            event_options(scan, detector, chips, dwell, acceptance, scans, 0));
           }),
           py::kw_only(), py::arg("text"), py::arg("scan"), py::arg("detector"), py::arg("chips"), py::arg("dwell"),
           py::arg("acceptance") = defaults.acceptance, py::arg("scans") = defaults.scans)
      .def_property_readonly("counts", [](const T3pScan& self) {
        py::dict all;
        all["hits"] = self.records().hits;
        all["gaps"] = self.records().gaps;
        all["gap_ticks"] = self.records().gap_ticks;
        all["bad_lines"] = self.records().bad_lines;
        add_counts(all, self.counts());
        return all;
      });
}

}  // namespace

void bind_events(py::module_& m);
void bind_events(py::module_& m) {
  bind_event_reducer(m);
  bind_tpx3_decoder(m);
  bind_tpx3_scan(m);
  bind_t3p_scan(m);
}

}  // namespace crewe::bindings
