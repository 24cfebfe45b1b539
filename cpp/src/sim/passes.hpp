// The sweeps over a field that a multislice step is made of, each over a range of groups. Numbers in memory as in
// lane_plan.hpp; `scratch` holds scratch_size(layout) numbers, aligned to 64 bytes. Transforms are not scaled.
#pragma once

#include <cstddef>

#include "crewe/cpu.hpp"
#include "sim/lane_plan.hpp"

namespace crewe::sim {

template <class T>
struct Sweep {
  LaneLayout<T> layout;
  T* field = nullptr;  // the field, in and out
  T* scratch = nullptr;
  std::size_t first = 0, last = 0;  // groups
};

#define CREWE_SIM_DECLARE(T)                                                                                           \
  CREWE_SIMD_DECLARE(                           /* lanes of a vector */                                                \
                     std::size_t lane_count(T); /* rows: inverse along x, times `factor` (row groups of nx Cx; null:   \
                                                   none), forward along x */                                           \
                     void rows_step(const Sweep<T>&,                                                                   \
                                    const T* factor); /* columns: forward along y, times `factor` (column groups of ny \
                                                         Cx, digit-reversed; null: none), inverse */                   \
                     void columns_step(const Sweep<T>&, const T* factor); void columns_forward(const Sweep<T>&);       \
                     void columns_inverse(const Sweep<T>&); /* rows of a wave (ny, nx, 2) (null: all ones), times      \
                                                               `factor`, forward along x */                            \
                     void rows_enter(                                                                                  \
                         const Sweep<T>&, const T* wave,                                                               \
                         const T* factor); /* rows of exp(i·sigma·potential), potential (ny, nx), forward along x */   \
                     void rows_enter_phase(const Sweep<T>&, const T* potential,                                        \
                                           T sigma);                /* inverse along x into row groups of nx Cx */     \
                     void rows_exit(const Sweep<T>&, T* groups);    /* inverse along x into a wave (ny, nx, 2) */      \
                     void rows_exit_wave(const Sweep<T>&, T* wave); /* inverse along x; real part → re (ny, nx),     \
                                                                       imaginary part → im (null: not wanted) */     \
                     void rows_exit_parts(const Sweep<T>&, T* re, T* im);)

CREWE_SIM_DECLARE(float)
CREWE_SIM_DECLARE(double)
#undef CREWE_SIM_DECLARE

}  // namespace crewe::sim
