// Integrated centre of mass by Fourier transform:
//
//   φ(Q) = step · [Q·F{com}](Q) / (2πi |Q|²),   φ(0) = 0,   Q in cycles per position
//
// Atoms are bright; the mean is zero. With `high_pass` [cycles/position] all |Q| below it are set to zero.
#pragma once

#include "crewe/view.hpp"

namespace crewe::imaging {

// com (sy, sx, 2) → out (sy, sx).
void icom(View<const float, 3> com, View<float, 2> out, double step, double high_pass, int threads);

}  // namespace crewe::imaging
