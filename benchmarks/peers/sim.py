"""The multislice beside abTEM, and beside its own floor: one forward and one inverse transform per slice.

Wanted beside crewe: ase, abtem (GPL-3; for this comparison only), pyfftw. Both programs get one thread; times are CPU
times, medians of interleaved rounds. `python -m benchmarks.peers.sim`
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.benchmarks.common import peers_main
from crewe import _core, sim

A = 3.905
ENERGY, SEMIANGLE, DEPTH = 300e3, 20.0, 1.9525
#: What abTEM is told.
THEIRS: dict[str, Any] = {"slice_thickness": DEPTH, "parametrization": "lobato", "projection": "infinite"}
QUIET: dict[str, Any] = {"scheduler": "single-threaded", "progress_bar": False}


def strontium_titanate(cells: tuple[int, int, int]) -> Any:
    """SrO at z = a/4, TiO2 at 3a/4."""
    from ase import Atoms

    places = [(0, 0, 0.25), (0.5, 0.5, 0.75), (0.5, 0.5, 0.25), (0.5, 0, 0.75), (0, 0.5, 0.75)]
    return Atoms("SrTiO3", scaled_positions=places, cell=[A] * 3, pbc=True).repeat(cells)


def cpu(run: Callable[[], Any]) -> float:
    begin = time.process_time()
    run()
    return time.process_time() - begin


def rounds(runs: dict[str, Callable[[], Any]], count: int) -> dict[str, float]:
    """Median CPU seconds of each, taken in turns."""
    for run in runs.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(count):
        for name, run in runs.items():
            times[name].append(cpu(run))
    return {name: statistics.median(found) for name, found in times.items()}


def step_and_floor(n: int, count: int) -> dict[str, float]:
    """One probe·slice step, and a bare pair of transforms: with our own kernels, with NumPy and with FFTW [s]."""
    potential = sim.Potential(strontium_titanate((4, 4, 20)), gpts=n, slice_thickness=DEPTH)
    engine = _core.Multislice32(
        potential.shape, potential.sampling, sim.wavelength(ENERGY), sim.interaction(ENERGY), [DEPTH], (0.0, 0.0)
    )
    slices = potential.slices()
    engine.reserve(len(slices))
    engine.load(0, slices, 1)  # 40 transmission functions of their own, as a crystal with phonons has
    waves = _core.Waves32(engine, 4)
    order, same = np.arange(len(slices), dtype=np.uint32), np.zeros(len(slices), np.uint32)
    wave = sim.probe(energy=ENERGY, semiangle=SEMIANGLE, gpts=n, sampling=potential.sampling)[0]
    pairs = 40
    work = wave.copy()

    def own() -> None:
        for _ in range(10):
            work[...] = wave
            _core.sim_transform_pairs(work, 4)

    def enter() -> None:
        for _ in range(10):
            work[...] = wave
            _core.sim_transform_pairs(work, 0)

    def numpy_pair() -> None:
        np.fft.ifft2(np.fft.fft2(wave))

    runs: dict[str, Callable[[], Any]] = {
        "step": lambda: waves.advance(order, same, 1),
        "own pair": own,
        "own pair, entering": enter,
        "numpy pair": numpy_pair,
    }
    try:
        import pyfftw

        buffer = pyfftw.empty_aligned((n, n), "complex64")
        there = pyfftw.FFTW(buffer, buffer, axes=(0, 1), direction="FFTW_FORWARD", threads=1)
        back = pyfftw.FFTW(buffer, buffer, axes=(0, 1), direction="FFTW_BACKWARD", threads=1)
        buffer[...] = wave

        def fftw() -> None:
            for _ in range(pairs):
                there()
                back()

        runs["fftw pair"] = fftw
    except ImportError:
        pass
    found = rounds(runs, count)
    found["step"] /= 4 * len(slices)
    found["own pair"] = (found["own pair"] - found.pop("own pair, entering")) / pairs
    if "fftw pair" in found:
        found["fftw pair"] /= pairs
    found["step/own pair"] = found["step"] / found["own pair"]
    return found


def compared(runs: dict[str, Callable[[], Any]], count: int) -> dict[str, float]:
    """Median CPU seconds of each, and how many times longer abTEM takes."""
    found = rounds(runs, count)
    if "abtem" in found:
        found["abtem/crewe"] = found["abtem"] / found["crewe"]
    return found


def end_to_end(n: int, side: int, count: int) -> dict[str, float]:
    """4D-STEM of side² probes on n² pixels, 40 slices, the potential included [s]."""
    atoms = strontium_titanate((4, 4, 20))
    lines = np.arange(side) * A / side
    positions = np.stack(np.meshgrid(lines, lines, indexing="ij"), axis=-1)

    def own() -> None:
        potential = sim.Potential(atoms, gpts=n, slice_thickness=DEPTH)
        sim.scan4d(potential, energy=ENERGY, semiangle=SEMIANGLE, positions=positions, threads=1)

    runs: dict[str, Callable[[], Any]] = {"crewe": own}
    try:
        import abtem

        abtem.config.set({"dask.num-workers": 1, "fftw.threads": 1, "local_diagnostics.progress_bar": False})

        def theirs() -> None:
            potential = abtem.Potential(atoms, gpts=n, **THEIRS)
            probe = abtem.Probe(energy=ENERGY, semiangle_cutoff=SEMIANGLE)
            probe.grid.match(potential)
            scan = abtem.CustomScan(positions.reshape(-1, 2)[:, ::-1])
            probe.scan(potential, scan=scan, detectors=abtem.PixelatedDetector(max_angle=None)).compute(**QUIET)

        runs["abtem"] = theirs
    except ImportError:
        pass
    return compared(runs, count)


def plane_wave(n: int, count: int) -> dict[str, float]:
    """One plane wave through 40 slices, the potential included [s]."""
    atoms = strontium_titanate((8, 8, 20))
    runs: dict[str, Callable[[], Any]] = {
        "crewe": lambda: sim.exit_wave(sim.Potential(atoms, gpts=n, slice_thickness=DEPTH), energy=ENERGY, threads=1)
    }
    try:
        import abtem

        def theirs() -> None:
            potential = abtem.Potential(atoms, gpts=n, **THEIRS)
            abtem.PlaneWave(energy=ENERGY).multislice(potential).compute(**QUIET)

        runs["abtem"] = theirs
    except ImportError:
        pass
    return compared(runs, count)


def phonons(count: int) -> dict[str, float]:
    """10 configurations × 4 probes, 256², 40 slices, a ring detector [s]."""
    atoms = strontium_titanate((4, 4, 20))
    positions = np.array([[0.0, 0.0], [0.9, 0.9], [1.95, 1.95], [1.95, 0.0]])

    def own() -> None:
        thermal = sim.FrozenPhonons(10, 0.08, seed=1)
        potential = sim.Potential(atoms, gpts=256, slice_thickness=DEPTH, thermal=thermal)
        sim.stem(
            potential, energy=ENERGY, semiangle=SEMIANGLE, positions=positions, detectors={"adf": (40, 100)}, threads=1
        )

    runs: dict[str, Callable[[], Any]] = {"crewe": own}
    try:
        import abtem

        def theirs() -> None:
            frozen = abtem.FrozenPhonons(atoms, 10, sigmas=0.08, seed=1)
            potential = abtem.Potential(frozen, gpts=256, **THEIRS)
            probe = abtem.Probe(energy=ENERGY, semiangle_cutoff=SEMIANGLE)
            probe.grid.match(potential)
            scan = abtem.CustomScan(positions[:, ::-1])
            probe.scan(potential, scan=scan, detectors=abtem.AnnularDetector(40, 100)).compute(**QUIET)

        runs["abtem"] = theirs
    except ImportError:
        pass
    return compared(runs, count)


def many_atoms(count: int) -> dict[str, float]:
    """The potential of 10 000 atoms at random heights on 512² pixels, 40 slices [s]."""
    rng = np.random.default_rng(0)
    atoms = strontium_titanate((10, 10, 20))
    atoms.positions += rng.normal(0, 0.08, atoms.positions.shape)
    runs: dict[str, Callable[[], Any]] = {
        "crewe": lambda: sim.Potential(atoms, gpts=512, slice_thickness=DEPTH).slices(threads=1)
    }
    try:
        import abtem

        def theirs() -> None:
            potential = abtem.Potential(atoms, gpts=512, **THEIRS)
            potential.build(lazy=False)

        runs["abtem"] = theirs
    except ImportError:
        pass
    return compared(runs, count)


def measure(count: int, quick: bool) -> dict[str, Any]:
    figures: dict[str, Any] = {f"step {n}": step_and_floor(n, count) for n in ((256,) if quick else (256, 512, 1024))}
    figures["4D-STEM 256, 64 probes"] = end_to_end(256, 8, count)
    if not quick:
        figures["4D-STEM 512, 16 probes"] = end_to_end(512, 4, count)
        figures["plane wave 1024"] = plane_wave(1024, count)
        figures["10 configurations x 4 probes, 256"] = phonons(count)
        figures["potential, 10000 atoms, 512, 40 slices"] = many_atoms(count)
    return figures


if __name__ == "__main__":
    peers_main("sim", __doc__, measure, rounds=5)
