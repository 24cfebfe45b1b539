#include "sim/passes.hpp"

#include <cstddef>
#include <cstdint>

#include "sim/lanes.hpp"

namespace crewe::sim {
namespace CREWE_ISA_LEVEL {
namespace {

template <class T>
Cx<T>* groups_of(T* numbers) {
  return reinterpret_cast<Cx<T>*>(numbers);
}
template <class T>
const Cx<T>* groups_of(const T* numbers) {
  return reinterpret_cast<const Cx<T>*>(numbers);
}

// Scratch: one row group, one zero for columns that aren't there, then room for prime passes.
template <class T>
struct Rows {
  Cx<T>* x;
  Cx<T>* spare;
  explicit Rows(const Sweep<T>& sweep) : x(groups_of(sweep.scratch)), spare(x + sweep.layout.nx + 1) {}
};

// Lanes become rows: the kept columns of row group g → their places in the rows' spectra.
template <class T>
void load_rows(const LaneLayout<T>& layout, const T* field, std::size_t g, Cx<T>* x) {
  constexpr std::size_t n = Lanes<T>::n;
  for (std::size_t i = 0; i < layout.dropped_count; ++i) x[layout.dropped[i]] = Cx<T>{};
  for (std::size_t c = 0; c < layout.column_groups; ++c) {
    const Cx<T>* from = groups_of(field) + c * layout.rows + g * n;
    const std::uint32_t* place = layout.place + c * n;
    typename Lanes<T>::V re[n], im[n];
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
void store_rows(const LaneLayout<T>& layout, Cx<T>* x, T* field, std::size_t g) {
  constexpr std::size_t n = Lanes<T>::n;
  x[layout.nx] = Cx<T>{};
  for (std::size_t c = 0; c < layout.column_groups; ++c) {
    Cx<T>* to = groups_of(field) + c * layout.rows + g * n;
    const std::uint32_t* place = layout.place + c * n;
    typename Lanes<T>::V re[n], im[n];
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

// One part (0: real, 1: imaginary) of the lanes → rows of an image.
template <class T>
void write_rows(const Cx<T>* x, int part, T* image, std::size_t nx, std::size_t rows) {
  typedef typename Lanes<T>::V V;
  typedef typename Lanes<T>::Unaligned Unaligned;
  constexpr std::size_t n = Lanes<T>::n;
  std::size_t j = 0;
  for (; j + n <= nx; j += n) {
    V tile[n];
#pragma GCC unroll 16
    for (std::size_t l = 0; l < n; ++l) tile[l] = part == 0 ? x[j + l].re : x[j + l].im;
    transpose<T>(tile);
    for (std::size_t r = 0; r < rows; ++r) *reinterpret_cast<Unaligned*>(image + r * nx + j) = tile[r];
  }
  for (; j < nx; ++j) {
    for (std::size_t r = 0; r < rows; ++r) image[r * nx + j] = part == 0 ? x[j].re[r] : x[j].im[r];
  }
}

// Rows of an image → the real parts of the lanes; zero where there is no row.
template <class T>
void read_rows(const T* image, Cx<T>* x, std::size_t nx, std::size_t rows) {
  typedef typename Lanes<T>::V V;
  typedef typename Lanes<T>::Unaligned Unaligned;
  constexpr std::size_t n = Lanes<T>::n;
  std::size_t j = 0;
  for (; j + n <= nx; j += n) {
    V tile[n];
    for (std::size_t r = 0; r < n; ++r) {
      tile[r] = r < rows ? V(*reinterpret_cast<const Unaligned*>(image + r * nx + j)) : V{};
    }
    transpose<T>(tile);
#pragma GCC unroll 16
    for (std::size_t l = 0; l < n; ++l) x[j + l].re = tile[l];
  }
  for (; j < nx; ++j) {
    x[j].re = V{};
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
inline Cx<T> unit_phase(typename Lanes<T>::V phi) {
  typedef typename Lanes<T>::V V;
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

template <class T>
void rows_step_of(const Sweep<T>& sweep, const T* factor) {
  const LaneLayout<T>& layout = sweep.layout;
  const Rows<T> rows(sweep);
  for (std::size_t g = sweep.first; g < sweep.last; ++g) {
    load_rows(layout, sweep.field, g, rows.x);
    inverse_forward<T>(layout.x, rows.x, factor == nullptr ? nullptr : groups_of(factor) + g * layout.nx, rows.spare);
    store_rows(layout, rows.x, sweep.field, g);
  }
}

template <class T>
void columns_step_of(const Sweep<T>& sweep, const T* factor) {
  const LaneLayout<T>& layout = sweep.layout;
  for (std::size_t c = sweep.first; c < sweep.last; ++c) {
    forward_inverse<T>(layout.y, groups_of(sweep.field) + c * layout.rows,
                       factor == nullptr ? nullptr : groups_of(factor) + c * layout.ny, groups_of(sweep.scratch));
  }
}

template <class T>
void rows_enter_of(const Sweep<T>& sweep, const T* wave, const T* factor) {
  const LaneLayout<T>& layout = sweep.layout;
  const Rows<T> rows(sweep);
  for (std::size_t g = sweep.first; g < sweep.last; ++g) {
    const std::size_t valid = rows_of(layout, g);
    for (std::size_t j = 0; j < layout.nx; ++j) {
      Cx<T> value{};
      for (std::size_t r = 0; r < valid; ++r) {
        const T* at = wave == nullptr ? nullptr : wave + 2 * ((g * Lanes<T>::n + r) * layout.nx + j);
        value.re[r] = at == nullptr ? T(1) : at[0];
        value.im[r] = at == nullptr ? T(0) : at[1];
      }
      rows.x[j] = value;
    }
    multiply(rows.x, layout.nx, factor == nullptr ? nullptr : groups_of(factor) + g * layout.nx);
    forward<T>(layout.x, rows.x, rows.spare);
    store_rows(layout, rows.x, sweep.field, g);
  }
}

template <class T>
void rows_enter_phase_of(const Sweep<T>& sweep, const T* potential, T sigma) {
  const LaneLayout<T>& layout = sweep.layout;
  const Rows<T> rows(sweep);
  for (std::size_t g = sweep.first; g < sweep.last; ++g) {
    const std::size_t valid = rows_of(layout, g);
    read_rows(potential + g * Lanes<T>::n * layout.nx, rows.x, layout.nx, valid);
    typename Lanes<T>::V there = {};  // nothing flows where there is no row
    for (std::size_t r = 0; r < valid; ++r) there[r] = 1;
    for (std::size_t j = 0; j < layout.nx; ++j) {
      const Cx<T> phase = unit_phase<T>(rows.x[j].re * sigma);
      rows.x[j] = {phase.re * there, phase.im * there};
    }
    forward<T>(layout.x, rows.x, rows.spare);
    store_rows(layout, rows.x, sweep.field, g);
  }
}

template <class T>
void rows_exit_of(const Sweep<T>& sweep, T* groups) {
  const LaneLayout<T>& layout = sweep.layout;
  const Rows<T> rows(sweep);
  for (std::size_t g = sweep.first; g < sweep.last; ++g) {
    load_rows(layout, sweep.field, g, rows.x);
    inverse<T>(layout.x, rows.x, rows.spare);
    Cx<T>* to = groups_of(groups) + g * layout.nx;
    for (std::size_t j = 0; j < layout.nx; ++j) to[j] = rows.x[j];
  }
}

template <class T>
void rows_exit_wave_of(const Sweep<T>& sweep, T* wave) {
  const LaneLayout<T>& layout = sweep.layout;
  const Rows<T> rows(sweep);
  for (std::size_t g = sweep.first; g < sweep.last; ++g) {
    load_rows(layout, sweep.field, g, rows.x);
    inverse<T>(layout.x, rows.x, rows.spare);
    const std::size_t valid = rows_of(layout, g);
    for (std::size_t r = 0; r < valid; ++r) {
      T* to = wave + 2 * (g * Lanes<T>::n + r) * layout.nx;
      for (std::size_t j = 0; j < layout.nx; ++j) {
        to[2 * j] = rows.x[j].re[r];
        to[2 * j + 1] = rows.x[j].im[r];
      }
    }
  }
}

template <class T>
void rows_exit_parts_of(const Sweep<T>& sweep, T* re, T* im) {
  const LaneLayout<T>& layout = sweep.layout;
  const Rows<T> rows(sweep);
  for (std::size_t g = sweep.first; g < sweep.last; ++g) {
    load_rows(layout, sweep.field, g, rows.x);
    inverse<T>(layout.x, rows.x, rows.spare);
    const std::size_t valid = rows_of(layout, g), first = g * Lanes<T>::n * layout.nx;
    write_rows(rows.x, 0, re + first, layout.nx, valid);
    if (im != nullptr) write_rows(rows.x, 1, im + first, layout.nx, valid);
  }
}

template <class T>
void columns_forward_of(const Sweep<T>& sweep) {
  for (std::size_t c = sweep.first; c < sweep.last; ++c) {
    forward<T>(sweep.layout.y, groups_of(sweep.field) + c * sweep.layout.rows, groups_of(sweep.scratch));
  }
}

template <class T>
void columns_inverse_of(const Sweep<T>& sweep) {
  for (std::size_t c = sweep.first; c < sweep.last; ++c) {
    inverse<T>(sweep.layout.y, groups_of(sweep.field) + c * sweep.layout.rows, groups_of(sweep.scratch));
  }
}

}  // namespace

#define CREWE_SIM_DEFINE(T)                                                   \
  std::size_t lane_count(T) {                                                 \
    return Lanes<T>::n;                                                       \
  }                                                                           \
  void rows_step(const Sweep<T>& sweep, const T* factor) {                    \
    rows_step_of<T>(sweep, factor);                                           \
  }                                                                           \
  void columns_step(const Sweep<T>& sweep, const T* factor) {                 \
    columns_step_of<T>(sweep, factor);                                        \
  }                                                                           \
  void columns_forward(const Sweep<T>& sweep) {                               \
    columns_forward_of<T>(sweep);                                             \
  }                                                                           \
  void columns_inverse(const Sweep<T>& sweep) {                               \
    columns_inverse_of<T>(sweep);                                             \
  }                                                                           \
  void rows_enter(const Sweep<T>& sweep, const T* wave, const T* factor) {    \
    rows_enter_of<T>(sweep, wave, factor);                                    \
  }                                                                           \
  void rows_enter_phase(const Sweep<T>& sweep, const T* potential, T sigma) { \
    rows_enter_phase_of<T>(sweep, potential, sigma);                          \
  }                                                                           \
  void rows_exit(const Sweep<T>& sweep, T* groups) {                          \
    rows_exit_of<T>(sweep, groups);                                           \
  }                                                                           \
  void rows_exit_wave(const Sweep<T>& sweep, T* wave) {                       \
    rows_exit_wave_of<T>(sweep, wave);                                        \
  }                                                                           \
  void rows_exit_parts(const Sweep<T>& sweep, T* re, T* im) {                 \
    rows_exit_parts_of<T>(sweep, re, im);                                     \
  }

CREWE_SIM_DEFINE(float)
CREWE_SIM_DEFINE(double)

}  // namespace CREWE_ISA_LEVEL
}  // namespace crewe::sim
