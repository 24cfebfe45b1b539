#include "sim/structure.hpp"

#include "fft/lanes.hpp"

namespace crewe::sim {
namespace CREWE_ISA_LEVEL {
namespace {

using namespace fft::CREWE_ISA_LEVEL;

// A tile of kRows rows and kVectors vectors; every sum runs over the atoms in order, at every level.
template <class T, int kRows, int kVectors>
inline __attribute__((always_inline)) void tile(const StructureSum<T>& job, std::size_t row, std::size_t column) {
  using V = Vector<T>;
  constexpr std::size_t lanes = Lanes<T>::n;
  const T* a = job.a + row / kStructureRows * kStructureRows * job.atoms + row % kStructureRows;
  const T* b = job.b + column / kStructureColumns * kStructureColumns * job.atoms + column % kStructureColumns;
  V sum[kRows][kVectors] = {};
  for (std::size_t atom = 0; atom < job.atoms; ++atom, a += kStructureRows, b += kStructureColumns) {
    V phase[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) phase[v] = *reinterpret_cast<const V*>(b + static_cast<std::size_t>(v) * lanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[r][v] += phase[v] * a[r];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    const std::size_t m = row + static_cast<std::size_t>(r);
    const T* factor =
        job.factor + (m < job.my ? m : m - job.my) * job.mx + (column < job.mx ? column : column - job.mx);
    T* to = job.sum + m * 2 * job.mx + column;
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const std::size_t at = static_cast<std::size_t>(v) * lanes;
      *reinterpret_cast<V*>(to + at) += sum[r][v] * *reinterpret_cast<const V*>(factor + at);
    }
  }
}

}  // namespace

template <class T>
void add_structure(const StructureSum<T>& job) {
  constexpr std::size_t lanes = Lanes<T>::n;
  constexpr int kRows = kVectorBytes == 64 ? 8 : 4;  // 32 or 16 registers
  constexpr int kVectors = 2;
  for (std::size_t column = 0; column < 2 * job.mx; column += kVectors * lanes) {
    for (std::size_t row = 0; row < 2 * job.my; row += kRows) tile<T, kRows, kVectors>(job, row, column);
  }
}

template void add_structure(const StructureSum<float>&);
template void add_structure(const StructureSum<double>&);

}  // namespace CREWE_ISA_LEVEL
}  // namespace crewe::sim
