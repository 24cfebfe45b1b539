"""The multislice on a GPU beside cuFFT's bare pairs of transforms and abTEM on CuPy; AIRPI's samples.

Steps are waves times slices. A pair of transforms moves 64 B per pixel, a step 21 B; see cuda/src/sim/sweeps.hpp.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.benchmarks.bench_sim import DEPTH, ENERGY, A, Crystal
from crewe import sim
from crewe._device import extension

__all__ = ["rows"]

SEMIANGLE = 20.0
DETECTORS = {"bf": (0.0, 20.0), "adf": (30.0, 50.0)}
SAMPLES = 64  # of AIRPI, a run
WORKERS = 8  # threads that make structures for the GPU

#: Name, unit, amount of work of a run, what makes the run, and the bar: a rate, or (another row, factor of its rate).
Row = tuple[str, str, float, Callable[[], Callable[[], Any]], Any]


@dataclass(frozen=True)
class Case:
    """A crystal of cells × cells × slices/2 unit cells on n² pixels."""

    n: int
    cells: int = 4
    slices: int = 40
    pixels: int = 2**24  # of all waves of a launch
    probes: int = 1024  # of an image

    @property
    def waves(self) -> int:
        return self.pixels // self.n**2

    def crystal(self) -> Crystal:
        return Crystal((self.cells, self.cells, self.slices // 2), 0)

    def potential(self) -> sim.Potential:
        return sim.Potential(self.crystal(), gpts=self.n, slice_thickness=DEPTH)

    def positions(self) -> Any:
        """Over one unit cell."""
        line = np.arange(round(self.probes**0.5)) * A / round(self.probes**0.5)
        return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1)

    def engine(self) -> Any:
        potential, constants = self.potential(), (sim.wavelength(ENERGY), sim.interaction(ENERGY))
        engine = extension().Multislice(
            potential.shape, potential.sampling, *constants, [DEPTH], (0.0, 0.0), device=0, scratch=2**27
        )
        engine.reserve(self.slices)
        return engine


def pairs(case: Case) -> Callable[[], Any]:
    """As many pairs of transforms as `steps` makes steps."""
    stack = extension().TransformPairs(case.n, case.n, case.waves, 0)
    return lambda: stack.run(case.slices)


def steps(case: Case) -> Callable[[], Any]:
    """Waves through slices, all different."""
    engine = case.engine()
    engine.load(0, case.potential().slices())
    waves = extension().Waves(engine, 1, case.waves)
    slots, flights = np.arange(case.slices, dtype=np.uint32)[None], np.zeros(case.slices, np.uint32)

    def run() -> None:
        waves.advance(slots, flights)
        engine.synchronize()

    return run


def transmission(case: Case) -> Callable[[], Any]:
    """Transmission functions of the crystal's atoms, from their positions."""
    engine, potential = case.engine(), case.potential()
    layers: Any = potential.layers()
    atoms = potential.factors(), layers.y, layers.x, layers.first
    return lambda: engine.project(0, *atoms)


def images(case: Case) -> Callable[[], Any]:
    """What `sim.stem` takes in all, from atoms to images."""
    potential, places = case.potential(), case.positions()
    options: dict[str, Any] = {"energy": ENERGY, "semiangle": SEMIANGLE, "detectors": DETECTORS, "device": "cuda"}
    return lambda: sim.stem(potential, positions=places, **options)


def abtem_images(case: Case) -> Callable[[], Any]:
    """The same by abTEM (GPL-3; for this comparison only) on CuPy."""
    import abtem
    import cupy  # noqa: F401
    from ase import Atoms

    abtem.config.set({"device": "gpu", "precision": "float32", "local_diagnostics.progress_bar": False})
    one = case.crystal()
    atoms = Atoms(one.symbols, positions=one.positions, cell=one.cell, pbc=True)

    def run() -> None:
        potential = abtem.Potential(atoms, gpts=case.n, slice_thickness=DEPTH, parametrization="lobato")
        probe = abtem.Probe(energy=ENERGY, semiangle_cutoff=SEMIANGLE)
        probe.grid.match(potential)
        detectors = [abtem.AnnularDetector(*angles) for angles in DETECTORS.values()]
        scan = abtem.CustomScan(case.positions().reshape(-1, 2)[:, ::-1])
        for found in probe.scan(potential, scan=scan, detectors=detectors).compute():
            found.to_cpu()

    return run


def samples(*, structures: bool) -> Callable[[], Any]:
    """AIRPI's: the nine probes through 30 configurations; with the random structures, or with these made before."""
    from crewe.train.airpi.samples import CONFIGURATIONS, _potential, random_scan, sample, simulate

    pool = ThreadPoolExecutor(WORKERS)
    if structures:
        return lambda: list(pool.map(lambda number: sample(0, number, device="cuda"), range(SAMPLES)))
    made = []
    for number in range(SAMPLES):
        rng = np.random.default_rng(number)
        scan, grid = random_scan(rng)
        thickness = float(rng.uniform(3, 30))
        made.append((_potential(rng, grid.length, thickness, CONFIGURATIONS), scan, grid, thickness))

    def run() -> None:
        parts = [slice(a, b) for a, b in pairwise(range(0, SAMPLES + 1, SAMPLES // WORKERS))]
        for _ in pool.map(
            lambda part: [simulate(*one[:3], thickness=one[3], device="cuda") for one in made[part]], parts
        ):
            pass

    return run


def rows(*, small: bool = False) -> list[Row]:
    """All of them; `small`: sizes that only show that they run."""
    found: list[Row] = []
    for case in [Case(32, 1, 2, 2048, 4)] if small else [Case(256), Case(512, probes=256)]:
        n, work = case.n, case.slices * case.waves
        bare, peer = f"cuFFT, pairs of {n}²", f"abTEM on CuPy, STEM of {n}²"
        image = case.slices * len(case.positions().reshape(-1, 2))
        found += [
            (bare, "pairs/s", work, lambda case=case: pairs(case), None),
            (f"multislice, steps of {n}²", "steps/s", work, lambda case=case: steps(case), (bare, 0.7)),
            (f"transmission functions of {n}²", "slices/s", case.slices, lambda case=case: transmission(case), None),
            (peer, "steps/s", image, lambda case=case: abtem_images(case), None),
            (f"sim.stem of {n}²", "steps/s", image, lambda case=case: images(case), (peer, 3.0)),
        ]
    if not small:
        found += [
            ("AIRPI samples", "samples/s", SAMPLES, lambda: samples(structures=False), 150.0),
            ("AIRPI samples and their structures", "samples/s", SAMPLES, lambda: samples(structures=True), None),
        ]
    return found
