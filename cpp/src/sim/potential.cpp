#include "crewe/sim/potential.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "crewe/checks.hpp"
#include "crewe/parallel.hpp"
#include "crewe/sim/structure_factor.hpp"
#include "sim/field.hpp"
#include "sim/structure.hpp"

namespace crewe::sim {

using fft::Buffer;

namespace {

std::size_t rounded_up(std::size_t n, std::size_t step) {
  return (n + step - 1) / step * step;
}

// cos and sin of 2π·k·position for k < count → strips of `width` numbers per atom: first the cosines, then the sines.
// Blocks of 16 frequencies by the addition theorem in double, so that no error builds up.
template <class T>
void fill_phases(std::span<const double> positions, std::size_t count, std::size_t padded, std::size_t width,
                 T* strips) {
  constexpr std::size_t kBlock = 16;
  const std::size_t atoms = positions.size();
  for (std::size_t atom = 0; atom < atoms; ++atom) {
    const double turn = 2.0 * std::numbers::pi * (positions[atom] - std::floor(positions[atom]));
    double c[kBlock], s[kBlock];
    for (std::size_t k = 0; k < kBlock; ++k) {
      c[k] = std::cos(static_cast<double>(k) * turn);
      s[k] = std::sin(static_cast<double>(k) * turn);
    }
    for (std::size_t first = 0; first < padded; first += kBlock) {
      const double cb = std::cos(static_cast<double>(first) * turn), sb = std::sin(static_cast<double>(first) * turn);
      for (std::size_t k = first; k < std::min(first + kBlock, padded); ++k) {
        const double cosine = cb * c[k - first] - sb * s[k - first], sine = sb * c[k - first] + cb * s[k - first];
        T* cosines = strips + k / width * width * atoms + atom * width + k % width;
        const std::size_t m = padded + k;
        T* sines = strips + m / width * width * atoms + atom * width + m % width;
        *cosines = k < count ? static_cast<T>(cosine) : T(0);
        *sines = k < count ? static_cast<T>(sine) : T(0);
      }
    }
  }
}

// The four products of cosines and sines of one slice, times the scattering factors: (2·my, 2·mx).
template <class T>
class SliceSum {
 public:
  SliceSum(std::size_t ny, std::size_t nx)
      : qy_(ny / 2 + 1),
        qx_(nx / 2 + 1),
        my_(rounded_up(qy_, kStructureRows)),
        mx_(rounded_up(qx_, kStructureColumns)),
        a_(2 * my_ * kStructureAtoms),
        b_(2 * mx_ * kStructureAtoms),
        sum_(4 * my_ * mx_) {}

  std::size_t my() const { return my_; }
  std::size_t mx() const { return mx_; }
  void clear() { std::fill_n(sum_.data(), sum_.size(), T(0)); }

  void add(std::span<const double> y, std::span<const double> x, const T* factor) {
    for (std::size_t first = 0; first < y.size(); first += kStructureAtoms) {
      const std::size_t count = std::min(kStructureAtoms, y.size() - first);
      fill_phases(y.subspan(first, count), qy_, my_, kStructureRows, a_.data());
      fill_phases(x.subspan(first, count), qx_, mx_, kStructureColumns, b_.data());
      const StructureSum<T> job{a_.data(), b_.data(), count, my_, mx_, factor, sum_.data()};
      CREWE_SIMD_CALL(add_structure, job);
    }
  }

  // At the frequency (ky, kx) >= 0.
  StructureSums<T> at(std::size_t ky, std::size_t kx) const {
    const T* row = sum_.data() + ky * 2 * mx_ + kx;
    const T* sine_row = row + my_ * 2 * mx_;
    return {row[0], row[mx_], sine_row[0], sine_row[mx_]};
  }

 private:
  std::size_t qy_, qx_, my_, mx_;
  Buffer<T> a_, b_, sum_;
};

// The spectrum of V₁ + iV₂ into a field of all columns.
template <class T>
void assemble(const Field2D<T>& grid, const SliceSum<T>& one, const SliceSum<T>* two, T* field) {
  const std::size_t ny = grid.ny(), nx = grid.nx(), lanes = grid.lanes();
  const auto factor = [&](const SliceSum<T>& sums, std::size_t ky, std::size_t kx) {
    return structure_factor(sums.at(std::min(ky, ny - ky), std::min(kx, nx - kx)), static_cast<int>(ky),
                            static_cast<int>(kx), static_cast<int>(ny), static_cast<int>(nx));
  };
  for (std::size_t ky = 0; ky < ny; ++ky) {
    for (std::size_t kx = 0; kx < nx; ++kx) {
      const StructureFactor<T> v1 = factor(one, ky, kx);
      const StructureFactor<T> v2 = two == nullptr ? StructureFactor<T>{} : factor(*two, ky, kx);
      T* to = field + grid.spectrum_at(ky, kx);
      to[0] = v1.re - v2.im;
      to[lanes] = v1.im + v2.re;
    }
  }
}

}  // namespace

template <class T>
void project(View<const double, 3> factors, std::span<const double> y, std::span<const double> x,
             std::span<const std::int64_t> first, View<T, 3> out, int threads) {
  const std::size_t species = factors.shape[0], slices = out.shape[0], ny = out.shape[1], nx = out.shape[2];
  check_shape(factors, {species, ny / 2 + 1, nx / 2 + 1}, "factors");
  check_contiguous(out, "out");
  if (x.size() != y.size()) reject("x", std::to_string(y.size()) + " numbers, as of y,", std::to_string(x.size()));
  if (first.size() != slices * species + 1) {
    reject("first", std::to_string(slices * species + 1) + " indices", std::to_string(first.size()));
  }
  for (std::size_t i = 0; i < first.size(); ++i) {
    const std::int64_t before = i == 0 ? 0 : first[i - 1];
    if (first[i] < before || first[i] > static_cast<std::int64_t>(y.size())) {
      reject("first", "indices from 0 to " + std::to_string(y.size()) + " that don't fall",
             std::to_string(first[i]) + " after " + std::to_string(before));
    }
  }
  const Field2D<T> grid(ny, nx);
  const SliceSum<T> shape(ny, nx);
  const std::size_t table = shape.my() * shape.mx();
  Buffer<T> padded(species * table);
  for (std::size_t e = 0; e < species; ++e) {
    for (std::size_t ky = 0; ky < factors.shape[1]; ++ky) {
      for (std::size_t kx = 0; kx < factors.shape[2]; ++kx) {
        padded.data()[e * table + ky * shape.mx() + kx] = static_cast<T>(factors(e, ky, kx));
      }
    }
  }
  // Two slices at a time: the real and the imaginary part of one transform.
  parallel_for((slices + 1) / 2, 1, threads, [&](std::size_t begin, std::size_t end) {
    SliceSum<T> sums[2] = {SliceSum<T>(ny, nx), SliceSum<T>(ny, nx)};
    Buffer<T> field(grid.field_size());
    for (std::size_t pair = begin; pair < end; ++pair) {
      const std::size_t count = std::min<std::size_t>(2, slices - 2 * pair);
      for (std::size_t i = 0; i < count; ++i) {
        sums[i].clear();
        for (std::size_t e = 0; e < species; ++e) {
          const std::size_t range = (2 * pair + i) * species + e;
          const std::size_t from = static_cast<std::size_t>(first[range]);
          const std::size_t atoms = static_cast<std::size_t>(first[range + 1]) - from;
          sums[i].add(y.subspan(from, atoms), x.subspan(from, atoms), padded.data() + e * table);
        }
      }
      assemble(grid, sums[0], count == 2 ? &sums[1] : nullptr, field.data());
      CREWE_SIMD_CALL(columns_inverse, grid.all_columns(field.data()));
      T* re = out.data + 2 * pair * ny * nx;
      CREWE_SIMD_CALL(rows_exit_parts, grid.all_rows(field.data()), re, count == 2 ? re + ny * nx : nullptr);
    }
  });
}

template void project(View<const double, 3>, std::span<const double>, std::span<const double>,
                      std::span<const std::int64_t>, View<float, 3>, int);
template void project(View<const double, 3>, std::span<const double>, std::span<const double>,
                      std::span<const std::int64_t>, View<double, 3>, int);

}  // namespace crewe::sim
