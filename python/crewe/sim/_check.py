"""Checks of what the simulations share: grids, energies, angles, positions."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_int, as_positive, as_reals
from crewe.optics import wavelength

__all__ = [
    "Pair",
    "as_memory",
    "as_positions",
    "as_tilt",
    "band_limit",
    "check_angle",
    "frequencies",
    "numbers_yx",
    "warn_of_slow_grid",
]

Pair = tuple[float, float]


def numbers_yx(value: Any, name: str, *, whole: bool = False) -> tuple[Any, Any]:
    """A positive number for both axes, or two of them (y, x)."""
    kind = "whole number" if whole else "number"
    pair = np.resize(given, 2) if (given := as_reals(value, name)).shape in ((), (2,)) else np.zeros(2)
    if not (pair > 0).all() or (whole and ((pair != np.floor(pair)) | (pair > 2**31)).any()):
        raise ValueError(f"{name}: a positive {kind} or two (y, x) wanted, {value!r} came")
    if whole:
        if (pair < 2).any():
            raise ValueError(f"{name}: at least 2 along each axis wanted, {value!r} came")
        return int(pair[0]), int(pair[1])
    return float(pair[0]), float(pair[1])


def warn_of_slow_grid(shape: tuple[int, int]) -> None:
    """Grid sizes with prime factors above 7 are transformed by way of convolutions: exact, but slow."""
    better = _core.good_size(shape[0]), _core.good_size(shape[1])
    if better != shape and max(shape) > 64:
        warnings.warn(
            f"gpts: {shape} has prime factors above 7 and is slow; {better} would be fast", UserWarning, stacklevel=3
        )


def band_limit(sampling: Pair, energy: float) -> float:
    """The largest scattering angle that a grid carries [mrad]: two thirds of the Nyquist frequency."""
    return wavelength(energy) / (3 * max(sampling)) * 1e3


def check_angle(angle: Any, name: str, sampling: Pair, energy: float) -> float:
    """An angle [mrad] in (0, band limit]."""
    value = as_positive(angle, name, "mrad")
    limit = band_limit(sampling, energy)
    if value > limit:
        finer = max(sampling) * limit / value
        raise ValueError(
            f"{name}: {value:g} mrad lies beyond the band limit of the grid, {limit:.4g} mrad; "
            f"a sampling of {finer:.3g} Å or less would carry it"
        )
    return value


def as_positions(positions: Any) -> NDArray[np.float64]:
    """Probe positions (..., 2) as (y, x) [Å], finite."""
    array = as_reals(positions, "positions")
    if array.ndim < 1 or array.shape[-1] != 2 or array.size == 0:
        raise ValueError(f"positions: shape (..., 2) as (y, x) [Å] wanted, {array.shape} came")
    return array


def as_memory(memory: Any) -> int:
    """A number of bytes."""
    return as_int(memory, "memory", 1, 2**63 - 1)


def as_tilt(tilt: Any) -> Pair:
    """Tilt of the beam (y, x) [mrad] → [rad]."""
    pair = as_reals(tilt, "tilt")
    if pair.shape != (2,) or np.abs(pair).max() > 500:
        raise ValueError(f"tilt: two angles (y, x) up to 500 mrad wanted, {tilt!r} came")
    return float(pair[0]) * 1e-3, float(pair[1]) * 1e-3


def frequencies(shape: tuple[int, int], sampling: Pair) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ky (ny, 1) and kx (1, nx) [1/Å] as numpy.fft has them."""
    ky, kx = (np.fft.fftfreq(n, d).astype(np.float64) for n, d in zip(shape, sampling, strict=True))
    return ky[:, None], kx[None, :]
