"""Draws the picture of strain.md: python docs/pictures_strain.py [folder]. Wants crewe[plot]; seconds."""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crewe import plot, strain

SHAPE, SPACING = (480, 480), 15.0


def crystal() -> NDArray[np.float64]:
    """Columns above and below a misfit interface with a bump of strain, 1.5 % and 2 %."""
    points = SPACING * (np.mgrid[-2:36, -2:36].reshape(2, -1).T + 0.3)
    y, x = points.T
    y += 0.015 * np.maximum(y - 330, 0)
    bump = np.exp(-((y - 170) ** 2 + (x - 240) ** 2) / (2 * 55.0**2))
    points += 0.02 * bump[:, None] * (points - (170, 240))
    return points[((points > 1) & (points < SHAPE[0] - 2)).all(1)]


def image(points: NDArray[np.float64], width: float = 3.0, counts: float = 60.0) -> NDArray[np.float32]:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    clean = np.full(SHAPE, 2.0)
    for py, px in points:
        clean += counts * np.exp(-((y - py) ** 2 + (x - px) ** 2) / (2 * width**2))
    return np.random.default_rng(0).poisson(clean).astype(np.float32)


def main(folder: Path) -> None:
    points = crystal()
    seen = points + np.random.default_rng(1).normal(0, 0.04, points.shape)
    reference = np.eye(2) * SPACING
    columns = strain.from_positions(seen, reference=reference, reach=1.5)
    g = 1 / SPACING
    maps = strain.gpa(image(points), (g, 0.0), (0.0, g), sigma=0.12 * g)
    plot.strain(columns, positions=seen, limit=0.03).savefig(folder / "strain-columns.png", dpi=60)
    plot.strain(maps, limit=0.03).savefig(folder / "strain-gpa.png", dpi=60)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "pictures"))
