"""The noise stages and chains over time, one thread."""

from collections.abc import Callable
from typing import Any

import numpy as np

from crewe import noise

from .common import cpu_rate

STAGES: dict[str, Callable[..., Any]] = {
    "pmt": lambda x: noise.pmt(x, width=0.2, pedestal=0.1, seed=1, threads=1),
    "jitter": lambda x: noise.jitter(x, sigma=0.5, phi=0.5, seed=1, threads=1),
    "unshift": lambda x: noise.unshift(x, SHIFTS[: len(x)], threads=1),
    "fast_scan": lambda x: noise.fast_scan(x, alpha=2.5, beta=1.0, gamma=10.0, theta=1.0, threads=1),
    "clip": lambda x: noise.clip(x, quantile=0.99, threads=1),
    "quantise": lambda x: noise.quantise(x, bits=12, full_scale=20.0, threads=1),
    "mtf": lambda x: noise.mtf(x, a=0.6, b=0.3, c=0.9, threads=1),
    "fixed_pattern": lambda x: noise.fixed_pattern(x, sigma=0.01, threads=1),
    "dark_current": lambda x: noise.dark_current(x, mean=2.0, std=0.5, seed=1, threads=1),
    "thermal": lambda x: noise.thermal(x, sigma=1.0, seed=1, threads=1),
    "flicker": lambda x: noise.flicker(x, sigma=1.0, seed=1, threads=1),
    "gaussian_blur": lambda x: noise.gaussian_blur(x, sigma=0.7, threads=1),
    "interpolate": lambda x: noise.interpolate(x, matrix=[[0.9, 0.1], [-0.1, 0.9]], threads=1),
}
SHIFTS = np.random.default_rng(0).normal(0, 0.5, (4096, 2))


class Shot:
    params = ([0.1, 1.0, 5.0, 20.0, 50.0, 1e3, 1e5],)
    param_names = ("mean",)

    def setup(self, mean: float) -> None:
        self.image = np.full((1024, 1024), mean, np.float32)
        self.out = np.zeros_like(self.image)

    def track_pixels(self, mean: float) -> float:
        return cpu_rate(lambda: noise.shot(self.image, seed=1, threads=1, out=self.out), self.image.size)


class Stage:
    params = (list(STAGES), [256, 1024])
    param_names = ("stage", "pixels")

    def setup(self, stage: str, n: int) -> None:
        self.image = np.random.default_rng(0).uniform(0, 10, (n, n)).astype(np.float32)

    def track_pixels(self, stage: str, n: int) -> float:
        return cpu_rate(lambda: STAGES[stage](self.image), self.image.size)


class Chain:
    params = (["stem", "sem", "tem"], [256, 1024])
    param_names = ("kind", "pixels")

    def setup(self, kind: str, n: int) -> None:
        self.image = np.random.default_rng(0).uniform(0, 1, (n, n)).astype(np.float32)
        found = (noise.random_settings(kind, seed=seed) for seed in range(1000))
        self.settings = next(s for s in found if all(value is not None for name, value in s.items() if name != "clip"))
        self.settings["electrons_per_pixel"] = 20.0
        if kind != "tem":
            self.settings["pixel_size"] = 0.5

    def track_images(self, kind: str, n: int) -> float:
        return cpu_rate(lambda: getattr(noise, kind)(self.image, seed=1, threads=1, **self.settings), 1)
