// The sweeps over a field (field.hpp) that a multislice step is made of, each over a range of groups. Transforms are
// not scaled; factors may be null: none.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cpu.hpp"
#include "fft/lane_plan.hpp"

namespace crewe::sim {

template <class T>
struct LaneLayout {
  fft::LanePlan<T> y, x;
  std::size_t ny = 0, nx = 0, rows = 0;
  std::size_t row_groups = 0, column_groups = 0;
  const std::uint32_t* place = nullptr;    // of each column (column_groups · lanes) in a row's spectrum; nx: no column
  const std::uint32_t* dropped = nullptr;  // places in a row's spectrum that aren't kept: zero
  std::size_t dropped_count = 0;
};

template <class T>
struct Sweep {
  const LaneLayout<T>& layout;
  T* field;                 // the field, in and out
  T* scratch;               // Cx aligned to 64 bytes: a row, one zero, what the transforms need
  std::size_t first, last;  // groups
};

CREWE_SIMD_DECLARE(
    // Lanes of a vector.
    template <class T> std::size_t lane_count();
    // Rows: inverse along x, times `factor` (row groups of nx Cx), forward along x.
    template <class T> void rows_step(const Sweep<T>&, const T* factor);
    // Columns: forward along y, times `factor` (column groups of ny Cx, in the order of the spectrum), inverse.
    template <class T> void columns_step(const Sweep<T>&, const T* factor);
    template <class T> void columns_forward(const Sweep<T>&); template <class T> void columns_inverse(const Sweep<T>&);
    // Rows of a wave (ny, nx, 2) (null: all ones), times `factor`, forward along x.
    template <class T> void rows_enter(const Sweep<T>&, const T* wave, const T* factor);
    // Rows of exp(i·sigma·potential), potential (ny, nx), forward along x.
    template <class T> void rows_enter_phase(const Sweep<T>&, const T* potential, T sigma);
    // Inverse along x into row groups of nx Cx.
    template <class T> void rows_exit(const Sweep<T>&, T* groups);
    // Inverse along x into a wave (ny, nx, 2).
    template <class T> void rows_exit_wave(const Sweep<T>&, T* wave);
    // Inverse along x; real part → re (ny, nx), imaginary part → im (null: not wanted).
    template <class T> void rows_exit_parts(const Sweep<T>&, T* re, T* im);)

}  // namespace crewe::sim
