#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "crewe/metrics/cw_ssim.hpp"
#include "crewe/metrics/ssim.hpp"
#include "crewe/metrics/sums.hpp"

namespace crewe::bindings {

void bind_metrics(py::module_& m);
void bind_metrics(py::module_& m) {
  using namespace py::literals;
  using Image = Array<float>;
  const auto a = py::arg("a").noconvert();
  const auto b = py::arg("b").noconvert();
  const auto maps = py::arg("maps").noconvert();
  using Add = metrics::Sums (*)(View<const float, 2>, View<const float, 2>, int);
  for (const auto& [name, add] :
       {std::pair<const char*, Add>{"metrics_sums", metrics::sums}, {"metrics_products", metrics::products}}) {
    m.def(
        name,
        [add = add](const Image& a, const Image& b, int threads) {
          const auto x = input<float, 2>(a, "a");
          const auto y = input<float, 2>(b, "b");
          metrics::Sums s;
          {
            const py::gil_scoped_release release;
            s = add(x, y, threads);
          }
          return py::make_tuple(py::make_tuple(s.a, s.b, s.aa, s.ab, s.bb), py::make_tuple(s.min_a, s.max_a),
                                py::make_tuple(s.min_b, s.max_b));
        },
        a, b, py::kw_only(), "threads"_a = 0);
  }
  m.def(
      "metrics_ssim",
      [](const Image& a, const Image& b, Image& maps, int radius, int threads) {
        const auto x = input<float, 2>(a, "a");
        const auto y = input<float, 3>(b, "b");
        const auto out = output<float, 3>(maps, "maps");
        const py::gil_scoped_release release;
        metrics::ssim(x, y, out, radius, threads);
      },
      a, b, maps, py::kw_only(), "radius"_a, "threads"_a = 0);
  m.def(
      "metrics_cw_ssim",
      [](const Image& a, const Image& b, Image& maps, int scales, int orientations, int threads) {
        const auto x = input<float, 2>(a, "a");
        const auto y = input<float, 3>(b, "b");
        const auto out = output<float, 3>(maps, "maps");
        const py::gil_scoped_release release;
        metrics::cw_ssim(x, y, out, scales, orientations, threads);
      },
      a, b, maps, py::kw_only(), "scales"_a, "orientations"_a, "threads"_a = 0);
}

}  // namespace crewe::bindings
