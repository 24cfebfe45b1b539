#include "sim/sweeps.hpp"

#include "fft/images.hpp"
#include "fft/passes.hpp"

namespace crewe::sim {
namespace CREWE_ISA_LEVEL {
namespace {

using namespace fft::CREWE_ISA_LEVEL;

template <class T>
Cx<T>* groups_of(T* numbers) {
  return reinterpret_cast<Cx<T>*>(numbers);
}
template <class T>
const Cx<T>* groups_of(const T* numbers) {
  return reinterpret_cast<const Cx<T>*>(numbers);
}

// Scratch: one row group, one zero for columns that aren't there, then what the transforms need.
template <class T>
struct Rows {
  Cx<T>* x;
  Cx<T>* spare;
  explicit Rows(const Sweep<T>& sweep) : x(groups_of(sweep.scratch)), spare(x + sweep.layout.nx + 1) {}
};

// Lanes become rows: the kept columns of row group g → their places in the rows' spectra.
template <class T>
void gather_rows(const LaneLayout<T>& layout, const T* field, std::size_t g, Cx<T>* x) {
  constexpr std::size_t n = Lanes<T>::n;
  for (std::size_t i = 0; i < layout.dropped_count; ++i) x[layout.dropped[i]] = Cx<T>{};
  for (std::size_t c = 0; c < layout.column_groups; ++c) {
    const Cx<T>* from = groups_of(field) + c * layout.rows + g * n;
    const std::uint32_t* place = layout.place + c * n;
    Vector<T> re[n], im[n];
#pragma GCC unroll 16
    for (std::size_t l = 0; l < n; ++l) re[l] = from[l].re;
    transpose<T>(re);
#pragma GCC unroll 16
    for (std::size_t l = 0; l < n; ++l) x[place[l]].re = re[l];
#pragma GCC unroll 16
    for (std::size_t l = 0; l < n; ++l) im[l] = from[l].im;
    transpose<T>(im);
#pragma GCC unroll 16
    for (std::size_t l = 0; l < n; ++l) x[place[l]].im = im[l];
  }
}

template <class T>
void scatter_rows(const LaneLayout<T>& layout, Cx<T>* x, T* field, std::size_t g) {
  constexpr std::size_t n = Lanes<T>::n;
  x[layout.nx] = Cx<T>{};
  for (std::size_t c = 0; c < layout.column_groups; ++c) {
    Cx<T>* to = groups_of(field) + c * layout.rows + g * n;
    const std::uint32_t* place = layout.place + c * n;
    Vector<T> re[n], im[n];
#pragma GCC unroll 16
    for (std::size_t l = 0; l < n; ++l) re[l] = x[place[l]].re;
    transpose<T>(re);
#pragma GCC unroll 16
    for (std::size_t l = 0; l < n; ++l) to[l].re = re[l];
#pragma GCC unroll 16
    for (std::size_t l = 0; l < n; ++l) im[l] = x[place[l]].im;
    transpose<T>(im);
#pragma GCC unroll 16
    for (std::size_t l = 0; l < n; ++l) to[l].im = im[l];
  }
}

// Rows of group g that the image has; the lanes beyond hold zeros.
template <class T>
std::size_t rows_of(const LaneLayout<T>& layout, std::size_t g) {
  constexpr std::size_t n = Lanes<T>::n;
  return layout.ny - g * n < n ? layout.ny - g * n : n;
}

// 1 in the lanes that are rows of the image, 0 beyond.
template <class T>
Vector<T> present(std::size_t rows) {
  Vector<T> there = {};
  for (std::size_t r = 0; r < rows; ++r) there[r] = 1;
  return there;
}

// One part (0: real, 1: imaginary) of the lanes → rows of an image.
template <class T>
void write_rows(const Cx<T>* x, int part, T* image, std::size_t nx, std::size_t rows) {
  constexpr std::size_t n = Lanes<T>::n;
  std::size_t j = 0;
  for (; j + n <= nx; j += n) {
    Vector<T> tile[n];
#pragma GCC unroll 16
    for (std::size_t l = 0; l < n; ++l) tile[l] = part == 0 ? x[j + l].re : x[j + l].im;
    transpose<T>(tile);
    for (std::size_t r = 0; r < rows; ++r) store(image + r * nx + j, tile[r]);
  }
  for (; j < nx; ++j) {
    for (std::size_t r = 0; r < rows; ++r) image[r * nx + j] = part == 0 ? x[j].re[r] : x[j].im[r];
  }
}

// Rows of an image → the real parts of the lanes; zero where there is no row.
template <class T>
void read_rows(const T* image, Cx<T>* x, std::size_t nx, std::size_t rows) {
  constexpr std::size_t n = Lanes<T>::n;
  std::size_t j = 0;
  for (; j + n <= nx; j += n) {
    Vector<T> tile[n];
    for (std::size_t r = 0; r < n; ++r) {
      tile[r] = r < rows ? load(image + r * nx + j) : Vector<T>{};
    }
    transpose<T>(tile);
#pragma GCC unroll 16
    for (std::size_t l = 0; l < n; ++l) x[j + l].re = tile[l];
  }
  for (; j < nx; ++j) {
    x[j].re = Vector<T>{};
    for (std::size_t r = 0; r < rows; ++r) x[j].re[r] = image[r * nx + j];
  }
}

// Constants of the argument reduction φ − q·π/2 in three parts, and the number of Taylor terms on |φ| <= π/4.
template <class T>
struct Phase;
template <>
struct Phase<float> {
  static constexpr float a = 1.5703125F, b = 4.837512969970703125e-4F, c = 7.549789948768648e-8F;
  static constexpr float magic = 12582912.0F;  // 1.5·2²³
  static constexpr int terms = 5;
};
template <>
struct Phase<double> {
  static constexpr double a = 1.57079625129699707031, b = 7.54978941586159635335e-8, c = 5.39030285815811905290e-15;
  static constexpr double magic = 6755399441055744.0;  // 1.5·2⁵²
  static constexpr int terms = 9;
};

// exp(iφ), |φ| < 10⁴.
template <class T>
inline Cx<T> unit_phase(Vector<T> phi) {
  typedef Vector<T> V;
  typedef typename Lanes<T>::I I;
  const V quarter = (phi * static_cast<T>(0.63661977236758134308) + Phase<T>::magic) - Phase<T>::magic;
  const V r = ((phi - quarter * Phase<T>::a) - quarter * Phase<T>::b) - quarter * Phase<T>::c;
  const I q = __builtin_convertvector(quarter, I);
  const V r2 = r * r;
  V s = {}, c = {};  // Horner on −r²/((2k)(2k+1)) and −r²/((2k−1)(2k))
#pragma GCC unroll 16
  for (int k = Phase<T>::terms; k >= 1; --k) {
    s = (s + T(1)) * (r2 * static_cast<T>(-1.0 / ((2 * k) * (2 * k + 1))));
    c = (c + T(1)) * (r2 * static_cast<T>(-1.0 / ((2 * k - 1) * (2 * k))));
  }
  s = r * s + r;
  c = c + T(1);
  const I odd = (q & 1) != 0;
  const V sine = odd ? c : s, cosine = odd ? s : c;
  return {((q + 1) & 2) != 0 ? -cosine : cosine, (q & 2) != 0 ? -sine : sine};
}

// Row groups that `fill(g, x, rows of the image)` writes, forward along x.
template <class T, class F>
inline void enter(const Sweep<T>& sweep, F fill) {
  const LaneLayout<T>& layout = sweep.layout;
  const Rows<T> rows(sweep);
  for (std::size_t g = sweep.first; g < sweep.last; ++g) {
    fill(g, rows.x, rows_of(layout, g));
    forward(layout.x, rows.x, rows.spare);
    scatter_rows(layout, rows.x, sweep.field, g);
  }
}

// Row groups, inverse along x, for `take(g, x, rows of the image)`.
template <class T, class F>
inline void leave(const Sweep<T>& sweep, F take) {
  const LaneLayout<T>& layout = sweep.layout;
  const Rows<T> rows(sweep);
  for (std::size_t g = sweep.first; g < sweep.last; ++g) {
    gather_rows(layout, sweep.field, g, rows.x);
    inverse(layout.x, rows.x, rows.spare);
    take(g, rows.x, rows_of(layout, g));
  }
}

// Calls f(signal group, number of the group, scratch) for column groups.
template <class T, class F>
inline void for_columns(const Sweep<T>& sweep, F f) {
  for (std::size_t c = sweep.first; c < sweep.last; ++c) {
    f(groups_of(sweep.field) + c * sweep.layout.rows, c, groups_of(sweep.scratch));
  }
}

template <class T>
const Cx<T>* group_of(const T* factor, std::size_t g, std::size_t size) {
  return factor == nullptr ? nullptr : groups_of(factor) + g * size;
}

}  // namespace

template <class T>
std::size_t lane_count() {
  return Lanes<T>::n;
}

template <class T>
void rows_step(const Sweep<T>& sweep, const T* factor) {
  const LaneLayout<T>& layout = sweep.layout;
  const Rows<T> rows(sweep);
  for (std::size_t g = sweep.first; g < sweep.last; ++g) {
    gather_rows(layout, sweep.field, g, rows.x);
    inverse_forward(layout.x, rows.x, group_of(factor, g, layout.nx), rows.spare);
    scatter_rows(layout, rows.x, sweep.field, g);
  }
}

template <class T>
void columns_step(const Sweep<T>& sweep, const T* factor) {
  const LaneLayout<T>& layout = sweep.layout;
  for_columns(sweep, [&](Cx<T>* x, std::size_t c, Cx<T>* spare) {
    forward_inverse(layout.y, x, group_of(factor, c, layout.ny), spare);
  });
}

template <class T>
void columns_forward(const Sweep<T>& sweep) {
  for_columns(sweep, [&](Cx<T>* x, std::size_t, Cx<T>* spare) { forward(sweep.layout.y, x, spare); });
}

template <class T>
void columns_inverse(const Sweep<T>& sweep) {
  for_columns(sweep, [&](Cx<T>* x, std::size_t, Cx<T>* spare) { inverse(sweep.layout.y, x, spare); });
}

template <class T>
void rows_enter(const Sweep<T>& sweep, const T* wave, const T* factor) {
  const std::size_t nx = sweep.layout.nx;
  enter(sweep, [&](std::size_t g, Cx<T>* x, std::size_t valid) {
    if (wave != nullptr) {
      load_rows(wave + 2 * g * Lanes<T>::n * nx, static_cast<std::ptrdiff_t>(nx), nx, valid, nullptr, x);
    } else {
      const Cx<T> one = {present<T>(valid), {}};
      for (std::size_t j = 0; j < nx; ++j) x[j] = one;
    }
    multiply(x, nx, group_of(factor, g, nx));
  });
}

template <class T>
void rows_enter_phase(const Sweep<T>& sweep, const T* potential, T sigma) {
  const std::size_t nx = sweep.layout.nx;
  enter(sweep, [&](std::size_t g, Cx<T>* x, std::size_t valid) {
    read_rows(potential + g * Lanes<T>::n * nx, x, nx, valid);
    const Vector<T> there = present<T>(valid);  // nothing flows where there is no row
    for (std::size_t j = 0; j < nx; ++j) {
      const Cx<T> phase = unit_phase<T>(x[j].re * sigma);
      x[j] = {phase.re * there, phase.im * there};
    }
  });
}

template <class T>
void rows_exit(const Sweep<T>& sweep, T* groups) {
  const std::size_t nx = sweep.layout.nx;
  leave(sweep, [&](std::size_t g, const Cx<T>* x, std::size_t) {
    Cx<T>* to = groups_of(groups) + g * nx;
    for (std::size_t j = 0; j < nx; ++j) to[j] = x[j];
  });
}

template <class T>
void rows_exit_wave(const Sweep<T>& sweep, T* wave) {
  const std::size_t nx = sweep.layout.nx;
  leave(sweep, [&](std::size_t g, const Cx<T>* x, std::size_t valid) {
    store_rows(x, T(1), nullptr, wave + 2 * g * Lanes<T>::n * nx, static_cast<std::ptrdiff_t>(nx), nx, valid);
  });
}

template <class T>
void rows_exit_parts(const Sweep<T>& sweep, T* re, T* im) {
  const std::size_t nx = sweep.layout.nx;
  leave(sweep, [&](std::size_t g, const Cx<T>* x, std::size_t valid) {
    const std::size_t first = g * Lanes<T>::n * nx;
    write_rows(x, 0, re + first, nx, valid);
    if (im != nullptr) write_rows(x, 1, im + first, nx, valid);
  });
}

#define CREWE_SIM_INSTANTIATE(T)                                 \
  template std::size_t lane_count<T>();                          \
  template void rows_step(const Sweep<T>&, const T*);            \
  template void columns_step(const Sweep<T>&, const T*);         \
  template void columns_forward(const Sweep<T>&);                \
  template void columns_inverse(const Sweep<T>&);                \
  template void rows_enter(const Sweep<T>&, const T*, const T*); \
  template void rows_enter_phase(const Sweep<T>&, const T*, T);  \
  template void rows_exit(const Sweep<T>&, T*);                  \
  template void rows_exit_wave(const Sweep<T>&, T*);             \
  template void rows_exit_parts(const Sweep<T>&, T*, T*);

CREWE_SIM_INSTANTIATE(float)
CREWE_SIM_INSTANTIATE(double)

}  // namespace CREWE_ISA_LEVEL
}  // namespace crewe::sim
