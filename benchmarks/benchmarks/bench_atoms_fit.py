"""Columns per CPU second: all at once with overlap, apart, counted by Poisson; their bound; atoms counted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmarks.common import cpu_rate
from crewe import atoms

__all__ = ["lattice"]


def lattice(
    n: int, shape: tuple[int, int], *, width: float, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float64], atoms.Columns]:
    """A Poisson image of about n columns on a jittered lattice, `width` spacings wide; starts 0.5 pixels off; truth."""
    rng = np.random.default_rng(seed)
    spacing = float(np.sqrt((shape[0] - 16) * (shape[1] - 16) / n))
    points = np.stack(np.meshgrid(*(np.arange(8 + spacing / 2, k - 8, spacing) for k in shape), indexing="ij"), -1)
    points = points.reshape(-1, 2) + rng.normal(0, 0.02 * spacing, (points.size // 2, 2))
    truth = atoms.Columns(points, rng.uniform(5, 15, len(points)), width * spacing, 2.0)
    image = rng.poisson(truth.image(shape)).astype(np.float32)
    return image, points + rng.normal(0, 0.5, points.shape), truth


class Overlapping:
    """3,000 columns of 1024² pixels: 17 pixels apart, 0.2 and 0.26 spacings wide."""

    params = ([0.2, 0.26], ["shared", "free", "elliptic"], ["white", "poisson"])
    param_names = ("width", "widths", "noise")

    def setup(self, width: float, widths: Any, noise: Any) -> None:
        self.image, self.starts, _ = lattice(3000, (1024, 1024), width=width)

    def track_columns(self, width: float, widths: Any, noise: Any) -> float:
        def run() -> None:
            atoms.fit(self.image, self.starts, width=widths, noise=noise, threads=1)

        return cpu_rate(run, len(self.starts), repeats=5)


class Apart:
    """Columns that don't see each other: 17 pixels apart, 1.5 pixels wide."""

    params = ([256, 800, 2000], ["shared", "free"])
    param_names = ("pixels", "widths")

    def setup(self, pixels: int, widths: Any) -> None:
        n = ((pixels - 16) // 17) ** 2
        self.image, self.starts, _ = lattice(n, (pixels, pixels), width=1.5 / 17)

    def track_columns(self, pixels: int, widths: Any) -> float:
        return cpu_rate(lambda: atoms.fit(self.image, self.starts, width=widths, threads=1), len(self.starts))


class Bound:
    params = ([100, 3000],)
    param_names = ("columns",)

    def setup(self, columns: int) -> None:
        side = int(17 * np.sqrt(columns)) + 16
        self.shape = (side, side)
        _, _, self.truth = lattice(columns, self.shape, width=0.2)

    def track_columns(self, columns: int) -> float:
        run = lambda: atoms.crlb(self.truth, shape=self.shape, dose=1.0, threads=1)  # noqa: E731
        return cpu_rate(run, len(self.truth), repeats=5)


class Count:
    params = ([11, None],)
    param_names = ("components",)

    def setup(self, components: int | None) -> None:
        rng = np.random.default_rng(0)
        self.scs = rng.integers(1, 12, 212) + rng.normal(0, 0.1, 212)

    def time_count(self, components: int | None) -> None:
        atoms.count(self.scs, components=components)
