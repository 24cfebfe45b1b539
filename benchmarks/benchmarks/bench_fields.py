"""From the centre-of-mass map to the image: riCOM, iCOM, rotation, Fourier transforms."""

import numpy as np

from crewe import _core
from crewe.imaging import fit_rotation, icom, ricom, ricom_kernel

from .common import cpu_rate


def centre_of_mass(n):
    return np.random.default_rng(0).normal(size=(n, n, 2)).astype(np.float32)


class Ricom:
    """The whole map at once."""

    params = ((128, 256, 512), (21, 61), (1, 0))
    param_names = ("scan", "kernel", "threads")

    def setup(self, scan, kernel, threads):
        self.com = centre_of_mass(scan)

    def time_ricom(self, scan, kernel, threads):
        ricom(self.com, kernel=kernel, threads=threads)

    def track_positions(self, scan, kernel, threads):
        return cpu_rate(lambda: ricom(self.com, kernel=kernel, threads=threads), scan * scan)

    track_positions.unit = "positions/CPU-s"


class RicomScatter:
    """Positions added as they come, `cut` at a time."""

    params = ((256, 512), (21, 61), (1, 7, 64))
    param_names = ("scan", "kernel", "cut")

    def setup(self, scan, kernel, cut):
        self.com = centre_of_mass(scan)
        self.image = np.zeros((scan, scan), np.float32)
        self.kernel = _core.RicomKernel(kernel)

    def run(self, cut):
        _core.ricom_in_cuts(self.com, self.kernel, self.image, cut)

    def track_positions(self, scan, kernel, cut):
        return cpu_rate(lambda: self.run(cut), scan * scan)

    track_positions.unit = "positions/CPU-s"


class RicomKernels:
    """A filtered kernel, made anew when a session is configured."""

    params = (256, 512, 1024)
    param_names = ("scan",)

    def time_band(self, scan):
        ricom_kernel(61, low=0.02, high=0.2, shape=(scan, scan))


class Icom:
    params = ((256, 500, 509, 512, 1024), (1, 0))
    param_names = ("scan", "threads")

    def setup(self, scan, threads):
        self.com = centre_of_mass(scan)

    def time_icom(self, scan, threads):
        icom(self.com, threads=threads)

    def peakmem_icom(self, scan, threads):
        icom(self.com, threads=threads)


class FitRotation:
    params = (128, 512)
    param_names = ("scan",)

    def setup(self, scan):
        self.com = centre_of_mass(scan)

    def time_fit(self, scan):
        fit_rotation(self.com)


class Fft:
    """Forward and back, 2D, in place; 509 is a prime."""

    params = ((128, 256, 500, 509, 512, 1024), ("complex64", "complex128"), (1, 0))
    param_names = ("size", "dtype", "threads")

    def setup(self, size, dtype, threads):
        rng = np.random.default_rng(0)
        self.data = (rng.normal(size=(1, size, size)) + 1j * rng.normal(size=(1, size, size))).astype(dtype)

    def time_pair(self, size, dtype, threads):
        _core.fft2(self.data, threads=threads)
        _core.fft2(self.data, inverse=True, threads=threads)
