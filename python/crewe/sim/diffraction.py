"""Diffraction patterns: of focused probes, of their mean over a scan, of plane waves."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._array import as_choice
from crewe._progress import Bar
from crewe.optics import Aberrations
from crewe.sim._check import as_positions
from crewe.sim._propagate import MEMORY
from crewe.sim._scan import Pattern, Probes, scan_positions
from crewe.sim.potential import Potential
from crewe.sim.waves import exit_wave

__all__ = ["cbed", "diffraction", "pacbed"]

Part = Literal["total", "elastic", "diffuse"]


def cbed(
    potential: Potential,
    *,
    energy: float,
    semiangle: float,
    positions: ArrayLike,
    aberrations: Aberrations | None = None,
    soft: bool = True,
    tilt: tuple[float, float] = (0.0, 0.0),
    planes: Sequence[int] | None = None,
    part: Part = "total",
    threads: int = 0,
    device: str = "cpu",
    memory: int = MEMORY,
) -> NDArray[Any]:
    """Convergent-beam diffraction patterns, averaged over the configurations of moving atoms.

    Parameters
    ----------
    potential : Potential
        The specimen.
    energy : float
        Energy of the electrons [eV].
    semiangle : float
        Half angle of the probe [mrad].
    positions : array_like (..., 2)
        Of the probes, (y, x) [Å].
    aberrations : Aberrations, optional
        Of the probe.
    soft : bool
        Aperture with an edge one reciprocal pixel wide; False: hard.
    tilt : (y, x)
        Tilt of the beam [mrad].
    planes : sequence of int, optional
        Numbers of slices after which patterns are wanted, ascending.
    part : str
        Of moving atoms: "total" ⟨|Ψ|²⟩, "elastic" |⟨Ψ⟩|² (the coherent mean wave), or "diffuse", their difference.
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
        ([planes,] positions shape..., ny, nx) float32 (float64 for a float64 potential): fraction of the incident beam
        per pixel, the zero frequency at (n//2, n//2).

    Raises
    ------
    TypeError, ValueError
        Wrong arguments, named; a semiangle beyond the band limit.
    DeviceError
        A device that can't be used.

    References
    ----------
    R. F. Loane, P. Xu, J. Silcox, Acta Cryst. A47 (1991) 267.

    Examples
    --------
    >>> vacuum = Potential.from_array(np.zeros((1, 64, 64), np.float32), sampling=0.1, slice_thickness=2.0)
    >>> patterns = cbed(vacuum, energy=200e3, semiangle=20.0, positions=[(1.0, 2.0), (3.0, 3.0)])
    >>> patterns.shape, patterns.sum(axis=(1, 2)).round(4).tolist()
    ((2, 64, 64), [1.0, 1.0])
    """
    probes = Probes.of(
        potential,
        energy=energy,
        semiangle=semiangle,
        aberrations=aberrations,
        soft=soft,
        tilt=tilt,
        planes=planes,
        threads=threads,
        memory=memory,
        device=device,
    )
    places = as_positions(positions)
    as_choice(part, "part", get_args(Part))
    flat = places.reshape(-1, 2)
    if part != "elastic":
        found = probes.patterns(flat, Pattern.of(potential, energy), range(probes.configurations))
    if part != "total":
        elastic = np.fft.fftshift(np.abs(np.fft.fft2(probes.mean_waves(flat))) ** 2, axes=(-2, -1))
        found = elastic if part == "elastic" else np.maximum(found - elastic, 0)
    shaped = found.astype(potential.dtype, copy=False).reshape(len(found), *places.shape[:-1], *potential.shape)
    return shaped if planes is not None else np.asarray(shaped[0])


def pacbed(
    potential: Potential,
    *,
    energy: float,
    semiangle: float,
    positions: ArrayLike | None = None,
    scan: tuple[int, int] | None = None,
    aberrations: Aberrations | None = None,
    soft: bool = True,
    tilt: tuple[float, float] = (0.0, 0.0),
    threads: int = 0,
    device: str = "cpu",
    memory: int = MEMORY,
    progress: bool = False,
) -> NDArray[Any]:
    """Position-averaged convergent-beam pattern: the mean over a scan, of which only the sum is kept.

    Parameters
    ----------
    potential, energy, semiangle, aberrations, soft, tilt, threads, device, memory
        As for `cbed`.
    positions, scan
        As for `stem`.
    progress : bool
        Show a bar on a terminal.

    Returns
    -------
    ndarray
        (ny, nx) float32 (float64 for a float64 potential): fraction of the incident beam per pixel, the zero frequency
        at (n//2, n//2).

    Raises
    ------
    TypeError, ValueError
        Wrong arguments, named.
    DeviceError
        A device that can't be used.

    References
    ----------
    J. M. LeBeau, S. D. Findlay, L. J. Allen, S. Stemmer, Ultramicroscopy 110 (2010) 118.

    Examples
    --------
    >>> vacuum = Potential.from_array(np.zeros((1, 64, 64), np.float32), sampling=0.1, slice_thickness=2.0)
    >>> round(float(pacbed(vacuum, energy=200e3, semiangle=20.0, scan=(4, 4)).sum()), 4)
    1.0
    """
    probes = Probes.of(
        potential,
        energy=energy,
        semiangle=semiangle,
        aberrations=aberrations,
        soft=soft,
        tilt=tilt,
        threads=threads,
        memory=memory,
        device=device,
    )
    places, _ = scan_positions(potential, positions, scan)
    flat, total = places.reshape(-1, 2), np.zeros(potential.shape)
    with Bar("pacbed", total=len(flat) * probes.configurations, unit="probes", show=progress) as bar:
        for count, found in probes.total(flat):
            total += found
            bar.add(count)
    return (total / len(flat)).astype(potential.dtype)


def diffraction(
    potential: Potential,
    *,
    energy: float,
    tilt: tuple[float, float] = (0.0, 0.0),
    planes: Sequence[int] | None = None,
    part: Part = "total",
    threads: int = 0,
    device: str = "cpu",
    memory: int = MEMORY,
) -> NDArray[Any]:
    """Diffraction pattern of a plane wave.

    Parameters
    ----------
    potential : Potential
        The specimen.
    energy : float
        Energy of the electrons [eV].
    tilt, planes, threads, device, memory
        As for `exit_wave`.
    part : str
        Of moving atoms: "total" ⟨|Ψ|²⟩, "elastic" |⟨Ψ⟩|² (the coherent mean wave), or "diffuse", their difference.

    Returns
    -------
    ndarray
        ([planes,] ny, nx) float32 (float64 for a float64 potential): fraction of the incident beam per pixel, averaged
        over configurations, the zero frequency at (n//2, n//2).

    Raises
    ------
    TypeError, ValueError
        Wrong arguments, named.
    DeviceError
        A device that can't be used.

    Examples
    --------
    >>> vacuum = Potential.from_array(np.zeros((1, 64, 64), np.float32), sampling=0.1, slice_thickness=2.0)
    >>> pattern = diffraction(vacuum, energy=200e3)
    >>> round(float(pattern[32, 32]), 4)
    1.0
    """
    as_choice(part, "part", get_args(Part))
    waves = exit_wave(potential, energy=energy, tilt=tilt, planes=planes, threads=threads, device=device, memory=memory)
    spectra = np.fft.fft2(waves if potential.configurations is not None else waves[None])
    spectra = np.fft.fftshift(spectra, axes=(-2, -1)) / (potential.shape[0] * potential.shape[1])
    elastic = np.abs(spectra.mean(axis=0)) ** 2
    total = (np.abs(spectra) ** 2).mean(axis=0)
    found = {"total": total, "elastic": elastic, "diffuse": np.maximum(total - elastic, 0)}[part]
    return np.asarray(found, potential.dtype)
