"""The multislice on a GPU beside cuFFT's bare pairs of transforms and abTEM on CuPy; AIRPI's samples.

Steps are waves times slices. A pair of transforms moves 64 B per pixel, a step 21 B; see cuda/src/sim/sweeps.hpp.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.benchmarks.bench_sim import DEPTH, ENERGY, A, Crystal
from crewe import _device, sim

__all__ = ["rows"]

SLICES = 40
PIXELS = 2**24  # of all waves of a launch
SEMIANGLE = 20.0
DETECTORS = {"bf": (0.0, 20.0), "adf": (60.0, 100.0)}
SAMPLES = 64  # of AIRPI, a run
WORKERS = 8  # threads that make structures for the GPU

#: Name, unit, amount of work of a run, what makes the run, and the bar: a rate, or (another row, factor of its rate).
Row = tuple[str, str, float, Callable[[], Callable[[], Any]], Any]


def positions(count: int) -> Any:
    """Over one unit cell, about `count` of them."""
    line = np.arange(round(count**0.5)) * A / round(count**0.5)
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1)


def crystal(n: int, *, thermal: Any = None) -> sim.Potential:
    cells = (4, 4, SLICES // 2)
    return sim.Potential(Crystal(cells, 0), gpts=n, slice_thickness=DEPTH, thermal=thermal)


def pairs(n: int) -> Callable[[], Any]:
    """As many pairs of transforms as `steps` makes steps."""
    stack = _device.extension().TransformPairs(n, n, PIXELS // n**2, 0)
    return lambda: stack.run(SLICES)


def steps(n: int) -> Callable[[], Any]:
    """Waves through slices, all different."""
    module, potential = _device.extension(), crystal(n)
    constants = sim.wavelength(ENERGY), sim.interaction(ENERGY)
    engine = module.Multislice(potential.shape, potential.sampling, *constants, [DEPTH], (0.0, 0.0), 0, 2**27)
    engine.reserve(SLICES)
    engine.load(0, potential.slices())
    waves = module.Waves(engine, 1, PIXELS // n**2)
    slots, flights = np.arange(SLICES, dtype=np.uint32)[None], np.zeros(SLICES, np.uint32)

    def run() -> None:
        waves.advance(slots, flights)
        engine.synchronize()

    return run


def transmission(n: int) -> Callable[[], Any]:
    """Transmission functions of 1600 atoms in 40 slices, from their positions."""
    potential = crystal(n)
    constants = sim.wavelength(ENERGY), sim.interaction(ENERGY)
    arguments = potential.shape, potential.sampling, *constants, [DEPTH], (0.0, 0.0), 0, 2**27
    engine = _device.extension().Multislice(*arguments)
    engine.reserve(SLICES)
    layers: Any = potential.layers()
    atoms = potential.factors(), layers.y, layers.x, layers.first
    return lambda: engine.project(0, *atoms)


def images(n: int, count: int) -> Callable[[], Any]:
    """What `sim.stem` takes in all, from atoms to images."""
    potential, places = crystal(n), positions(count)
    options: dict[str, Any] = {"energy": ENERGY, "semiangle": SEMIANGLE, "detectors": DETECTORS, "device": "cuda"}
    return lambda: sim.stem(potential, positions=places, **options)


def abtem_images(n: int, count: int) -> Callable[[], Any]:
    """The same by abTEM (GPL-3; for this comparison only) on CuPy."""
    import abtem
    import cupy  # noqa: F401
    from ase import Atoms

    abtem.config.set({"device": "gpu", "precision": "float32", "local_diagnostics.progress_bar": False})
    one = Crystal((4, 4, SLICES // 2), 0)
    atoms = Atoms(one.symbols, positions=one.positions, cell=one.cell, pbc=True)

    def run() -> None:
        potential = abtem.Potential(atoms, gpts=n, slice_thickness=DEPTH, parametrization="lobato")
        probe = abtem.Probe(energy=ENERGY, semiangle_cutoff=SEMIANGLE)
        probe.grid.match(potential)
        detectors = [abtem.AnnularDetector(*angles) for angles in DETECTORS.values()]
        scan = abtem.CustomScan(positions(count).reshape(-1, 2)[:, ::-1])
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


def rows() -> list[Row]:
    """All of them."""
    found: list[Row] = []
    for n, count in ((256, 1024), (512, 256)):
        work = SLICES * (PIXELS // n**2)
        found += [
            (f"cuFFT, pairs of {n}²", "pairs/s", work, lambda n=n: pairs(n), None),
            (f"multislice, steps of {n}²", "steps/s", work, lambda n=n: steps(n), (f"cuFFT, pairs of {n}²", 0.7)),
            (f"transmission functions of {n}²", "slices/s", SLICES, lambda n=n: transmission(n), None),
        ]
        name, work = f"abTEM on CuPy, STEM of {n}²", SLICES * count
        found += [
            (name, "steps/s", work, lambda n=n, count=count: abtem_images(n, count), None),
            (f"sim.stem of {n}²", "steps/s", work, lambda n=n, count=count: images(n, count), (name, 3.0)),
        ]
    found += [
        ("AIRPI samples", "samples/s", SAMPLES, lambda: samples(structures=False), 150.0),
        ("AIRPI samples and their structures", "samples/s", SAMPLES, lambda: samples(structures=True), None),
    ]
    return found
