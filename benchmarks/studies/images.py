"""HRTEM images of Nb₃Sn and ZrO₂ [001]: 80 kV, objective aperture 30 mrad, corrected lens, atoms at rest."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import noise, sim

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Crystal:
    """A cubic crystal: edge of the cell [Å], elements and places [edges], periods along an edge as seen along z."""

    name: str
    side: float
    formula: str
    places: tuple[tuple[float, float, float], ...]
    periods: int = 1

    def atoms(self, side: float | None = None) -> Any:
        """One cell, strained to `side`; atoms lie in the middle of four slices."""
        from ase import Atoms

        side = side or self.side
        cell = Atoms(self.formula, scaled_positions=self.places, cell=[side] * 3, pbc=True)
        cell.positions[:, 2] += side / 8
        cell.wrap()
        return cell


HALVES = ((0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5))
QUARTERS = tuple((x, y, z) for x in (0.25, 0.75) for y in (0.25, 0.75) for z in (0.25, 0.75))
NIOBIUM = ((0.25, 0, 0.5), (0.75, 0, 0.5), (0.5, 0.25, 0), (0.5, 0.75, 0), (0, 0.5, 0.25), (0, 0.5, 0.75))
NB3SN = Crystal("Nb₃Sn", 5.29, "Sn2Nb6", ((0, 0, 0), (0.5, 0.5, 0.5), *NIOBIUM))
ZRO2 = Crystal("ZrO₂", 5.09, "Zr4O8", ((0, 0, 0), *HALVES, *QUARTERS), periods=2)


def micrograph(atoms: Any, side: float, pixels: int, *, defocus: float = 0.0) -> Image:
    """The image of a crystal made of cells of this side [Å]; defocus [Å] is C10."""
    potential = sim.Potential(atoms, gpts=pixels, slice_thickness=side / 4)
    wave = sim.exit_wave(potential, energy=80e3)
    lens = sim.Aberrations(C10=defocus)
    return sim.hrtem(
        wave, energy=80e3, aberrations=lens, aperture=30.0, sampling=potential.sampling, mode="coherent"
    ).astype(np.float32)


def perfect(crystal: Crystal, depth: int, *, defocus: float = 0.0) -> Image:
    """4 × 4 cells in 128 × 128 pixels, every second of those simulated."""
    atoms = crystal.atoms().repeat((4, 4, depth))
    return micrograph(atoms, crystal.side, 256, defocus=defocus)[::2, ::2].copy()


def counted(image: Image, electrons: float, seed: int, *, gauss: float = 0.0) -> Image:
    """The image at a mean of so many electrons per pixel, then normal noise of `gauss` electrons, nothing below 0."""
    counts = image
    if electrons < np.inf:
        counts = noise.shot(image * np.float32(electrons / image.mean(dtype=float)), seed=seed)
    if gauss > 0:
        counts = noise.thermal(counts, sigma=gauss, seed=seed)
    return np.maximum(counts, 0)
