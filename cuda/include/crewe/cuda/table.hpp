// Tables that are made on the host once and read on the device.
#pragma once

#include <vector>

#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/check.hpp"

namespace crewe::cuda {

// A copy on the device; when this returns the table may go.
template <class T>
Buffer<T> table_on_device(const std::vector<T>& table, cudaStream_t stream) {
  if (table.empty()) return {};
  Buffer<T> there(table.data(), table.size(), stream);
  check(cudaStreamSynchronize(stream), "copy of a table to the device");
  return there;
}

}  // namespace crewe::cuda
