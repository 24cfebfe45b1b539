"""Draws README's picture: python docs/pictures_overview.py [folder]. Wants crewe[onnx,plot,sim]; some ten minutes.

A 4D-STEM scan over an edge dislocation in SrTiO₃: what a live session shows on the way and in the end, the dark field
restored, its columns, and their strain.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import atoms, live, plot, restore, sim, strain
from crewe.optics import wavelength

Image = NDArray[Any]

ENERGY, SEMIANGLE, DOSE = 300e3, 25.0, 1e4  # [eV], [mrad], [e⁻/Å²]
CELL, CELLS, LAYERS = 3.905, 13, 4  # [Å], unit cells across and along the beam
BOX, GRID, BIN = CELL * CELLS, 512, 3  # [Å], pixels of the simulation, and of them in one of the detector
ANGLE = BIN * wavelength(ENERGY) / BOX * 1e3  # that a detector pixel sees [mrad]
STEP = 0.25  # [Å]
CONFIGURATIONS = 2  # of the moving atoms
POISSON_RATIO = 0.24


def displaced(x: Image, y: Image) -> tuple[Image, Image]:
    """What an edge dislocation at (0, 0) does to an isotropic body whose planes along y < 0 are missing for |x| < b/2.

    J. P. Hirth, J. Lothe, Theory of Dislocations, 2nd ed. (1982), chapter 3; Burgers vector b = `CELL` along x.
    """
    square, rest = x**2 + y**2, 1 - POISSON_RATIO
    along = np.arctan2(x, y) - x * y / (2 * rest * square)
    across = ((1 - 2 * POISSON_RATIO) * np.log(square / CELL**2) + (x**2 - y**2) / square) / (4 * rest)
    return x - CELL / (2 * np.pi) * along, y - CELL / (2 * np.pi) * across


def dislocation() -> Any:
    """SrTiO₃ [001] with one in the middle of the box, whose border of 1 Å is empty, as its sides don't match."""
    from ase.spacegroup import crystal

    places = [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)]
    cell = crystal(["Sr", "Ti", "O"], places, spacegroup=221, cellpar=[CELL] * 3 + [90] * 3)
    slab = cell.repeat((CELLS + 4, CELLS + 4, LAYERS))
    slab.positions[:, :2] -= CELL * (CELLS + 4.5) / 2  # the middle lies between planes
    slab = slab[(np.abs(slab.positions[:, 0]) > CELL / 2) | (slab.positions[:, 1] > 0)]
    slab.positions[:, :2] = np.stack(displaced(*slab.positions[:, :2].T), axis=1)
    slab = slab[(np.abs(slab.positions[:, :2]) < BOX / 2 - 1).all(1)]
    slab.positions[:, :2] += BOX / 2
    slab.cell = np.diag([BOX, BOX, CELL * LAYERS])
    return slab


def scan(positions: int) -> NDArray[np.uint16]:
    """Patterns (positions, positions, ky, kx) in electrons."""
    potential = sim.Potential(
        dislocation(), gpts=GRID, slice_thickness=CELL / 2, thermal=sim.FrozenPhonons(CONFIGURATIONS, 0.08, seed=0)
    )
    places = BOX / 2 + STEP * (np.moveaxis(np.mgrid[:positions, :positions], 0, -1) - (positions - 1) / 2)
    frames = sim.scan4d(
        potential,
        energy=ENERGY,
        semiangle=SEMIANGLE,
        positions=places,
        max_angle=2.4 * SEMIANGLE,
        bin=BIN,
        progress=True,
    )
    return np.random.default_rng(0).poisson(frames * (DOSE * STEP**2)).astype(np.uint16)


def watch(frames: NDArray[np.uint16]) -> dict[str, Image]:
    """What a live session shows after a third of the scan, and in the end."""
    sy, sx, *detector = frames.shape
    optics = {"energy": ENERGY, "semiangle": SEMIANGLE, "step": STEP, "angle_per_pixel": ANGLE}
    kinds = {
        "riCOM": live.RiCOM(kernel=41),
        "SSB": live.SSB(wiener=1.0, **optics),
        "AIRPI": live.AIRPI(**optics),
        "ADF": live.VirtualDetector(inner=1.3 * SEMIANGLE / ANGLE),
    }
    middle = detector[0] // 2, detector[1] // 2
    with live.Session(scan=(sy, sx), detector=(detector[0], detector[1]), images=kinds, center=middle) as session:
        third = sy // 3 * sx
        session.push(frames.reshape(-1, *detector)[:third])
        session.flush()
        early = {"riCOM, a third scanned": np.array(session["riCOM"])}
        session.push(frames.reshape(-1, *detector)[third:])
        session.finish()
        return early | {name: np.array(session[name]) for name in session}


def draw(images: dict[str, Image]) -> Any:
    """All of it beside the restored dark field, its columns and their strain."""
    restored = restore.restore(images["ADF"])
    columns = atoms.fit(restored, atoms.find(restored, model="log"))
    perfect = CELL / 2 / STEP * np.array([(1, 1), (1, -1)])
    around = strain.from_positions(columns.positions, reference=perfect)
    shown = images | {"ADF, restored": restored, "columns": restored, "strain ε_xx, −6 to 6 %": restored}
    figure = plot.show(shown, step=STEP, columns=4, size=3.0)
    y, x = columns.positions.T
    marked, strained = figure.axes[-2:]
    marked.scatter(x, y, s=14, facecolors="none", edgecolors="tab:orange", linewidths=1.0)
    strained.scatter(x, y, s=40, c=100 * around.eps_xx, cmap="RdBu_r", vmin=-6, vmax=6)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/pictures"))
    parser.add_argument("--positions", type=int, default=144)
    arguments = parser.parse_args()
    draw(watch(scan(arguments.positions))).savefig(arguments.folder / "overview.png", dpi=68)


if __name__ == "__main__":
    main()
