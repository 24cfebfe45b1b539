"""What happens along the lines of a scan: jitter, smear, switched lines; and the way back."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import Seed, as_int, as_number, as_reals, as_seed, as_threads, as_typed
from crewe._device import extension, on_device, view
from crewe.noise._checks import (
    Image,
    as_image,
    as_range,
    as_two,
    copied,
    given_back,
    kernels,
    room_apart,
    room_for,
    zeros_beside,
)

__all__ = ["fast_scan", "jitter", "row_lines", "unshift"]

Numbers = float | Sequence[float]


def jitter(
    image: Image,
    *,
    sigma: Numbers,
    phi: Numbers = 0.0,
    pixel_size: float = 1.0,
    seed: Seed,
    threads: int = 0,
    out: Image | None = None,
) -> tuple[Image, NDArray[np.float64]]:
    """Lines of a scan that start at the wrong place: a first-order autoregressive series of shifts over the lines.

    D_0 = a_0/√(1 − φ²), D_j = φ·D_{j−1} + a_j with a_j ~ N(0, σ²), for y and x on their own: std σ/√(1 − φ²) on every
    line. The recorded pixel (j, i) holds the specimen at (j + Dy_j, i + Dx_j), by cubic spline interpolation; beyond
    its border the specimen goes on as in a mirror.

    Parameters
    ----------
    image : ndarray (y, x) float32
        Any scale.
    sigma : float or (float, float)
        σ for both directions or (y, x), in the unit of `pixel_size`, >= 0.
    phi : float or (float, float)
        φ, 0 <= φ < 1.
    pixel_size : float
        [Å], or 1 for σ in pixels.
    seed, threads
        As in `shot`.
    out : ndarray (y, x) float32, optional
        Where the image goes; not `image` itself.

    Returns
    -------
    image : ndarray (y, x) float32
    shifts : ndarray (y, 2) float64
        (y, x) of every line [pixels], as `unshift` takes them.

    Raises
    ------
    ValueError
        A negative σ, φ outside 0..1, a pixel size <= 0, NaN or infinity.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 41-42.

    Examples
    --------
    >>> import numpy as np
    >>> moved, shifts = jitter(np.eye(64, dtype=np.float32), sigma=(0.0, 0.5), phi=0.6, seed=1)
    >>> shifts.shape, bool(np.any(shifts[:, 0]))
    ((64, 2), False)
    """
    image = as_image(image)
    pixel_size = as_number(pixel_size, "pixel_size", 0, above=True)
    steps = as_two(sigma, "sigma", 0)
    memory = as_two(phi, "phi", 0, 1, below=True)
    out = room_apart(image, out)
    shifts = zeros_beside(image, (image.shape[0], 2))
    scaled = (steps[0] / pixel_size, steps[1] / pixel_size)
    kernels(image).noise_jitter_series(shifts, sigma=scaled, phi=memory, seed=as_seed(seed))
    kernels(image).noise_shift_lines(image, shifts, out, threads=as_threads(threads))
    return given_back(out), given_back(shifts)


def unshift(data: NDArray[np.float32], shifts: NDArray[Any], *, threads: int = 0) -> NDArray[np.float32]:
    """Put recorded data back on the regular scan grid: an image, spectra or 4D data whose lines were shifted.

    Along x every line is moved back by cubic spline interpolation; along y, where the lines lie at irregular places, a
    local smoothing cubic spline goes through the eight nearest ones (lines less than a tenth of a pixel apart are
    averaged). Without shifts in y the lines stay where they are.

    Parameters
    ----------
    data : ndarray (y, x, ...) float32
        The recorded pixel (j, i) holds the specimen at its place + shifts[j].
    shifts : array_like (y, 2)
        (y, x) of every line [pixels], as `jitter` and `crewe.restore.scan_shifts` give them.
    threads : int
        0: all cores.

    Returns
    -------
    ndarray (y, x, ...) float32

    Raises
    ------
    TypeError
        `data` is no float32 array.
    ValueError
        Shapes that don't fit, NaN or infinity in `shifts`.

    References
    ----------
    Friedrich's thesis, fig. 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.arange(6, dtype=np.float32).reshape(1, 6)
    >>> unshift(line, [[0.0, 1.0]])[0, 1:]
    array([0., 1., 2., 3., 4.], dtype=float32)
    """
    if on_device(data):
        return _unshift_there(data, shifts)
    as_typed(data, "data", np.float32)
    if data.ndim < 2 or 0 in data.shape:
        raise ValueError(f"data: shape (y, x, ...) wanted, {data.shape} came")
    places = _places(shifts, data.shape[0])
    source = np.ascontiguousarray(data)
    out = np.empty_like(source)
    inner = (*data.shape[:2], math.prod(data.shape[2:]))
    _core.noise_unshift(source.reshape(inner), places, out.reshape(inner), threads=as_threads(threads))
    return out


def _unshift_there(data: Any, shifts: Any) -> NDArray[np.float32]:
    """The same for data on a GPU; the recipes of lines are made on the host."""
    given = view(data, "data")
    if given.dtype != np.float32:
        raise TypeError(f"data: dtype float32 wanted, {given.dtype} came")
    if given.ndim < 2 or 0 in given.shape:
        raise ValueError(f"data: shape (y, x, ...) wanted, {given.shape} came")
    places = _places(extension().fetch(view(shifts, "shifts")) if on_device(shifts) else shifts, given.shape[0])
    out = given.empty(given.shape, np.float32)
    inner = (*given.shape[:2], math.prod(given.shape[2:]))
    extension().noise_unshift(given.reshape(*inner), places, out.reshape(*inner))
    return given_back(out)


def _places(shifts: Any, lines: int) -> NDArray[np.float64]:
    places = np.ascontiguousarray(as_reals(shifts, "shifts"))
    if places.shape != (lines, 2):
        raise ValueError(f"shifts: shape ({lines}, 2) wanted (one (y, x) per line), {places.shape} came")
    if np.abs(places).max() > 1e6:
        raise ValueError(f"shifts: at most a million pixels wanted, {np.abs(places).max():g} came")
    return places


def fast_scan(
    image: Image,
    *,
    alpha: float | None = None,
    beta: float | None = None,
    gamma: float | None = None,
    theta: float | None = None,
    threads: int = 0,
    out: Image | None = None,
) -> Image:
    """The smear of a fast scan: detector and readout answer late, to the right of where the electron came.

    x(j, i) = Σ_u h(u)·x(j, i − u) over u = 0, 1, ...; h is the detector's half-Lorentzian alpha/(4π²u² + alpha²),
    convolved with the readout's damped oscillation exp(−u/beta)·sin(2πu/gamma + theta), Σ h = 1. Before its first
    pixel a line goes on with that pixel's value.

    Parameters
    ----------
    image : ndarray (y, x) float32
    alpha : float, optional
        Decay of the detector, half width at half maximum alpha/2π [pixels], > 0; None: an instant detector.
    beta, gamma, theta : float, optional
        Damping [pixels], period [pixels] and phase [rad] of the readout, beta and gamma > 0; None: an instant readout.
    threads, out
        As in `shot`.

    Returns
    -------
    ndarray (y, x) float32

    Raises
    ------
    ValueError
        A number out of range, only a part of beta, gamma, theta, or an oscillation whose sum isn't positive.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 47-50 (with exp(−u/beta) for the lag u, and
    normalised by its sum).

    Examples
    --------
    >>> import numpy as np
    >>> spark = np.zeros((1, 8), np.float32)
    >>> spark[0, 3] = 1
    >>> fast_scan(spark, alpha=2.5)[0].round(2)
    array([0.  , 0.  , 0.  , 0.81, 0.11, 0.03, 0.01, 0.01], dtype=float32)
    """
    image = as_image(image, out=out)
    a = 0.0 if alpha is None else as_number(alpha, "alpha", 0, 1e4, above=True)
    b, c, d = 0.0, 1.0, 0.0
    if beta is not None or gamma is not None or theta is not None:
        if beta is None or gamma is None or theta is None:
            raise ValueError("beta, gamma and theta belong together: all or none wanted")
        b = as_number(beta, "beta", 0, 1e4, above=True)
        c = as_number(gamma, "gamma", 0, above=True)
        d = as_number(theta, "theta")
    response = _core.noise_scan_response(a, b, c, d)
    out = room_for(image, out)
    kernels(image).noise_fast_scan(image, out, response=response, threads=as_threads(threads))
    return given_back(out)


def row_lines(
    image: Image,
    *,
    count: int,
    length: Sequence[float] = (0.02, 0.5),
    factor: Sequence[float] = (0.5, 1.5),
    seed: Seed,
    threads: int = 0,
    out: Image | None = None,
) -> Image:
    """Parts of lines that got one value: their own mean times a factor.

    Parameters
    ----------
    image : ndarray (y, x) float32
    count : int
        Number of parts.
    length : (float, float)
        From, to: part of a line, 0..1.
    factor : (float, float)
        From, to: factor of the mean, >= 0.
    seed, threads, out
        As in `shot`.

    Returns
    -------
    ndarray (y, x) float32

    Raises
    ------
    TypeError, ValueError
        As in `shot`; a number out of its range.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eq. 51.

    Examples
    --------
    >>> import numpy as np
    >>> source = np.arange(60, dtype=np.float32).reshape(3, 20)
    >>> int((row_lines(source, count=1, seed=1) != source).any(axis=1).sum())
    1
    """
    image = as_image(image, out=out)
    count = as_int(count, "count", 0)
    length, factor = as_range(length, "length", 0, 1), as_range(factor, "factor", 0)
    as_threads(threads)
    out = copied(image, out)
    kernels(out).noise_row_lines(out, count=count, length=length, factor=factor, seed=as_seed(seed))
    return given_back(out)
