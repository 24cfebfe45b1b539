// What single-sideband ptychography prepares once, for the CPU and for CUDA: the disc's pixels, the frequencies of the
// scan and their weights.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "crewe/imaging/ssb.hpp"
#include "crewe/imaging/ssb_layout.hpp"

namespace crewe::imaging {

// Frequencies (row, col) of one column of the half plane; their weights lie one after the other.
struct SsbColumn {
  std::size_t col, first, count;
};

// std::invalid_argument names what is wrong with the options, beside what a plan finds.
void check_ssb(const SsbOptions& options);

struct SsbPlan {
  SsbPlan(const SsbOptions& options, const Parallel& parallel);

  std::size_t join = 1;             // detector pixels along an axis that count as one
  std::size_t members = 0;          // detector pixels in the disc
  std::size_t pixels = 0;           // joined ones, with those that fill up a row of weights
  std::vector<SsbPiece> pieces;     // of the disc, in the order of memory
  std::vector<std::int32_t> place;  // joined pixel of each detector pixel, −1: outside
  std::vector<SsbColumn> columns;
  std::vector<std::uint32_t> rows;  // of each frequency
  bool complex = false;
  std::vector<float> weights;               // W of the joined pixels 0, 2, 4, ..., 1, 3, 5, ...
  std::vector<std::complex<double>> scale;  // φ(Q) = scale·Σ W G / I₀

 private:
  struct Sample {
    double y, x;               // from the centre [detector pixels]
    std::complex<float> wave;  // exp(−iχ)
    std::size_t bin;
  };
  struct Optics;
  struct Shift {
    double y, x;  // Q [detector pixels]
  };

  void choose_join(const SsbOptions& options, const Optics& optics);
  void find_pixels(const SsbOptions& options, const Optics& optics);
  void find_frequencies(const SsbOptions& options, const Optics& optics, const Parallel& parallel);
  void make_weights(const SsbOptions& options, const Optics& optics, const Parallel& parallel);
  std::size_t overlap(const Optics& optics, Shift q, bool single) const;
  std::complex<double> weigh(const Optics& optics, Shift q, bool single, float* out) const;

  std::vector<Sample> samples_;
  std::vector<double> parts_;   // detector pixels of each joined one,
  std::vector<double> counts_;  // and samples
  std::vector<Shift> shifts_;   // of each frequency
};

}  // namespace crewe::imaging
