// Single pixels and the range of values: Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 37-40,
// 52-55.
//
//   black:    x·S on the pixels of random walks, S ~ U(level) for each walk
//   zingers:  max(x·S, x + (S − 1)·mean(x)), S ~ U(gain): also seen on a dark background
//   clip:     min(x, maximum)
//   quantise: the nearest of 2^bits levels from −offset to full_scale − offset
//
// A walk starts anywhere and takes 0 to `steps` steps to one of four neighbours, staying inside the image.
// Arrays are C-contiguous.
#pragma once

#include <cstdint>

#include "crewe/view.hpp"

namespace crewe::noise {

struct Statistics {
  float minimum = 0, maximum = 0;
  double mean = 0;
  bool finite = true;
};

Statistics statistics(View<const float, 2> image);

// In place.
void black_pixels(View<float, 2> image, std::size_t count, std::size_t steps, const double level[2], std::uint64_t seed,
                  std::uint32_t picture);
void zingers(View<float, 2> image, std::size_t count, std::size_t steps, const double gain[2], std::uint64_t seed,
             std::uint32_t picture);

// The value below which a part q of the pixels lies, linear between two order statistics.
double quantile(View<const float, 2> image, double q, int threads);

void clip(View<const float, 2> image, View<float, 2> out, float maximum, int threads);
void quantise(View<const float, 2> image, View<float, 2> out, int bits, double full_scale, double offset, int threads);

}  // namespace crewe::noise
