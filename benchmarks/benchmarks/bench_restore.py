"""Restoring images and finding the shifts of their lines: pixels per CPU second, and memory."""

import numpy as np

from crewe import DeviceError, models
from crewe.restore import restore, scan_shifts

from .common import cpu_rate


class Restore:
    params = ([256, 1024], [0, 256])
    param_names = ("pixels", "tile")
    timeout = 300

    def setup(self, pixels: int, tile: int) -> None:
        self.image = np.random.default_rng(0).poisson(3, (pixels, pixels)).astype(np.float32)
        self.model = models.load("stem-hr", threads=1)

    def track_megapixels(self, pixels: int, tile: int) -> float:
        run = lambda: restore(self.image, model=self.model, tile=tile or None)  # noqa: E731
        return cpu_rate(run, pixels**2 / 1e6, repeats=5)

    def peakmem_restore(self, pixels: int, tile: int) -> None:
        restore(self.image, model=self.model, tile=tile or None)


class Shifts:
    def setup(self) -> None:
        y, x = np.indices((512, 512))
        self.truth = (2 + np.cos(0.7 * x) + np.cos(0.5 * y + 0.2 * x)).astype(np.float32)
        self.raw = np.random.default_rng(0).poisson(self.truth).astype(np.float32)

    def track_megapixels(self) -> float:
        return cpu_rate(lambda: scan_shifts(self.raw, self.truth, threads=1), 512**2 / 1e6, repeats=5)


class Stack:
    """Many images: each on a thread of its own, all through one session."""

    params = (["f32", "f16"], [1, 2])
    param_names = ("precision", "threads")
    timeout = 300

    def setup(self, precision: str, threads: int) -> None:
        self.images = np.random.default_rng(0).poisson(3, (8, 256, 256)).astype(np.float32)
        try:
            self.model = models.load("stem-hr", precision=precision, threads=1)
        except DeviceError as error:  # without OpenVINO
            raise NotImplementedError from error

    def track_images(self, precision: str, threads: int) -> float:
        run = lambda: restore(self.images, model=self.model, refine=False, threads=threads)  # noqa: E731
        return cpu_rate(run, len(self.images), repeats=3)
