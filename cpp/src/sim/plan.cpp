#include "sim/plan.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <utility>

namespace crewe::sim {
namespace {

// Eights first, since they make the fewest passes; then what is left of the twos, then the odd primes.
std::vector<std::size_t> radices_of(std::size_t n) {
  std::size_t twos = 0;
  while (n % 2 == 0) {
    n /= 2;
    ++twos;
  }
  std::vector<std::size_t> radices;
  for (; twos > 4 || twos == 3; twos -= 3) radices.push_back(8);
  for (; twos >= 2; twos -= 2) radices.push_back(4);
  if (twos == 1) radices.push_back(2);
  for (std::size_t p = 3; n > 1; p += 2) {
    while (n % p == 0) {
      radices.push_back(p);
      n /= p;
    }
    if (p * p > n && n > 1) p = n - 2;
  }
  return radices;
}

}  // namespace

template <class T>
LaneTables<T>::LaneTables(std::size_t n) {
  if (n < 2)
    throw std::invalid_argument("a grid of at least 2 pixels along each axis wanted, " + std::to_string(n) + " came");
  const std::vector<std::size_t> radices = radices_of(n);
  plan_.n = n;
  plan_.passes = radices.size();
  if (plan_.passes > kMaxPasses)
    throw std::invalid_argument("grid size " + std::to_string(n) + " has too many factors");
  std::size_t length = n;
  for (std::size_t s = 0; s < radices.size(); ++s) {
    const std::size_t radix = radices[s], m = length / radix;
    Buffer<T> twiddle(2 * m * (radix - 1));
    for (std::size_t j = 0; j < m; ++j) {
      for (std::size_t q = 1; q < radix; ++q) {
        const double angle = -2.0 * std::numbers::pi * static_cast<double>(j * q) / static_cast<double>(length);
        T* w = twiddle.data() + 2 * (j * (radix - 1) + q - 1);
        w[0] = static_cast<T>(std::cos(angle));
        w[1] = static_cast<T>(std::sin(angle));
      }
    }
    plan_.pass[s].radix = radix;
    plan_.pass[s].length = length;
    plan_.pass[s].twiddle = twiddle.data();
    twiddles_.push_back(std::move(twiddle));
    if (radix > 8) {
      Buffer<T> roots(2 * radix);
      for (std::size_t k = 0; k < radix; ++k) {
        const double angle = 2.0 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(radix);
        roots.data()[2 * k] = static_cast<T>(std::cos(angle));
        roots.data()[2 * k + 1] = static_cast<T>(std::sin(angle));
      }
      plan_.pass[s].roots = roots.data();
      twiddles_.push_back(std::move(roots));
    }
    length = m;
  }
  // frequency k = q₁ + R₁(q₂ + R₂(…)) stands at q₁·n/R₁ + q₂·n/(R₁R₂) + …
  place_.resize(n);
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t rest = k, block = n, place = 0;
    for (const std::size_t radix : radices) {
      block /= radix;
      place += rest % radix * block;
      rest /= radix;
    }
    place_[k] = static_cast<std::uint32_t>(place);
  }
}

template <class T>
std::size_t LaneTables<T>::largest_radix() const {
  std::size_t largest = 0;
  for (std::size_t s = 0; s < plan_.passes; ++s) largest = std::max(largest, plan_.pass[s].radix);
  return largest;
}

template <class T>
Field2D<T>::Field2D(std::size_t ny, std::size_t nx, std::vector<std::uint32_t> columns)
    : y_(ny), x_(nx), columns_(std::move(columns)), lanes_(CREWE_SIMD_CALL(lane_count, T())) {
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
    places_[c] = x_.place().at(columns_[c]);
    kept[places_[c]] = true;
  }
  for (std::uint32_t place = 0; place < nx; ++place) {
    if (!kept[place]) dropped_.push_back(place);
  }
  layout_.place = places_.data();
  layout_.dropped = dropped_.data();
  layout_.dropped_count = dropped_.size();
  scratch_ = 2 * lanes_ * (nx + 1 + std::max(x_.largest_radix(), y_.largest_radix()));
}

template class LaneTables<float>;
template class LaneTables<double>;
template class Field2D<float>;
template class Field2D<double>;

}  // namespace crewe::sim
