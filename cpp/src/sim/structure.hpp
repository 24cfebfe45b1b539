// Sums over atoms of products of phases: the matrix product of the structure factors.
#pragma once

#include <cstddef>

#include "crewe/cpu.hpp"

namespace crewe::sim {

constexpr std::size_t kStructureRows = 8;      // rows (ky) of a tile
constexpr std::size_t kStructureColumns = 32;  // columns (kx) of a tile
constexpr std::size_t kStructureAtoms = 128;   // atoms at a time, so that two strips stay in the L1 cache

// sum(m, n) += factor(m mod my, n mod mx)·Σ_atoms a(m)·b(n), for m < 2·my, n < 2·mx.
//   a: strips of 8 rows, each (atoms, 8); b: strips of 32 columns, each (atoms, 32); my, mx whole numbers of strips.
//   sum (2·my, 2·mx), factor (my, mx).
template <class T>
struct StructureSum {
  const T* a;
  const T* b;
  std::size_t atoms, my, mx;
  const T* factor;
  T* sum;
};

CREWE_SIMD_DECLARE(template <class T> void add_structure(const StructureSum<T>&);)

}  // namespace crewe::sim
