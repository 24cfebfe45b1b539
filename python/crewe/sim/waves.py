"""Waves in front of the specimen and behind it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._array import as_int, as_threads, as_typed, check_finite
from crewe._device import as_device
from crewe.optics import Aberrations, as_aberrations
from crewe.sim import _propagate
from crewe.sim._check import (
    as_memory,
    as_positions,
    as_tilt,
    check_angle,
    frequencies,
    numbers_yx,
)
from crewe.sim._cuda import CudaPropagation
from crewe.sim.potential import Potential

__all__ = ["as_planes", "as_potential", "exit_wave", "probe"]


def as_potential(potential: Any) -> Potential:
    """A Potential."""
    if not isinstance(potential, Potential):
        raise TypeError(f"potential: crewe.sim.Potential wanted, {type(potential).__name__} came")
    return potential


def as_planes(planes: Any, potential: Potential) -> list[int]:
    """Numbers of slices after which a result is wanted, ascending; None: after all."""
    if planes is None:
        return [len(potential)]
    if not isinstance(planes, Sequence | np.ndarray) or isinstance(planes, str):
        raise TypeError(f"planes: a sequence of ints wanted, {type(planes).__name__} came")
    found = [as_int(plane, "planes") for plane in planes]
    if not found or sorted(set(found)) != found or found[0] < 1 or found[-1] > len(potential):
        raise ValueError(f"planes: ascending numbers of slices in 1 … {len(potential)} wanted, {planes!r} came")
    return found


def probe(
    *,
    energy: float,
    semiangle: float,
    gpts: int | tuple[int, int],
    sampling: float | tuple[float, float],
    aberrations: Aberrations | None = None,
    positions: ArrayLike | None = None,
    soft: bool = True,
) -> NDArray[np.complex64]:
    """Focused probes in front of the specimen.

    Parameters
    ----------
    energy : float
        Energy of the electrons [eV].
    semiangle : float
        Half angle of the aperture [mrad].
    gpts, sampling : number or (y, x)
        Pixels and their size [Å].
    aberrations : Aberrations, optional
        Of the lens that makes the probe.
    positions : array_like (..., 2), optional
        (y, x) [Å] of the probes, on pixels or between; one at (0, 0) if not given.
    soft : bool
        The edge of the aperture is one reciprocal pixel wide; False: α <= semiangle.

    Returns
    -------
    ndarray
        (..., ny, nx) complex64, Σ|fft2|² = 1: F⁻¹{a(k)·exp(−iχ(k) − 2πi k·r)}.

    Raises
    ------
    ValueError
        Wrong numbers; a semiangle beyond the band limit (two thirds of the Nyquist frequency).

    Examples
    --------
    >>> wave = probe(energy=300e3, semiangle=20.0, gpts=64, sampling=0.15, positions=[(1.0, 2.0), (3.0, 4.0)])
    >>> wave.shape, round(float((abs(np.fft.fft2(wave[0])) ** 2).sum()), 5)
    ((2, 64, 64), 1.0)
    """
    shape = numbers_yx(gpts, "gpts", whole=True)
    pixel = numbers_yx(sampling, "sampling")
    angle = check_angle(semiangle, "semiangle", pixel, energy)
    places = as_positions([(0.0, 0.0)] if positions is None else positions)
    spectrum = _propagate.probe_spectrum(shape, pixel, energy, angle, as_aberrations(aberrations), soft=bool(soft))
    ky, kx = frequencies(shape, pixel)
    out = np.empty((*places.shape[:-1], *shape), np.complex64)
    for index in np.ndindex(*places.shape[:-1]):
        y, x = places[index]
        out[index] = np.fft.ifft2(spectrum * np.exp(-2j * np.pi * ky * y) * np.exp(-2j * np.pi * kx * x))
    return out


def exit_wave(
    potential: Potential,
    *,
    energy: float,
    wave: NDArray[Any] | None = None,
    tilt: tuple[float, float] = (0.0, 0.0),
    planes: Sequence[int] | None = None,
    threads: int = 0,
    device: str = "cpu",
    memory: int = _propagate.MEMORY,
) -> NDArray[Any]:
    """The wave behind the specimen: Cowley and Moodie's multislice.

    Frequencies beyond two thirds of the Nyquist frequency are cut, so that products don't alias.

    Parameters
    ----------
    potential : Potential
        The specimen.
    energy : float
        Energy of the electrons [eV].
    wave : ndarray, optional
        (..., ny, nx) waves in front of the specimen, complex64 (complex128 for a float64 potential); not given: 1.
    tilt : (y, x)
        Tilt of the beam [mrad]: waves walk by tan(tilt) times the thickness.
    planes : sequence of int, optional
        Numbers of slices after which the wave is wanted (a thickness series), ascending.
    threads : int
        0: all cores. The result has the same bits for every number.
    device : str
        "cpu", "cuda" or "cuda:1". A GPU wants a float32 potential and a grid with factors 2, 3, 5 and 7; its results
        are those of the CPU to the rounding of float32, and come to the host's memory.
    memory : int
        Bytes that transmission functions and waves may take; on a GPU at most 80 % of what is free.

    Returns
    -------
    ndarray
        ([configurations,] [planes,] ..., ny, nx), complex64, or complex128 for a float64 potential. The last slice is
        followed by its propagation.

    Raises
    ------
    TypeError, ValueError
        Wrong arguments, named.
    DeviceError
        A device that can't be used.

    References
    ----------
    E. J. Kirkland, Advanced Computing in Electron Microscopy, 2nd ed. (2010), ch. 6.

    Examples
    --------
    >>> vacuum = Potential.from_array(np.zeros((3, 32, 32), np.float32), sampling=0.1, slice_thickness=2.0)
    >>> bool(np.allclose(exit_wave(vacuum, energy=200e3), 1))
    True
    """
    as_potential(potential)
    place, halts = as_device(device), as_planes(planes, potential)
    threads, memory = as_threads(threads), as_memory(memory)
    dtype = np.dtype(np.complex128 if potential.dtype == np.float64 else np.complex64)
    incoming = None if wave is None else _as_waves(wave, potential.shape, dtype)
    outer = () if incoming is None else incoming.shape[:-2]
    flat = None if incoming is None else incoming.reshape(-1, *potential.shape)
    configurations = potential.configurations or 1
    out = np.empty((configurations, len(halts), 1 if flat is None else len(flat), *potential.shape), dtype)
    if place is None:
        run = _propagate.Propagation(potential, energy, tilt=as_tilt(tilt), threads=threads, memory=memory)
        run.exit_waves(out, halts, flat)
    else:
        CudaPropagation(potential, energy, place, tilt=as_tilt(tilt), memory=memory).waves(out, halts, incoming=flat)
    lead: tuple[int, ...] = () if potential.configurations is None else (configurations,)
    if planes is not None:
        lead += (len(halts),)
    return out.reshape(*lead, *outer, *potential.shape)


def _as_waves(wave: Any, shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    as_typed(wave, "wave", dtype)
    if wave.shape[-2:] != shape or wave.size == 0:
        raise ValueError(f"wave: shape (..., {shape[0]}, {shape[1]}) wanted, {wave.shape} came")
    check_finite(wave, "wave")
    return np.asarray(wave)
