#include "crewe/fft.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "crewe/parallel.hpp"
#include "fft/lanes.hpp"

namespace crewe::fft {
namespace {

struct alignas(kVectorBytes) Vector {
  std::byte bytes[kVectorBytes];
};

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

// n as a product of 8, 4, 2, 3, 5, 7; empty where another prime divides it.
std::vector<std::size_t> factors(std::size_t n) {
  std::vector<std::size_t> radices;
  for (std::size_t radix : {8U, 4U, 2U, 7U, 5U, 3U}) {
    for (; n % radix == 0; n /= radix) radices.push_back(radix);
  }
  if (n != 1) radices.clear();
  return radices;
}

bool is_smooth(std::size_t n) {
  for (std::size_t prime : {2U, 3U, 5U, 7U}) {
    while (n % prime == 0) n /= prime;
  }
  return n == 1;
}

template <class T>
void append(std::vector<T>& table, std::complex<double> value) {
  table.push_back(static_cast<T>(value.real()));
  table.push_back(static_cast<T>(value.imag()));
}

}  // namespace

template <class T>
struct Plan<T>::Tables {
  LanePlan<T> lanes;
  std::vector<std::size_t> radices;
  std::vector<T> twiddles, chirp, filter;
  std::unique_ptr<Tables> inner;

  explicit Tables(std::size_t n) {
    if (n == 0) throw std::invalid_argument("fft: a length of at least 1 wanted, 0 came");
    lanes.n = lanes.buffer = n;
    if (is_smooth(n)) {
      mixed_radix(n);
    } else {
      bluestein(n);
    }
  }

  void mixed_radix(std::size_t n) {
    radices = factors(n);
    for (std::size_t length = n; const std::size_t radix : radices) {
      for (std::size_t p = 0; p < length / radix; ++p) {
        for (std::size_t j = 1; j < radix; ++j) append(twiddles, root(j * p, length));
      }
      length /= radix;
    }
    lanes.radices = radices.data();
    lanes.stages = radices.size();
    lanes.twiddles = twiddles.data();
  }

  void bluestein(std::size_t n) {
    const std::size_t m = good_size(2 * n - 1);
    inner = std::make_unique<Tables>(m);
    std::vector<std::complex<double>> wrapped(m);
    for (std::size_t j = 0; j < n; ++j) {
      const std::complex<double> c = root(static_cast<std::uint64_t>(j) * j, 2 * n);
      append(chirp, c);
      wrapped[j] = wrapped[j == 0 ? 0 : m - j] = std::conj(c);
    }
    Plan<double>(m).run(wrapped.data(), 1, 1, 1, Direction::forward);
    for (const std::complex<double>& value : wrapped) append(filter, value / static_cast<double>(m));
    lanes.inner = &inner->lanes;
    lanes.buffer = m;
    lanes.chirp = chirp.data();
    lanes.filter = filter.data();
  }
};

template <class T>
Plan<T>::Plan(std::size_t n) : tables_(std::make_unique<Tables>(n)) {}
template <class T>
Plan<T>::~Plan() = default;
template <class T>
Plan<T>::Plan(Plan&&) noexcept = default;
template <class T>
Plan<T>& Plan<T>::operator=(Plan&&) noexcept = default;

template <class T>
std::size_t Plan<T>::size() const {
  return tables_->lanes.n;
}

template <class T>
void Plan<T>::run(std::complex<T>* data, std::size_t count, std::ptrdiff_t distance, std::ptrdiff_t stride,
                  Direction direction) const {
  const LanePlan<T>& lanes = tables_->lanes;
  std::vector<Vector> scratch(4 * lanes.buffer);  // two buffers, (re, im) each
  CREWE_SIMD_CALL(transform, lanes, reinterpret_cast<T*>(data), count, distance, stride,
                  direction == Direction::inverse, scratch.data());
}

template <class T>
void fft2(std::complex<T>* data, std::size_t batch, std::size_t ny, std::size_t nx, Direction direction, int threads) {
  if (batch == 0) return;
  const Plan<T> along_x(nx), along_y(ny);
  // 16 float lanes to a vector at the widest level; a multiple of it keeps all lanes busy.
  constexpr std::size_t kRows = 32, kColumns = 16;
  parallel_for(batch * ny, kRows, threads, [&](std::size_t begin, std::size_t end) {
    along_x.run(data + begin * nx, end - begin, static_cast<std::ptrdiff_t>(nx), 1, direction);
  });
  const std::size_t strips = (nx + kColumns - 1) / kColumns;
  parallel_for(batch * strips, 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t first = i % strips * kColumns;
      along_y.run(data + i / strips * ny * nx + first, std::min(kColumns, nx - first), 1,
                  static_cast<std::ptrdiff_t>(nx), direction);
    }
  });
}

std::size_t good_size(std::size_t n) {
  n = std::max<std::size_t>(n, 1);
  while (!is_smooth(n)) ++n;
  return n;
}

template class Plan<float>;
template class Plan<double>;
template void fft2(std::complex<float>*, std::size_t, std::size_t, std::size_t, Direction, int);
template void fft2(std::complex<double>*, std::size_t, std::size_t, std::size_t, Direction, int);

}  // namespace crewe::fft
