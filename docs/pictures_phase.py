"""Draws the pictures of phase.md: python docs/pictures_phase.py [folder]. Wants crewe[sim,plot]; a minute or two."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import imaging, live, plot, sim
from crewe.optics import Aberrations, wavelength

ENERGY, SEMIANGLE, SIDE, STEP, BOX = 80e3, 25.0, 56, 0.25, 28.0  # [eV], [mrad], positions, [Å], [Å]
OPTICS = {
    "energy": ENERGY,
    "semiangle": SEMIANGLE,
    "step": STEP,
    "angle_per_pixel": wavelength(ENERGY) / BOX * 1e3,
}


def disulfide() -> Any:
    """A layer of MoS2 that lacks two sulfur atoms, one above the other."""
    from ase.build import mx2

    crystal = mx2("MoS2", a=3.18, thickness=3.17, vacuum=2.0)
    crystal.pbc = True
    atoms = sim.slab(crystal, thickness=float(crystal.cell[2, 2]), size=BOX, rotation=0.2)
    away = np.hypot(*(atoms.positions[:, :2] - BOX / 2 - 0.5).T)
    sulfur = np.flatnonzero(atoms.numbers == 16)
    del atoms[[i for i in sulfur if away[i] < away[sulfur].min() + 0.1]]
    return atoms


def scan(lens: Aberrations | None = None) -> NDArray[np.float32]:
    """(SIDE, SIDE, ky, kx), fractions of the beam."""
    potential = sim.Potential(disulfide(), gpts=320)
    places = BOX / 2 + STEP * (np.moveaxis(np.mgrid[:SIDE, :SIDE], 0, -1) - SIDE / 2)
    frames: NDArray[np.float32] = sim.scan4d(
        potential, energy=ENERGY, semiangle=SEMIANGLE, positions=places, max_angle=1.25 * SEMIANGLE, aberrations=lens
    )
    return frames


def counts(frames: NDArray[np.float32], dose: float) -> NDArray[np.uint16]:
    """`dose` electrons per Å²."""
    return np.random.default_rng(0).poisson(frames * (dose * STEP**2)).astype(np.uint16)


def methods(frames: NDArray[Any], name: str) -> dict[str, NDArray[Any]]:
    center = frames.shape[2] // 2, frames.shape[3] // 2
    phase = 2 * np.pi * OPTICS["angle_per_pixel"] * 1e-3 / wavelength(ENERGY)  # of 1 pixel over 1 Å [rad]
    return {
        f"SSB, {name}": np.angle(imaging.ssb(frames, center=center, **OPTICS)),
        f"SSB, wiener=1, {name}": np.angle(imaging.ssb(frames, center=center, wiener=1.0, **OPTICS)),
        f"iCOM, {name}": phase * imaging.icom(imaging.com(frames, center=center), step=STEP),
    }


def growing(frames: NDArray[np.uint16]) -> dict[str, NDArray[Any]]:
    """The phase of a quarter, half and all of a scan."""
    flat, shown = frames.reshape(-1, *frames.shape[2:]), {}
    center = frames.shape[2] // 2, frames.shape[3] // 2
    kinds = {"phase": live.SSB(**OPTICS)}
    with live.Session(scan=frames.shape[:2], detector=frames.shape[2:], images=kinds, center=center) as session:
        for first, last in ((0, 0.25), (0.25, 0.5), (0.5, 1.0)):
            session.push(flat[int(first * len(flat)) : int(last * len(flat))])
            shown[f"live, {last:.0%} scanned"] = session["phase"].copy()
    return shown


def main(folder: Path) -> None:
    frames = scan()
    images = (
        methods(frames, "no noise")
        | methods(counts(frames, 2e4), "2·10⁴ e/Å²")
        | methods(counts(frames, 2e3), "2000 e/Å²")
    )
    plot.show(images, step=STEP, size=2.6).savefig(folder / "phase-dose.png", dpi=75)
    lens = Aberrations(C10=150.0, C12=60.0, phi12=0.6)
    blurred, center = counts(scan(lens), 2e5), (frames.shape[2] // 2, frames.shape[3] // 2)
    taken_out = {
        name: np.angle(imaging.ssb(blurred, center=center, aberrations=known, **OPTICS))
        for name, known in (("15 nm out of focus", None), ("the same, aberrations given", lens))
    }
    plot.show(growing(counts(frames, 2e5)) | taken_out, step=STEP, size=2.6).savefig(folder / "phase-live.png", dpi=75)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "pictures"))
