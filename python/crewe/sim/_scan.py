"""Probes at many positions through all configurations: the loops behind cbed, stem and scan4d."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import as_int, as_shape, as_threads
from crewe._device import as_device
from crewe.optics import Aberrations, as_aberrations, wavelength
from crewe.sim._check import as_memory, as_positions, as_tilt, check_angle
from crewe.sim._cuda import Collector, CudaPropagation
from crewe.sim._propagate import MEMORY, Propagation, probe_spectrum
from crewe.sim.potential import Potential
from crewe.sim.waves import as_planes, as_potential

__all__ = ["Pattern", "Probes", "scan_positions"]


@dataclass(frozen=True)
class Pattern:
    """Which pixels of a pattern are kept: frequency (as numpy.fft has it) → row and column, −1 for none."""

    row: NDArray[np.int32]
    column: NDArray[np.int32]
    shape: tuple[int, int]

    @classmethod
    def of(cls, potential: Potential, energy: float, max_angle: float | None = None, bin: int = 1) -> "Pattern":
        """All pixels; or those up to `max_angle` [mrad] along each axis; `bin` × `bin` pixels are one.

        The zero frequency lies at (n//2, n//2), with bins in the middle of its bin.
        """
        as_int(bin, "bin", 1)
        maps, sizes = [], []
        for n, d in zip(potential.shape, potential.sampling, strict=True):
            if max_angle is None and bin == 1:
                maps.append(((np.arange(n) + n // 2) % n).astype(np.int32))
                sizes.append(n)
                continue
            signed = (np.arange(n) + n // 2) % n - n // 2
            half = (n - 1) // 2
            if max_angle is not None:
                check_angle(max_angle, "max_angle", potential.sampling, energy)
                half = min(half, int(max_angle * 1e-3 / wavelength(energy) * n * d + 1e-9))
            binned = np.floor_divide(2 * signed + bin, 2 * bin)
            most = (2 * half + bin) // (2 * bin)
            size = 2 * most + 1
            place = np.where(np.abs(signed) <= half, binned + size // 2, -1)
            maps.append(np.where((place >= 0) & (place < size), place, -1).astype(np.int32))
            sizes.append(size)
        return cls(maps[0], maps[1], (sizes[0], sizes[1]))


@dataclass(frozen=True)
class Probes:
    """Focused probes on a potential: everything but their positions. May be sent to other processes."""

    potential: Potential
    energy: float
    semiangle: float
    aberrations: Aberrations
    soft: bool = True
    tilt: tuple[float, float] = (0.0, 0.0)
    planes: tuple[int, ...] = ()
    threads: int = 0
    memory: int = MEMORY
    device: int | None = None  #: number of the GPU; None: the CPU
    _kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        potential: Any,
        *,
        energy: float,
        semiangle: float,
        aberrations: Aberrations | None = None,
        soft: bool = True,
        tilt: Any = (0.0, 0.0),
        planes: Any = None,
        threads: int = 0,
        memory: int = MEMORY,
        device: str = "cpu",
    ) -> "Probes":
        """After looking at all arguments."""
        as_potential(potential)
        place = as_device(device)
        angle = check_angle(semiangle, "semiangle", potential.sampling, energy)
        halts = tuple(as_planes(planes, potential))
        lens = as_aberrations(aberrations)
        workers, most = as_threads(threads), as_memory(memory)
        return cls(potential, float(energy), angle, lens, bool(soft), as_tilt(tilt), halts, workers, most, place)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": {}}

    @property
    def configurations(self) -> int:
        return self.potential.configurations or 1

    def run(self) -> Propagation:
        """The engine of the CPU, kept as long as these probes."""
        if "run" not in self._kept:
            self._kept["run"] = Propagation(
                self.potential, self.energy, tilt=self.tilt, threads=self.threads, memory=self.memory
            )
        found: Propagation = self._kept["run"]
        return found

    def cuda(self) -> CudaPropagation:
        """The engine of the GPU, kept as long as these probes."""
        assert self.device is not None
        if "cuda" not in self._kept:
            self._kept["cuda"] = CudaPropagation(
                self.potential, self.energy, self.device, tilt=self.tilt, memory=self.memory
            )
        found: CudaPropagation = self._kept["cuda"]
        return found

    def batch(self) -> int:
        """Positions that are under way at a time."""
        return self.run().batch if self.device is None else self.cuda().batch

    def capacity(self) -> int:
        """Transmission functions that are kept."""
        return self.run().capacity if self.device is None else self.cuda().capacity

    def rounds(self) -> list[range]:
        """Configurations that are to be gone through together: on a GPU all of them, so that sums stay there."""
        if self.device is not None:
            return [range(self.configurations)]
        return [range(c, c + 1) for c in range(self.configurations)]

    def spectrum(self) -> NDArray[np.complex128]:
        if "spectrum" not in self._kept:
            self._kept["spectrum"] = probe_spectrum(
                self.potential.shape,
                self.potential.sampling,
                self.energy,
                self.semiangle,
                self.aberrations,
                soft=self.soft,
            )
        found: NDArray[np.complex128] = self._kept["spectrum"]
        return found

    def means(self, positions: NDArray[np.float64], pattern: Pattern) -> tuple[NDArray[Any], NDArray[Any]]:
        """Patterns (positions, ky, kx) and waves (positions, ny, nx) behind the specimen, averaged over all
        configurations."""
        single = self.potential.dtype == np.float32
        patterns = np.zeros((1, len(positions), *pattern.shape), np.float32 if single else np.float64)
        waves = np.zeros((1, len(positions), *self.potential.shape), np.complex64 if single else np.complex128)
        if self.device is not None:
            cuda = self.cuda()
            made = cuda.patterns(pattern.row, pattern.column, pattern.shape), cuda.mean_waves()
            self._collect(positions, range(self.configurations), (made[0], patterns), (made[1], waves))
            return patterns[0], waves[0]
        one = np.empty((self.run().batch, *self.potential.shape), waves.dtype)
        for _, halt, part, under_way in self._batches(positions, range(self.configurations)):
            weight = 1.0 / self.configurations
            under_way.intensity(pattern.row, pattern.column, weight, patterns[halt, part], self.threads)
            under_way.wave(one[: under_way.count], self.threads)
            waves[halt, part] += one[: under_way.count] * weight
        return patterns[0], waves[0]

    def total(self, positions: NDArray[np.float64]) -> Iterator[tuple[int, NDArray[Any]]]:
        """(number of probes, sum of the patterns of some positions over some configurations, averaged over all)."""
        pattern = Pattern.of(self.potential, self.energy)
        if self.device is not None:
            parts = self.cuda().total(self.spectrum(), positions, pattern.row, pattern.column, pattern.shape)
            for count, found in parts:
                yield count * self.configurations, found[0]
            return
        step = self.run().batch
        for configurations in self.rounds():
            for start in range(0, len(positions), step):
                part = self.patterns(positions[start : start + step], pattern, configurations)[0]
                yield len(part), part.sum(axis=0, dtype=np.float64)

    def _collect(self, positions: NDArray[np.float64], configurations: range, *collectors: Collector) -> None:
        """On the GPU."""
        self.cuda().collect(self.spectrum(), positions, self.planes, configurations, collectors)

    def _batches(self, positions: NDArray[np.float64], configurations: range) -> Any:
        """(configuration, halt, part of the positions, waves there)."""
        run = self.run()
        for configuration in configurations:
            for start in range(0, len(positions), run.batch):
                part = slice(start, min(start + run.batch, len(positions)))
                waves = run.waves(part.stop - part.start, configuration)
                waves.set_probes(self.spectrum(), np.ascontiguousarray(positions[part]), self.threads)
                for halt in run.through(waves, configuration, self.planes):
                    yield configuration, halt, part, waves

    def patterns(self, positions: NDArray[np.float64], pattern: Pattern, configurations: range) -> NDArray[Any]:
        """(planes, positions, ky, kx): sum over these configurations, divided by the number of all."""
        shape = (len(self.planes), len(positions), *pattern.shape)
        out = np.zeros(shape, np.float64 if self.potential.dtype == np.float64 else np.float32)
        if self.device is not None:
            made = self.cuda().patterns(pattern.row, pattern.column, pattern.shape)
            self._collect(positions, configurations, (made, out))
            return out
        for _, halt, part, waves in self._batches(positions, configurations):
            weight = 1.0 / self.configurations
            waves.intensity(pattern.row, pattern.column, weight, out[halt, part], self.threads)
        return out

    def signals(
        self, positions: NDArray[np.float64], weights: NDArray[np.float32], configurations: range
    ) -> NDArray[np.float64]:
        """(planes, positions, detectors): sum over these configurations, divided by the number of all."""
        out = np.zeros((len(self.planes), len(positions), len(weights)))
        if self.device is not None:
            self._collect(positions, configurations, (self.cuda().signals(weights), out))
            return out
        for _, halt, part, waves in self._batches(positions, configurations):
            waves.signals(weights, 1.0 / self.configurations, out[halt, part], self.threads)
        return out

    def exit_waves(self, positions: NDArray[np.float64]) -> NDArray[Any]:
        """(configurations, planes, positions, ny, nx)."""
        shape = (self.configurations, len(self.planes), len(positions), *self.potential.shape)
        if self.device is not None:
            out = np.empty(shape, np.complex64)
            self.cuda().waves(out, self.planes, probes=(self.spectrum(), positions))
            return out
        out = np.empty(shape, self.run().dtype)
        for configuration, halt, part, waves in self._batches(positions, range(self.configurations)):
            waves.wave(out[configuration, halt, part], self.threads)
        return out

    def mean_waves(self, positions: NDArray[np.float64]) -> NDArray[Any]:
        """(planes, positions, ny, nx): the mean over all configurations."""
        shape = (len(self.planes), len(positions), *self.potential.shape)
        if self.device is not None:
            out = np.empty(shape, np.complex64)
            self._collect(positions, range(self.configurations), (self.cuda().mean_waves(), out))
            return out
        run = self.run()
        out = np.zeros(shape, run.dtype)
        one = np.empty((run.batch, *self.potential.shape), run.dtype)
        for _, halt, part, waves in self._batches(positions, range(self.configurations)):
            waves.wave(one[: waves.count], self.threads)
            out[halt, part] += one[: waves.count] / self.configurations
        return out


def scan_positions(potential: Potential, positions: Any, scan: Any) -> tuple[NDArray[np.float64], bool]:
    """Positions (..., 2) as given, or the even scan over the cell; and whether the scan spans the cell."""
    if (positions is None) == (scan is None):
        raise ValueError("positions, scan: either positions (..., 2) or a scan (sy, sx) wanted")
    if positions is not None:
        return as_positions(positions), False
    y, x = (np.arange(n) * length / n for n, length in zip(as_shape(scan, "scan"), potential.extent, strict=True))
    return np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1), True
