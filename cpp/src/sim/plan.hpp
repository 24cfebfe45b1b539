// Tables of the lane transforms and the fields that they work on; the owners of what lane_plan.hpp points to.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "sim/lane_plan.hpp"
#include "sim/passes.hpp"

namespace crewe::sim {

// Numbers aligned to a cache line, zero at first.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : size_(size) {
    const std::size_t bytes = (size * sizeof(T) + 63) / 64 * 64;
    if (bytes == 0) return;
    void* memory = std::aligned_alloc(64, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    numbers_.reset(static_cast<T*>(memory));
    for (std::size_t i = 0; i < size; ++i) numbers_.get()[i] = T(0);
  }
  T* data() { return numbers_.get(); }
  const T* data() const { return numbers_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };
  std::unique_ptr<T, Free> numbers_;
  std::size_t size_ = 0;
};

// Radices, twiddles and the order of the spectrum of one length.
template <class T>
class LaneTables {
 public:
  explicit LaneTables(std::size_t n);
  const LanePlan<T>& plan() const { return plan_; }
  // place()[k]: where frequency k (0 … n−1, as numpy.fft has it) stands in the digit-reversed spectrum.
  const std::vector<std::uint32_t>& place() const { return place_; }
  std::size_t largest_radix() const;

 private:
  LanePlan<T> plan_;
  std::vector<Buffer<T>> twiddles_;
  std::vector<std::uint32_t> place_;
};

// A grid (ny, nx) with the columns that are kept in Fourier space, and the sweeps over fields of this layout.
template <class T>
class Field2D {
 public:
  // columns: frequencies along x (0 … nx−1, as numpy.fft has them) in the order in which they are stored.
  Field2D(std::size_t ny, std::size_t nx, std::vector<std::uint32_t> columns);
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
  std::size_t scratch_size() const { return scratch_; }
  // Where the real part of (y or frequency ky, column number) of a field or a column factor stands; the imaginary part
  // comes `lanes` later.
  std::size_t field_at(std::size_t y, std::size_t column) const {
    return 2 * lanes_ * (column / lanes_ * layout_.rows + y) + column % lanes_;
  }
  std::size_t spectrum_at(std::size_t ky, std::size_t column) const { return field_at(y_.place()[ky], column); }
  std::size_t column_factor_at(std::size_t ky, std::size_t column) const {
    return 2 * lanes_ * (column / lanes_ * layout_.ny + y_.place()[ky]) + column % lanes_;
  }

  Sweep<T> sweep(T* field, T* scratch, std::size_t first, std::size_t last) const {
    return {layout_, field, scratch, first, last};
  }

 private:
  LaneTables<T> y_, x_;
  std::vector<std::uint32_t> columns_, places_, dropped_;
  LaneLayout<T> layout_;
  std::size_t lanes_ = 0, scratch_ = 0;
};

extern template class LaneTables<float>;
extern template class LaneTables<double>;
extern template class Field2D<float>;
extern template class Field2D<double>;

}  // namespace crewe::sim
