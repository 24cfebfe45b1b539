"""Phase methods and restoration on a simulated scan of known truth: prints the table of compare.md, draws its picture.

    python pictures_compare.py [folder] [--workers N] [--draws N] [--positions N]

Wants crewe[onnx,plot,sim]; --workers spreads the simulation over so many processes and wants crewe[dask]. Minutes.
"""

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import imaging, metrics, plot, restore, sim
from crewe.optics import interaction, wavelength

Image = NDArray[Any]

ENERGY, SEMIANGLE = 300e3, 20.0  # [eV], [mrad]
CELLS, CELL, GRID, EVERY = 4, 3.905, 256, 4  # unit cells, their edge [Å], pixels of the simulation, per position
BOX = CELLS * CELL  # [Å]
STEP = EVERY * BOX / GRID  # [Å]
ANGLE = wavelength(ENERGY) / BOX * 1e3  # that a detector pixel sees [mrad]
OPTICS = {"energy": ENERGY, "semiangle": SEMIANGLE, "step": STEP, "angle_per_pixel": ANGLE}
BORDER = 6  # positions that aren't compared: methods differ in what they take to be beyond the scan


def specimen() -> Any:
    """One unit cell of SrTiO₃ along the beam, atoms moving."""
    from ase.spacegroup import crystal

    places = [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)]
    cell = crystal(["Sr", "Ti", "O"], places, spacegroup=221, cellpar=[CELL] * 3 + [90] * 3)
    atoms = sim.slab(cell, thickness=CELL, size=BOX)
    return sim.Potential(atoms, gpts=GRID, slice_thickness=CELL / 2, thermal=sim.FrozenPhonons(4, 0.08, seed=1))


def simulate(positions: int, client: Any = None) -> tuple[Image, Image]:
    """Patterns (positions, positions, ky, kx), fractions of the beam, and the true phase at the positions [rad]."""
    potential = specimen()
    first = (GRID - EVERY * positions) // 2
    places = BOX / GRID * (first + EVERY * np.moveaxis(np.mgrid[:positions, :positions], 0, -1))
    frames = sim.scan4d(
        potential, energy=ENERGY, semiangle=SEMIANGLE, positions=places, max_angle=50.0, client=client, progress=True
    )
    phase = interaction(ENERGY) * potential.slices().sum(axis=1).mean(axis=0)
    at = slice(first, first + EVERY * positions, EVERY)
    return frames, phase[at, at]


def images(frames: Image) -> dict[str, Image]:
    """What each method makes of the patterns: phases [rad]; dark field in fractions of what came."""
    center = frames.shape[2] // 2, frames.shape[3] // 2  # where the simulation has its zero frequency
    com = imaging.com(frames, center=center)
    phase = 2 * math.pi * ANGLE * 1e-3 / wavelength(ENERGY)  # of 1 detector pixel over 1 Å
    adf = imaging.virtual_image(frames, inner=1.5 * SEMIANGLE / ANGLE, center=center)
    return {
        "riCOM": phase * imaging.ricom(com, kernel=21, step=STEP),
        "iCOM": phase * imaging.icom(com, step=STEP),
        "SSB": np.angle(imaging.ssb(frames, center=center, **OPTICS)),
        "SSB, wiener=1": np.angle(imaging.ssb(frames, center=center, wiener=1.0, **OPTICS)),
        "AIRPI": np.angle(imaging.airpi(frames, center=center, **OPTICS)),
        "ADF": adf,
        "ADF, restored": restore.restore(adf),
    }


def compare(
    frames: Image, truth: Image, doses: tuple[float, ...], draws: int = 3
) -> dict[float, dict[str, tuple[Image, float, float]]]:
    """By dose [e⁻/Å²] and method: an image, and its correlation with the truth, mean and deviation over the draws.

    The dark field has no true phase to show: it is held against itself without noise.
    """
    inside = slice(BORDER, -BORDER)
    whole = images(frames)
    found: dict[float, dict[str, tuple[Image, float, float]]] = {}
    for dose in doses:
        drawn = [whole]
        if not math.isinf(dose):
            means = frames * (dose * STEP**2)  # electrons per detector pixel
            drawn = [images(np.random.default_rng(seed).poisson(means).astype(np.uint16)) for seed in range(draws)]
        found[dose] = {}
        for name in whole:
            aim = whole["ADF"] if name.startswith("ADF") else truth
            pairs = [[np.ascontiguousarray(a[inside, inside], np.float32) for a in (aim, made[name])] for made in drawn]
            agreement = [float(metrics.cross_correlation(*pair)) for pair in pairs]
            spread = float(np.std(agreement, ddof=1)) if len(agreement) > 1 else 0.0
            found[dose][name] = drawn[0][name], float(np.mean(agreement)), spread
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path())
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--positions", type=int, default=40)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.workers:
        from distributed import Client, LocalCluster

        with LocalCluster(n_workers=arguments.workers, threads_per_worker=1) as cluster, Client(cluster) as client:
            frames, truth = simulate(arguments.positions, client)
    else:
        frames, truth = simulate(arguments.positions)
    found = compare(frames, truth, (math.inf, 1e5, 1e4, 2e3), arguments.draws)
    print("|  |", " | ".join("no noise" if math.isinf(dose) else f"{dose:,.0f} e⁻/Å²" for dose in found), "|")
    print("|---|" + "---:|" * len(found))
    for name in found[math.inf]:
        cells = (
            f"{mean:.3f} ± {spread:.3f}" if spread else f"{mean:.3f}"
            for _, mean, spread in (row[name] for row in found.values())
        )
        print(f"| {name} |", " | ".join(cells), "|")
    shown = {}
    for dose, (title, aim) in {1e5: ("true phase", truth), 2e3: ("ADF, no noise", found[math.inf]["ADF"][0])}.items():
        shown[title] = aim
        shown |= {f"{name}, {dose:,.0f} e⁻/Å²": image for name, (image, *_) in found[dose].items()}
    plot.show(shown, step=STEP, columns=4, size=2.6).savefig(arguments.folder / "compare.png", dpi=75)


if __name__ == "__main__":
    main()
