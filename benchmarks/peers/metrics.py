"""Differences of images beside scikit-image, NumPy, and the read of the same memory, on the same data in the same run.

Wanted beside crewe: scikit-image, scipy, opencv-python-headless, a C compiler (cc). Milliseconds of CPU time, one
thread, medians of runs taken in turns. `python -m benchmarks.peers.metrics`
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import metrics as skimage

from benchmarks.benchmarks.common import peers_main, read_rate
from crewe import metrics

Image = NDArray[np.float32]


def pair(n: int) -> tuple[Image, Image]:
    """A crystal of 64 pixels per cell and its image at 3 electrons per pixel."""
    y, x = np.mgrid[:n, :n] * (2 * np.pi / 64)
    a = np.exp(2 * (np.cos(x) + np.cos(y)) + np.cos(x + y) + np.cos(2 * x - y)).astype(np.float32)
    a /= a.mean(dtype=float)
    return a, np.random.default_rng(0).poisson(3 * a).astype(np.float32)


def numpy_mse(a: Image, b: Image) -> float:
    x, y = a.ravel(), b.ravel()
    return float(1 - x @ y / np.sqrt((x @ x) * (y @ y)))


def numpy_cw_ssim(a: Image, b: Image, scales: int = 4, orientations: int = 16) -> float:
    """The definition in NumPy and SciPy, as one writes it: single precision, filters made on the way."""
    fy, fx = (2 * np.fft.fftfreq(n) for n in a.shape)
    radius, angle = np.hypot(fy[:, None], fx), np.arctan2(fy[:, None], fx)
    octave = np.log2(np.maximum(radius, 1e-9))
    spectra = [np.fft.fft2((x - x.mean()) / x.std()) for x in (a, b)]
    low = [np.cos(np.pi / 2 * np.clip(octave + s + 1, 0, 1)) for s in range(scales + 1)]
    total = 0.0
    for s in range(scales):
        radial = low[s] * np.sqrt(1 - low[s + 1] ** 2)
        for o in range(orientations):
            band = radial * np.maximum(np.cos(angle - np.pi * o / orientations), 0) ** (orientations - 1)
            x, y = (np.fft.ifft2(spectrum * band).astype(np.complex64) for spectrum in spectra)
            cross = x * y.conj()
            parts = [ndimage.uniform_filter(p, 7) for p in (cross.real, cross.imag, np.abs(x) ** 2 + np.abs(y) ** 2)]
            total += 1 - float(np.mean((2 * np.hypot(parts[0], parts[1]) + 1e-4) / (parts[2] + 1e-4)))
    return total / (scales * orientations)


def runs(n: int) -> dict[str, Callable[[], Any]]:
    a, b = pair(n)
    span = float(np.ptp(a))
    gauss = {"gaussian_weights": True, "use_sample_covariance": False}
    stack = np.stack([b] * 7)
    return {
        "mse": lambda: metrics.mse(a, b, threads=1),
        "mse, numpy": lambda: numpy_mse(a, b),
        "ssim, disks of radius 8": lambda: metrics.ssim(a, b, threads=1),
        "ssim, scikit-image, squares of 7": lambda: skimage.structural_similarity(a, b, data_range=span),
        "ssim, scikit-image, Gaussian": lambda: skimage.structural_similarity(a, b, data_range=span, **gauss),
        "cw_ssim": lambda: metrics.cw_ssim(a, b, threads=1),
        "cw_ssim, seven images": lambda: metrics.cw_ssim(a, stack, threads=1),
        "cw_ssim, numpy": lambda: numpy_cw_ssim(a, b),
        "sift": lambda: metrics.sift(a, b, threads=1),
        "unit cells, sift": lambda: metrics.unit_cell_map(a, b, cell=64, threads=1),
        "unit cells, mse": lambda: metrics.unit_cell_map(a, b, cell=64, metric="mse", threads=1),
    }


def milliseconds(todo: dict[str, Callable[[], Any]], count: int) -> dict[str, float]:
    """Median of each, taken in turns; those of over a second three times."""
    times: dict[str, list[float]] = {name: [] for name in todo}
    for turn in range(count):
        for name, run in todo.items():
            if turn >= 3 and times[name][0] > 1:
                continue
            if turn == 0 and name != "cw_ssim, numpy":
                run()
            begin = time.process_time()
            run()
            times[name].append(time.process_time() - begin)
    return {name: round(1e3 * statistics.median(found), 3) for name, found in times.items()}


def measure(count: int, quick: bool) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for n in (128,) if quick else (128, 1024):
        found = milliseconds(runs(n), count)
        both = np.concatenate(pair(n))
        found["read of both images"] = round(1e3 * both.nbytes / read_rate(both), 3)
        found["ssim: times faster than squares of 7"] = round(
            found["ssim, scikit-image, squares of 7"] / found["ssim, disks of radius 8"], 2
        )
        figures[f"{n} x {n} [ms]"] = found
    return figures


if __name__ == "__main__":
    peers_main("metrics", __doc__, measure)
