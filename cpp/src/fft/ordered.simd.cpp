#include "fft/ordered.hpp"

#include "fft/images.hpp"
#include "fft/passes.hpp"

namespace crewe::fft {
namespace CREWE_ISA_LEVEL {
namespace {

// A group of lines in the scratch memory: loaded with `load(order)`, transformed, given to `store(order, scale)`.
template <class T, class Load, class Store>
inline void transform(const Lines<T>& lines, Cx<T>* x, Load load, Store store) {
  const LanePlan<T>& plan = lines.plan;
  Cx<T>* spare = x + plan.n;
  if (lines.inverse) {
    load(plan.order);
    inverse(plan, x, spare);
    store(nullptr, T(1) / static_cast<T>(plan.n));
  } else {
    load(nullptr);
    forward(plan, x, spare);
    store(plan.order, T(1));
  }
}

// Even and odd elements of two vectors ↔ real and imaginary parts.
template <class T>
struct Shuffle {
  typename Lanes<T>::I even, odd, low, high;
  inline __attribute__((always_inline)) Shuffle() {
    constexpr int n = static_cast<int>(Lanes<T>::n);
#pragma GCC unroll 16
    for (int l = 0; l < n; ++l) {
      even[l] = 2 * l;
      odd[l] = 2 * l + 1;
      low[l] = l / 2 + l % 2 * n;
      high[l] = n / 2 + l / 2 + l % 2 * n;
    }
  }
};

// A row of `valid` lanes of interleaved numbers.
template <class T>
inline Cx<T> load_lanes(const T* from, std::size_t valid) {
  constexpr std::size_t n = Lanes<T>::n;
  if (valid == n) {
    const Shuffle<T> places;
    const Vector<T> a = load(from), b = load(from + n);
    return {shuffle(a, b, places.even), shuffle(a, b, places.odd)};
  }
  Cx<T> sample{};
  for (std::size_t l = 0; l < valid; ++l) sample.re[l] = from[2 * l], sample.im[l] = from[2 * l + 1];
  return sample;
}

template <class T>
inline void store_lanes(const Cx<T>& x, T* to, std::size_t valid) {
  constexpr std::size_t n = Lanes<T>::n;
  if (valid == n) {
    const Shuffle<T> places;
    store(to, shuffle(x.re, x.im, places.low));
    store(to + n, shuffle(x.re, x.im, places.high));
    return;
  }
  for (std::size_t l = 0; l < valid; ++l) to[2 * l] = x.re[l], to[2 * l + 1] = x.im[l];
}

}  // namespace

template <class T>
void transform_rows(const Lines<T>& lines) {
  constexpr std::size_t n = Lanes<T>::n;
  Cx<T>* x = reinterpret_cast<Cx<T>*>(lines.scratch);
  for (std::size_t first = 0; first < lines.count; first += n) {
    const std::size_t valid = lines.count - first < n ? lines.count - first : n;
    T* image = lines.data + 2 * static_cast<std::ptrdiff_t>(first) * lines.distance;
    transform(
        lines, x, [&](const std::uint32_t* order) { load_rows(image, lines.distance, lines.plan.n, valid, order, x); },
        [&](const std::uint32_t* order, T scale) {
          store_rows(x, scale, order, image, lines.distance, lines.plan.n, valid);
        });
  }
}

template <class T>
void transform_columns(const Lines<T>& lines) {
  constexpr std::size_t n = Lanes<T>::n;
  Cx<T>* x = reinterpret_cast<Cx<T>*>(lines.scratch);
  for (std::size_t first = 0; first < lines.count; first += n) {
    const std::size_t valid = lines.count - first < n ? lines.count - first : n;
    T* image = lines.data + 2 * first;
    const auto row = [&](std::size_t j) { return image + 2 * static_cast<std::ptrdiff_t>(j) * lines.distance; };
    transform(
        lines, x,
        [&](const std::uint32_t* order) {
          for (std::size_t j = 0; j < lines.plan.n; ++j) {
            x[order == nullptr ? j : order[j]] = load_lanes(row(j), valid);
          }
        },
        [&](const std::uint32_t* order, T scale) {
          for (std::size_t j = 0; j < lines.plan.n; ++j) {
            const Cx<T>& sample = x[order == nullptr ? j : order[j]];
            store_lanes(Cx<T>{sample.re * scale, sample.im * scale}, row(j), valid);
          }
        });
  }
}

template void transform_rows(const Lines<float>&);
template void transform_rows(const Lines<double>&);
template void transform_columns(const Lines<float>&);
template void transform_columns(const Lines<double>&);

}  // namespace CREWE_ISA_LEVEL
}  // namespace crewe::fft
