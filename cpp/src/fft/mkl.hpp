// Intel's MKL instead of our own kernels, where the environment variable CREWE_FFT=MKL asks for it. Nothing of it is
// needed to build: libmkl_rt is opened at the first transform.
#pragma once

#include <complex>
#include <cstddef>

#include "crewe/fft.hpp"

namespace crewe::fft {

// Whether CREWE_FFT says "MKL". std::invalid_argument if it says anything else than that or "own".
bool mkl_wanted();

// As fft2 (crewe/fft.hpp), one thread per image. std::runtime_error where libmkl_rt isn't found or fails.
template <class T>
void mkl_fft2(std::complex<T>* data, std::size_t batch, std::size_t ny, std::size_t nx, Direction direction,
              int threads);

}  // namespace crewe::fft
