"""Gaussians fitted to all columns of an image at once."""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe import _core
from crewe._array import as_choice, as_image, as_points, as_positive, as_threads
from crewe.atoms.columns import Columns, Width

__all__ = ["Noise", "fit"]

Noise = Literal["white", "poisson"]

#: Starts nearer to each other than that are one column twice [pixel].
SAME = 0.01


def fit(
    image: NDArray[Any],
    positions: ArrayLike,
    *,
    pixel_size: float = 1.0,
    width: Width = "shared",
    background: bool = True,
    noise: Noise = "white",
    threads: int = 0,
) -> Columns:
    """Positions, heights and widths of all columns of an image, and its background, estimated together.

    Overlapping columns don't pull at each other: the whole image is fitted at once by a damped Newton method on the
    block-sparse normal equations. A column stays within half the distance to its nearest neighbour from its start;
    widths of single columns stay within a factor of four of what fits the image at the start. Heights may be negative
    for white noise (dark columns).

    Parameters
    ----------
    image : ndarray (y, x) float32 or float64
        For `noise="poisson"` in electrons per pixel.
    positions : array (n, 2)
        (y, x) where to begin [pixel]; one column each, in the image.
    pixel_size : float
        [Å].
    width : {"shared", "free", "elliptic"}
        One width for all columns, one for each, or two half axes and their direction for each.
    background : bool
        Estimate a constant background; False: there is none.
    noise : {"white", "poisson"}
        Least squares, or maximum likelihood for counts, which reaches the Cramér-Rao bound of `crlb`.
    threads : int
        0: all cores. The result doesn't depend on it.

    Returns
    -------
    Columns
        In the order of `positions`. For white noise the covariance is scaled by the squares that are left, for Poisson
        noise it is the inverse of the Fisher information.

    Raises
    ------
    TypeError
        An image of another type.
    ValueError
        NaN or infinity, wrong shapes, positions outside of the image, two at the same place, more parameters than
        pixels, negative counts with `noise="poisson"`.

    References
    ----------
    De Backer et al., Ultramicroscopy 171 (2016) 104, eqs. 1-4; Van den Broek et al., Ultramicroscopy 116 (2012) 8.

    Examples
    --------
    >>> import numpy as np
    >>> truth = Columns([[8.2, 7.9], [8.5, 14.1]], [100.0, 60.0], 2.5, 5.0)
    >>> found = fit(truth.image((18, 22)), [[8, 8], [8, 14]])
    >>> found.positions.round(5).tolist()
    [[8.2, 7.9], [8.5, 14.1]]
    >>> found.heights.round(4).tolist(), round(found.background, 4)
    ([100.0, 60.0], 5.0)
    """
    image = as_image(image, "image", (np.float32, np.float64))
    pixel_size = as_positive(pixel_size, "pixel_size", "Å")
    as_choice(width, "width", get_args(Width))
    as_choice(noise, "noise", get_args(Noise))
    if noise == "poisson" and (image < 0).any():
        raise ValueError(f"image: counts >= 0 wanted for Poisson noise, {image.min()} came")
    starts = _starts(positions, image.shape)
    n = len(starts)
    parameters = {"shared": 3, "free": 4, "elliptic": 6}[width] * n + (width == "shared") + bool(background)
    if parameters > image.size:
        raise ValueError(
            f"positions: fewer parameters than the {image.size} pixels wanted, {n} columns have {parameters}"
        )
    rows, covariance = np.empty((n, 6)), np.empty((n, 4, 4))
    level, residual, _, converged = _core.atoms_fit(
        image,
        starts,
        rows,
        covariance,
        width=width,
        background=bool(background),
        poisson=noise == "poisson",
        threads=as_threads(threads),
    )
    scale = np.array([1, 1, 1, pixel_size])
    return Columns(
        positions=rows[:, :2],
        heights=rows[:, 2],
        widths=rows[:, 3] * pixel_size,
        background=level,
        covariance=covariance * scale[:, None] * scale,
        residual=residual,
        width=width,
        background_free=bool(background),
        ellipticity=rows[:, 4:],
        converged=converged,
    )


def _starts(positions: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    starts = np.ascontiguousarray(as_points(positions))
    inside = ((starts >= -0.5) & (starts <= np.array(shape) - 0.5)).all(axis=1)
    if not inside.all():
        k = int(np.argmin(inside))
        raise ValueError(f"positions: (y, x) in the image of {shape} pixels wanted, {starts[k].tolist()} came at {k}")
    places = np.round(starts / SAME).astype(np.int64)
    _, first, times = np.unique(places, axis=0, return_index=True, return_counts=True)
    if (times > 1).any():
        k = int(first[np.argmax(times > 1)])
        raise ValueError(f"positions: one start per column wanted, {starts[k].tolist()} came {times.max()} times")
    return starts
