// The multislice of fast electrons on a periodic grid (Cowley and Moodie, Acta Cryst. 10 (1957) 609; Kirkland 2010, ch.
// 6):
//
//   ψ ← F⁻¹{ P_s·F{ t_s·ψ } } for every slice,   t_s = F⁻¹{ A·F{exp(iσV_s)} },
//   P_s(k) = A(k)·exp(−iπλΔz_s|k|² + 2πiΔz_s k·tan θ)
//
// A = 1 up to k_c − w, falls as a half cosine to 0 at k_c, with k_c = (2/3)/(2d), w = 0.01/d, d = max(dy, dx): two
// thirds of the Nyquist frequency, so that products don't alias. Between the transforms along x and y only the columns
// inside A are kept; a step is two sweeps over them (rows: inverse, t, forward; columns: forward, P, inverse).
#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "crewe/view.hpp"

namespace crewe::sim {

struct MultisliceOptions {
  std::size_t ny = 0, nx = 0;
  double dy = 0, dx = 0;          // sampling [Å]
  double wavelength = 0;          // [Å]
  double interaction = 0;         // σ [rad/(V·Å)]
  std::vector<double> thickness;  // Δz [Å] of each propagator
  double tilt_y = 0, tilt_x = 0;  // of the beam [rad]
};

// std::invalid_argument names what is wrong with them.
void check_multislice(const MultisliceOptions& options);

template <class T>
class Waves;

// Propagators, and the transmission functions of the slices loaded last. T: float or double.
template <class T>
class Multislice {
 public:
  explicit Multislice(const MultisliceOptions& options);
  ~Multislice();
  Multislice(const Multislice&) = delete;
  Multislice& operator=(const Multislice&) = delete;

  // Room for n transmission functions; those of before are lost.
  void reserve(std::size_t n);
  // potential (n, ny, nx) [V·Å], finite → the transmission functions first, first + 1, …
  void load(std::size_t first, View<const T, 3> potential, int threads);
  std::size_t slices() const;

  // Bytes of one transmission function and of one wave.
  std::size_t slice_bytes() const;
  std::size_t wave_bytes() const;

 private:
  friend class Waves<T>;
  struct State;
  std::unique_ptr<State> state_;
};

// A number of waves on the way through the specimen. A wave visits all slices of a call before the next one starts,
// and lies in the cache meanwhile. The Multislice must outlive its waves.
template <class T>
class Waves {
 public:
  Waves(const Multislice<T>& engine, std::size_t count);
  ~Waves();
  Waves(const Waves&) = delete;
  Waves& operator=(const Waves&) = delete;
  std::size_t count() const { return count_; }

  // Each wave becomes ψ = F⁻¹{ spectrum·exp(−2πi k·r) }, r (count, 2) = (y, x) [Å]; spectrum (ny, nx).
  void set_probes(View<const std::complex<double>, 2> spectrum, View<const double, 2> positions, int threads);
  // waves (count, ny, nx) in real space; without limit of their frequencies before the first slice. Not set: ψ = 1.
  void set_waves(View<const std::complex<T>, 3> waves);

  // Through the slices transmission[0], transmission[1], …, each followed by the propagator of the same index.
  void advance(std::span<const std::uint32_t> transmission, std::span<const std::uint32_t> propagator, int threads);

  // out (count, ny, nx): ψ in real space.
  void wave(View<std::complex<T>, 3> out, int threads) const;
  // out (count, oy, ox) += weight·|F{ψ}|² of the pixels with row[ky], column[kx] >= 0 (frequencies as numpy.fft has
  // them).
  void intensity(std::span<const std::int32_t> row, std::span<const std::int32_t> column, double weight,
                 View<float, 3> out, int threads) const;
  void intensity(std::span<const std::int32_t> row, std::span<const std::int32_t> column, double weight,
                 View<double, 3> out, int threads) const;
  // out (count, detectors) += weight·Σ_k detector(k)·|F{ψ}|²; detectors (detectors, ny, nx), frequencies as numpy.fft.
  void signals(View<const float, 3> detectors, double weight, View<double, 2> out, int threads) const;

 private:
  struct State;
  template <class F>
  void for_each_spectrum(int threads, F f) const;
  template <class Out>
  void add_intensity(std::span<const std::int32_t> row, std::span<const std::int32_t> column, double weight,
                     View<Out, 3> out, int threads) const;
  const Multislice<T>& engine_;
  std::size_t count_;
  std::unique_ptr<State> state_;
};

// `pairs` times a forward and an inverse transform of one field (ny, nx) with the kernels of the multislice, all
// columns, spectrum in permuted order, nothing in between: the floor for the speed of a step.
template <class T>
void transform_pairs(std::complex<T>* data, std::size_t ny, std::size_t nx, std::size_t pairs);

}  // namespace crewe::sim
