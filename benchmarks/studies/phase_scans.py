"""Scans of known truth for the study of phases: made by `crewe.sim` and kept in a folder, or read from one."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import sim
from crewe.optics import interaction, wavelength

Floats = NDArray[np.float64]
Frames = NDArray[Any]

ENERGY, SEMIANGLE = 300e3, 20.0  # [eV], [mrad]
BOX, GRID = 27.6, 256  # of the simulation [Å], [pixels]
STEP = 2 * BOX / GRID  # [Å]
BIN = 2  # detector pixels that are joined: the disc has a radius of 14 of them, as wide as the network likes it
KEPT = 45.0  # the detector's edge [mrad]
SIGMA = 0.08  # of thermal motion along each axis [Å]


@dataclass(frozen=True)
class Scan:
    """Patterns (sy, sx, ky, kx), fractions of the beam; the true phase at the probe positions [rad], the same as the
    probe's intensity blurs it; distances in Å, angles in mrad, the centre in detector pixels."""

    name: str
    frames: NDArray[np.float32]
    truth: Floats
    blurred: Floats
    step: float
    angle_per_pixel: float
    center: tuple[float, float]
    energy: float = ENERGY
    semiangle: float = SEMIANGLE

    def optics(self) -> dict[str, float]:
        return {
            "energy": self.energy,
            "semiangle": self.semiangle,
            "step": self.step,
            "angle_per_pixel": self.angle_per_pixel,
        }

    def every(self, n: int) -> "Scan":
        """Every n-th position."""
        take = slice(None, None, n), slice(None, None, n)
        frames = np.ascontiguousarray(self.frames[take])
        truth, blurred = self.truth[take], self.blurred[take]
        return replace(self, frames=frames, truth=truth, blurred=blurred, step=self.step * n)

    def counts(self, dose: float, seed: int) -> Frames:
        """What a detector counts at a dose [e/Å²]; the patterns themselves at an infinite one."""
        if math.isinf(dose):
            return self.frames
        electrons = np.random.default_rng(seed).poisson(self.frames * (dose * self.step**2))
        return electrons.astype(np.uint8 if electrons.max() < 256 else np.uint16)


def bilayer() -> Any:
    """Two layers of MoS₂, turned by 21.8° against each other; a sulfur atom is missing, a tungsten atom too many."""
    from ase.build import mx2

    crystal = mx2("MoS2", a=3.18, thickness=3.17, vacuum=2.0)
    crystal.pbc = True
    layers = [
        sim.slab(crystal, thickness=float(crystal.cell[2, 2]), size=BOX, rotation=angle)
        for angle in (0.2, 0.2 + math.radians(21.787))
    ]
    height = float(layers[0].cell[2, 2])
    layers[1].positions[:, 2] += height
    atoms = layers[0] + layers[1]
    atoms.cell[2, 2] = 2 * height
    away = np.hypot(*(atoms.positions[:, :2] - BOX / 2 - 2.0).T)
    atoms.numbers[np.flatnonzero(atoms.numbers == 42)[away[atoms.numbers == 42].argmin()]] = 74
    away = np.hypot(*(atoms.positions[:, :2] - BOX / 2 + 2.5).T)
    del atoms[int(np.flatnonzero(atoms.numbers == 16)[away[atoms.numbers == 16].argmin()])]
    return atoms


def simulated(folder: Path, *, positions: int = 48, configurations: int = 8) -> Scan:
    """The bilayer; a minute or two of work the first time."""
    path = folder / f"bilayer-{positions}-{configurations}.npz"
    angle = wavelength(ENERGY) / BOX * 1e3 * BIN
    if not path.exists():
        thermal = sim.FrozenPhonons(configurations, SIGMA, seed=1)
        potential = sim.Potential(bilayer(), gpts=GRID, thermal=thermal)
        first = (GRID // 2 - positions) * BOX / GRID
        places = first + STEP * np.moveaxis(np.mgrid[:positions, :positions], 0, -1)
        frames = sim.scan4d(
            potential,
            energy=ENERGY,
            semiangle=SEMIANGLE,
            positions=places,
            max_angle=KEPT,
            bin=BIN,
            progress=True,
        )
        phase = interaction(ENERGY) * potential.slices().astype(np.float64).sum(1).mean(0)
        truth, blurred = (a[at(positions)] for a in (phase, blur(phase, BOX)))
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, frames=frames, truth=truth, blurred=blurred)
    with np.load(path) as data:
        frames = data["frames"]
        return Scan("MoS₂ bilayer", frames, data["truth"], data["blurred"], STEP, angle, middle(frames, 0.25))


def at(positions: int) -> tuple[slice, slice]:
    """Where the positions lie on the grid."""
    every = slice(GRID // 2 - positions, GRID // 2 + positions, 2)
    return every, every


def middle(frames: Frames, more: float = 0.0) -> tuple[float, float]:
    """The zero frequency: a quarter further where two pixels were joined, the first of which lies before it."""
    return frames.shape[2] // 2 + more, frames.shape[3] // 2 + more


def blur(phase: Floats, side: float) -> Floats:
    """Correlated with the probe's intensity: what methods of the centre of mass see at best."""
    n = len(phase)
    probe = sim.probe(energy=ENERGY, semiangle=SEMIANGLE, gpts=n, sampling=side / n, positions=(0.0, 0.0))
    weight = np.fft.fft2(np.abs(probe) ** 2 / (np.abs(probe) ** 2).sum())
    blurred: Floats = np.fft.ifft2(np.fft.fft2(phase) * weight.conj()).real
    return blurred


def stored(folder: Path) -> Scan:
    """A scan from files: `inf_dose.npz` (q, scale: scale·(q/65535)² are fractions of the beam), `truth.npz` (phi_raw,
    phi_probe) and `meta.json` (E [eV], alpha_mrad, step_A, dk_invA, lam_A)."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    with np.load(folder / "inf_dose.npz") as data:
        frames = (data["scale"] * (data["q"] / 65535.0) ** 2).astype(np.float32)
    with np.load(folder / "truth.npz") as data:
        truth, blurred = data["phi_raw"].astype(np.float64), data["phi_probe"].astype(np.float64)
    angle = meta["dk_invA"] * meta["lam_A"] * 1e3
    return Scan(
        folder.name, frames, truth, blurred, meta["step_A"], angle, middle(frames), meta["E"], meta["alpha_mrad"]
    )


def atom(number: int, *, side: float = 13.8, grid: int = 128, positions: int = 20) -> Scan:
    """One atom at rest in the middle of the scan."""
    from ase import Atoms

    potential = sim.Potential(Atoms([number], [[side / 2, side / 2, 1.0]], cell=[side, side, 2.0]), gpts=grid)
    return _small(f"Z = {number}", potential, side, grid, positions)


def noise_object(*, side: float = 13.8, grid: int = 128, strength: float = 0.02) -> Scan:
    """A thin object whose phase is white noise of 0.02 rad up to 2.5 apertures: everything is transferred at once."""
    rng = np.random.default_rng(3)
    k = np.hypot(*np.meshgrid(*[np.fft.fftfreq(grid, side / grid)] * 2, indexing="ij"))
    inside = (k > 0) & (k < 2.5 * SEMIANGLE * 1e-3 / wavelength(ENERGY))
    phase = np.fft.ifft2(np.fft.fft2(rng.normal(size=(grid, grid))) * inside).real
    phase *= strength / phase.std()
    slices = (phase / interaction(ENERGY)).astype(np.float32)[None]
    potential = sim.Potential.from_array(slices, sampling=side / grid, slice_thickness=1.0)
    return _small("noise", potential, side, grid, grid // 2)


def _small(name: str, potential: Any, side: float, grid: int, positions: int) -> Scan:
    """Positions on every second pixel about the middle of a box as wide as the network's patch."""
    step, first = 2 * side / grid, grid // 2 - positions
    places = side / grid * (first + 2 * np.moveaxis(np.mgrid[:positions, :positions], 0, -1))
    frames = sim.scan4d(potential, energy=ENERGY, semiangle=SEMIANGLE, positions=places, max_angle=KEPT)
    phase = interaction(ENERGY) * potential.slices().astype(np.float64).sum(-3)
    phase = phase.reshape(-1, grid, grid).mean(0)
    every = slice(first, first + 2 * positions, 2)
    truth, blurred = phase[every, every], blur(phase, side)[every, every]
    return Scan(name, frames, truth, blurred, step, wavelength(ENERGY) / side * 1e3, middle(frames))
