"""Lattices and strain from columns, geometric phase maps, one thread."""

import numpy as np

from crewe import strain

from .common import cpu_rate


class Columns:
    params = (400, 2500, 10000, 40000)
    param_names = ("columns",)

    def setup(self, n):
        side = round(n**0.5)
        points = 12.0 * np.mgrid[:side, :side].reshape(2, -1).T
        self.points = points + np.random.default_rng(0).normal(0, 0.3, points.shape)

    def track_lattice(self, n):
        return cpu_rate(lambda: strain.lattice(self.points), n)

    track_lattice.unit = "columns/CPU-s"

    def track_from_positions(self, n):
        return cpu_rate(lambda: strain.from_positions(self.points), n)

    track_from_positions.unit = "columns/CPU-s"


class Gpa:
    params = ((256, 512, 768, 1000, 1024), ("float32", "float64"))
    param_names = ("pixels", "dtype")

    def setup(self, n, dtype):
        y, x = np.mgrid[:n, :n]
        self.image = (2 + np.cos(0.4 * y) + np.cos(0.4 * x)).astype(dtype)
        self.g = 0.4 / (2 * np.pi)

    def run(self):
        strain.gpa(self.image, (self.g, 0.0), (0.0, self.g), sigma=self.g / 5, threads=1)

    def track_gpa(self, n, dtype):
        return cpu_rate(self.run, n * n)

    track_gpa.unit = "pixels/CPU-s"

    def peakmem_gpa(self, n, dtype):
        self.run()
