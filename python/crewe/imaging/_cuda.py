"""The functions of this module for arrays on a GPU: the same checks, the kernels of `crewe._cuda`.

What comes back lies on the same GPU, made by the library that the input came from, and is filled in its stream.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._device import DeviceView, extension, view

__all__ = ["com", "icom", "ricom", "ssb", "virtual_image"]


def com(frames: DeviceView, weights: NDArray[np.float32] | None, cy: float, cx: float) -> Any:
    """`crewe.imaging.com`."""
    out = frames.empty((*frames.shape[:-2], 2), np.float32)
    if out.size:
        _refuse(frames, extension().reduce(frames, weights=weights, com=out.reshape(-1, 2), cy=cy, cx=cx))
    return out.owner


def virtual_image(frames: DeviceView, weights: NDArray[np.float32]) -> Any:
    """`crewe.imaging.virtual_image`."""
    out = frames.empty(frames.shape[:-2], np.float32)
    if out.size:
        image = out.reshape(-1, 1)
        _refuse(frames, extension().reduce(frames, moments=False, detectors=[weights], image=image))
    return out.owner


def icom(com: Any, step: float, high_pass: float) -> Any:
    """`crewe.imaging.icom`; the options are checked."""
    given = _com(com)
    out = given.empty(given.shape[:2], np.float32)
    extension().icom(given, step, high_pass, out)
    return out.owner


def ricom(com: Any, width: int, low: float, high: float, step: np.float32) -> Any:
    """`crewe.imaging.ricom`; the options are checked."""
    given = _com(com)
    out = given.empty(given.shape[:2], np.float32)
    extension().ricom(given, width, low, high, step, out)
    return out.owner


def ssb(
    frames: DeviceView, optics: Any, center: tuple[float, float], rotation: float, transpose: bool, threads: int
) -> Any:
    """`crewe.imaging.ssb`; the options are checked. `threads` of the host make the weights."""
    out = frames.empty(frames.shape[:2], np.complex64)
    if not extension().ssb(frames, optics, center, rotation, transpose, out, threads=threads):
        raise ValueError("frames: finite numbers wanted, NaN or infinity came in the bright disc")
    return out.owner


def _refuse(frames: DeviceView, bad: int) -> None:
    """Says which frame holds a number that isn't finite, if one does."""
    if bad >= 0:
        place = [int(i) for i in np.unravel_index(bad, frames.shape[:-2])]
        raise ValueError(f"frames: finite numbers wanted, NaN or infinity came in frame {place}")


def _com(com: Any) -> DeviceView:
    """A centre-of-mass map (sy, sx, 2) float32, finite."""
    given = view(com, "com")
    if given.dtype != np.float32:
        raise TypeError(f"com: a float32 array wanted, {given.dtype!r} came")
    if given.ndim != 3 or given.shape[2] != 2 or 0 in given.shape:
        raise ValueError(f"com: shape (sy, sx, 2) wanted, {given.shape} came")
    bad = extension().first_not_finite(given)
    if bad >= 0:
        place = [int(i) for i in np.unravel_index(bad, given.shape)]
        raise ValueError(f"com: finite numbers wanted, NaN or infinity came at {place}")
    return given
