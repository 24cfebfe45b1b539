// Strided views on memory that somebody else owns: the form in which every array crosses a border of the library.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

namespace crewe {

// View<T, N>: element (i0, ..., iN-1) lies at data[Σ i_k · strides[k]]; strides count elements, not bytes.
template <class T, std::size_t N>
struct View {
  T* data = nullptr;
  std::array<std::size_t, N> shape{};
  std::array<std::ptrdiff_t, N> strides{};

  View() = default;
  View(T* pointer, std::array<std::size_t, N> extent, std::array<std::ptrdiff_t, N> step)
      : data(pointer), shape(extent), strides(step) {}

  // C-contiguous.
  View(T* pointer, std::array<std::size_t, N> extent) : data(pointer), shape(extent) {
    std::ptrdiff_t step = 1;
    for (std::size_t k = N; k-- > 0;) {
      strides[k] = step;
      step *= static_cast<std::ptrdiff_t>(extent[k]);
    }
  }

  // A view that may write serves where one that only reads is wanted.
  template <class U>
    requires std::is_same_v<T, const U>
  View(const View<U, N>& other) : data(other.data), shape(other.shape), strides(other.strides) {}

  std::size_t size() const {
    std::size_t product = 1;
    for (const std::size_t extent : shape) product *= extent;
    return product;
  }

  bool contiguous() const {
    std::ptrdiff_t step = 1;
    for (std::size_t k = N; k-- > 0;) {
      if (shape[k] != 1 && strides[k] != step) return false;
      step *= static_cast<std::ptrdiff_t>(shape[k]);
    }
    return true;
  }

  template <class... Index>
    requires(sizeof...(Index) == N)
  T& operator()(Index... index) const {
    const std::array<std::ptrdiff_t, N> place{static_cast<std::ptrdiff_t>(index)...};
    std::ptrdiff_t offset = 0;
    for (std::size_t k = 0; k < N; ++k) offset += place[k] * strides[k];
    return data[offset];
  }

  // The sub-view at one index of the first axis.
  View<T, N - 1> operator[](std::size_t index) const
    requires(N > 1)
  {
    View<T, N - 1> inner;
    inner.data = data + static_cast<std::ptrdiff_t>(index) * strides[0];
    for (std::size_t k = 1; k < N; ++k) {
      inner.shape[k - 1] = shape[k];
      inner.strides[k - 1] = strides[k];
    }
    return inner;
  }
};

}  // namespace crewe
