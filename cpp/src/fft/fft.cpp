#include "crewe/fft.hpp"

#include <algorithm>

#include "crewe/parallel.hpp"
#include "fft/mkl.hpp"
#include "fft/ordered.hpp"
#include "fft/tables.hpp"

namespace crewe::fft {

template <class T>
struct Plan<T>::State {
  Tables<T> tables;

  Lines<T> lines(std::complex<T>* data, std::size_t count, std::ptrdiff_t distance, Direction direction) const {
    const LanePlan<T>& plan = tables.plan();
    return {plan,     reinterpret_cast<T*>(data),      count,
            distance, direction == Direction::inverse, scratch_of<T>(scratch_size(plan))};
  }
};

template <class T>
Plan<T>::Plan(std::size_t n) : state_(new State{Tables<T>(n)}) {}
template <class T>
Plan<T>::~Plan() = default;
template <class T>
Plan<T>::Plan(Plan&&) noexcept = default;
template <class T>
Plan<T>& Plan<T>::operator=(Plan&&) noexcept = default;

template <class T>
std::size_t Plan<T>::size() const {
  return state_->tables.plan().n;
}

template <class T>
void Plan<T>::rows(std::complex<T>* data, std::size_t count, std::ptrdiff_t distance, Direction direction) const {
  CREWE_SIMD_CALL(transform_rows, state_->lines(data, count, distance, direction));
}

template <class T>
void Plan<T>::columns(std::complex<T>* data, std::size_t count, std::ptrdiff_t distance, Direction direction) const {
  CREWE_SIMD_CALL(transform_columns, state_->lines(data, count, distance, direction));
}

template <class T>
void fft2(std::complex<T>* data, std::size_t batch, std::size_t ny, std::size_t nx, Direction direction, int threads) {
  if (batch * ny * nx == 0) return;
  if (mkl_wanted()) return mkl_fft2(data, batch, ny, nx, direction, threads);
  const Plan<T> along_x(nx), along_y(ny);
  // 16 float lanes to a vector at the widest level; a multiple of it keeps all lanes busy.
  constexpr std::size_t kRows = 32, kColumns = 16;
  const auto distance = static_cast<std::ptrdiff_t>(nx);
  parallel_for(batch * ny, kRows, threads, [&](std::size_t begin, std::size_t end) {
    along_x.rows(data + begin * nx, end - begin, distance, direction);
  });
  const std::size_t strips = (nx + kColumns - 1) / kColumns;
  parallel_for(batch * strips, 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t first = i % strips * kColumns;
      along_y.columns(data + i / strips * ny * nx + first, std::min(kColumns, nx - first), distance, direction);
    }
  });
}

std::size_t good_size(std::size_t n) {
  const auto smooth = [](std::size_t rest) {
    for (const std::size_t prime : {2U, 3U, 5U, 7U}) {
      while (rest % prime == 0) rest /= prime;
    }
    return rest == 1;
  };
  n = std::max<std::size_t>(n, 1);
  while (!smooth(n)) ++n;
  return n;
}

template class Plan<float>;
template class Plan<double>;
template void fft2(std::complex<float>*, std::size_t, std::size_t, std::size_t, Direction, int);
template void fft2(std::complex<double>*, std::size_t, std::size_t, std::size_t, Direction, int);

}  // namespace crewe::fft
