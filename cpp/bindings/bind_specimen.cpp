#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "crewe/specimen/atoms.hpp"
#include "crewe/specimen/render.hpp"

namespace crewe::bindings {
namespace {

std::vector<specimen::Profile> profiles_of(const Array<double>& array) {
  const View<const double, 2> view = input<double, 2>(array, "profiles");
  check_shape(view, {view.shape[0], 5}, "profiles");
  std::vector<specimen::Profile> profiles;
  for (std::size_t k = 0; k < view.shape[0]; ++k) {
    profiles.push_back({view(k, 0), view(k, 1), view(k, 2), view(k, 3), view(k, 4)});
    if (!(view(k, 4) > 0)) reject("profiles", "radius > 0", std::to_string(view(k, 4)));
  }
  return profiles;
}

const std::uint32_t* kinds_of(const Array<std::uint32_t>& kind, std::size_t count, std::size_t kinds) {
  const View<const std::uint32_t, 1> view = input<std::uint32_t, 1>(kind, "kind");
  check_shape(view, {count}, "kind");
  check_contiguous(view, "kind");
  for (std::size_t i = 0; i < count; ++i) {
    if (view(i) >= kinds) throw std::out_of_range("kind: a number that profiles has wanted");
  }
  return view.data;
}

}  // namespace

void bind_specimen(py::module_& m);
void bind_specimen(py::module_& m) {
  using namespace py::literals;
  m.def(
      "specimen_fill",
      [](const std::array<double, 9>& cell, const Array<double>& motif, const std::array<double, 3>& low,
         const std::array<double, 3>& high, std::size_t most) {
        const auto view = input<double, 2>(motif, "motif");
        check_shape(view, {view.shape[0], 3}, "motif");
        specimen::Atoms atoms;
        {
          const py::gil_scoped_release release;
          atoms = specimen::fill(cell, view, low, high, most);
        }
        const auto n = static_cast<py::ssize_t>(atoms.member.size());
        return py::make_tuple(py::array_t<double>({n, py::ssize_t{3}}, atoms.positions.data()),
                              py::array_t<std::uint32_t>(n, atoms.member.data()));
      },
      "cell"_a, py::arg("motif").noconvert(), "low"_a, "high"_a, "most"_a);
  m.def(
      "specimen_nearest",
      [](const Array<double>& differences, const std::array<double, 9>& metric) {
        const auto view = input<double, 2>(differences, "differences");
        Array<double> shortest({view.shape[0], std::size_t{3}}), squares(view.shape[0]);
        const auto steps = output<double, 2>(shortest, "shortest");
        const auto lengths = output<double, 1>(squares, "squares");
        {
          const py::gil_scoped_release release;
          specimen::nearest(view, metric, steps, lengths);
        }
        return py::make_tuple(shortest, squares);
      },
      py::arg("differences").noconvert(), "metric"_a);
  m.def(
      "specimen_amorphous",
      [](double edge, double distance, std::size_t wanted, std::uint64_t seed) {
        std::vector<double> places;
        {
          const py::gil_scoped_release release;
          places = specimen::amorphous(edge, distance, wanted, seed);
        }
        return py::array_t<double>({static_cast<py::ssize_t>(places.size() / 3), py::ssize_t{3}}, places.data());
      },
      "edge"_a, "distance"_a, "wanted"_a, "seed"_a);
  m.def(
      "specimen_render",
      [](const Array<double>& places, const Array<std::uint32_t>& kind, const Array<double>& profiles,
         Array<float>& out, int threads) {
        const auto view = input<double, 2>(places, "places");
        const auto list = profiles_of(profiles);
        const std::uint32_t* kinds = kinds_of(kind, view.shape[0], list.size());
        const auto image = output<float, 2>(out, "out");
        const py::gil_scoped_release release;
        specimen::render(view, kinds, list, image, threads);
      },
      py::arg("places").noconvert(), py::arg("kind").noconvert(), py::arg("profiles").noconvert(),
      py::arg("out").noconvert(), py::kw_only(), "threads"_a = 0);
  m.def(
      "specimen_blobs",
      [](const Array<double>& blobs, const Array<std::uint32_t>& kind, const Array<double>& profiles, Array<float>& out,
         int threads) {
        const auto view = input<double, 2>(blobs, "blobs");
        const auto list = profiles_of(profiles);
        const std::uint32_t* kinds = kinds_of(kind, view.shape[0], list.size());
        const auto image = output<float, 2>(out, "out");
        const py::gil_scoped_release release;
        specimen::blobs(view, kinds, list, image, threads);
      },
      py::arg("blobs").noconvert(), py::arg("kind").noconvert(), py::arg("profiles").noconvert(),
      py::arg("out").noconvert(), py::kw_only(), "threads"_a = 0);
  m.def(
      "specimen_voronoi",
      [](const Array<double>& seeds, Array<std::int32_t>& nearest, Array<float>& gap, int threads) {
        const auto view = input<double, 2>(seeds, "seeds");
        const auto index = output<std::int32_t, 2>(nearest, "nearest");
        const auto image = output<float, 2>(gap, "gap");
        const py::gil_scoped_release release;
        specimen::voronoi(view, index, image, threads);
      },
      py::arg("seeds").noconvert(), py::arg("nearest").noconvert(), py::arg("gap").noconvert(), py::kw_only(),
      "threads"_a = 0);
}

}  // namespace crewe::bindings
