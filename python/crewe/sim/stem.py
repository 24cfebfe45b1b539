"""Scanned images, and the waves behind a probe and its neighbours."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._array import Seed, as_number, as_positive, as_rng
from crewe._progress import Bar
from crewe.optics import Aberrations
from crewe.sim._check import as_positions
from crewe.sim._distribute import spread
from crewe.sim._propagate import MEMORY
from crewe.sim._scan import Probes, scan_positions
from crewe.sim.detectors import detector_weights
from crewe.sim.potential import Potential

__all__ = ["exit_waves3x3", "stem"]

BLOCK = 256  # positions of a task for other processes


def stem(
    potential: Potential,
    *,
    energy: float,
    semiangle: float,
    positions: ArrayLike | None = None,
    scan: tuple[int, int] | None = None,
    detectors: Mapping[str, Any],
    aberrations: Aberrations | None = None,
    source_size: float = 0.0,
    electrons: float | None = None,
    seed: Seed = 0,
    soft: bool = True,
    tilt: tuple[float, float] = (0.0, 0.0),
    planes: Sequence[int] | None = None,
    threads: int = 0,
    device: str = "cpu",
    memory: int = MEMORY,
    client: Any = None,
    progress: bool = False,
) -> dict[str, NDArray[Any]]:
    """Images of a scanning microscope, any number of detectors at once.

    Parameters
    ----------
    potential, energy, semiangle, aberrations, soft, tilt, planes, threads, device, memory
        As for `cbed`.
    positions : array_like (..., 2), optional
        Of the probes, (y, x) [Å]; or
    scan : (sy, sx), optional
        that many positions, spread evenly over the cell.
    detectors : mapping
        Name → (inner, outer) [mrad], a pixel belongs if inner <= λ|k| < outer; or a `Sector`; or weights (ny, nx) with
        the zero frequency at (n//2, n//2), as patterns of `cbed` have it, zero beyond the band limit.
    source_size : float
        FWHM of the Gaussian source [Å]: blurs the images. Wants positions on an even grid.
    electrons : float, optional
        Electrons per position: the images get the counting noise of that dose.
    seed : int or numpy.random.Generator
        For the counting noise.
    client : dask.distributed.Client, optional
        Spreads configurations and blocks of positions; the result doesn't depend on the number of workers.
    progress : bool
        Show a bar on a terminal.

    Returns
    -------
    dict
        Name → image of the shape of the positions (with `planes` in front), float32 (float64 for a float64 potential):
        fraction of the incident beam, averaged over configurations.

    Raises
    ------
    TypeError, ValueError
        Wrong arguments, named; a semiangle or detector beyond the band limit, with the limit.
    DeviceError
        A device that can't be used.

    References
    ----------
    E. J. Kirkland, Advanced Computing in Electron Microscopy, 2nd ed. (2010), ch. 7.

    Examples
    --------
    >>> vacuum = Potential.from_array(np.zeros((1, 64, 64), np.float32), sampling=0.1, slice_thickness=2.0)
    >>> images = stem(vacuum, energy=200e3, semiangle=20.0, scan=(2, 3), detectors={"bf": (0, 10), "all": (0, 80)})
    >>> images["all"].shape, round(float(images["all"][0, 0]), 4)
    ((2, 3), 1.0)
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
    places, spans = scan_positions(potential, positions, scan)
    names, weights = detector_weights(detectors, potential.shape, potential.sampling, energy)
    source = _as_source(source_size, places)
    if electrons is not None:
        electrons = as_positive(electrons, "electrons", "per position")
    rng = as_rng(seed)
    flat = places.reshape(-1, 2)
    with Bar("stem", total=len(flat) * probes.configurations, unit="probes", show=progress) as bar:
        if client is None:
            sums = np.zeros((len(probes.planes), len(flat), len(names)))
            step = len(flat) if not progress else probes.batch()
            for configurations in probes.rounds():
                for start in range(0, len(flat), step):
                    part = slice(start, start + step)
                    sums[:, part] += probes.signals(flat[part], weights, configurations)
                    bar.add(len(flat[part]) * len(configurations))
        else:
            sums = spread(client, probes, flat, weights, block=BLOCK, done=bar.add)
    shaped = np.moveaxis(sums, -1, 0).reshape(len(names), len(probes.planes), *places.shape[:-1])
    if source > 0:
        shaped = _blurred(shaped, places, source, spans=spans)
    if electrons is not None:
        shaped = rng.poisson(np.maximum(shaped, 0) * electrons) / electrons
    dtype = np.float64 if potential.dtype == np.float64 else np.float32
    chosen = shaped if planes is not None else shaped[:, 0]
    return {name: image.astype(dtype) for name, image in zip(names, chosen, strict=True)}


def exit_waves3x3(
    potential: Potential,
    *,
    energy: float,
    semiangle: float,
    positions: ArrayLike,
    step: float,
    aberrations: Aberrations | None = None,
    soft: bool = True,
    threads: int = 0,
    device: str = "cpu",
    memory: int = MEMORY,
) -> NDArray[Any]:
    """Exit waves of probes and of their eight neighbours in a scan: what a phase-retrieval network is trained with.

    Parameters
    ----------
    potential, energy, semiangle, aberrations, soft, threads, device, memory
        As for `cbed`.
    positions : array_like (..., 2)
        Of the probe in the middle, (y, x) [Å].
    step : float
        Distance of neighbours [Å].

    Returns
    -------
    ndarray
        ([configurations,] positions shape..., 3, 3, ny, nx) complex64 (complex128 for a float64 potential);
        [..., i, j, :, :] is the probe at (y, x) + step·(i − 1, j − 1).

    Raises
    ------
    TypeError, ValueError
        Wrong arguments, named.
    DeviceError
        A device that can't be used.

    References
    ----------
    The 3 × 3 neighbourhood of T. Friedrich, C.-P. Yu, J. Verbeeck, S. Van Aert, Microsc. Microanal. 29 (2023) 395.

    Examples
    --------
    >>> vacuum = Potential.from_array(np.zeros((1, 64, 64), np.float32), sampling=0.1, slice_thickness=2.0)
    >>> exit_waves3x3(vacuum, energy=200e3, semiangle=20.0, positions=(1.0, 2.0), step=0.2).shape
    (3, 3, 64, 64)
    """
    probes = Probes.of(
        potential,
        energy=energy,
        semiangle=semiangle,
        aberrations=aberrations,
        soft=soft,
        threads=threads,
        memory=memory,
        device=device,
    )
    step = as_positive(step, "step", "Å")
    places = as_positions(positions)
    around = np.stack(np.meshgrid((-1.0, 0.0, 1.0), (-1.0, 0.0, 1.0), indexing="ij"), axis=-1) * step
    all_of_them = (places[..., None, None, :] + around).reshape(-1, 2)
    waves = probes.exit_waves(all_of_them)[:, 0]
    lead = () if potential.configurations is None else (probes.configurations,)
    return waves.reshape(*lead, *places.shape[:-1], 3, 3, *potential.shape)


def _as_source(source_size: float, places: NDArray[np.float64]) -> float:
    size = as_number(source_size, "source_size", 0, unit="Å")
    if size > 0:
        _steps(places)
    return size


def _steps(places: NDArray[np.float64]) -> tuple[float, float]:
    """Steps (y, x) [Å] of an even grid of positions (sy, sx, 2)."""
    if places.ndim == 3:
        sy, sx = places.shape[:2]
        dy = (places[-1, 0, 0] - places[0, 0, 0]) / max(sy - 1, 1)
        dx = (places[0, -1, 1] - places[0, 0, 1]) / max(sx - 1, 1)
        grid = places[0, 0] + np.stack(np.meshgrid(np.arange(sy) * dy, np.arange(sx) * dx, indexing="ij"), axis=-1)
        if np.abs(grid - places).max() < 1e-6:
            return abs(float(dy)), abs(float(dx))
    raise ValueError("positions: an even grid (sy, sx, 2) wanted with source_size")


def _blurred(
    images: NDArray[np.float64], places: NDArray[np.float64], fwhm: float, *, spans: bool
) -> NDArray[np.float64]:
    """Images (..., sy, sx) under a Gaussian; a scan that spans the cell goes round, others end at their border."""
    sigma = fwhm / np.sqrt(8 * np.log(2))
    for axis, step in zip((-2, -1), _steps(places), strict=True):
        n = images.shape[axis]
        if n == 1 or step == 0:
            continue
        distance = np.arange(n)[:, None] - np.arange(n)
        if spans:
            turns = int(np.ceil(8 * sigma / (n * step))) + 1
            shifts = (distance[..., None] + n * np.arange(-turns, turns + 1)) * step
            kernel = np.exp(-0.5 * (shifts / sigma) ** 2).sum(axis=-1)
        else:
            kernel = np.exp(-0.5 * (distance * step / sigma) ** 2)
        kernel /= kernel.sum(axis=1, keepdims=True)
        images = np.moveaxis(np.moveaxis(images, axis, -1) @ kernel.T, -1, axis)
    return images
