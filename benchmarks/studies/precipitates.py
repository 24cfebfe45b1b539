"""Spheres of one crystal in another: how large does the map of unit cells show them?"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.images import Crystal, counted, micrograph
from crewe import metrics

CELLS, PIXELS = 16, 64  # unit cells along an image, pixels along a cell
DIAMETERS = (2, 4, 6, 8, 10, 12)
KNOWN, ASKED = 8, 10  # the precipitate that the threshold is fitted to, the one that it is used on
DOSES = (np.inf, 1e5, 1e4, 3e3, 1e3, 3e2)  # e/nm²

Found = dict[str, Any]


def sphere(matrix: Crystal, other: Crystal, diameter: int, depth: int) -> tuple[Any, NDArray[np.bool_]]:
    """A sphere of the other crystal, strained, in CELLS × CELLS × depth cells of the matrix; the cells it covers."""
    from ase import Atoms

    side = matrix.side
    z, y, x = np.indices((depth, CELLS, CELLS), dtype=float)
    distance = np.sqrt((z - (depth - 1) / 2) ** 2 + (y - (CELLS - 1) / 2) ** 2 + (x - (CELLS - 1) / 2) ** 2)
    inside = distance < diameter / 2
    parts = {True: other.atoms(side), False: matrix.atoms(side)}
    positions, numbers = [], []
    for within, atoms in parts.items():
        corners = np.argwhere(inside == within)[:, ::-1] * side
        positions.append((corners[:, None] + atoms.positions).reshape(-1, 3))
        numbers.append(np.tile(atoms.numbers, len(corners)))
    size = np.array([CELLS, CELLS, depth]) * side
    whole = Atoms(numbers=np.concatenate(numbers), positions=np.concatenate(positions), cell=size, pbc=True)
    return whole, inside.any(axis=0)


def measure(matrix: Crystal, other: Crystal, depth: int, *, doses: tuple[float, ...], draws: int) -> Found:
    """Diameters found [cells] by dose, with the general threshold and with one fitted to the known precipitate."""
    area = (matrix.side / PIXELS / 10) ** 2  # of a pixel [nm²]
    images, covered = {}, {}
    for diameter in (0, *DIAMETERS):
        atoms, covered[diameter] = sphere(matrix, other, diameter, depth)
        images[diameter] = micrograph(atoms, matrix.side, CELLS * PIXELS)

    def cells(diameter: int, dose: float, seeds: range) -> NDArray[np.float64]:
        noisy = np.stack([counted(images[diameter], dose * area, seed) for seed in seeds])
        return np.asarray(metrics.unit_cell_map(images[0], noisy, cell=PIXELS, threads=1))

    found: Found = {
        "true": [2 * np.sqrt(covered[d].sum() / np.pi) for d in DIAMETERS],
        "doses": list(doses),
        **{name: [] for name in ("background", "general", "threshold", "fitted", "false", "centre", "edge")},
    }
    for dose in doses:
        n = 1 if dose == np.inf else draws
        pure = cells(0, dose, range(1000, 1000 + n))
        background = float(pure.mean())
        known = cells(KNOWN, dose, range(2000, 2000 + n))
        threshold = metrics.fit_threshold(known, covered[KNOWN], background=background)
        maps = {d: cells(d, dose, range(3000 + 100 * d, 3000 + 100 * d + n)) for d in DIAMETERS}
        for name, level in (("general", 0.18), ("fitted", threshold)):
            sizes = [
                [metrics.precipitate_size(m, cell=1, threshold=level, background=background) for m in maps[d]]
                for d in DIAMETERS
            ]
            found[name].append(np.mean(sizes, axis=1).tolist())
        found["background"].append(background)
        found["threshold"].append(threshold)
        found["false"].append(int((pure > 0.18 + background).sum()) / n)
        asked, middle = maps[ASKED][0], slice(CELLS // 2 - 1, CELLS // 2 + 1)
        found["centre"].append(float(asked[middle, middle].mean() - background))
        found["edge"].append(float(asked[covered[ASKED] & ~covered[ASKED - 2]].mean() - background))
    found["map"] = cells(ASKED, np.inf, range(1))[0]
    found["image"] = images[ASKED]
    return found
