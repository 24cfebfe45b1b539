// Radices, twiddles and the order of the spectrum of one length; the owner of what a LanePlan points to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fft/buffer.hpp"
#include "fft/lane_plan.hpp"

namespace crewe::fft {

template <class T>
class Tables {
 public:
  explicit Tables(std::size_t n);
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;
  const LanePlan<T>& plan() const { return plan_; }

 private:
  void mixed_radix();
  void bluestein();

  LanePlan<T> plan_;
  std::vector<Buffer<T>> twiddles_;
  std::vector<std::uint32_t> order_;
  std::unique_ptr<Tables> inner_;
  Buffer<T> chirp_, filter_;
};

extern template class Tables<float>;
extern template class Tables<double>;

}  // namespace crewe::fft
