// Two-dimensional Fourier transforms on the device by cuFFT, found when it is first wanted: libcufft need not be there
// to build or to import.
#pragma once

#include <cstddef>
#include <memory>

#include "crewe/cuda/device.hpp"

namespace crewe::cuda {

// A stack of images (batch, ny, nx) of complex floats, C-contiguous, in place. Unnormalised both ways:
//   forward:  X(k) = Σ_j x(j) exp(−2πi jk/n)        inverse: exp(+2πi jk/n)
// One stream at a time. Work space is cuFFT's own.
class Fft2 {
 public:
  Fft2(std::size_t ny, std::size_t nx, std::size_t batch);
  ~Fft2();
  Fft2(Fft2&&) noexcept;
  Fft2& operator=(Fft2&&) noexcept;

  void forward(float2* data, cudaStream_t stream) const;
  void inverse(float2* data, cudaStream_t stream) const;

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

// Lines of n along one axis, in place: element j of line i at data[i·distance + j·step].
class Fft1 {
 public:
  Fft1(std::size_t n, std::size_t lines, std::size_t step, std::size_t distance);
  ~Fft1();
  Fft1(Fft1&&) noexcept;
  Fft1& operator=(Fft1&&) noexcept;

  void forward(float2* data, cudaStream_t stream) const;

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

}  // namespace crewe::cuda
