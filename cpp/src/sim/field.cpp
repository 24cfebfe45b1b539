#include "sim/field.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace crewe::sim {
namespace {

std::vector<std::uint32_t> all_of(std::size_t n) {
  std::vector<std::uint32_t> columns(n);
  std::iota(columns.begin(), columns.end(), 0U);
  return columns;
}

}  // namespace

template <class T>
Field2D<T>::Field2D(std::size_t ny, std::size_t nx) : Field2D(ny, nx, all_of(nx)) {}

template <class T>
Field2D<T>::Field2D(std::size_t ny, std::size_t nx, std::vector<std::uint32_t> columns)
    : y_(ny), x_(nx), columns_(std::move(columns)), lanes_(CREWE_SIMD_CALL(lane_count<T>)) {
  layout_.y = y_.plan();
  layout_.x = x_.plan();
  layout_.ny = ny;
  layout_.nx = nx;
  layout_.row_groups = (ny + lanes_ - 1) / lanes_;
  layout_.rows = layout_.row_groups * lanes_;
  layout_.column_groups = (columns_.size() + lanes_ - 1) / lanes_;
  places_.assign(layout_.column_groups * lanes_, static_cast<std::uint32_t>(nx));
  std::vector<bool> kept(nx, false);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    places_[c] = layout_.x.order[columns_.at(c)];
    kept[places_[c]] = true;
  }
  for (std::uint32_t place = 0; place < nx; ++place) {
    if (!kept[place]) dropped_.push_back(place);
  }
  layout_.place = places_.data();
  layout_.dropped = dropped_.data();
  layout_.dropped_count = dropped_.size();
  scratch_ = 2 * lanes_ * (nx + 1 + std::max(layout_.x.spare(), layout_.y.spare()));
}

template class Field2D<float>;
template class Field2D<double>;

}  // namespace crewe::sim
