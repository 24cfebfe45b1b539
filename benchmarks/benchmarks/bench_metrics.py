"""Differences of images over time, one thread."""

from collections.abc import Callable
from typing import Any

import numpy as np

from crewe import metrics

from .common import cpu_rate

METRICS: dict[str, Callable[..., Any]] = {
    "mse": metrics.mse,
    "psnr": metrics.psnr,
    "cross_correlation": metrics.cross_correlation,
    "ssim": metrics.ssim,
    "ssim_map": metrics.ssim_map,
    "cw_ssim": metrics.cw_ssim,
    "cw_ssim_map": metrics.cw_ssim_map,
    "sift": metrics.sift,
}


class Pair:
    params = (list(METRICS), [128, 1024])
    param_names = ("metric", "pixels")

    def setup(self, metric: str, n: int) -> None:
        y, x = np.mgrid[:n, :n] * (2 * np.pi / 32)
        self.a = (2 + np.cos(x) * np.cos(y) + 0.5 * np.cos(2 * x + y)).astype(np.float32)
        self.b = np.random.default_rng(0).poisson(5 * self.a).astype(np.float32)

    def track_pixels(self, metric: str, n: int) -> float:
        return cpu_rate(lambda: METRICS[metric](self.a, self.b, threads=1), self.a.size, repeats=5)


class Many(Pair):
    """One reference, eight images: per image."""

    params = (["mse", "ssim", "cw_ssim", "sift"], [128])

    def setup(self, metric: str, n: int) -> None:
        super().setup(metric, n)
        self.stack = np.stack([self.b] * 8)

    def track_pixels(self, metric: str, n: int) -> float:
        return cpu_rate(lambda: METRICS[metric](self.a, self.stack, threads=1), self.stack.size, repeats=5)


class UnitCells(Pair):
    params = (["mse", "ssim", "cw_ssim", "sift"], [1024])

    def track_pixels(self, metric: str, n: int) -> float:
        run = metrics.unit_cell_map
        return cpu_rate(lambda: run(self.a, self.b, cell=32, metric=metric, threads=1), self.a.size, repeats=3)
