// Memory of the device, and host memory that the device copies from at full speed.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "crewe/cuda/device.hpp"

namespace crewe::cuda {

namespace detail {

void* allocate(std::size_t bytes, cudaStream_t stream);  // DeviceError says how much is free
void release(void* pointer, cudaStream_t stream) noexcept;
void* allocate_pinned(std::size_t bytes);
void release_pinned(void* pointer) noexcept;
void copy_in(void* to, const void* from, std::size_t bytes, cudaStream_t stream);
void copy_out(void* to, const void* from, std::size_t bytes, cudaStream_t stream);
void fill_zero(void* pointer, std::size_t bytes, cudaStream_t stream);

}  // namespace detail

// n elements, unset; allocated and freed in the order of a stream, which must outlive the buffer.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  Buffer(std::size_t n, cudaStream_t stream)
      : data_(static_cast<T*>(detail::allocate(n * sizeof(T), stream))), size_(n), stream_(stream) {}
  // A copy of n elements of the host; page-locked ones must stay as they are until the stream has read them.
  Buffer(const T* host, std::size_t n, cudaStream_t stream) : Buffer(n, stream) { put(host, n); }
  ~Buffer() { detail::release(data_, stream_); }
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(stream_, other.stream_);
    return *this;
  }

  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  cudaStream_t stream() const { return stream_; }

  void put(const T* host, std::size_t n) { detail::copy_in(data_, host, n * sizeof(T), stream_); }
  void get(T* host, std::size_t n) const { detail::copy_out(host, data_, n * sizeof(T), stream_); }
  void zero() { detail::fill_zero(data_, size_ * sizeof(T), stream_); }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
  cudaStream_t stream_ = nullptr;
};

// Page-locked memory of the host, unset.
template <class T>
class Pinned {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Pinned() = default;
  explicit Pinned(std::size_t n) : data_(static_cast<T*>(detail::allocate_pinned(n * sizeof(T)))), size_(n) {}
  ~Pinned() { detail::release_pinned(data_); }
  Pinned(Pinned&& other) noexcept { *this = std::move(other); }
  Pinned& operator=(Pinned&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  T* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace crewe::cuda
