// The multislice of crewe/sim/multislice.hpp on the device, single precision. Waves of several configurations of atoms
// ("groups") go through their slices together; everything between their entry and a sum over them stays on the device.
// Sizes of the grid: factors 2, 3, 5, 7, as long as a line fits into shared memory.
//
// Host memory that is handed in is copied before the call returns, or held.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "crewe/sim/multislice.hpp"
#include "crewe/view.hpp"

namespace crewe::cuda::sim {

using crewe::sim::MultisliceOptions;

// Propagators, and transmission functions in numbered slots.
class Multislice {
 public:
  // scratch: bytes that making transmission functions may take besides.
  Multislice(const MultisliceOptions& options, int device, std::size_t scratch);
  ~Multislice();
  Multislice(const Multislice&) = delete;
  Multislice& operator=(const Multislice&) = delete;

  // Room for n transmission functions; those of before are lost.
  void reserve(std::size_t n);
  std::size_t slots() const;
  // Bytes of one transmission function; of one wave, with what sums over it take.
  std::size_t slice_bytes() const;
  std::size_t wave_bytes() const;

  // potential (n, ny, nx) [V·Å] → slots first, first + 1, …
  void load(std::size_t first, View<const float, 3> potential);
  // The same for slices of atoms; arguments as of crewe::sim::project.
  void project(std::size_t first, View<const double, 3> factors, std::span<const double> y, std::span<const double> x,
               std::span<const std::int64_t> starts);

  // Until all that was asked for is done.
  void synchronize() const;

  struct State;
  const State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// What all probes of a run share: spectrum (ny, nx), frequencies as numpy.fft has them.
class Probe {
 public:
  Probe(const Multislice& engine, View<const std::complex<double>, 2> spectrum);
  ~Probe();
  struct State;
  const State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// groups × count waves on their way. The Multislice must outlive them.
class Waves {
 public:
  Waves(const Multislice& engine, std::size_t groups, std::size_t count);
  ~Waves();
  Waves(const Waves&) = delete;
  Waves& operator=(const Waves&) = delete;
  std::size_t groups() const { return groups_; }
  std::size_t count() const { return count_; }

  // In every group: waves (count, ny, nx); probes F⁻¹{spectrum·exp(−2πi k·r)}, r (count, 2) = (y, x) [Å]. Not set: ψ
  // = 1.
  void set_waves(View<const std::complex<float>, 3> waves);
  void set_probes(const Probe& probe, View<const double, 2> positions);

  // Through the slices slot(group, 0), slot(group, 1), …, each followed by the propagator of the same index.
  void advance(View<const std::uint32_t, 2> slot, std::span<const std::uint32_t> propagator);

  // out (count, ny, nx) on the host: ψ of one group in real space.
  void wave(std::size_t group, View<std::complex<float>, 3> out) const;

  struct State;
  const Multislice& engine() const { return engine_; }
  const State& state() const;

 private:
  const Multislice& engine_;
  std::size_t groups_, count_;
  std::unique_ptr<State> state_;
};

// Sums over the groups of waves, on the device: begin, add any number of times, result.

// (count, oy, ox), or one for all waves if begun with 1, += weight·|F{ψ}|² of the pixels with row[ky], column[kx] >= 0
// (frequencies as numpy.fft has them).
class Patterns {
 public:
  Patterns(const Multislice& engine, std::span<const std::int32_t> row, std::span<const std::int32_t> column,
           std::size_t oy, std::size_t ox);
  ~Patterns();
  void begin(std::size_t count);
  void add(const Waves& waves, double weight);
  void result(View<float, 3> out) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// (count, detectors) += weight·Σ_k detector(k)·|F{ψ}|²; detectors (detectors, ny, nx), frequencies as numpy.fft.
class Signals {
 public:
  Signals(const Multislice& engine, View<const float, 3> detectors);
  ~Signals();
  void begin(std::size_t count);
  void add(const Waves& waves, double weight);
  void result(View<double, 2> out) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// (count, ny, nx) += weight·ψ in real space.
class WaveSums {
 public:
  explicit WaveSums(const Multislice& engine);
  ~WaveSums();
  void begin(std::size_t count);
  void add(const Waves& waves, double weight);
  void result(View<std::complex<float>, 3> out) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Forward and inverse transforms of a stack of waves by cuFFT, nothing in between: what a step of the multislice is
// measured against.
class TransformPairs {
 public:
  TransformPairs(std::size_t ny, std::size_t nx, std::size_t batch, int device);
  ~TransformPairs();
  // Returns when they are done.
  void run(std::size_t pairs) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crewe::cuda::sim
