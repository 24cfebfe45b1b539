// Kernel launches in plain C++: launch(kernel, grid, block, shared_bytes, stream, arguments...).
#pragma once

#include <cstddef>
#include <tuple>
#include <utility>

#include "crewe/cuda/check.hpp"
#include "crewe/cuda/device.hpp"

namespace crewe::cuda {

// Blocks of `each` that hold n.
constexpr unsigned blocks_of(std::size_t n, std::size_t each) {
  return static_cast<unsigned>((n + each - 1) / each);
}

// Asynchronous. An empty grid is no launch.
template <class... P, class... A>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, std::size_t shared_bytes, cudaStream_t stream,
            A... arguments) {
  static_assert(sizeof...(P) == sizeof...(A));
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  constexpr std::size_t kWithoutAsking = 48 << 10;
  if (shared_bytes > kWithoutAsking) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)),
          "shared memory of a kernel");
  }
  std::tuple<P...> values(static_cast<P>(arguments)...);
  std::apply(
      [&](auto&... each) {
        void* pointers[sizeof...(P) + 1] = {const_cast<void*>(static_cast<const void*>(&each))...};
        check(cudaLaunchKernel(kernel, grid, block, pointers, shared_bytes, stream), "launch of a kernel");
      },
      values);
}

}  // namespace crewe::cuda
