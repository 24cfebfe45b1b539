"""What restoration does to measurements: column positions, scattering cross-sections and atom counts, raw against
restored, over dose.

    python -m benchmarks.studies.restoration [--realisations 3] [--model stem-hr]

Three specimens (bulk SrTiO₃ [001], Pt with an edge dislocation, a Pt particle on carbon) as sums of Gaussian columns,
60-190 mrad at 300 kV or thereabouts: 0.0166 Å² per Pt atom, others as Z^1.7. Jitter σ = 0.25 (y) and 0.5 px (x),
φ = 0.5, pulses of a photomultiplier of width 0.23, smear of the readout. All columns are fitted from their true places,
in the raw, the restored and the undistorted image; errors are those against the latter. The bound is the Cramér-Rao
bound of counting alone, averaged over columns. Shifts of lines as `restore.scan_shifts` finds them, 8 lines at either
border left out.

Source: Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, figs. 3-5; Friedrich's thesis, figs. 2.7-2.9.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import atoms, models, noise
from crewe.restore import restore, scan_shifts

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

DOSES = (500.0, 1000.0, 5000.0, 10_000.0, 50_000.0)  # [e⁻/Å²]
PLATINUM = 0.0166  # [Å²] per atom
BORDER = 12  # pixels from the edge within which columns aren't counted


@dataclass(frozen=True)
class Scene:
    """Columns: places (n, 2) as (y, x) [pixels], cross-sections [Å²], atoms per column."""

    name: str
    pixel_size: float
    width: float
    places: Floats
    sections: Floats
    counts: NDArray[np.int64]
    image: Image


def scenes() -> Iterator[Scene]:
    yield bulk()
    yield dislocation()
    yield particle()


def bulk() -> Scene:
    """SrTiO₃ [001], 20 cells thick, 2 % of the titanium columns with vacancies."""
    pixel_size, a, n = 0.15, 3.905, 256
    rng = np.random.default_rng(0)
    cells = np.stack(np.meshgrid(*[np.arange(-1, n * pixel_size / a + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
    places = np.concatenate([cells + shift for shift in ((0, 0), (0.5, 0.5), (0.5, 0), (0, 0.5))]) * a
    strontium, titanium, oxygen = (PLATINUM * (z / 78) ** 1.7 for z in (38, 22, 8))
    kinds = np.repeat([20 * strontium, 20 * (titanium + oxygen), 20 * oxygen, 20 * oxygen], len(cells))
    missing = (np.repeat(np.arange(4), len(cells)) == 1) & (rng.random(len(kinds)) < 0.02)
    return _scene("bulk SrTiO₃", pixel_size, 0.45, turned(places, 7.0), np.where(missing, 0.7 * kinds, kinds), None, n)


def dislocation() -> Scene:
    """Pt, columns of 6 atoms, an edge dislocation with b = 2.77 Å in the middle."""
    pixel_size, n = 0.16, 256
    size = n * pixel_size
    j, i = np.meshgrid(np.arange(-12, 40), np.arange(-12, 40), indexing="ij")
    y, x = j.ravel() * 2.27 - 0.01, i.ravel() * 1.387 * 2 + (j.ravel() % 2) * 1.387
    py, px = y - size / 2 + 1.1, x - size / 2 + 0.7
    square = np.maximum(py**2 + px**2, 0.5)
    b = 2.774
    x = x + b / (2 * math.pi) * (np.arctan2(py, px) + px * py / (1.4 * square))
    y = y - b / (2 * math.pi) * (0.1429 * np.log(square) + (px**2 - py**2) / (2.8 * square))
    counts = np.full(len(x), 6)
    return _scene("Pt dislocation", pixel_size, 0.40, np.stack([y, x], -1), 6 * PLATINUM * np.ones(len(x)), counts, n)


def particle() -> Scene:
    """A Pt sphere of 7 cells [100] on carbon: columns of 1 to 7 atoms."""
    pixel_size, n, a = 0.12, 320, 3.924
    grid = np.arange(-12, 13)
    places = np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2) * a / 2
    height = 2 * np.sqrt(np.clip((3.5 * a) ** 2 - (places**2).sum(-1), 0, None)) / a
    counts = np.rint(height).astype(int)
    places, counts = places[counts > 0], counts[counts > 0]
    return _scene("Pt particle", pixel_size, 0.42, places + n * pixel_size / 2, counts * PLATINUM, counts, n, 0.008)


def turned(places: Floats, degrees: float) -> Floats:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return places @ np.array([[c, -s], [s, c]])


def _scene(
    name: str,
    pixel_size: float,
    width: float,
    places: Floats,
    sections: Floats,
    counts: NDArray[np.int64] | None,
    n: int,
    ground: float = 0.002,
) -> Scene:
    """The image is the fraction of incident electrons; the ground is that of a thin support."""
    places = places / pixel_size
    keep = ((places > -0.5) & (places < n - 0.5)).all(axis=1)
    counts = np.ones(len(places), int) if counts is None else counts
    places, sections, counts = places[keep], sections[keep], counts[keep]
    y, x = np.ogrid[:n, :n]
    image = np.full((n, n), ground)
    sigma = width / pixel_size
    for (cy, cx), section in zip(places, sections, strict=True):
        height = section / (2 * math.pi * width**2)
        image += height * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * sigma**2))
    return Scene(name, pixel_size, width, places, sections, counts, image.astype(np.float32))


def recorded(scene: Scene, dose: float, seed: int) -> noise.Degraded:
    """Electrons per pixel, and the shifts of the lines."""
    lit = dose * scene.pixel_size**2
    truth = scene.image * np.float32(lit)
    return noise.stem(
        truth,
        pixel_size=1.0,
        electrons_per_pixel=float(truth.mean(dtype=np.float64)),
        seed=seed,
        jitter={"sigma": (0.25, 0.5), "phi": 0.5},
        detector={"width": 0.23, "pedestal": 0.05},
        fast_scan={"alpha": 2.5, "beta": 0.8, "gamma": 9.0, "theta": 1.2},
    )


def measured(scene: Scene, image: Image, truth: Any) -> tuple[float, float, float]:
    """MAE of positions [pm], MAPE of cross-sections [%], share of right counts; against truth."""
    inner = looked_at(scene)
    fitted = atoms.fit(image, scene.places, pixel_size=scene.pixel_size)
    position = np.linalg.norm(fitted.positions - truth.positions, axis=1)[inner] * scene.pixel_size * 100
    section = np.abs(fitted.scs / truth.scs - 1)[inner] * 100
    library = np.array([truth.scs[scene.counts == k].mean() for k in np.unique(scene.counts)])
    counts = np.unique(scene.counts)[np.abs(fitted.scs[:, None] - library).argmin(axis=1)]
    right = (counts == scene.counts)[inner].mean() if len(library) > 1 else float("nan")
    return float(position.mean()), float(section.mean()), float(right)


def remaining(found: Floats, true: Floats) -> Floats:
    """Rms of what shifts (y, x) are wrong by [pixels]; a common one can't be told from the specimen's place."""
    spread: Floats = (found - true)[8:-8].std(axis=0)
    return spread


def looked_at(scene: Scene) -> NDArray[np.bool_]:
    """Columns off the border that aren't too weak (under 8 % of the strongest)."""
    n = len(scene.image)
    inner: NDArray[np.bool_] = ((scene.places > BORDER) & (scene.places < n - 1 - BORDER)).all(axis=1)
    return inner & (scene.sections > 0.08 * scene.sections.max())


def bound(scene: Scene, truth: Any, dose: float) -> tuple[float, float]:
    """Cramér-Rao bound, as mean absolute errors of normal distributions: position [pm], cross-section [%]."""
    inner = looked_at(scene)
    limit = atoms.crlb(truth, shape=scene.image.shape, dose=dose, pixel_size=scene.pixel_size)
    position = float(np.mean(limit.positions[inner])) * scene.pixel_size * 100 * math.sqrt(math.pi / 2)
    section = float(np.mean((limit.scs / np.abs(truth.scs))[inner])) * 100 * math.sqrt(2 / math.pi)
    return position, section


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--realisations", type=int, default=3)
    parser.add_argument("--model", default="stem-hr")
    options = parser.parse_args()
    network = models.load(options.model)
    print(f"{network.info.file}, {options.realisations} realisations; raw → restored (bound)\n")
    print("| specimen | dose [e⁻/Å²] | PSNR [dB] | position [pm] | cross-section [%] | counts right | lines [px] |")
    print("|---|---:|---|---|---|---|---|")
    for scene in scenes():
        truth = atoms.fit(scene.image, scene.places, pixel_size=scene.pixel_size)
        for dose in DOSES:
            rows, lines = [], []
            for seed in range(options.realisations):
                scan = recorded(scene, dose, seed)
                raw = scan.image / np.float32(dose * scene.pixel_size**2)
                images = (raw, restore(raw, model=network))
                rows.append([(psnr(scene.image, a), *measured(scene, a, truth)) for a in images])
                shifts = scan_shifts(*images)
                lines.append([remaining(np.zeros_like(shifts), scan.shifts), remaining(shifts, scan.shifts)])
            (p0, m0, s0, c0), (p1, m1, s1, c1) = np.mean(rows, axis=0)
            (y0, x0), (y1, x1) = np.mean(lines, axis=0)
            low, least = bound(scene, truth, dose)
            counted = "" if math.isnan(c0) else f"{c0:.2f} → {c1:.2f}"
            print(
                f"| {scene.name} | {dose:,.0f} | {p0:.1f} → {p1:.1f} | {m0:.1f} → {m1:.1f} ({low:.1f}) "
                f"| {s0:.1f} → {s1:.1f} ({least:.1f}) | {counted} | {y0:.2f}, {x0:.2f} → {y1:.2f}, {x1:.2f} |",
                flush=True,
            )


def psnr(truth: Image, image: Image) -> float:
    a, b = truth[8:-8, 8:-8].astype(float), image[8:-8, 8:-8].astype(float)
    return float(10 * np.log10(a.max() ** 2 / np.mean((a - b) ** 2)))


if __name__ == "__main__":
    main()
