"""Specimens and training pairs over time, one thread."""

from types import SimpleNamespace

import numpy as np

from crewe import specimen

from .common import cpu_rate


class Render:
    params = ([100, 3000, 30000], [0.05, 0.2, 0.8])
    param_names = ("atoms", "pixel_size")

    def setup(self, count: int, pixel_size: float) -> None:
        rng = np.random.default_rng(0)
        positions = rng.uniform(0, 256 * pixel_size, (count, 3))
        self.atoms = SimpleNamespace(numbers=rng.choice([8, 38, 22], count), positions=positions)
        self.model = specimen.random_model([8, 22, 38], seed=rng)

    def track_images(self, count: int, pixel_size: float) -> float:
        options = {"shape": (256, 256), "pixel_size": pixel_size, "model": self.model, "threads": 1}
        return cpu_rate(lambda: specimen.render(self.atoms, **options), 1)


class Pairs:
    params = (list(specimen.MODES), [256])
    param_names = ("mode", "pixels")
    timeout = 300

    def setup(self, mode: str, n: int) -> None:
        self.stream = specimen.pairs(mode, shape=(n, n), batch=8, seed=1, threads=1)
        next(self.stream)

    def track_pairs(self, mode: str, n: int) -> float:
        return cpu_rate(lambda: next(self.stream), 8, shortest=0.5)
