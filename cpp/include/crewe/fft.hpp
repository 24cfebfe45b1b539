// The door to the Fourier transforms: own kernels, any size.
//
//   forward:  X(k) = Σ_j x(j) exp(−2πi jk/n)        inverse: exp(+2πi jk/n), divided by n
#pragma once

#include <complex>
#include <cstddef>
#include <memory>

namespace crewe::fft {

enum class Direction { forward, inverse };

// Transforms of one length, prepared once; may be used by any number of threads at a time.
// T: float or double. Factors 2, 3, 4, 5, 7, 8 run as mixed radix, lengths with larger primes by Bluestein's algorithm.
template <class T>
class Plan {
 public:
  explicit Plan(std::size_t n);
  ~Plan();
  Plan(Plan&&) noexcept;
  Plan& operator=(Plan&&) noexcept;

  std::size_t size() const;
  // `count` rows in place, element j of row i at data[i·distance + j].
  void rows(std::complex<T>* data, std::size_t count, std::ptrdiff_t distance, Direction direction) const;
  // `count` neighbouring columns in place, element j of column i at data[i + j·distance].
  void columns(std::complex<T>* data, std::size_t count, std::ptrdiff_t distance, Direction direction) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A stack of images (batch, ny, nx), C-contiguous, in place, over the two last axes. With the environment variable
// CREWE_FFT=MKL by Intel's library, one thread per image; std::runtime_error where that isn't installed.
template <class T>
void fft2(std::complex<T>* data, std::size_t batch, std::size_t ny, std::size_t nx, Direction direction, int threads);

// The smallest length >= n whose factors are 2, 3, 5 and 7.
std::size_t good_size(std::size_t n);

}  // namespace crewe::fft
