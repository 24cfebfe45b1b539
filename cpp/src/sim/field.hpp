// A wave (ny, nx) between the transforms along x and y: rows in real space, columns in Fourier space, of which only the
// wanted ones are kept.
//
// In memory column groups of `lanes` lanes, each a signal group (fft/passes.hpp) of `rows` samples: element (y, column
// c) lies in the Cx (c / lanes)·rows + y, lane c % lanes. rows = ny rounded up to whole lanes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fft/tables.hpp"
#include "sim/sweeps.hpp"

namespace crewe::sim {

// A grid with the columns that are kept, and the sweeps over fields of this layout.
template <class T>
class Field2D {
 public:
  // columns: frequencies along x (0 … nx−1, as numpy.fft has them) in the order in which they are stored.
  Field2D(std::size_t ny, std::size_t nx, std::vector<std::uint32_t> columns);
  // All columns.
  Field2D(std::size_t ny, std::size_t nx);
  Field2D(const Field2D&) = delete;
  Field2D& operator=(const Field2D&) = delete;

  std::size_t ny() const { return layout_.ny; }
  std::size_t nx() const { return layout_.nx; }
  const std::vector<std::uint32_t>& columns() const { return columns_; }
  std::size_t lanes() const { return lanes_; }
  std::size_t row_groups() const { return layout_.row_groups; }
  std::size_t column_groups() const { return layout_.column_groups; }
  std::size_t field_size() const { return 2 * lanes_ * layout_.rows * layout_.column_groups; }  // numbers
  std::size_t row_factor_size() const { return 2 * lanes_ * layout_.nx * layout_.row_groups; }
  std::size_t column_factor_size() const { return 2 * lanes_ * layout_.ny * layout_.column_groups; }
  // Where the real part of (frequency ky, column number) of a field or a column factor stands; the imaginary part
  // comes `lanes` later.
  std::size_t spectrum_at(std::size_t ky, std::size_t column) const { return at(ky, column, layout_.rows); }
  std::size_t column_factor_at(std::size_t ky, std::size_t column) const { return at(ky, column, layout_.ny); }

  // A sweep over the groups first … last − 1, with scratch memory of this thread.
  Sweep<T> sweep(T* field, std::size_t first, std::size_t last) const {
    return {layout_, field, fft::scratch_of<T>(scratch_), first, last};
  }
  Sweep<T> all_rows(T* field) const { return sweep(field, 0, row_groups()); }
  Sweep<T> all_columns(T* field) const { return sweep(field, 0, column_groups()); }

 private:
  std::size_t at(std::size_t ky, std::size_t column, std::size_t rows) const {
    return 2 * lanes_ * (column / lanes_ * rows + layout_.y.order[ky]) + column % lanes_;
  }

  fft::Tables<T> y_, x_;
  std::vector<std::uint32_t> columns_, places_, dropped_;
  LaneLayout<T> layout_;
  std::size_t lanes_ = 0, scratch_ = 0;
};

extern template class Field2D<float>;
extern template class Field2D<double>;

}  // namespace crewe::sim
