"""Draws the pictures of sim.md: python docs/pictures_sim.py [folder]. Wants crewe[sim,plot]; a few minutes."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import plot, sim


def strontium_titanate() -> Any:
    from ase import Atoms

    places = [(0, 0, 0.25), (0.5, 0.5, 0.75), (0.5, 0.5, 0.25), (0.5, 0, 0.75), (0, 0.5, 0.75)]
    return Atoms("SrTiO3", scaled_positions=places, cell=[3.905] * 3, pbc=True)


def niobium_tin() -> Any:
    """A15, z shifted so that atoms lie in the middle of slices."""
    from ase import Atoms

    niobium = [(0.25, 0, 0.5), (0.75, 0, 0.5), (0.5, 0.25, 0), (0.5, 0.75, 0), (0, 0.5, 0.25), (0, 0.5, 0.75)]
    atoms = Atoms("Sn2Nb6", scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.5), *niobium], cell=[5.29] * 3, pbc=True)
    atoms.positions[:, 2] += 5.29 / 8
    atoms.wrap()
    return atoms


def patterns(path: Path, panels: list[tuple[str, NDArray[Any]]], columns: int) -> None:
    """Logarithms of diffraction patterns, one colour scale for all."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = -(-len(panels) // columns)
    size = 2.4 * columns, 2.6 * rows
    figure, axes = pyplot.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for axis, (title, image) in zip(axes.flat, panels, strict=False):
        axis.imshow(image, cmap="inferno", vmin=-16)
        axis.set_title(title, fontsize=10)
    for axis in axes.flat:
        axis.set_axis_off()
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def hrtem(folder: Path) -> None:
    potential = sim.Potential(niobium_tin().repeat((4, 4, 20)), gpts=256, slice_thickness=5.29 / 4)
    wave = sim.exit_wave(potential, energy=80e3)
    panels = {}
    for c10, spread, mode in ((60, 30, "envelope"), (60, 30, "explicit"), (0, 30, "envelope"), (-20, 0, "coherent")):
        lens = sim.Aberrations(C10=c10, C30=-5e4)
        image = sim.hrtem(
            wave,
            energy=80e3,
            sampling=potential.sampling,
            aberrations=lens,
            aperture=30.0,
            focal_spread=spread,
            mode=mode,
        )
        panels[f"{c10} ± {spread} Å, {mode}".replace("-", "−")] = image
    plot.show(panels, step=potential.sampling[0], columns=4, size=2.6).savefig(folder / "nb3sn-hrtem.png", dpi=75)


def stem(folder: Path) -> None:
    phonons = sim.FrozenPhonons(4, {"Sr": 0.0795, "Ti": 0.0747, "O": 0.0956}, seed=1)
    atoms = strontium_titanate().repeat((4, 4, 20))
    potential = sim.Potential(atoms, gpts=360, slice_thickness=3.905 / 2, thermal=phonons)
    line = np.arange(24) * 3.905 / 24
    images = sim.stem(
        potential,
        energy=300e3,
        semiangle=21.0,
        positions=np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1),
        detectors={"BF, 0–5": (0, 5), "ABF, 10–21": (10, 21), "ADF, 30–60": (30, 60), "HAADF, 60–140": (60, 140)},
    )
    panels = {f"{name} mrad": np.tile(image, (3, 3)) for name, image in images.items()}
    plot.show(panels, step=line[1], columns=4, size=2.6).savefig(folder / "srtio3-stem.png", dpi=75)


def cbed(folder: Path) -> None:
    from ase.build import bulk

    atoms = sim.slab(bulk("Si", cubic=True), zone=(1, 1, 0), thickness=200.0, size=20.0)
    series, angles = [], []
    for configurations in (0, 1, 2, 4, 16):
        phonons = sim.FrozenPhonons(configurations, 0.078, seed=3) if configurations else None
        potential = sim.Potential(atoms, gpts=384, thermal=phonons)
        middle = [(potential.extent[0] / 2 + 0.3, potential.extent[1] / 2)]
        for semiangle in (3.0, 8.0, 20.0) if configurations in (0, 16) else (8.0,):
            pattern = sim.cbed(potential, energy=100e3, semiangle=semiangle, positions=middle)[0]
            panel = np.log(pattern[72:-72, 72:-72] + 1e-8)
            if semiangle == 8.0:
                plural = "s" if configurations > 1 else ""
                series.append((f"{configurations} configuration{plural}" if configurations else "atoms at rest", panel))
            if configurations in (0, 16):
                angles.append((f"{semiangle:g} mrad, {'16 configurations' if configurations else 'at rest'}", panel))
    patterns(folder / "si-cbed.png", angles, 3)
    patterns(folder / "si-phonons.png", series, 5)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    hrtem(folder)
    stem(folder)
    cbed(folder)


if __name__ == "__main__":
    main()
