"""The object from exit waves: patches per CPU second, beside the products of matrices alone (NumPy, complex64).

The probe is that of 300 keV and 20 mrad on 64×64 pixels of 0.216 Å, the step a third and nearly all of the radius of
its first zero, once and twice as fine an image.
"""

import numpy as np

from crewe import _core, sim

from .common import cpu_rate


class Patches:
    """`crewe.imaging.airpi` without the network."""

    params = ([0.2, 0.54], [1, 2])
    param_names = ("step", "oversample")

    def setup(self, step: float, oversample: int) -> None:
        n, pixel, scan = 64, 0.215625, 32
        options = {"energy": 300e3, "semiangle": 20.0, "gpts": n, "sampling": pixel}
        probe = sim.probe(positions=(n // 2 * pixel, n // 2 * pixel), **options)
        rng = np.random.default_rng(0)
        waves = probe * np.exp(1j * rng.uniform(0, 1, (scan * scan, n, n))).astype(np.complex64)
        self.waves = np.ascontiguousarray(np.stack([waves.real, waves.imag], 1))
        planes = np.ascontiguousarray(np.stack([probe.real, probe.imag]))
        self.patches = _core.Patches(planes, pitch=step / oversample / pixel, cut=0.1)
        self.image = np.zeros((scan * oversample, scan * oversample), np.complex64)
        self.scan, self.stack = scan, waves
        width = 2 * self.patches.reach + 1
        self.matrix = rng.normal(size=(width, n)).astype(np.complex64)

    def run(self, oversample: int, threads: int) -> None:
        options = {"first": 0, "columns": self.scan, "oversample": oversample, "threads": threads}
        self.patches.add(self.waves, self.image, **options)

    def time_add(self, step: float, oversample: int) -> None:
        self.run(oversample, 0)

    def track_patches(self, step: float, oversample: int) -> float:
        return cpu_rate(lambda: self.run(oversample, 1), self.scan**2)

    track_patches.unit = "patches/CPU-s"  # type: ignore[attr-defined]

    def track_products_alone(self, step: float, oversample: int) -> float:
        return cpu_rate(lambda: self.matrix @ self.stack @ self.matrix.T, self.scan**2)

    track_products_alone.unit = "patches/CPU-s"  # type: ignore[attr-defined]
