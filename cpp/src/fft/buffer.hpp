// Memory for the vector code.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace crewe::fft {

// Numbers aligned to a cache line, zero at first.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : size_(size) {
    const std::size_t bytes = (size * sizeof(T) + 63) / 64 * 64;
    if (bytes == 0) return;
    void* memory = std::aligned_alloc(64, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    numbers_.reset(static_cast<T*>(memory));
    std::fill_n(numbers_.get(), size, T(0));
  }
  T* data() { return numbers_.get(); }
  const T* data() const { return numbers_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };
  std::unique_ptr<T, Free> numbers_;
  std::size_t size_ = 0;
};

// A thread's own scratch memory, kept from call to call.
template <class T>
T* scratch_of(std::size_t size) {
  thread_local Buffer<T> memory;
  if (memory.size() < size) memory = Buffer<T>(size);
  return memory.data();
}

}  // namespace crewe::fft
