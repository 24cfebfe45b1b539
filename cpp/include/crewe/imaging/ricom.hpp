// Real-time integrated centre of mass: Yu et al., Microsc. Microanal. 28 (2022) 1526, eq. 3.4.
//
//   out(p) = Σ_r k(r − p)·com(r),   k(d) = −d / (2π |d|²),  k(0) = 0,   |d_y|, |d_x| <= (n − 1)/2
//
// Positions outside the scan contribute nothing. The same sum, turned round, is the incremental scatter: a finished
// position r adds k(r − p)·com(r) to every pixel p of its window. `ricom` is that scatter over the whole scan in
// order of position, so that a live session that pushes in order has the bits of the batch.
#pragma once

#include <cstddef>
#include <vector>

#include "crewe/view.hpp"

namespace crewe::imaging {

// The kernel in the form that the scatter reads. `width` is odd.
class RicomKernel {
 public:
  // low, high: band limits [cycles/pixel] of the filter built into the kernel (eqs. 3.8-3.9), 0 and infinity = none;
  // the filter is sampled on the frequencies of a scan (sy, sx), or of the kernel where that is larger.
  RicomKernel(std::size_t width, double low, double high, std::size_t sy, std::size_t sx);

  std::size_t width() const { return width_; }
  // (2, width, width) as (y, x), stored at d = r − p, row-major.
  const std::vector<float>& values() const { return values_; }

 private:
  friend void ricom_scatter(const RicomKernel&, View<float, 2>, std::size_t, std::size_t, const float*, std::size_t,
                            std::size_t, std::size_t);
  struct alignas(64) Line {
    float lanes[16] = {};
  };
  void lay_out();

  std::size_t width_;
  std::vector<float> values_;
  // For the inner loop: rows of k(−e), e_y = 0 ... (width − 1)/2, y and x by turns, each framed by zeros.
  std::vector<Line> table_;
  std::size_t line_ = 0, zero_ = 0;
};

// Adds the positions (row, col) ... (row, col + count − 1), com = count pairs (y, x), in this order to the rows
// [first, last) of the image (sy, sx); rows beyond the window are left alone. The bits of a pixel depend on the order
// of positions only, not on how they are cut into calls.
void ricom_scatter(const RicomKernel& kernel, View<float, 2> image, std::size_t row, std::size_t col, const float* com,
                   std::size_t count, std::size_t first, std::size_t last);

// com (sy, sx, 2) → out (sy, sx), set (not added to).
void ricom(View<const float, 3> com, const RicomKernel& kernel, View<float, 2> out, int threads);

}  // namespace crewe::imaging
