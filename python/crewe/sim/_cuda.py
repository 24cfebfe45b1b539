"""Waves through the slices of a potential on a GPU: several configurations of moving atoms at a time, sums there."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._device import extension
from crewe.optics import interaction, wavelength
from crewe.sim._check import Pair
from crewe.sim.potential import AtomLayers, Layers, Potential

__all__ = ["Collector", "CudaPropagation"]

BATCH = 2**24  # pixels of the waves that a launch works on: 50 µs of an H200
RENDERED = 2**26  # pixels of slices that are made between two looks at Ctrl-C
SHARE = 0.8  # of the memory that is free

#: Makes an object that sums over waves, and the array (planes, positions, ...) that its results go to.
Collector = tuple[Callable[[], Any], NDArray[Any]]


class CudaPropagation:
    """What `Propagation` is for the CPU. Within `memory`, and never more than most of what the GPU has free:

    three eighths for transmission functions, kept as long as they fit, an eighth for making them, and half for waves.
    Positions are gone through once, with all configurations for each part of them, so that sums stay on the GPU.
    """

    def __init__(self, potential: Potential, energy: float, device: int, *, tilt: Pair, memory: int) -> None:
        if potential.dtype != np.float32:
            raise TypeError(f"potential: float32 wanted on a GPU, {potential.dtype} came")
        self.potential = potential
        self._cuda = extension()
        different, propagator = np.unique(np.array(potential.thickness), return_inverse=True)
        self._propagator = propagator.astype(np.uint32)
        allowed = min(memory, int(SHARE * self._cuda.free_bytes(device)))
        self._engine = self._cuda.Multislice(
            potential.shape,
            potential.sampling,
            wavelength(energy),
            interaction(energy),
            different.tolist(),
            tilt,
            device,
            allowed // 8,
        )
        self.capacity: int = max(1, 3 * allowed // 8 // self._engine.slice_bytes)
        pixels = potential.shape[0] * potential.shape[1]
        self._room = allowed // 2  # for waves and sums over them
        self._most = max(1, BATCH // pixels)
        self._layers: dict[int, Layers] = {}
        self._held: dict[tuple[int, int], int] = {}  # (configuration, number of the layer) → slot

    @property
    def configurations(self) -> int:
        return self.potential.configurations or 1

    @property
    def batch(self) -> int:
        """Positions that are under way at a time, where little is summed up for each."""
        each_wave: int = self._engine.wave_bytes
        return max(1, min(self._most, self._room // each_wave))

    # ------------------------------------------------------------------------------------------- what a run is made of

    def collect(
        self,
        spectrum: NDArray[np.complex128],
        positions: NDArray[np.float64],
        planes: Sequence[int],
        configurations: range,
        collectors: Sequence[Collector],
    ) -> None:
        """Sums over these configurations, divided by the number of all, into the collectors' arrays."""
        probe = self._cuda.Probe(self._engine, spectrum)
        sums = [[make() for _ in planes] for make, _ in collectors]
        each_position = sum(out.nbytes // len(positions) for _, out in collectors)
        for part, groups in self._parts(len(positions), configurations, each_position):
            places = np.ascontiguousarray(positions[part])
            for one in (one for each in sums for one in each):
                one.begin(len(places))
            for group in groups:
                waves = self._cuda.Waves(self._engine, len(group), len(places))
                waves.set_probes(probe, places)
                for halt in self._through(waves, group, planes):
                    for each in sums:
                        each[halt].add(waves, 1 / self.configurations)
                del waves
            for each, (_, out) in zip(sums, collectors, strict=True):
                for halt, one in enumerate(each):
                    one.result(out[halt, part])

    def total(
        self, spectrum: NDArray[np.complex128], positions: NDArray[np.float64], row: Any, column: Any, shape: Any
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """(number of positions, sum of their patterns (1, ky, kx), averaged over configurations), part by part."""
        probe, patterns = self._cuda.Probe(self._engine, spectrum), self.patterns(row, column, shape)()
        for part, groups in self._parts(len(positions), range(self.configurations)):
            places = np.ascontiguousarray(positions[part])
            patterns.begin(1)
            for group in groups:
                waves = self._cuda.Waves(self._engine, len(group), len(places))
                waves.set_probes(probe, places)
                for _ in self._through(waves, group, [len(self.potential)]):
                    patterns.add(waves, 1 / self.configurations)
                del waves
            out = np.empty((1, *shape), np.float32)
            patterns.result(out)
            yield len(places), out

    def waves(
        self,
        out: NDArray[np.complex64],
        planes: Sequence[int],
        *,
        probes: tuple[NDArray[np.complex128], NDArray[np.float64]] | None = None,
        incoming: NDArray[np.complex64] | None = None,
    ) -> None:
        """Waves behind the planes into `out` (configurations, planes, count, ny, nx): of probes (spectrum, positions),
        of waves (count, ny, nx) in front of the specimen, or of plane ones."""
        probe = None if probes is None else self._cuda.Probe(self._engine, probes[0])
        for part, groups in self._parts(out.shape[2], range(self.configurations)):
            for group in groups:
                waves = self._cuda.Waves(self._engine, len(group), part.stop - part.start)
                if probes is not None:
                    waves.set_probes(probe, np.ascontiguousarray(probes[1][part]))
                elif incoming is not None:
                    waves.set_waves(np.ascontiguousarray(incoming[part]))
                for halt in self._through(waves, group, planes):
                    for number, configuration in enumerate(group):
                        waves.wave(number, out[configuration, halt, part])
                del waves

    def patterns(self, row: NDArray[np.int32], column: NDArray[np.int32], shape: tuple[int, int]) -> Callable[[], Any]:
        """Of a collector: |F{ψ}|² of the pixels with row[ky], column[kx] >= 0."""
        return lambda: self._cuda.Patterns(self._engine, row, column, shape)

    def signals(self, weights: NDArray[np.float32]) -> Callable[[], Any]:
        """Of a collector: Σ weights·|F{ψ}|² for each detector."""
        return lambda: self._cuda.Signals(self._engine, weights)

    def mean_waves(self) -> Callable[[], Any]:
        """Of a collector: ψ in real space."""
        return lambda: self._cuda.WaveSums(self._engine)

    # ------------------------------------------------------------------------------------------------- and how it goes

    def _parts(self, count: int, configurations: range, each_position: int = 0) -> Iterator[tuple[slice, list[range]]]:
        """Parts of the positions, and the groups of configurations that fill a launch with each; `each_position`: bytes
        of what is summed up for one."""
        each_wave: int = self._engine.wave_bytes
        most = max(1, min(self._most, self._room // (each_wave + each_position)))
        for start in range(0, count, most):
            part = slice(start, min(start + most, count))
            places = part.stop - part.start
            waves = min(self._most, (self._room - places * each_position) // each_wave)
            size = max(1, min(waves // places, self.capacity // len(self.potential)))
            starts = range(configurations.start, configurations.stop, size)
            yield part, [range(first, min(first + size, configurations.stop)) for first in starts]

    def _through(self, waves: Any, group: range, planes: Sequence[int]) -> Iterator[int]:
        """Waves through the specimen, with a halt behind each of these numbers of slices; gives the halt's number."""
        done = 0
        for number, plane in enumerate(planes):
            while done < plane:
                stop = self._reach(group, done, plane)
                waves.advance(self._slots(group, done, stop), self._propagator[done:stop])
                done = stop
            yield number

    def _of(self, configuration: int) -> Layers:
        if configuration not in self._layers:
            self._layers[configuration] = self.potential.layers(configuration)
        return self._layers[configuration]

    def _reach(self, group: range, first: int, last: int) -> int:
        """How far the transmission functions reach that are held at a time."""
        if len(group) > 1 or self._of(group[0]).count <= self.capacity:
            return last
        index = self._of(group[0]).index
        different = {int(index[first])}
        for stop in range(first + 1, last):
            different.add(int(index[stop]))
            if len(different) > self.capacity:
                return stop
        return last

    def _slots(self, group: range, first: int, last: int) -> NDArray[np.uint32]:
        """Where the transmission functions (configuration, slice) are held; makes those that aren't."""
        wanted = [(c, int(layer)) for c in group for layer in np.unique(self._of(c).index[first:last])]
        missing = [key for key in wanted if key not in self._held]
        if missing:
            if len(self._held) + len(missing) > self._engine.slots:
                self._held.clear()
                missing = wanted
                self._engine.reserve(max(len(wanted), min(self.capacity, len(self.potential) * self.configurations)))
            self._make(missing)
        return np.array(
            [[self._held[c, int(layer)] for layer in self._of(c).index[first:last]] for c in group], np.uint32
        )

    def _make(self, missing: list[tuple[int, int]]) -> None:
        pixels = self.potential.shape[0] * self.potential.shape[1]
        few = max(2, RENDERED // pixels // 2 * 2)
        for start in range(0, len(missing), few):
            keys, at = missing[start : start + few], len(self._held)
            layers = [(self._of(c), layer) for c, layer in keys]
            if isinstance(layers[0][0], AtomLayers) and self.potential.species:
                self._engine.project(at, self.potential.factors(), *_atoms(layers))
            else:
                for slot, (one, layer) in enumerate(layers, at):
                    self._engine.load(slot, one.render(layer, layer + 1))
            self._held.update({key: slot for slot, key in enumerate(keys, at)})


def _atoms(layers: list[tuple[Any, int]]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Atoms of these layers one after the other: y, x as parts of the cell, and where each (layer, species) starts."""
    y, x, starts = [], [], [np.zeros(1, np.int64)]
    for one, layer in layers:
        first = one.starts(layer)
        atoms = slice(int(first[0]), int(first[-1]))
        y.append(one.y[atoms])
        x.append(one.x[atoms])
        starts.append(first[1:] - first[0] + starts[-1][-1])
    return np.concatenate(y), np.concatenate(x), np.concatenate(starts)
