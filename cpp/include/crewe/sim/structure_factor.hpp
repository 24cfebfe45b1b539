// From the sums over atoms at a frequency (ky, kx) >= 0, a = 2π ky·y, b = 2π kx·x,
//
//   cc = Σ cos a cos b,   cs = Σ cos a sin b,   sc = Σ sin a cos b,   ss = Σ sin a sin b,
//
// to the structure factor Σ exp(−i(±a + b)) at (±ky, kx).
#pragma once

#include "crewe/host_device.hpp"

namespace crewe::sim {

template <class T>
struct StructureSums {
  T cc, cs, sc, ss;
};

template <class T>
struct StructureFactor {
  T re, im;
};

// At the frequency (iy, ix) of a grid (ny, nx), sums at (min(iy, ny − iy), min(ix, nx − ix)). The potential is real:
// V̂(ky, −kx) = conj V̂(−ky, kx); at the Nyquist frequency of an even grid the mean over both signs is taken.
template <class T>
CREWE_HOST_DEVICE inline StructureFactor<T> structure_factor(const StructureSums<T>& s, int iy, int ix, int ny,
                                                             int nx) {
  const bool nyquist_y = 2 * iy == ny, nyquist_x = 2 * ix == nx;
  const bool negative_x = 2 * ix > nx, flipped = (2 * iy > ny) != negative_x;
  StructureFactor<T> f;
  if (nyquist_y && nyquist_x) {
    f = {s.cc - s.ss, T(0)};
  } else if (nyquist_y) {
    f = {s.cc, -s.cs};
  } else if (nyquist_x) {
    f = {s.cc, flipped ? s.sc : -s.sc};
  } else if (flipped) {
    f = {s.cc + s.ss, s.sc - s.cs};
  } else {
    f = {s.cc - s.ss, -(s.cs + s.sc)};
  }
  if (negative_x) f.im = -f.im;
  return f;
}

}  // namespace crewe::sim
