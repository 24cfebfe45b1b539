"""A scan over SrTiO₃ [001] that never saw a microscope: the multislice of `crewe.sim`, then single electrons.

The atoms move (frozen phonons), so that the dark field sees what they scatter diffusely. Probe positions lie on the
lattice, so that patterns repeat from cell to cell; electrons don't: every position draws its own, and the same ones
are sent as frames and as events.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import optics, sim
from crewe.io.sources import EVENT

__all__ = ["Model", "electrons"]

CELL = 3.905  # Å, SrTiO₃
#: Element and place (x, y, z) in the cell, in fractions of it.
BASIS = (
    ("Sr", 0.0, 0.0, 0.0),
    ("Ti", 0.5, 0.5, 0.5),
    ("O", 0.5, 0.5, 0.0),
    ("O", 0.5, 0.0, 0.5),
    ("O", 0.0, 0.5, 0.5),
)
DISPLACEMENT = 0.08  # Å, root mean square in one direction


class Crystal:
    """The atoms in the form in which `crewe.sim` takes them from ase, which the demo does without."""

    def __init__(self, cells: int, layers: int) -> None:
        self.cell = CELL * np.diag([cells, cells, layers]).astype(float)
        corners = np.stack(np.meshgrid(range(cells), range(cells), range(layers), indexing="ij"), -1).reshape(-1, 3)
        places = np.array([place for _, *place in BASIS])
        self.positions = CELL * (corners[:, None] + places).reshape(-1, 3)
        self._symbols = [symbol for symbol, *_ in BASIS] * len(corners)

    def get_chemical_symbols(self) -> list[str]:
        """Of every atom."""
        return self._symbols


@dataclass(frozen=True)
class Model:
    """What is scanned: `cells`² × `layers` unit cells, `steps`² probe positions in each, `pixels`² detector pixels."""

    cells: int = 4
    layers: int = 4
    steps: int = 24
    pixels: int = 256
    energy: float = 200e3  # eV
    semiangle: float = 22.0  # mrad
    configurations: int = 4  # of the moving atoms; 0: at rest and smeared

    @property
    def scan(self) -> tuple[int, int]:
        """Probe positions (y, x)."""
        return self.cells * self.steps, self.cells * self.steps

    @property
    def step(self) -> float:
        """Distance of neighbouring probe positions [Å]."""
        return CELL / self.steps

    @property
    def angle_per_pixel(self) -> float:
        """Seen by one detector pixel [mrad]."""
        return 1e3 * optics.wavelength(self.energy) / (self.cells * CELL)

    @property
    def center(self) -> tuple[float, float]:
        """Detector pixel (y, x) of the undiffracted beam."""
        return self.pixels // 2, self.pixels // 2

    def potential(self, *, moving: bool) -> sim.Potential:
        """Two slices per unit cell. Not moving: every atom smeared by its displacements."""
        thermal: Any = sim.DebyeWaller(DISPLACEMENT)
        if moving and self.configurations:
            thermal = sim.FrozenPhonons(self.configurations, DISPLACEMENT, seed=0)
        return sim.Potential(
            Crystal(self.cells, self.layers), gpts=self.pixels, slice_thickness=CELL / 2, thermal=thermal
        )

    def truth(self) -> NDArray[np.float64]:
        """The phase of the projected potential at the probe positions, seen with the probe [rad]: what iCOM shows."""
        phase = optics.interaction(self.energy) * self.potential(moving=False).slices().sum(0, dtype=np.float64)
        sampling = self.cells * CELL / self.pixels
        wave = sim.probe(energy=self.energy, semiangle=self.semiangle, gpts=self.pixels, sampling=sampling)[0]
        probe = np.abs(wave) ** 2
        spectrum = np.fft.fft2(phase) * np.conj(np.fft.fft2(probe / probe.sum()))
        k = np.fft.fftfreq(self.pixels, 1 / self.pixels)
        waves = np.exp(2j * np.pi * np.outer(np.arange(self.scan[0]) / self.scan[0], k))
        return np.asarray((waves @ spectrum @ waves.T).real / self.pixels**2)

    def patterns(self) -> NDArray[np.float32]:
        """The patterns of one unit cell, (steps, steps, pixels, pixels), fractions of the incident beam."""
        places = self.step * np.stack(np.meshgrid(range(self.steps), range(self.steps), indexing="ij"), -1)
        return sim.cbed(self.potential(moving=True), energy=self.energy, semiangle=self.semiangle, positions=places)


def electrons(
    model: Model, dose: float, *, seed: int = 0, tick: Callable[[int], object] = lambda _: None
) -> NDArray[np.void]:
    """The scan as single electrons: `EVENT` records in order of position, Poisson(`dose`) of them at every position.

    `tick(n)` after every n probe positions.
    """
    rng = np.random.default_rng(seed)
    cumulative = np.cumsum(model.patterns().reshape(model.steps**2, -1), axis=1, dtype=np.float64)
    sy, sx = model.scan
    counts = rng.poisson(dose, sy * sx)
    ends = np.cumsum(counts)
    out = np.empty(int(ends[-1]), EVENT)
    out["position"] = np.repeat(np.arange(sy * sx, dtype=np.uint32), counts)
    for j in range(sy):
        for i in range(sx):
            index, line = j * sx + i, cumulative[j % model.steps * model.steps + i % model.steps]
            pixel = np.searchsorted(line, rng.random(counts[index]) * line[-1])
            mine = out[ends[index] - counts[index] : ends[index]]
            mine["y"], mine["x"] = np.divmod(pixel, model.pixels)
        tick(sx)
    return out
