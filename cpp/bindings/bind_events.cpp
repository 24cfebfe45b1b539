#include <span>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "crewe/imaging/event_moments.hpp"
#include "crewe/io/event.hpp"

namespace crewe::bindings {
namespace {

using io::Event;

// EVENT records → events, without a copy.
std::span<const Event> events_of(const py::array& records) {
  if (records.itemsize() != sizeof(Event) || records.ndim() != 1 || (records.size() > 1 && records.strides(0) != 8)) {
    throw std::invalid_argument("events: one contiguous row of EVENT records wanted");
  }
  return {static_cast<const Event*>(records.data()), static_cast<std::size_t>(records.size())};
}

// An array to add to: absent (None), or C-contiguous with this many numbers.
template <class T>
T* sums_of(const py::object& array, std::size_t size, const char* name) {
  if (array.is_none()) return nullptr;
  if (!py::isinstance<py::array_t<T, py::array::c_style>>(array))
    throw py::type_error(std::string(name) + ": wrong type");
  auto typed = py::reinterpret_borrow<py::array_t<T, py::array::c_style>>(array);
  if (static_cast<std::size_t>(typed.size()) != size) throw std::invalid_argument(std::string(name) + ": wrong size");
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
                       const py::object& dead) {
             imaging::FrameReducer::Options options;
             options.ny = ny;
             options.nx = nx;
             options.weights = numbers_of<float>(weights);
             for (const py::handle mask : detectors) {
               options.detectors.push_back(numbers_of<float>(py::reinterpret_borrow<py::object>(mask)));
             }
             options.rings = numbers_of<std::uint8_t>(rings);
             options.gain = numbers_of<float>(gain);
             options.dead = numbers_of<std::uint8_t>(dead);
             return EventReducer(options, positions);
           }),
           py::arg("ny"), py::arg("nx"), py::arg("positions"), py::kw_only(), py::arg("weights") = py::none(),
           py::arg("detectors") = py::tuple(), py::arg("rings") = py::none(), py::arg("gain") = py::none(),
           py::arg("dead") = py::none())
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
              py::gil_scoped_release free;
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

}  // namespace

void bind_events(py::module_& m);
void bind_events(py::module_& m) {
  bind_event_reducer(m);
}

}  // namespace crewe::bindings
