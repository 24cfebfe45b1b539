#include <pybind11/pybind11.h>

#include <algorithm>

#include "arrays.hpp"
#include "crewe/atoms/log_map.hpp"
#include "crewe/atoms/match.hpp"
#include "crewe/atoms/nms.hpp"
#include "crewe/atoms/peaks.hpp"

namespace crewe::bindings {

void bind_atoms_find(py::module_& m);
void bind_atoms_find(py::module_& m) {
  using namespace py::literals;
  m.def(
      "atoms_log_map",
      [](const Array<float>& image, Array<float>& map, Array<float>& finer, int threads) {
        const auto from = input<float, 2>(image, "image");
        const auto to = output<float, 2>(map, "map");
        const auto to_finer = output<float, 2>(finer, "finer");
        atoms::LogScale scale;
        {
          const py::gil_scoped_release release;
          scale = atoms::log_map(from, to, to_finer, threads);
        }
        return py::make_tuple(scale.sigma, scale.lattice);
      },
      py::arg("image").noconvert(), py::arg("map").noconvert(), py::arg("finer").noconvert(), py::kw_only(),
      "threads"_a = 0);
  m.def(
      "atoms_peaks",
      [](const Array<float>& map, std::size_t reach, float lower) {
        const auto from = input<float, 2>(map, "map");
        std::vector<atoms::Peak> found;
        {
          const py::gil_scoped_release release;
          found = atoms::peaks(from, reach, lower);
        }
        Array<double> result({static_cast<py::ssize_t>(found.size()), py::ssize_t{3}});
        auto* out = result.mutable_data();
        for (const atoms::Peak& peak : found) {
          *out++ = peak.y;
          *out++ = peak.x;
          *out++ = peak.height;
        }
        return result;
      },
      py::arg("map").noconvert(), py::kw_only(), "reach"_a, "lower"_a);
  m.def(
      "atoms_nms",
      [](const Array<double>& boxes, const Array<double>& scores, double iou) {
        const auto b = input<double, 2>(boxes, "boxes");
        const auto s = input<double, 1>(scores, "scores");
        std::vector<std::size_t> kept;
        {
          const py::gil_scoped_release release;
          kept = atoms::nms(b, s, iou);
        }
        Array<std::int64_t> result(static_cast<py::ssize_t>(kept.size()));
        std::copy(kept.begin(), kept.end(), result.mutable_data());
        return result;
      },
      py::arg("boxes").noconvert(), py::arg("scores").noconvert(), py::kw_only(), "iou"_a);
  m.def(
      "atoms_nearest",
      [](const Array<double>& points, const Array<double>& others) {
        const auto p = input<double, 2>(points, "points");
        const auto o = input<double, 2>(others, "others");
        std::vector<double> distances;
        {
          const py::gil_scoped_release release;
          distances = atoms::nearest(p, o);
        }
        return Array<double>(static_cast<py::ssize_t>(distances.size()), distances.data());
      },
      py::arg("points").noconvert(), py::arg("others").noconvert());
  m.def(
      "atoms_neighbour",
      [](const Array<double>& points) {
        const auto p = input<double, 2>(points, "points");
        std::vector<double> distances;
        {
          const py::gil_scoped_release release;
          distances = atoms::neighbour(p);
        }
        return Array<double>(static_cast<py::ssize_t>(distances.size()), distances.data());
      },
      py::arg("points").noconvert());
  m.def(
      "atoms_match",
      [](const Array<double>& found, const Array<double>& truth, double tolerance) {
        const auto f = input<double, 2>(found, "found");
        const auto t = input<double, 2>(truth, "truth");
        std::vector<std::pair<std::size_t, std::size_t>> pairs;
        {
          const py::gil_scoped_release release;
          pairs = atoms::match(f, t, tolerance);
        }
        Array<std::int64_t> result({static_cast<py::ssize_t>(pairs.size()), py::ssize_t{2}});
        auto* out = result.mutable_data();
        for (const auto& [i, j] : pairs) {
          *out++ = static_cast<std::int64_t>(i);
          *out++ = static_cast<std::int64_t>(j);
        }
        return result;
      },
      py::arg("found").noconvert(), py::arg("truth").noconvert(), py::kw_only(), "tolerance"_a);
}

}  // namespace crewe::bindings
