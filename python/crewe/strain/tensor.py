"""The four numbers of a plane deformation gradient, per column or per pixel.

e_ik = ∂u_i/∂x_k (i, k = y, x):  ε_yy = e_yy, ε_xx = e_xx, ε_xy = ½(e_yx + e_xy), ω = ½(e_yx − e_xy)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Strain"]


@dataclass(frozen=True, eq=False)
class Strain:
    """Strain and rotation: four arrays of one shape, in which it can be unpacked.

    Attributes
    ----------
    eps_yy, eps_xx, eps_xy : ndarray
        Normal strain along y and x, and shear strain ε_xy = ½(∂u_y/∂x + ∂u_x/∂y); NaN where they can't be had.
    omega : ndarray
        Rotation ½(∂u_y/∂x − ∂u_x/∂y) [rad]; y points down, positive turns x towards y.
    errors : Strain, optional
        Standard errors of the four, where they are known; that of `hydrostatic` is the one of ε_xy.

    Examples
    --------
    >>> import numpy as np
    >>> stretched = Strain.of_gradient(np.array([[0.02, 0.0], [0.0, 0.0]]))
    >>> eps_yy, eps_xx, eps_xy, omega = stretched
    >>> float(eps_yy), float(stretched.hydrostatic)
    (0.02, 0.01)
    >>> round(float(stretched.lagrangian().eps_yy), 5)
    0.02041
    """

    eps_yy: NDArray[Any]
    eps_xx: NDArray[Any]
    eps_xy: NDArray[Any]
    omega: NDArray[Any]
    errors: "Strain | None" = None

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return iter((self.eps_yy, self.eps_xx, self.eps_xy, self.omega))

    @classmethod
    def of_gradient(cls, gradient: NDArray[Any], errors: "Strain | None" = None) -> "Strain":
        """From ∂u_i/∂x_k, (..., 2, 2) with rows i and columns k in the order y, x."""
        yx, xy = gradient[..., 0, 1], gradient[..., 1, 0]
        return cls(gradient[..., 0, 0], gradient[..., 1, 1], (yx + xy) / 2, (yx - xy) / 2, errors)

    @property
    def gradient(self) -> NDArray[Any]:
        """∂u_i/∂x_k, (..., 2, 2) in the order y, x."""
        first = np.stack([self.eps_yy, self.eps_xy + self.omega], -1)
        return np.stack([first, np.stack([self.eps_xy - self.omega, self.eps_xx], -1)], -2)

    @property
    def hydrostatic(self) -> NDArray[Any]:
        """Half the trace, ½(ε_yy + ε_xx): the mean stretch of a length; the area changes by twice as much."""
        half: NDArray[Any] = (self.eps_yy + self.eps_xx) / 2
        return half

    def lagrangian(self) -> "Strain":
        """The same against the undeformed lattice: F − 1 = (1 − e)⁻¹ − 1; errors as they are, to first order."""
        one = np.eye(2)
        return Strain.of_gradient(_inverse(one - self.gradient) - one, self.errors)


def _inverse(m: NDArray[Any]) -> NDArray[Any]:
    """Of matrices (..., 2, 2), NaN and all."""
    turned = np.stack(
        [np.stack([m[..., 1, 1], -m[..., 0, 1]], -1), np.stack([-m[..., 1, 0], m[..., 0, 0]], -1)],
        -2,
    )
    determinant = m[..., 0, 0] * m[..., 1, 1] - m[..., 0, 1] * m[..., 1, 0]
    inverse: NDArray[Any] = turned / determinant[..., None, None]
    return inverse
