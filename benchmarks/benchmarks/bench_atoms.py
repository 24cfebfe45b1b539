"""Atomic columns: found, boxes suppressed, points matched."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmarks.common import cpu_rate
from crewe import atoms


def lattice(n: int, spacing: float, electrons: float, *, seed: int = 0) -> NDArray[np.float32]:
    """A hexagonal lattice (n, n), turned by 7°, of so many electrons per column, and their noise."""
    y, x = np.indices((n, n)) - n / 2
    turn = np.deg2rad(7 + 60 * np.arange(3))
    k = 2 * np.pi / (spacing * np.sqrt(3) / 2) * np.stack([np.sin(turn), np.cos(turn)])
    waves = np.cos(k[0, :, None, None] * y + k[1, :, None, None] * x).sum(0)
    image = np.exp(2 * waves)
    image *= electrons / (spacing**2 * np.sqrt(3) / 2 * image.mean())
    return np.random.default_rng(seed).poisson(image + 0.05 * image.max()).astype(np.float32)


class Find:
    """Images of n × n pixels at low and at high dose; `cut`: the map that is there, cut elsewhere."""

    params = ([512, 800, 1024], [20.0, 1000.0])
    param_names = ("pixels", "electrons")

    def setup(self, pixels: int, electrons: float) -> None:
        self.image = lattice(pixels, 18.0, electrons)
        self.proposals = atoms.propose(self.image, model="log")

    def time_find(self, pixels: int, electrons: float) -> None:
        atoms.find(self.image, model="log")

    def time_cut(self, pixels: int, electrons: float) -> None:
        self.proposals.again(threshold=0.3).columns()

    def track_images(self, pixels: int, electrons: float) -> float:
        return cpu_rate(lambda: atoms.find(self.image, model="log"), 1)

    track_images.unit = "images/CPU-s"  # type: ignore[attr-defined]


class Network:
    """The network on one core: columns 9 and 18 pixels apart."""

    params = ([512, 800, 1024], [9.0, 18.0])
    param_names = ("pixels", "spacing")

    def setup(self, pixels: int, spacing: float) -> None:
        self.image = lattice(pixels, spacing, 200.0)
        atoms.find(self.image)

    def track_images(self, pixels: int, spacing: float) -> float:
        return cpu_rate(lambda: atoms.find(self.image), 1)

    track_images.unit = "images/CPU-s"  # type: ignore[attr-defined]


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
