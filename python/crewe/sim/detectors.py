"""Detectors of a scanning microscope: rings, sectors and masks in the diffraction plane."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import as_int, as_number
from crewe.sim._check import check_angle
from crewe.sim._propagate import angles

__all__ = ["Sector", "detector_weights", "segments"]


@dataclass(frozen=True)
class Sector:
    """Part of a ring: inner <= α < outer [mrad], start <= φ < start + width [rad], φ from x towards y.

    Examples
    --------
    >>> Sector(20.0, 40.0, 0.0, np.pi / 2).outer
    40.0
    """

    inner: float
    outer: float
    start: float
    width: float


def segments(inner: float, outer: float, count: int, *, start: float = 0.0) -> dict[str, Sector]:
    """A ring cut into `count` equal sectors, named "0", "1", …

    Parameters
    ----------
    inner, outer : float
        [mrad].
    count : int
        Number of sectors.
    start : float
        Where the first one begins [rad], from x towards y.

    Returns
    -------
    dict
        For the `detectors` of `stem`.

    Raises
    ------
    TypeError, ValueError
        Angles or a number of sectors that no detector has.

    Examples
    --------
    >>> list(segments(20.0, 40.0, 4))
    ['0', '1', '2', '3']
    """
    low, high = as_number(inner, "inner", 0, unit="mrad"), as_number(outer, "outer", unit="mrad")
    if not low < high:
        raise ValueError(f"inner, outer: inner < outer [mrad] wanted, {inner} and {outer} came")
    first, width = as_number(start, "start", unit="rad"), 2 * np.pi / as_int(count, "count", 1)
    return {str(i): Sector(low, high, first + i * width, width) for i in range(count)}


def detector_weights(
    detectors: Any, shape: tuple[int, int], sampling: tuple[float, float], energy: float
) -> tuple[list[str], NDArray[np.float32]]:
    """Names and weights (detectors, ny, nx), frequencies as numpy.fft has them."""
    if not isinstance(detectors, Mapping) or not detectors:
        raise ValueError("detectors: a mapping of names to (inner, outer) [mrad], sectors or masks wanted")
    alpha, phi = angles(shape, sampling, energy)
    weights = [_weights(str(name), one, alpha * 1e3, phi, sampling, energy) for name, one in detectors.items()]
    return [str(name) for name in detectors], np.stack(weights)


def _weights(
    name: str,
    detector: Any,
    alpha: NDArray[np.float64],
    phi: NDArray[np.float64],
    sampling: tuple[float, float],
    energy: float,
) -> NDArray[np.float32]:
    if isinstance(detector, Sector):
        ring = _ring(name, detector.inner, detector.outer, alpha, sampling, energy)
        if not np.isfinite(detector.start) or not 0 < detector.width <= 2 * np.pi * (1 + 1e-12):
            raise ValueError(f"detectors[{name!r}]: a start and a width in (0, 2π] [rad] wanted, {detector!r} came")
        turned = (phi - detector.start) % (2 * np.pi)
        return ring * (turned < detector.width).astype(np.float32)
    if np.ndim(detector) == 1 and len(detector) == 2:
        return _ring(name, detector[0], detector[1], alpha, sampling, energy)
    mask = np.asarray(detector)
    if mask.shape != alpha.shape or mask.dtype.kind not in "buif":
        raise ValueError(
            f"detectors[{name!r}]: (inner, outer) [mrad], a Sector or a mask {alpha.shape} with the zero frequency at "
            f"(n//2, n//2) wanted, {type(detector).__name__} of shape {mask.shape} came"
        )
    if not np.isfinite(mask).all():
        raise ValueError(f"detectors[{name!r}]: finite weights wanted, NaN or infinity came")
    weights = np.fft.ifftshift(mask)
    reach = alpha[weights != 0].max(initial=0)
    if reach > 0:
        check_angle(reach, f"detectors[{name!r}]", sampling, energy)
    return np.ascontiguousarray(weights, dtype=np.float32)


def _ring(
    name: str, inner: Any, outer: Any, alpha: NDArray[np.float64], sampling: tuple[float, float], energy: float
) -> NDArray[np.float32]:
    low, high = (as_number(value, f"detectors[{name!r}]", unit="mrad") for value in (inner, outer))
    if low < 0 or high <= low:
        raise ValueError(f"detectors[{name!r}]: 0 <= inner < outer [mrad] wanted, ({inner!r}, {outer!r}) came")
    check_angle(high, f"detectors[{name!r}]", sampling, energy)
    return ((alpha >= low) & (alpha < high)).astype(np.float32)
