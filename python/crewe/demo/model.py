"""A scan over SrTiO₃ [001] that needs nothing but NumPy: one phase object, one probe, single electrons.

    transmission  T(r) = exp(i σ V(r)),   V the projected potential of `cells` × `cells` unit cells [V·Å]
    probe         ψ(r) = F⁻¹[|k| < α/λ]
    pattern       I(k) = |F[ψ(r − p) T(r)]|²  at every probe position p, Σ I = 1

Atoms: f_e(g) = Σ a (2 + b g²)/(1 + b g²)² (Lobato, Van Dyck, Acta Cryst. A70 (2014) 636), one mean square
displacement for all. Probe positions lie on the lattice, so that patterns repeat from cell to cell; electrons don't:
every position draws its own, and the same ones are sent as frames and as events.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe.io.sources import EVENT

__all__ = ["Model", "electrons"]

CELL = 3.905  # Å, SrTiO₃
#: Element and place (y, x) in the cell, in fractions of it.
COLUMNS = (("Sr", 0.0, 0.0), ("Ti", 0.5, 0.5), ("O", 0.5, 0.5), ("O", 0.5, 0.0), ("O", 0.0, 0.5))
LAYERS = 4  # unit cells along the beam: 16 Å
DISPLACEMENT = 0.08  # Å, root mean square in one direction
POTENTIAL = 47.877647  # V·Å² per Å of f_e: h²/(2π m₀ e)
REST = 510998.95  # eV
#: a [Å], b [Å²]
SCATTERING = {
    "O": (
        (29.9474045, -77.6101266, 99.8817765, -51.2127006, 0.00819618954),
        (1.30283988, 1.15794105, 1.00988549, 0.943327971, 0.0433197611),
    ),
    "Ti": (
        (8.57595775, -210.331563, 206.097173, 0.0477773949, 0.000505716484),
        (6.00780669, 2.60285857, 2.55352345, 0.0711429484, 0.00485628439),
    ),
    "Sr": (
        (4.77092509, 1.4759785, 0.304451356, 0.00359474982, 3.00085549e-07),
        (13.3668881, 1.3373838, 0.177532369, 0.00779105033, 0.00028225514),
    ),
}


@dataclass(frozen=True)
class Model:
    """What is scanned: `cells`² unit cells, `steps`² probe positions in each, `pixels`² detector pixels."""

    cells: int = 4
    steps: int = 24
    pixels: int = 256
    energy: float = 200e3  # eV
    semiangle: float = 22.0  # mrad

    @property
    def scan(self) -> tuple[int, int]:
        """Probe positions (y, x)."""
        return self.cells * self.steps, self.cells * self.steps

    @property
    def step(self) -> float:
        """Distance of neighbouring probe positions [Å]."""
        return CELL / self.steps

    @property
    def wavelength(self) -> float:
        """Of the electrons [Å]."""
        return 12398.42 / float(np.sqrt(self.energy * (self.energy + 2 * REST)))

    @property
    def angle_per_pixel(self) -> float:
        """Seen by one detector pixel [mrad]."""
        return 1e3 * self.wavelength / (self.cells * CELL)

    @property
    def interaction(self) -> float:
        """Phase per projected potential [rad/(V·Å)]."""
        return 2 * np.pi / (self.wavelength * self.energy) * (self.energy + REST) / (self.energy + 2 * REST)

    def potential(self) -> NDArray[np.float64]:
        """The projected potential of the whole box, (pixels, pixels) [V·Å]."""
        g = np.fft.fftfreq(self.pixels, self.cells * CELL / self.pixels)  # cycles/Å
        squared = g[:, None] ** 2 + g**2
        spectrum = np.zeros(squared.shape, np.complex128)
        for element, y, x in COLUMNS:
            atom = sum(
                a * (2 + b * squared) / (1 + b * squared) ** 2 for a, b in zip(*SCATTERING[element], strict=True)
            )
            rows, columns = (
                np.exp(-2j * np.pi * np.outer(g, (np.arange(self.cells) + place) * CELL)).sum(1) for place in (y, x)
            )
            spectrum += atom * rows[:, None] * columns
        spectrum *= POTENTIAL * LAYERS * np.exp(-2 * (np.pi * DISPLACEMENT) ** 2 * squared)
        area = (self.cells * CELL / self.pixels) ** 2
        return np.asarray(np.fft.ifft2(spectrum).real / area)

    def aperture(self) -> NDArray[np.float64]:
        """The probe's spectrum, (pixels, pixels), Σ|·|² = 1, centred on the array."""
        k = np.fft.fftfreq(self.pixels, 1 / self.pixels) + 0.5
        inside = np.hypot(k[:, None], k) * self.angle_per_pixel < self.semiangle
        return np.fft.fftshift(inside / np.sqrt(np.count_nonzero(inside)))

    def truth(self) -> NDArray[np.float64]:
        """The phase of the object at the probe positions, seen with the probe: what iCOM images show [rad]."""
        probe = np.abs(np.fft.ifft2(self.aperture())) ** 2
        spectrum = np.fft.fft2(self.interaction * self.potential()) * np.conj(np.fft.fft2(probe / probe.sum()))
        k = np.fft.fftfreq(self.pixels, 1 / self.pixels)
        waves = np.exp(2j * np.pi * np.outer(np.arange(self.scan[0]) / self.scan[0], k))
        return np.asarray((waves @ spectrum @ waves.T).real / self.pixels**2)

    def patterns(self) -> NDArray[np.float32]:
        """The patterns of one unit cell, (steps, steps, pixels, pixels), Σ = 1 each.

        Those of one eighth of the cell are computed, the others are their mirror images (p4mm).
        """
        k = np.fft.fftfreq(self.pixels, 1 / self.pixels)
        transmission = np.exp(1j * self.interaction * self.potential()).astype(np.complex64)
        aperture = np.fft.ifftshift(self.aperture()).astype(np.complex64)
        places = np.arange(self.steps // 2 + 1) / (self.cells * self.steps)
        shifts = np.exp(-2j * np.pi * np.outer(places, k)).astype(np.complex64)
        out = np.empty((self.steps, self.steps, self.pixels, self.pixels), np.float32)
        for j in range(len(shifts)):
            for i in range(j + 1):
                probe = np.fft.ifft2(aperture * shifts[j][:, None] * shifts[i])
                pattern = np.fft.fftshift(np.abs(np.fft.fft2(probe * transmission)) ** 2)
                pattern /= pattern.sum()
                for y, x, seen in ((j, i, pattern), (i, j, pattern.T)):
                    out[-y, -x], out[-y, x], out[y, -x], out[y, x] = seen[::-1, ::-1], seen[::-1], seen[:, ::-1], seen
        return out


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
