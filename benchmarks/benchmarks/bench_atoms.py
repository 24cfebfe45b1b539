"""Atomic columns: boxes suppressed, points matched."""

import numpy as np

from benchmarks.benchmarks.common import cpu_rate
from crewe import atoms


class Nms:
    """Equal squares at random, `crowding` to the area of one: the more there are, the fewer stay."""

    params = ([10_000, 100_000], [0.2, 1.0, 5.0])
    param_names = ("boxes", "crowding")

    def setup(self, boxes: int, crowding: float) -> None:
        rng = np.random.default_rng(0)
        corner = rng.uniform(0, 16 * np.sqrt(boxes / crowding), (boxes, 2))
        self.boxes, self.scores = np.concatenate([corner, corner + 16], axis=1), rng.random(boxes)

    def time_nms(self, boxes: int, crowding: float) -> None:
        atoms.nms(self.boxes, self.scores)

    def track_boxes(self, boxes: int, crowding: float) -> float:
        return cpu_rate(lambda: atoms.nms(self.boxes, self.scores), boxes)

    track_boxes.unit = "boxes/CPU-s"  # type: ignore[attr-defined]


class Score:
    """A lattice of columns against itself, moved a little, one in twenty missing."""

    params = (1000, 30_000)
    param_names = ("columns",)

    def setup(self, columns: int) -> None:
        rng = np.random.default_rng(0)
        side = int(np.sqrt(columns))
        self.truth = 12.0 * np.stack(np.divmod(np.arange(side**2), side), axis=1)
        self.found = (self.truth + rng.normal(0, 1, self.truth.shape))[rng.random(side**2) > 0.05]

    def time_score(self, columns: int) -> None:
        atoms.score(self.found, self.truth, tolerance=4.0)

    def track_columns(self, columns: int) -> float:
        return cpu_rate(lambda: atoms.score(self.found, self.truth, tolerance=4.0), len(self.truth))

    track_columns.unit = "columns/CPU-s"  # type: ignore[attr-defined]
