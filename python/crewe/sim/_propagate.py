"""Waves through the slices of a potential within a bounded memory."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import cores
from crewe.optics import Aberrations, interaction, wavelength
from crewe.sim._check import Pair, band_limit, frequencies
from crewe.sim.potential import Layers, Potential

__all__ = ["MEMORY", "Propagation", "angles", "aperture", "phase_plate", "plan_batch", "probe_spectrum"]

#: Bytes that transmission functions and waves of a run may take together, unless another number is given.
MEMORY = 2**30
BATCH = 64  # waves that are under way at a time, where all transmission functions fit into the memory
BREATH = 2**26  # pixels, times waves, times slices, that the core does between two looks at Ctrl-C: 0.15 s of one core


class _Loaded:
    """An engine with transmission functions of one configuration: those of the different slices in `held`."""

    def __init__(self, engine: Any, layers: Layers) -> None:
        self.engine, self.layers = engine, layers
        self.held: NDArray[np.int64] = np.empty(0, np.int64)

    def hold(self, wanted: NDArray[np.int64], threads: int) -> None:
        if np.array_equal(wanted, self.held):
            return
        self.engine.reserve(len(wanted))
        at = 0
        for first, last in _runs(wanted):
            for _, slices in self.layers.parts(first, last, threads):
                self.engine.load(at, slices, threads)
                at += len(slices)
        self.held = wanted

    def number(self, index: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Where the transmission functions of these slices are held."""
        return np.searchsorted(self.held, index).astype(np.uint32)


def _runs(numbers: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ranges (first, last) that make up ascending numbers."""
    cuts = np.flatnonzero(np.diff(numbers) != 1) + 1
    for part in np.split(numbers, cuts):
        if len(part):
            yield int(part[0]), int(part[-1]) + 1


class Propagation:
    """A potential and an energy: gives waves and takes them through the slices.

    All transmission functions of a configuration are kept where half of `memory` suffices, and those of several
    configurations as long as they fit; else waves go through as many slices as fit, and the next ones are made.
    """

    def __init__(
        self,
        potential: Potential,
        energy: float,
        *,
        tilt: Pair = (0.0, 0.0),
        threads: int = 0,
        memory: int = MEMORY,
    ) -> None:
        self.potential, self.energy, self.threads = potential, energy, threads
        double = potential.dtype == np.float64
        self.dtype = np.dtype(np.complex128 if double else np.complex64)
        self._waves: Any = _core.Waves64 if double else _core.Waves32
        self._kind: Any = _core.Multislice64 if double else _core.Multislice32
        different, self._propagator = np.unique(np.array(potential.thickness), return_inverse=True)
        self._propagator = self._propagator.astype(np.uint32)
        self._arguments = (
            potential.shape,
            potential.sampling,
            wavelength(energy),
            interaction(energy),
            different.tolist(),
            tilt,
        )
        self._loaded: OrderedDict[int, _Loaded] = OrderedDict()
        first = self._of(0)
        self.slice_bytes: int = first.engine.slice_bytes
        self.wave_bytes: int = first.engine.wave_bytes
        self.capacity = max(1, memory // 2 // self.slice_bytes)
        self.batch = plan_batch(memory // 2, self.wave_bytes, potential.shape, fits=first.layers.count <= self.capacity)

    @property
    def configurations(self) -> int:
        return self.potential.configurations or 1

    def _of(self, configuration: int) -> _Loaded:
        if configuration in self._loaded:
            self._loaded.move_to_end(configuration)
            return self._loaded[configuration]
        loaded = _Loaded(self._kind(*self._arguments), self.potential.layers(configuration))
        self._loaded[configuration] = loaded
        return loaded

    def _make_room(self, configuration: int, slices: int) -> None:
        """Engines used longest ago are given up until `slices` transmission functions fit."""
        others = [c for c in self._loaded if c != configuration]
        held = sum(len(self._loaded[c].held) for c in others)
        while others and held + slices > self.capacity:
            oldest = others.pop(0)
            held -= len(self._loaded.pop(oldest).held)

    def waves(self, count: int, configuration: int) -> Any:
        """`count` waves for this configuration: plane ones, at first."""
        return self._waves(self._of(configuration).engine, count)

    def advance(self, waves: Any, configuration: int, first: int, last: int) -> None:
        """Waves through the slices first … last − 1, each with its propagation."""
        loaded = self._of(configuration)
        index = loaded.layers.index
        if loaded.layers.count <= self.capacity:
            self._make_room(configuration, loaded.layers.count)
            loaded.hold(np.arange(loaded.layers.count), self.threads)
            self._advance(waves, loaded, first, last)
            return
        while first < last:
            stop, wanted = first, np.unique(index[first : first + 1])
            while stop < last and len(more := np.union1d(wanted, index[stop : stop + 1])) <= self.capacity:
                wanted, stop = more, stop + 1
            self._make_room(configuration, len(wanted))
            loaded.hold(wanted.astype(np.int64), self.threads)
            self._advance(waves, loaded, first, stop)
            first = stop

    def _advance(self, waves: Any, loaded: _Loaded, first: int, last: int) -> None:
        """Through slices whose transmission functions are held."""
        numbers, flights = loaded.number(loaded.layers.index[first:last]), self._propagator[first:last]
        few = max(1, BREATH // (waves.count * self.potential.shape[0] * self.potential.shape[1]))
        for start in range(0, last - first, few):
            waves.advance(numbers[start : start + few], flights[start : start + few], self.threads)

    def through(self, waves: Any, configuration: int, planes: Sequence[int]) -> Iterator[int]:
        """Waves through the specimen, with a halt behind each of these numbers of slices; gives the halt's number."""
        done = 0
        for number, plane in enumerate(planes):
            self.advance(waves, configuration, done, plane)
            done = plane
            yield number

    def exit_waves(self, out: NDArray[Any], planes: Sequence[int], incoming: NDArray[Any] | None) -> None:
        """Waves behind the planes into `out` (configurations, planes, count, ny, nx): of `incoming` (count, ny, nx), or
        of plane ones."""
        for configuration in range(self.configurations):
            for start in range(0, out.shape[2], self.batch):
                part = slice(start, min(start + self.batch, out.shape[2]))
                waves = self.waves(part.stop - part.start, configuration)
                if incoming is not None:
                    waves.set_waves(np.ascontiguousarray(incoming[part]))
                for halt in self.through(waves, configuration, planes):
                    waves.wave(out[configuration, halt, part], self.threads)


def plan_batch(memory: int, wave_bytes: int, shape: tuple[int, int], *, fits: bool) -> int:
    """Waves under way at a time: few where the transmission functions stay, as many as fit where they are remade."""
    most = max(1, memory // wave_bytes)
    few = max(cores(0), min(BATCH, BREATH // (shape[0] * shape[1])))
    return min(most, few) if fits else most


def probe_spectrum(
    shape: tuple[int, int],
    sampling: Pair,
    energy: float,
    semiangle: float,
    aberrations: Aberrations,
    *,
    soft: bool,
) -> NDArray[np.complex128]:
    """Ψ0(k) = a(k)·exp(−iχ(k)) of a probe at the origin, Σ|Ψ0|² = 1; frequencies as numpy.fft has them."""
    spectrum = aperture(shape, sampling, energy, semiangle, soft=soft) * phase_plate(
        shape, sampling, energy, aberrations
    )
    norm = np.sqrt(np.sum(np.abs(spectrum) ** 2))
    return np.ascontiguousarray(spectrum / norm)


def angles(
    shape: tuple[int, int], sampling: Pair, energy: float, tilt: Pair = (0.0, 0.0)
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """α = |λk + tilt| [rad] and the azimuth from x towards y [rad]."""
    ky, kx = frequencies(shape, sampling)
    y, x = wavelength(energy) * ky + tilt[0], wavelength(energy) * kx + tilt[1]
    return np.hypot(y, x), np.arctan2(y, x)


def aperture(
    shape: tuple[int, int], sampling: Pair, energy: float, semiangle: float, *, soft: bool, tilt: Pair = (0.0, 0.0)
) -> NDArray[np.float64]:
    """a(k): 1 inside `semiangle` [mrad]; soft: an edge one reciprocal pixel wide, clip((α0 − α)/δ(φ) + ½, 0, 1)."""
    alpha, phi = angles(shape, sampling, energy, tilt)
    limit = semiangle * 1e-3
    if not soft:
        return (alpha <= limit).astype(float)
    pixel_y, pixel_x = (wavelength(energy) / (n * d) for n, d in zip(shape, sampling, strict=True))
    edge = np.sqrt((np.cos(phi) * pixel_x) ** 2 + (np.sin(phi) * pixel_y) ** 2)
    inside = np.clip((limit - alpha) / edge + 0.5, 0, 1)
    inside[alpha == 0] = 1
    return inside


def phase_plate(
    shape: tuple[int, int], sampling: Pair, energy: float, aberrations: Aberrations, *, tilt: Pair = (0.0, 0.0)
) -> NDArray[np.complex128]:
    """exp(−iχ), within the band limit (beyond it no wave has anything)."""
    alpha, phi = angles(shape, sampling, energy, tilt)
    near = alpha <= 1.1e-3 * band_limit(sampling, energy)
    plate = np.zeros(shape, complex)
    plate[near] = np.exp(-1j * aberrations.chi(alpha[near], phi[near], energy=energy))
    return plate
