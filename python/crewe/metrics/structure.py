"""Structural similarity of images and of their wavelet coefficients."""

from typing import Any

import numpy as np

from crewe import _core
from crewe._array import as_int, as_threads
from crewe.metrics._checks import Image, as_image, as_images, unstack

__all__ = ["cw_ssim", "cw_ssim_map", "ssim", "ssim_map"]

TOGETHER = 7  # images whose maps are held at a time


def ssim(a: Image, b: Image, *, radius: int = 8, threads: int = 0) -> Any:
    """Structural difference (1 − SSIM)/2 of images divided by their means, in disks: the mean of `ssim_map`.

    Parameters
    ----------
    a : ndarray (y, x) float32
        Mean > 0, or black.
    b : ndarray (..., y, x) float32
        One image or many: what belongs to `a` alone is worked out once.
    radius : int
        Of the disks [pixels], 1..32; at the edges of the image their part inside.
    threads : int
        0: all cores. The same bits for any number.

    Returns
    -------
    float or ndarray (...)
        0: the same; ½: nothing in common; 1: the opposite.

    Raises
    ------
    TypeError
        Another dtype.
    ValueError
        Other shapes, NaN, infinity, a mean below 0.

    Notes
    -----
    SSIM = (2μ_aμ_b + C1)(2σ_ab + C2)/((μ_a² + μ_b² + C1)(σ_a² + σ_b² + C2)), C1 = (0.01 L)², C2 = (0.03 L)², L the
    smaller range of values of the two, which noise doesn't widen: the same number for (a, b) and (b, a).

    References
    ----------
    Ederer, Löffler, Ultramicroscopy 240 (2022) 113578, eq. 1. Their radius isn't published; with 8 pixels
    of 0.165 Å their claims hold (docs/metrics.md).

    Examples
    --------
    >>> import numpy as np
    >>> board = (np.indices((32, 32)).sum(axis=0) % 2).astype(np.float32)
    >>> round(ssim(board, board), 3), round(ssim(board, 1 - board), 3)
    (0.0, 0.998)
    """
    return _means(a, b, lambda x, y: _ssim_maps(x, y, radius, threads))


def ssim_map(a: Image, b: Image, *, radius: int = 8, threads: int = 0) -> Image:
    """Where two images differ in structure; its mean is `ssim`.

    Parameters
    ----------
    a : ndarray (y, x) float32
    b : ndarray (..., y, x) float32
    radius, threads
        As in `ssim`.

    Returns
    -------
    ndarray (..., y, x) float32
        0 ... 1.

    Raises
    ------
    TypeError, ValueError
        As in `ssim`.

    Examples
    --------
    >>> import numpy as np
    >>> ssim_map(np.eye(32, dtype=np.float32), np.eye(32, dtype=np.float32)).max()
    np.float32(0.0)
    """
    image = as_image(a, "a")
    return _ssim_maps(image, as_images(b, image, "b"), radius, threads).reshape(b.shape)


def cw_ssim(a: Image, b: Image, *, scales: int = 4, orientations: int = 16, threads: int = 0) -> Any:
    """Structural difference of complex wavelet coefficients: the mean of `cw_ssim_map`.

    It hardly sees small shifts, and neither brightness nor contrast, not even its reversal.

    Parameters
    ----------
    a : ndarray (y, x) float32
    b : ndarray (..., y, x) float32
        One image or many: the coefficients of `a` are worked out once for seven.
    scales : int
        Octaves, from half the Nyquist frequency down, 1..8.
    orientations : int
        2..64.
    threads : int
        0: all cores. The same bits for any number.

    Returns
    -------
    float or ndarray (...)
        0 ... 1. A flat image differs by 1 from any that is not, by 0 from another flat one.

    Raises
    ------
    TypeError
        Another dtype.
    ValueError
        Other shapes, NaN, infinity.

    Notes
    -----
    Images of mean 0 and standard deviation 1 go through an undecimated complex steerable pyramid, residues left out
    (periodic: opposite edges touch). Mean over the bands of 1 − (2|Σ c_a c_b*| + K)/(Σ|c_a|² + Σ|c_b|² + K) in windows
    of 7 × 7, K = 0.02.

    References
    ----------
    Ederer, Löffler, Ultramicroscopy 240 (2022) 113578, eq. 2 (their parameters aren't published); Portilla, Simoncelli,
    Int. J. Comput. Vis. 40 (2000) 49.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.indices((64, 64))
    >>> wave = (np.sin(x / 2) + np.sin(y / 3)).astype(np.float32)
    >>> round(cw_ssim(wave, 5 - 2 * wave), 3), round(cw_ssim(wave, wave.T.copy()), 1)
    (0.0, 0.3)
    """
    return _means(a, b, lambda x, y: _cw_ssim_maps(x, y, scales, orientations, threads))


def cw_ssim_map(a: Image, b: Image, *, scales: int = 4, orientations: int = 16, threads: int = 0) -> Image:
    """Where the wavelet coefficients of two images differ; its mean is `cw_ssim`.

    Parameters
    ----------
    a : ndarray (y, x) float32
    b : ndarray (..., y, x) float32
    scales, orientations, threads
        As in `cw_ssim`.

    Returns
    -------
    ndarray (..., y, x) float32
        0 ... 1.

    Raises
    ------
    TypeError, ValueError
        As in `cw_ssim`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).random((32, 48), np.float32)
    >>> cw_ssim_map(image, np.stack([image, 1 - image])).shape
    (2, 32, 48)
    """
    image = as_image(a, "a")
    return _cw_ssim_maps(image, as_images(b, image, "b"), scales, orientations, threads).reshape(b.shape)


def _means(a: Any, b: Any, maps: Any) -> Any:
    """The means of the maps of many images, a few at a time."""
    image = as_image(a, "a")
    stack = as_images(b, image, "b")
    found = [
        _core.metrics_sums(map, map)[0][0] / image.size
        for i in range(0, len(stack), TOGETHER)
        for map in maps(image, stack[i : i + TOGETHER])
    ]
    return unstack(np.array(found), b)


def _ssim_maps(a: Image, b: Image, radius: int, threads: int) -> Image:
    maps = np.empty(b.shape, np.float32)
    _core.metrics_ssim(a, b, maps, radius=as_int(radius, "radius", 1, 32), threads=as_threads(threads))
    return maps


def _cw_ssim_maps(a: Image, b: Image, scales: int, orientations: int, threads: int) -> Image:
    maps = np.empty(b.shape, np.float32)
    scales, orientations = as_int(scales, "scales", 1, 8), as_int(orientations, "orientations", 2, 64)
    _core.metrics_cw_ssim(a, b, maps, scales=scales, orientations=orientations, threads=as_threads(threads))
    return maps
