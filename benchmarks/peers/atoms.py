"""Columns found beside scikit-image and SciPy, on the same image in the same run, and how many of them are right.

The others are told the spacing; crewe isn't. Wanted beside crewe: scipy, scikit-image. Seconds of CPU time, medians.
`python -m benchmarks.peers.atoms`
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import feature

from benchmarks.benchmarks.common import peers_main
from crewe import atoms

SPACING = 17.75


def picture(n: int, electrons: float, *, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """A hexagonal lattice of columns, a twentieth of them missing, heights by 10 %, with Poisson noise; its columns."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: int(1.2 * n / SPACING) + 2, : int(n / SPACING) + 2]
    points = np.stack([rows * SPACING * np.sqrt(3) / 2, (columns + 0.5 * (rows % 2)) * SPACING], -1).reshape(-1, 2)
    points = points[rng.random(len(points)) > 0.05] + rng.normal(0, 0.3, 2)
    points = points[(points < n).all(axis=1) & (points > 0).all(axis=1)]
    image, width = np.full((n, n), 0.02), 0.2 * SPACING
    y = x = np.arange(n)
    for (py, px), height in zip(points, rng.normal(1, 0.1, len(points)), strict=True):
        near = [slice(max(0, int(p - 5 * width)), int(p + 5 * width) + 1) for p in (py, px)]
        gauss = [np.exp(-((a[s] - p) ** 2) / (2 * width**2)) for a, s, p in zip((y, x), near, (py, px), strict=True)]
        image[tuple(near)] += height * np.outer(*gauss)
    return rng.poisson(image * electrons / (2 * np.pi * width**2)).astype(np.float32), points


def scipy_log(image: NDArray[np.float32]) -> NDArray[Any]:
    """One scale, summits of squares as wide as half a spacing."""
    response = -ndimage.gaussian_laplace(image, 0.24 * SPACING)
    top = response == ndimage.maximum_filter(response, int(0.55 * SPACING))
    found: NDArray[Any] = np.argwhere(top & (response > 0.3 * np.percentile(response, 99.5)))
    return found


def gauss_and_summits(image: NDArray[np.float32]) -> NDArray[Any]:
    smooth = ndimage.gaussian_filter(image, 0.2 * SPACING)
    found: NDArray[Any] = feature.peak_local_max(smooth, min_distance=int(0.4 * SPACING), threshold_rel=0.2)
    return found


def blobs(function: Callable[..., NDArray[Any]], **options: Any) -> Callable[[NDArray[np.float32]], NDArray[Any]]:
    return lambda image: function(image / image.max(), max_sigma=np.sqrt(SPACING), threshold=0.1, **options)[:, :2]


def measure(count: int, quick: bool) -> dict[str, Any]:
    finders: dict[str, Callable[[NDArray[np.float32]], NDArray[Any]]] = {
        "crewe": lambda image: atoms.find(image, model="log"),
        "scipy LoG": scipy_log,
        "Gauss and peak_local_max": gauss_and_summits,
        "skimage blob_dog": blobs(feature.blob_dog),
        "skimage blob_log": blobs(feature.blob_log, num_sigma=10),
    }
    figures: dict[str, Any] = {}
    for n, electrons in ((800, 150.0), (800, 20.0), (1024, 150.0)):
        image, truth = picture(n, electrons)
        times: dict[str, list[float]] = {name: [] for name in finders}
        f1 = {}
        for _ in range(count):
            for name, finder in finders.items():
                begin = time.process_time()
                found = finder(image)
                times[name].append(time.process_time() - begin)
                f1[name] = atoms.score(found, truth, tolerance=0.3 * SPACING).f1
        figures[f"{n} x {n}, {electrons:g} electrons per column"] = {
            name: {"ms CPU": round(1e3 * statistics.median(spent), 1), "F1": round(f1[name], 3)}
            for name, spent in times.items()
        }
    return figures


if __name__ == "__main__":
    peers_main("atoms", __doc__, measure, rounds=5)
