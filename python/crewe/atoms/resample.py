"""Images of another pixel size, by a triangle as wide as the coarser pixel.

    out_i = Σ_j w((c_i − j)/max(step, 1))·x_j / Σ_j w,   w(t) = max(0, 1 − |t|),   c_i = (i + ½)·step − ½

along y and x: linear interpolation where pixels become smaller, an antialiased mean where they become larger. Pixel i
of the result lies at c_i of the image.
"""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["resample", "size"]

Image = NDArray[np.float32]


def size(shape: tuple[int, ...], step: float) -> tuple[int, int]:
    """(y, x) of an image of `shape` with pixels of `step`."""
    return max(1, round(shape[0] / step)), max(1, round(shape[1] / step))


def resample(
    image: Image, step: float, *, start: tuple[int, int] = (0, 0), stop: tuple[int, int] | None = None
) -> Image:
    """An image (y, x) with pixels of `step` pixels of the one given; its edge may lie half a pixel elsewhere.

    Parameters
    ----------
    image : ndarray (y, x) float32
    step : float
        [pixels], > 0.
    start, stop : (int, int), optional
        The part of the result that is wanted; default: all of it.

    Returns
    -------
    ndarray (y, x) float32

    Examples
    --------
    >>> import numpy as np
    >>> resample(np.array([[0, 2, 4, 6]], np.float32), 2.0).round(2)
    array([[1.43, 4.57]], dtype=float32)
    """
    stop = stop or size(image.shape, step)
    rows, row_weights = _taps(image.shape[0], step, start[0], stop[0])
    columns, column_weights = _taps(image.shape[1], step, start[1], stop[1])
    first, last = columns.min(), columns.max() + 1
    reduced = _sum(image[:, first:last], rows, row_weights)
    return np.ascontiguousarray(_sum(np.ascontiguousarray(reduced.T), columns - first, column_weights).T)


def _taps(count: int, step: float, start: int, stop: int) -> tuple[NDArray[np.intp], Image]:
    """The pixels (result, tap) that make a pixel of the result, and their weights."""
    width = max(step, 1.0)
    centres = np.clip((np.arange(start, stop) + 0.5) * step - 0.5, 0, count - 1)
    places = np.floor(centres - width)[:, None] + np.arange(1, math.ceil(2 * width) + 1)
    weights = np.maximum(1 - np.abs(places - centres[:, None]) / width, 0) * ((places >= 0) & (places < count))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.clip(places, 0, count - 1).astype(np.intp), weights.astype(np.float32)


def _sum(image: Image, taps: NDArray[np.intp], weights: Image) -> Image:
    out = np.zeros((len(taps), image.shape[1]), np.float32)
    for k in range(taps.shape[1]):
        out += weights[:, k, None] * image[taps[:, k]]
    return out
