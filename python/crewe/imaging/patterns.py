"""Sums over each diffraction pattern: centre of mass and virtual detectors, in one pass over the frames."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe import _core
from crewe._array import as_band, as_frames, as_number, as_pair, as_threads, as_weights
from crewe._device import DeviceView
from crewe.imaging import _cuda

__all__ = ["com", "virtual_image"]


def com(
    frames: NDArray[Any],
    *,
    center: tuple[float, float] | None = None,
    mask: ArrayLike | None = None,
    threads: int = 0,
) -> NDArray[np.float32]:
    """Centre of mass of every frame: Σ k·w(k)·I(k) / Σ w(k)·I(k) − center.

    Parameters
    ----------
    frames : ndarray (..., ky, kx), uint8, uint16, uint32 or float32
        Diffraction patterns, any strides; nothing is copied.
    center : (float, float), optional
        Where (0, 0) lies, (y, x) [detector pixels]; default: the array's centre ``((ky-1)/2, (kx-1)/2)``.
    mask : array_like (ky, kx), optional
        Weights w per detector pixel, for example a ring for annular COM; default: 1.
    threads : int
        0: all cores. The result has the same bits for every number.

    Returns
    -------
    ndarray (..., 2) float32
        (y, x) [detector pixels]; (0, 0) for a frame without counts. Integer frames with weights of 0 and 1 are summed
        exactly.

    Raises
    ------
    TypeError
        `frames` is no array of a detector's dtype in native byte order.
    ValueError
        A wrong shape, `mask` or `center`; a frame that holds NaN or infinity (the message says which).

    References
    ----------
    Yu et al., Microsc. Microanal. 28 (2022) 1526, eqs. 3.1 and 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> frame = np.zeros((8, 11), np.uint16)
    >>> frame[6, 2] = 3
    >>> com(frame)
    array([ 2.5, -3. ], dtype=float32)
    """
    frames, threads = as_frames(frames, gpu=True), as_threads(threads)
    shape = frames.shape[-2:]
    cy, cx = _center(center, shape)
    weights = None if mask is None else as_weights(mask, shape, "mask")
    if isinstance(frames, DeviceView):
        return _cuda.com(frames, weights, cy, cx)
    out = np.empty((*frames.shape[:-2], 2), np.float32)
    reducer = _core.FrameReducer(shape, weights=weights)
    reducer.reduce(frames, com=out.reshape(-1, 2), cy=cy, cx=cx, threads=threads)
    return out


def virtual_image(
    frames: NDArray[Any],
    *,
    inner: float = 0.0,
    outer: float | None = None,
    center: tuple[float, float] | None = None,
    mask: ArrayLike | None = None,
    threads: int = 0,
) -> NDArray[np.float32]:
    """What a detector in the diffraction plane would have counted at every probe position: Σ m(k)·I(k).

    Parameters
    ----------
    frames : ndarray (..., ky, kx), uint8, uint16, uint32 or float32
        Diffraction patterns, any strides; nothing is copied.
    inner, outer : float
        A pixel belongs to the detector if ``inner <= distance of its centre < outer`` [detector pixels]; no `outer`, no
        outer bound.
    center : (float, float), optional
        From where distances count, (y, x) [detector pixels]; default: the array's centre ``((ky-1)/2, (kx-1)/2)``.
    mask : array_like (ky, kx), optional
        Weights m per detector pixel, instead of radii.
    threads : int
        0: all cores. The result has the same bits for every number.

    Returns
    -------
    ndarray (...) float32
        Counts, or the unit of `frames`; integer frames with weights of 0 and 1 are summed exactly before they are
        rounded to float32.

    Raises
    ------
    TypeError
        `frames` is no array of a detector's dtype in native byte order.
    ValueError
        Wrong shape, radii, `center` or `mask`, or radii beside a `mask`; a frame that holds NaN or infinity.

    Examples
    --------
    >>> import numpy as np
    >>> frames = np.ones((2, 3, 5, 5), np.uint8)
    >>> virtual_image(frames, inner=1.0, outer=2.0)
    array([[8., 8., 8.],
           [8., 8., 8.]], dtype=float32)
    """
    frames, threads = as_frames(frames, gpu=True), as_threads(threads)
    shape = frames.shape[-2:]
    cy, cx = _center(center, shape)
    inner, outer = as_band(as_number(inner, "inner"), outer, ("inner", "outer"), "detector pixels")
    if mask is None:
        weights = _core.ring_weights(shape, inner, outer, cy, cx)
    elif inner == 0 and outer == math.inf and center is None:
        weights = as_weights(mask, shape, "mask")
    else:
        raise ValueError("mask: either a mask or inner, outer and center wanted, both came")
    if isinstance(frames, DeviceView):
        return _cuda.virtual_image(frames, weights)
    sums = np.empty((math.prod(frames.shape[:-2]), 1), np.float64)
    reducer = _core.FrameReducer(shape, moments=False, detectors=[weights])
    reducer.reduce(frames, sums=sums, threads=threads)
    return sums.astype(np.float32).reshape(frames.shape[:-2])


def _center(center: Any, shape: tuple[int, ...]) -> tuple[float, float]:
    """The centre that was given, or that of the detector."""
    if center is None:
        return (shape[0] - 1) / 2, (shape[1] - 1) / 2
    return as_pair(center, "center")
