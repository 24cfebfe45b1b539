// Helpers that the noise stages share.
#pragma once

#include <cstddef>
#include <vector>

#include "crewe/checks.hpp"
#include "crewe/noise/taps.hpp"
#include "crewe/rng.hpp"
#include "crewe/view.hpp"
#include "kernels.hpp"

namespace crewe::noise {

constexpr std::size_t kPixelGrain = 32768;  // pixels per chunk: 128 KiB, a multiple of 32

inline Draw draw_of(std::uint64_t seed, rng::Stage stage, std::uint32_t image) {
  return {seed, static_cast<std::uint32_t>(stage), image};
}

template <class A, class B>
void check_pair(const View<A, 2>& in, const View<B, 2>& out) {
  if (in.size() == 0) reject("image", "pixels", "none");
  check_contiguous(in, "image");
  check_shape(out, in.shape, "out");
  check_contiguous(out, "out");
}

// As above, of a stage that reads its neighbours.
template <class A, class B>
void check_apart(const View<A, 2>& in, const View<B, 2>& out) {
  check_pair(in, out);
  if (in.data == out.data) reject("out", "other memory than the image's", "the same");
}

// line[i + first] for i = 0 ... count − 1 of a mirrored line, `width` numbers per element.
void mirrored_line(const float* line, std::size_t n, std::ptrdiff_t first, std::size_t count, std::size_t width,
                   float* out);

}  // namespace crewe::noise
