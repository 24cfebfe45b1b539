// Blocks of the inverse of the normal matrix, exact: a block Cholesky factorisation along a nested dissection of the
// plane of columns, and the inverse on its pattern from the last eliminated back to the first.
//
// George, SIAM J. Numer. Anal. 10 (1973) 345; Duff and Reid, ACM Trans. Math. Softw. 9 (1983) 302 (fronts);
// Takahashi, Fagan, Chin, Proc. 8th PICA Conf. (1973) 63 (inverse).
#pragma once

#include <vector>

#include "atoms/normal.hpp"

namespace crewe::atoms {

// out (n, 4, 4) of (y, x, height, width), times `factor`. A parameter that isn't determined (its pivot is below 1e-13
// of its diagonal) has variance infinity and covariance 0.
void inverse_blocks(const Normal& normal, const std::vector<Column>& columns, const Free& free, double factor,
                    View<double, 3> out);

}  // namespace crewe::atoms
