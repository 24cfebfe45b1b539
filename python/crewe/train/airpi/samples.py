"""What AIRPI's network learns from: nine patterns of neighbouring probes, and the wave that the middle one has behind
the specimen; by multislice, of a seed and a number alone.

Drawn from table 4.1 of the thesis chapter that became Friedrich et al., Microsc. Microanal. 29 (2023) 395, but for

- a box of 128² pixels and the edge of the network's patch, 10 to 24 Å, instead of 80 Å and 1440²: the pattern's 64²
  pixels are those of the box, nothing is resized; probes that want a larger box are left out;
- a quarter of the lenses has no aberrations, half of them small ones besides: corrected microscopes are never perfect;
- both waves belong to the middle of the specimen: then the empty beam's is the probe's, and a thin specimen's the
  probe's times exp(iφ).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import sim
from crewe.imaging.exit_waves import AIRY, Grid, Scan, probe_wave
from crewe.optics import Aberrations, wavelength
from crewe.sim._scan import Pattern, Probes
from crewe.train.airpi.structures import random_structure

__all__ = ["FILL", "LENGTH", "OPTICS", "SIZE", "Sample", "random_scan", "sample", "scan_of", "simulate"]

SIZE = 64  # pixels of a pattern
PIXELS = 128  # of the simulation
LENGTH = 10.0, 24.0  # edge of the box [Å]
FILL = 0.1, 0.95  # radius of the bright disc, as a fraction of half a pattern
ENERGIES = (30, 40, 50, 60, 80, 100, 120, 140, 160, 180, 200, 300)  # [keV]
VACUUM = 0.03  # share of samples without a specimen
CONFIGURATIONS = 30
SIGMA = 0.08  # [Å], of the atoms along x and y
SLICE = 1.0  # [Å]

#: Where the frequencies of the box (as numpy.fft has them) lie in a pattern, −1: nowhere.
_INNER = ((np.arange(PIXELS) + PIXELS // 2) % PIXELS - (PIXELS - SIZE) // 2).astype(np.int32)
_INNER[(_INNER < 0) | (_INNER >= SIZE)] = -1

#: Columns of the numbers that say how a sample was taken.
OPTICS = ("energy", "semiangle", "step", "length", "C10", "C12", "phi12", "C21", "phi21", "C30", "thickness")


@dataclass(frozen=True)
class Sample:
    """Patterns (9, size, size), fractions of the beam, zero frequency at size/2, in the order of rows; the wave behind
    the specimen (size, size) complex64, Σ|ψ|² <= 1, the probe's place at size/2; numbers as `OPTICS` names them."""

    patterns: NDArray[np.float32]
    wave: NDArray[np.complex64]
    optics: NDArray[np.float64]


def random_scan(rng: np.random.Generator) -> tuple[Scan, Grid]:
    """A microscope and a step: table 4.1."""
    while True:
        energy = rng.normal(180, 100)
        if not 30 <= energy <= 330 or 220 <= energy <= 280:
            continue
        energy = 1e3 * min(ENERGIES, key=lambda one: abs(one - energy))
        semiangle = float(rng.normal(20, 10))
        if not 5 <= semiangle <= 30:
            continue
        aperture = semiangle * 1e-3 / wavelength(energy)
        length = float(rng.uniform(*FILL)) * SIZE / 2 / aperture
        if not LENGTH[0] <= length <= LENGTH[1]:
            continue
        step = float(rng.uniform(0.1, 0.9)) * AIRY / aperture
        angle_per_pixel = 1e3 * wavelength(energy) / length
        scan = Scan(energy, semiangle, step, angle_per_pixel, aberrations=_lens(rng, energy, semiangle))
        if 2 * scan.radius < length:
            return scan, Grid(SIZE, length)


def _lens(rng: np.random.Generator, energy: float, semiangle: float) -> Aberrations:
    kind = rng.random()
    if kind < 0.25:
        return Aberrations()
    if kind < 0.5:  # the table's: C_s = 1 µm
        return Aberrations(C10=-math.sqrt(1.5e4 * wavelength(energy)), C30=1e4)
    depth = wavelength(energy) / (semiangle * 1e-3) ** 2  # of the focus [Å]
    c10, c12, c21 = rng.normal(0, (0.5 * depth, 0.15 * depth, 0.3 * depth / (semiangle * 1e-3)))
    phi12, phi21 = rng.uniform(-np.pi, np.pi, 2)
    c30 = float(rng.choice([0.0, 1e4, rng.uniform(-3e4, 3e4)]))
    return Aberrations(C10=c10, C12=abs(c12), phi12=phi12, C21=abs(c21), phi21=phi21, C30=c30)


def scan_of(optics: Any) -> tuple[Scan, Grid]:
    """The microscope behind the numbers of a sample."""
    named = dict(zip(OPTICS, map(float, optics), strict=True))
    lens = Aberrations(**{name: value for name, value in named.items() if name[0] in "Cp"})
    angle_per_pixel = 1e3 * wavelength(named["energy"]) / named["length"]
    scan = Scan(named["energy"], named["semiangle"], named["step"], angle_per_pixel, aberrations=lens)
    return scan, Grid(SIZE, named["length"])


def sample(seed: int, number: int, *, configurations: int = CONFIGURATIONS, device: str = "cpu") -> Sample:
    """Sample `number` of `seed`; on one core, or on a GPU.

    Parameters
    ----------
    seed, number : int
    configurations : int
        Of the moving atoms; all nine probes meet the same ones.
    device : str
        "cpu", "cuda" or "cuda:1": the same to the rounding of float32.

    Returns
    -------
    Sample

    Raises
    ------
    ImportError
        ase is missing: pip install 'crewe[sim]'.
    """
    rng = np.random.default_rng([seed, number])
    scan, grid = random_scan(rng)
    thickness = float(rng.uniform(3, 30))
    numbers = [getattr(scan.aberrations, name, None) for name in OPTICS]
    known = {"energy": scan.energy, "semiangle": scan.semiangle, "step": scan.step, "length": grid.length}
    known["thickness"] = thickness
    optics = np.array([known.get(name, value) for name, value in zip(OPTICS, numbers, strict=True)], float)
    if rng.random() < VACUUM:
        wave = probe_wave(scan, grid)
        pattern = np.abs(np.fft.fftshift(np.fft.fft2(wave)) / SIZE).astype(np.float32) ** 2
        return Sample(np.repeat(pattern[None], 9, axis=0), wave.astype(np.complex64), optics)
    potential = _potential(rng, grid.length, thickness, configurations)
    return Sample(*simulate(potential, scan, grid, thickness=thickness, device=device), optics)


def simulate(
    potential: sim.Potential, scan: Scan, grid: Grid, *, thickness: float, device: str = "cpu"
) -> tuple[NDArray[np.float32], NDArray[np.complex64]]:
    """Patterns (9, size, size) about the middle of a box of 2·size pixels, and the mean wave of the fifth (size, size),
    both as in `Sample`."""
    lens = _refocused(scan.aberrations, -thickness / 2)
    optics: dict[str, Any] = {"energy": scan.energy, "semiangle": scan.semiangle, "aberrations": lens}
    probes = Probes.of(potential, **optics, threads=1, device=device)
    around = scan.step * np.stack(np.meshgrid((-1.0, 0.0, 1.0), (-1.0, 0.0, 1.0), indexing="ij"), axis=-1)
    patterns, waves = probes.means(grid.length / 2 + around.reshape(9, 2), Pattern(_INNER, _INNER, (SIZE, SIZE)))
    spectrum = np.fft.fft2(waves[4])[_INNER >= 0][:, _INNER >= 0]
    ky, kx = grid.frequencies()
    back = np.exp(1j * np.pi * wavelength(scan.energy) * np.fft.ifftshift(ky**2 + kx**2) * thickness / 2)
    return patterns.astype(np.float32), (np.fft.ifft2(spectrum * back) * SIZE).astype(np.complex64)


def _refocused(lens: Aberrations, by: float) -> Aberrations:
    """The same lens, its focus moved along the beam: C10 and all else."""
    return Aberrations(**{**lens.__dict__, "C10": lens.C10 + by})


def _potential(rng: np.random.Generator, edge: float, thickness: float, configurations: int) -> sim.Potential:
    try:
        from ase import Atoms
    except ImportError:
        raise ImportError("crewe.train.airpi wants ase: pip install 'crewe[sim]'") from None
    positions, numbers, _ = random_structure(rng, edge=edge, thickness=thickness)
    atoms = Atoms(numbers, positions=positions, cell=(edge, edge, thickness))
    moves = rng.normal(0, SIGMA, (configurations, len(numbers), 2))
    displaced = np.repeat(positions[None], configurations, axis=0)
    displaced[..., :2] += moves
    slices = max(1, round(thickness / SLICE))
    return sim.Potential(atoms, gpts=PIXELS, slice_thickness=thickness / slices, thermal=displaced)
