"""Fitted columns: what they are, what was free, the image that they make."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_choice, as_number, as_points, as_positive, as_reals, as_shape, as_threads

__all__ = ["Columns", "Width", "rows_of"]

Floats = NDArray[np.float64]
Width = Literal["shared", "free", "elliptic"]


@dataclass(frozen=True, eq=False)
class Columns:
    """Atomic columns as Gaussians on a constant background, from `fit` or made by hand.

    f(y, x) = background + Σ heights·exp(−d²/(2·widths²)) at the centres of the pixels. Elliptic columns have two half
    axes whose geometric mean is `widths`, so that the volume of a column is 2π·height·width² whatever its shape.

    Parameters
    ----------
    positions : array (n, 2)
        (y, x) [pixel], (0, 0) the centre of the first pixel.
    heights : array (n,)
        Above the background [intensity].
    widths : array (n,) or float
        Standard deviations of the Gaussians [Å], > 0.
    background : float
        [intensity].
    scs : array (n,), optional
        Scattering cross-sections 2π·height·width² [intensity·Å²]; computed where not given.
    covariance : array (n, 4, 4), optional
        Of (y, x, height, width) [pixel, pixel, intensity, Å], the other columns and the background free: blocks of the
        inverse of the full matrix. Infinite on the diagonal for what the image doesn't determine. NaN where not given.
    residual : float
        Sum of the squares of image − f over the pixels.
    width : {"free", "shared", "elliptic"}
        What was estimated of the widths.
    background_free : bool
        Whether the background was estimated.
    ellipticity : array (n, 2), optional
        (e1, e2) of elliptic columns: exponent −dᵀQd/(2·width²) with Q = ((c + e1, e2), (e2, c − e1)) for d = (y, x),
        c² = 1 + e1² + e2². Zero is round.
    converged : bool
        Whether the fit came to its end before 100 steps.

    References
    ----------
    De Backer et al., Ultramicroscopy 171 (2016) 104, eqs. 1-3.

    Examples
    --------
    >>> columns = Columns([[4.0, 5.0]], [10.0], 1.5)
    >>> columns.scs.round(2).tolist()
    [141.37]
    >>> float(columns.image((9, 11))[4, 5])
    10.0
    """

    positions: Floats
    heights: Floats
    widths: Floats
    background: float = 0.0
    scs: Floats = None  # type: ignore[assignment]
    covariance: Floats = None  # type: ignore[assignment]
    residual: float = float("nan")
    width: Width = "free"
    background_free: bool = True
    ellipticity: Floats = None  # type: ignore[assignment]
    converged: bool = True

    def __post_init__(self) -> None:
        positions = np.array(as_points(self.positions))
        n = len(positions)
        heights, widths = (
            _numbers(np.broadcast_to(value, (n,)) if np.ndim(value) == 0 else value, name, (n,))
            for value, name in ((self.heights, "heights"), (self.widths, "widths"))
        )
        if not (widths > 0).all():
            raise ValueError(f"widths: numbers > 0 wanted, {widths.min()} came")
        as_choice(self.width, "width", get_args(Width))
        found: dict[str, Any] = {
            "positions": positions,
            "heights": heights,
            "widths": widths,
            "background": as_number(self.background, "background"),
            "scs": 2 * np.pi * heights * widths**2 if self.scs is None else _numbers(self.scs, "scs", (n,)),
            "covariance": np.full((n, 4, 4), np.nan)
            if self.covariance is None
            else as_reals(self.covariance, "covariance", finite=False),
            "ellipticity": np.zeros((n, 2))
            if self.ellipticity is None
            else _numbers(self.ellipticity, "ellipticity", (n, 2)),
        }
        if found["covariance"].shape != (n, 4, 4):
            raise ValueError(f"covariance: shape {(n, 4, 4)} wanted, {found['covariance'].shape} came")
        for name, value in found.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def axes(self) -> Floats:
        """Long and short half axis (n, 2) [Å]."""
        e = np.hypot(*self.ellipticity.T)
        ratio = np.sqrt(np.hypot(1, e) + e)
        return np.stack([self.widths * ratio, self.widths / ratio], axis=1)

    @property
    def angles(self) -> Floats:
        """Of the long axes (n,) [rad], from x towards y, −π/2 to π/2."""
        angles: Floats = -np.arctan2(self.ellipticity[:, 1], self.ellipticity[:, 0]) / 2
        return angles

    def image(self, shape: tuple[int, int], *, pixel_size: float = 1.0, threads: int = 0) -> Floats:
        """The columns' image (y, x) [intensity] on `shape` pixels of `pixel_size` [Å]."""
        out, rows = np.empty(as_shape(shape)), rows_of(self, as_positive(pixel_size, "pixel_size", "Å"))
        _core.atoms_draw(rows, self.background, out, threads=as_threads(threads))
        return out


def rows_of(columns: Columns, pixel_size: float) -> Floats:
    """(n, 6): y, x, height, width, e1, e2 in pixels, as the core takes them."""
    parts = (columns.positions, columns.heights[:, None], columns.widths[:, None] / pixel_size, columns.ellipticity)
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def _numbers(value: Any, name: str, shape: tuple[int, ...]) -> Floats:
    array = as_reals(value, name)
    if array.shape != shape:
        raise ValueError(f"{name}: shape {shape} wanted, {array.shape} came")
    return np.array(array)
