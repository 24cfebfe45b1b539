"""The multislice over time: one step, making transmission functions, potentials, whole runs."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from crewe import _core, sim

from .common import cpu_rate

A, DEPTH, ENERGY = 3.905, 1.9525, 300e3


class Crystal:
    """SrTiO3 as `Potential` reads it, without ase."""

    def __init__(self, cells: tuple[int, int, int], seed: int | None = None) -> None:
        unit = np.array([(0, 0, 0.25), (0.5, 0.5, 0.75), (0.5, 0.5, 0.25), (0.5, 0, 0.75), (0, 0.5, 0.75)])
        shifts = np.stack(np.meshgrid(*map(np.arange, cells), indexing="ij"), axis=-1).reshape(-1, 1, 3)
        self.positions = ((shifts + unit) * A).reshape(-1, 3)
        self.symbols = ["Sr", "Ti", "O", "O", "O"] * len(shifts)
        self.cell = np.array(cells) * A
        if seed is not None:
            self.positions += np.random.default_rng(seed).normal(0, 0.08, self.positions.shape)

    def get_chemical_symbols(self) -> list[str]:
        return self.symbols


class Step:
    """One probe through one slice, and a bare pair of transforms."""

    params = ([256, 360, 512, 1024], ["float32", "float64"])
    param_names = ("pixels", "precision")

    def setup(self, n: int, precision: str) -> None:
        kind = "32" if precision == "float32" else "64"
        potential = sim.Potential(Crystal((4, 4, 2), 0), gpts=n, slice_thickness=DEPTH, dtype=precision)
        self.slices = potential.slices()
        constants = sim.wavelength(ENERGY), sim.interaction(ENERGY)
        self.engine = getattr(_core, f"Multislice{kind}")(
            potential.shape, potential.sampling, *constants, [DEPTH], (0.0, 0.0)
        )
        self.engine.reserve(len(self.slices))
        self.engine.load(0, self.slices, 1)
        self.waves = getattr(_core, f"Waves{kind}")(self.engine, 1)
        self.order = np.arange(len(self.slices), dtype=np.uint32)
        self.same = np.zeros(len(self.slices), np.uint32)
        self.wave = np.ones((n, n), self.waves_dtype(precision))

    @staticmethod
    def waves_dtype(precision: str) -> Any:
        return np.complex64 if precision == "float32" else np.complex128

    def track_steps(self, n: int, precision: str) -> float:
        return cpu_rate(lambda: self.waves.advance(self.order, self.same, 1), len(self.order))

    def track_transform_pairs(self, n: int, precision: str) -> float:
        return cpu_rate(lambda: _core.sim_transform_pairs(self.wave.copy(), 4), 4)

    def track_transmission_functions(self, n: int, precision: str) -> float:
        return cpu_rate(lambda: self.engine.load(0, self.slices, 1), len(self.slices))

    track_steps.unit = "steps/s"  # type: ignore[attr-defined]
    track_transform_pairs.unit = "pairs/s"  # type: ignore[attr-defined]
    track_transmission_functions.unit = "slices/s"  # type: ignore[attr-defined]


class Potentials:
    """10 000 atoms in 40 slices."""

    params = ([256, 512],)
    param_names = ("pixels",)

    def setup(self, n: int) -> None:
        self.atoms = Crystal((10, 10, 20), 0)

    def track_slices(self, n: int) -> float:
        potential = sim.Potential(self.atoms, gpts=n, slice_thickness=DEPTH)
        return cpu_rate(lambda: potential.slices(threads=1), len(potential))

    track_slices.unit = "slices/s"  # type: ignore[attr-defined]


class Prism:
    """Positions of a scan from few waves, after the scattering matrix is there."""

    params = ([2, 4],)
    param_names = ("interpolation",)

    def setup(self, interpolation: int) -> None:
        potential = sim.Potential(Crystal((8, 8, 4)), gpts=512, slice_thickness=DEPTH)
        self.prism = sim.Prism(
            potential, energy=ENERGY, semiangle=20.0, interpolation=interpolation, threads=1, memory=2**31
        )
        lines = np.arange(8) * A / 8
        self.positions = np.stack(np.meshgrid(lines, lines, indexing="ij"), axis=-1)
        self._run()

    def _run(self) -> None:
        self.prism.stem(positions=self.positions, detectors={"adf": (40, 100)})

    def track_probes(self, interpolation: int) -> float:
        return cpu_rate(self._run, 64, repeats=3)

    track_probes.unit = "probes/s"  # type: ignore[attr-defined]


class Scan:
    """4D-STEM into Zarr: ten configurations, 256² pixels, 40 slices."""

    def setup(self) -> None:
        thermal = sim.FrozenPhonons(10, 0.08, seed=0)
        self.potential = sim.Potential(Crystal((4, 4, 20)), gpts=256, slice_thickness=DEPTH, thermal=thermal)
        lines = np.arange(8) * A / 8
        self.positions = np.stack(np.meshgrid(lines, lines, indexing="ij"), axis=-1)

    def _run(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            sim.scan4d(
                self.potential, energy=ENERGY, semiangle=20.0, positions=self.positions, store=Path(folder, "a.zarr")
            )

    def peakmem_scan(self) -> None:
        self._run()

    def track_steps(self) -> float:
        return cpu_rate(self._run, 64 * 40 * 10, repeats=3)

    track_steps.unit = "steps/s"  # type: ignore[attr-defined]
