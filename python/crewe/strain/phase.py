"""Geometric phase analysis.

H_g = F⁻¹{F{I − mean}·exp(−|k − g|²/2σ²)} of the image continued by zeros, phase P_g = arg(H_g·exp(−2πi g·r)) = −2π g·u,
∂u_i/∂x_k = −(1/2π) Σ_j (G⁻¹)_ij ∂P_j/∂x_k with the rows g1, g2 of G.
Phase differences of neighbouring pixels come from products H(r + 1)·H*(r − 1): nothing is unwrapped.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_pair, as_positive, as_threads, check_finite
from crewe.strain.tensor import Strain

__all__ = ["gpa"]


def gpa(
    image: NDArray[Any], g1: tuple[float, float], g2: tuple[float, float], *, sigma: float, threads: int = 0
) -> Strain:
    """Maps of strain and rotation from two lattice reflections of an image.

    Eulerian: u is seen at the place where the pixel is, I(r) = I₀(r − u(r)), and a lattice stretched by 2 % along y
    reads ε_yy = 1.961 % (`Strain.lagrangian` gives 2 %). Zero strain is the lattice of the given `g1`, `g2`.

    Parameters
    ----------
    image : ndarray (ny, nx), real
        A lattice image.
    g1, g2 : (float, float)
        Reflections (y, x) of the unstrained lattice [cycles/pixel], not parallel.
    sigma : float
        Width of the Gaussian mask around each [cycles/pixel]. The resolution is about 1/(2πσ) pixels; above a quarter
        of the distance to the next reflection that one leaks in.
    threads : int
        0: all cores. The result has the same bits for every number.

    Returns
    -------
    Strain
        `eps_yy`, `eps_xx`, `eps_xy`, `omega` and `hydrostatic`, each (ny, nx), float64 for a float64 image, else
        float32.

    Raises
    ------
    TypeError
        The image isn't of real numbers.
    ValueError
        Not two-dimensional, smaller than 3 × 3, NaN; `sigma` not positive; a reflection of length 0 or beyond the
        Nyquist frequency; parallel reflections.

    Notes
    -----
    The image is continued by its mean: within about 1/(2πσ) pixels of the edges the maps are less exact. They are noise
    where the image has no lattice.

    References
    ----------
    Hÿtch, Snoeck, Kilaas, Ultramicroscopy 74 (1998) 131.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[:128, :128]
    >>> image = np.cos(2 * np.pi * 0.1 / 1.01 * y) + np.cos(2 * np.pi * 0.1 * x)  # stretched by 1 % along y
    >>> strain = gpa(image, (0.1, 0.0), (0.0, 0.1), sigma=0.02)
    >>> round(float(np.median(strain.eps_yy)), 4), round(float(np.median(strain.lagrangian().eps_yy)), 4)
    (0.0099, 0.01)
    """
    pixels = _image(image)
    vectors = np.array([_reflection(g, name) for g, name in ((g1, "g1"), (g2, "g2"))])
    if abs(np.linalg.det(vectors)) <= 1e-2 * np.prod(np.hypot(*vectors.T)):
        raise ValueError(f"g1, g2: directions that differ by more than half a degree wanted, {g1} and {g2} came")
    width, workers = as_positive(sigma, "sigma", "cycles/pixel"), as_threads(threads)

    real = np.float64 if pixels.dtype == np.float64 else np.float32
    margin = int(np.ceil(4 / (2 * np.pi * width)))  # beyond 4σ of the mask's kernel: opposite edges don't meet
    ny, nx = pixels.shape
    spectrum = np.zeros(
        (1, *(_core.good_size(n + min(margin, n)) for n in (ny, nx))), np.result_type(real, np.complex64)
    )
    spectrum[0, :ny, :nx] = pixels - pixels.mean(dtype=np.float64)
    _core.fft2(spectrum, threads=workers)
    inverse = np.linalg.inv(vectors) / (-2 * np.pi)
    gradient = np.zeros((2, 2, ny, nx), real)  # i, k, y, x
    for j, g in enumerate(vectors):
        wave = spectrum * _mask(spectrum.shape[1:], g, width).astype(real)
        _core.fft2(wave, inverse=True, threads=workers)
        for k in (0, 1):
            slope = _slope(wave[0, :ny, :nx], g[k], k)
            gradient[0, k] += real(inverse[0, j]) * slope
            gradient[1, k] += real(inverse[1, j]) * slope
    return Strain.of_gradient(np.moveaxis(gradient, (0, 1), (2, 3)))


def _image(image: Any) -> NDArray[Any]:
    pixels = np.asarray(image)
    if pixels.dtype.kind not in "uif":
        raise TypeError(f"image: real numbers wanted, dtype {pixels.dtype} came")
    if pixels.ndim != 2 or min(pixels.shape) < 3:
        raise ValueError(f"image: shape (ny, nx) of 3 pixels or more wanted, {pixels.shape} came")
    check_finite(pixels, "image")
    return pixels


def _reflection(g: Any, name: str) -> tuple[float, float]:
    y, x = as_pair(g, name)
    if not 0 < max(abs(y), abs(x)) <= 0.5:
        raise ValueError(f"{name}: a frequency above 0 and up to 0.5 [cycles/pixel] along y and x wanted, {g} came")
    return y, x


def _mask(shape: tuple[int, ...], g: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """exp(−|k − g|²/2σ²), the frequencies next to the Nyquist frequency counted on the side that is nearer to g."""
    parts = []
    for n, centre in zip(shape, g, strict=True):
        away = np.fft.fftfreq(n) - centre
        parts.append(np.exp(-((away - np.rint(away)) ** 2) / (2 * sigma**2)))
    return np.outer(*parts)


def _slope(wave: NDArray[Any], g: float, axis: int) -> NDArray[Any]:
    """∂P/∂x along an axis: central differences, one-sided ones at the edges, of the phase over that of g."""
    wave = np.moveaxis(wave, axis, 0)
    slope = np.empty(wave.shape, wave.real.dtype)
    two, one = (wave.dtype.type(np.exp(-2j * np.pi * g * n)) for n in (2, 1))
    slope[1:-1] = np.angle(wave[2:] * wave[:-2].conj() * two) / 2
    slope[0] = np.angle(wave[1] * wave[0].conj() * one)
    slope[-1] = np.angle(wave[-1] * wave[-2].conj() * one)
    return np.moveaxis(slope, 0, axis)
