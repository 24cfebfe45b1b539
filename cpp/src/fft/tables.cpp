#include "fft/tables.hpp"

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "crewe/fft.hpp"

namespace crewe::fft {
namespace {

// exp(−2πi k/n), the angle brought into the first eighth of the circle, where sine and cosine are good to the last bit.
std::complex<double> root(std::uint64_t k, std::uint64_t n) {
  k %= n;
  const bool lower = 2 * k > n;  // conjugate
  if (lower) k = n - k;
  const bool left = 4 * k > n;  // mirrored at the imaginary axis: half a turn minus the angle
  const std::uint64_t eighths = left ? 4 * n - 8 * k : 8 * k;  // angle = π/4 · eighths/n
  const bool steep = eighths > n;                              // mirrored at the diagonal
  const double angle =
      std::numbers::pi / 4 * static_cast<double>(steep ? 2 * n - eighths : eighths) / static_cast<double>(n);
  double c = std::cos(angle), s = std::sin(angle);
  if (steep) std::swap(c, s);
  return {left ? -c : c, lower ? s : -s};
}

// Eights first, since they make the fewest passes; then what is left of the twos, then the odd primes.
std::vector<std::size_t> radices_of(std::size_t n) {
  std::size_t twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  std::vector<std::size_t> radices;
  for (; twos > 4 || twos == 3; twos -= 3) radices.push_back(8);
  for (; twos >= 2; twos -= 2) radices.push_back(4);
  if (twos == 1) radices.push_back(2);
  for (const std::size_t prime : {3U, 5U, 7U}) {
    for (; n % prime == 0; n /= prime) radices.push_back(prime);
  }
  return radices;
}

template <class T>
void put(Buffer<T>& table, std::size_t i, std::complex<double> value) {
  table.data()[2 * i] = static_cast<T>(value.real());
  table.data()[2 * i + 1] = static_cast<T>(value.imag());
}

}  // namespace

template <class T>
Tables<T>::Tables(std::size_t n) {
  if (n == 0 || n > std::numeric_limits<std::uint32_t>::max() / 8) {
    throw std::invalid_argument("fft: a length of at least 1, below 2²⁹, wanted, " + std::to_string(n) + " came");
  }
  plan_.n = n;
  order_.resize(n);
  if (good_size(n) == n) {
    mixed_radix();
  } else {
    bluestein();
  }
  plan_.order = order_.data();
}

template <class T>
void Tables<T>::mixed_radix() {
  const std::vector<std::size_t> radices = radices_of(plan_.n);
  std::size_t length = plan_.n;
  for (const std::size_t radix : radices) {
    const std::size_t m = length / radix;
    Buffer<T> twiddle(2 * m * (radix - 1));
    for (std::size_t j = 0; j < m; ++j) {
      for (std::size_t q = 1; q < radix; ++q) put(twiddle, j * (radix - 1) + q - 1, root(j * q, length));
    }
    plan_.pass[plan_.passes++] = {radix, length, twiddle.data()};
    twiddles_.push_back(std::move(twiddle));
    length = m;
  }
  // Frequency k = q₁ + R₁(q₂ + R₂(…)) stands at q₁·n/R₁ + q₂·n/(R₁R₂) + …
  for (std::size_t k = 0; k < plan_.n; ++k) {
    std::size_t rest = k, block = plan_.n, place = 0;
    for (const std::size_t radix : radices) {
      block /= radix;
      place += rest % radix * block;
      rest /= radix;
    }
    order_[k] = static_cast<std::uint32_t>(place);
  }
}

// X_k = c_k Σ_j (c_j x_j) conj(c_{k−j}): a cyclic convolution, its result in natural order.
template <class T>
void Tables<T>::bluestein() {
  const std::size_t n = plan_.n, m = good_size(2 * n - 1);
  inner_ = std::make_unique<Tables>(m);
  chirp_ = Buffer<T>(2 * n);
  filter_ = Buffer<T>(2 * m);
  std::vector<std::complex<double>> wrapped(m);
  for (std::size_t j = 0; j < n; ++j) {
    const std::complex<double> c = root(static_cast<std::uint64_t>(j) * j, 2 * n);
    put(chirp_, j, c);
    wrapped[j] = wrapped[j == 0 ? 0 : m - j] = std::conj(c);
  }
  Plan<double>(m).rows(wrapped.data(), 1, 0, Direction::forward);
  for (std::size_t k = 0; k < m; ++k) {
    put(filter_, inner_->plan_.order[k], wrapped[k] / static_cast<double>(m));
  }
  std::iota(order_.begin(), order_.end(), 0U);
  plan_.inner = &inner_->plan_;
  plan_.chirp = chirp_.data();
  plan_.filter = filter_.data();
}

template class Tables<float>;
template class Tables<double>;

}  // namespace crewe::fft
