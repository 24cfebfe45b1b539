"""Differences pixel by pixel."""

from typing import Any

import numpy as np

from crewe import _core
from crewe._array import as_number, as_threads
from crewe.metrics._checks import Image, as_image, as_images, refuse, unstack

__all__ = ["cross_correlation", "mse", "psnr"]


def mse(a: Image, b: Image, *, threads: int = 0) -> Any:
    """Normalised mean squared error: ½ Σ (a/‖a‖ − b/‖b‖)² = 1 − Σab / √(Σa² Σb²).

    The exposure of either image doesn't matter.

    Parameters
    ----------
    a : ndarray (y, x) float32
        Pixels >= 0.
    b : ndarray (..., y, x) float32
        One image or many; a strided view is copied.
    threads : int
        0: all cores. The same bits for any number.

    Returns
    -------
    float or ndarray (...)
        0: the same up to a factor; 1: nothing in common. Black against any other image: 1, against black: 0.

    Raises
    ------
    TypeError
        Another dtype.
    ValueError
        Other shapes, NaN, infinity, negative pixels.

    References
    ----------
    Ederer, Löffler, Ultramicroscopy 240 (2022) 113578, eq. 3.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.array([[1, 0]], np.float32)
    >>> round(mse(a, np.array([[3, 3]], np.float32)), 4)
    0.2929
    >>> mse(a, np.stack([5 * a, 1 - a]))
    array([0., 1.])
    """
    threads = as_threads(threads)
    image = as_image(a, "a", check=False)  # what is wrong with the pixels shows in the sums
    stack = as_images(b, image, "b", check=False)
    found = np.empty(len(stack))
    for i, other in enumerate(stack):
        (_, _, aa, ab, bb), low_a, low_b = _core.metrics_products(image, other, threads=threads)
        if not np.isfinite(aa) or low_a[0] < 0:
            refuse(image, "a")
        if not np.isfinite(bb) or low_b[0] < 0:
            refuse(other, "b")
        found[i] = 1 - ab / np.sqrt(aa * bb) if aa > 0 and bb > 0 else float(aa != bb)
    return unstack(np.clip(found, 0, 1), b)


def psnr(truth: Image, image: Image, *, peak: float | None = None, threads: int = 0) -> Any:
    """Peak signal-to-noise ratio: 10 log₁₀(peak² / mean((truth − image)²)) [dB].

    Parameters
    ----------
    truth : ndarray (y, x) float32
    image : ndarray (..., y, x) float32
        One image or many.
    peak : float, optional
        Default: the largest value of `truth`; > 0.
    threads : int
        As in `mse`.

    Returns
    -------
    float or ndarray (...)
        Infinite for equal images.

    Raises
    ------
    TypeError, ValueError
        As in `mse`; a peak that isn't positive. Negative pixels are welcome.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[0, 1]], np.float32)
    >>> round(psnr(truth, truth + np.float32(0.1)), 3)
    20.0
    """
    threads = as_threads(threads)
    first = as_image(truth, "truth")
    stack = as_images(image, first, "image")
    top = float(first.max()) if peak is None else as_number(peak, "peak")
    if top <= 0:
        raise ValueError(f"peak: a number > 0 wanted, {top} came")
    found = np.empty(len(stack))
    for i, other in enumerate(stack):
        (_, _, aa, ab, bb), _, _ = _core.metrics_sums(first, other, threads=threads)
        square = (aa - 2 * ab + bb) / first.size
        found[i] = 10 * np.log10(top**2 / square) if square > 0 else np.inf
    return unstack(found, image)


def cross_correlation(a: Image, b: Image, *, threads: int = 0) -> Any:
    """Correlation coefficient: Σ(a − ā)(b − b̄) / √(Σ(a − ā)² Σ(b − b̄)²).

    Parameters
    ----------
    a : ndarray (y, x) float32
    b : ndarray (..., y, x) float32
        One image or many.
    threads : int
        As in `mse`.

    Returns
    -------
    float or ndarray (...)
        −1 ... 1. With a flat image, where nothing varies: 0, of two flat ones: 1.

    Raises
    ------
    TypeError, ValueError
        As in `mse`. Negative pixels are welcome.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.array([[0, 1, 4]], np.float32)
    >>> cross_correlation(a, np.stack([2 * a + 1, 4 - a])).round(6)
    array([ 1., -1.])
    """
    threads = as_threads(threads)
    first = as_image(a, "a")
    stack = as_images(b, first, "b")
    found = np.empty(len(stack))
    n = first.size
    for i, other in enumerate(stack):
        (sa, sb, aa, ab, bb), range_a, range_b = _core.metrics_sums(first, other, threads=threads)
        flat = [low == high for low, high in (range_a, range_b)]
        if any(flat):
            found[i] = float(all(flat))
        else:
            found[i] = (ab - sa * sb / n) / np.sqrt((aa - sa * sa / n) * (bb - sb * sb / n))
    return unstack(np.clip(found, -1, 1), b)
