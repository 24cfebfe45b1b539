"""Shot noise, the STEM chain and training pairs beside the same in NumPy and SciPy, on the same data in the same run.

Wanted beside crewe: scipy. Rates per CPU second, medians. `python -m benchmarks.peers.noise`
"""

import itertools
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from benchmarks.benchmarks.common import peers_main
from crewe import noise, specimen

STAGES: dict[str, Any] = {
    "jitter": {"sigma": (0.05, 0.1), "phi": (0.5, 0.6)},
    "detector": {"width": 0.2, "pedestal": 0.05},
    "fast_scan": {"alpha": 2.5, "beta": 1.0, "gamma": 10.0, "theta": 1.0},
    "row_lines": {"count": 3},
    "black": {"count": 9},
    "zingers": {"count": 5},
    "clip": {"quantile": 0.999},
    "bits": 12,
}
PIXEL_SIZE = 0.2


def picture(n: int) -> NDArray[np.float32]:
    """Atomic columns on a lattice, 0.02 to 1."""
    y, x = np.mgrid[:n, :n]
    image: NDArray[np.float32] = (0.02 + np.exp(-((y % 19 - 9) ** 2 + (x % 17 - 8) ** 2) / 14)).astype(np.float32)
    return image


def numpy_stem(image: NDArray[np.float32], electrons: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """The chain as it is written with NumPy and SciPy: one vectorised call per stage, float32 where they have it."""
    ny, nx = image.shape
    scale = np.float32(electrons / image.mean(dtype=float))
    x = image * scale
    shifts = np.empty((ny, 2))
    for k in (0, 1):
        sigma, phi = STAGES["jitter"]["sigma"][k] / PIXEL_SIZE, STAGES["jitter"]["phi"][k]
        steps = rng.normal(0, sigma, ny)
        steps[0] /= np.sqrt(1 - phi**2)
        shifts[:, k] = signal.lfilter([1], [1, -phi], steps)
    rows, columns = np.mgrid[:ny, :nx].astype(np.float32)
    places = np.stack([rows + shifts[:, :1].astype(np.float32), columns + shifts[:, 1:].astype(np.float32)])
    x = ndimage.map_coordinates(x, places, order=3, mode="mirror")
    x = rng.poisson(np.maximum(x, 0)).astype(np.float32)
    detector = STAGES["detector"]
    width = np.sqrt(detector["width"] ** 2 * x + detector["pedestal"] ** 2)
    x += width * rng.standard_normal(x.shape, dtype=np.float32)
    smear = STAGES["fast_scan"]
    u = np.arange(138, dtype=np.float32)
    lorentz = smear["alpha"] / (4 * np.pi**2 * u**2 + smear["alpha"] ** 2)
    damped = np.exp(-u / smear["beta"]) * np.sin(2 * np.pi * u / smear["gamma"] + smear["theta"])
    h = np.convolve(lorentz / lorentz.sum(), damped / damped.sum())[: u.size].astype(np.float32)
    padded = np.concatenate([np.repeat(x[:, :1], u.size - 1, axis=1), x], axis=1)
    x = signal.oaconvolve(padded, h[None], mode="valid", axes=1)
    for _ in range(STAGES["row_lines"]["count"]):
        size = int(rng.uniform(0.02, 0.5) * nx)
        row, first = rng.integers(ny), rng.integers(nx - size)
        x[row, first : first + size] = x[row, first : first + size].mean() * rng.uniform(0.5, 1.5)
    place = rng.integers(0, x.size, STAGES["black"]["count"])
    x.ravel()[place] *= rng.uniform(0, 0.4, place.size)
    place = rng.integers(0, x.size, STAGES["zingers"]["count"])
    gain, flat = rng.uniform(3, 30, place.size), x.ravel()
    flat[place] = np.maximum(flat[place] * gain, flat[place] + (gain - 1) * x.mean())
    x = np.minimum(x, np.quantile(x, STAGES["clip"]["quantile"]))
    levels, full = 2 ** STAGES["bits"] - 1, x.max() * rng.uniform(1, 1.5)
    step = full / levels
    x = np.clip(np.rint((x + 0.02 * full) / step), 0, levels) * step - 0.02 * full
    result: NDArray[np.float32] = (x / scale).astype(np.float32)
    return result


def crewe_stem(image: NDArray[np.float32], electrons: float, seed: int, threads: int) -> NDArray[np.float32]:
    return noise.stem(
        image, pixel_size=PIXEL_SIZE, electrons_per_pixel=electrons, seed=seed, threads=threads, **STAGES
    ).image


def turns(runs: dict[str, Callable[[], Any]], count: int, clock: Callable[[], float]) -> dict[str, float]:
    """Median seconds of each, taken in turns."""
    for run in runs.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(count):
        for name, run in runs.items():
            begin = clock()
            run()
            times[name].append(clock() - begin)
    return {name: statistics.median(found) for name, found in times.items()}


def counting(count: int) -> dict[str, Any]:
    """ns per pixel and thread."""
    rng, found = np.random.default_rng(0), {}
    out = np.empty((1024, 1024), np.float32)
    for mean in (0.1, 1.0, 5.0, 10.0, 20.0, 50.0, 300.0):
        image = np.full((1024, 1024), mean, np.float32)
        runs: dict[str, Callable[[], Any]] = {
            "crewe": lambda image=image: noise.shot(image, seed=1, threads=1, out=out),
            "numpy": lambda image=image: rng.poisson(image),
        }
        times = turns(runs, count, time.process_time)
        each = {name: round(1e9 * seconds / out.size, 2) for name, seconds in times.items()}
        found[f"mean {mean:g}"] = {**each, "ratio": round(times["numpy"] / times["crewe"], 2)}
    return found


def chain(count: int) -> dict[str, Any]:
    image, rng, found = picture(1024), np.random.default_rng(0), {}
    for electrons in (5.0, 20.0, 200.0):
        runs: dict[str, Callable[[], Any]] = {
            "crewe": lambda e=electrons: crewe_stem(image, e, 1, 1),
            "numpy and scipy": lambda e=electrons: numpy_stem(image, e, rng),
        }
        times = turns(runs, count, time.process_time)
        runs["crewe, two threads"] = lambda e=electrons: crewe_stem(image, e, 1, 2)
        wall = turns(runs, count, time.perf_counter)
        found[f"{electrons:g} electrons per pixel"] = {
            **{f"{name} [ms CPU]": round(1e3 * seconds, 2) for name, seconds in times.items()},
            "ratio of CPU times": round(times["numpy and scipy"] / times["crewe"], 2),
            "ratio of wall times, two threads": round(wall["numpy and scipy"] / wall["crewe, two threads"], 2),
        }
    return found


def pairs(batches: int) -> dict[str, Any]:
    found = {}
    for mode in specimen.MODES:
        stream = specimen.pairs(mode, shape=(256, 256), batch=16, seed=1, threads=2)
        next(stream)
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in itertools.islice(stream, batches):
            pass
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        found[mode] = {
            "pairs per CPU second": round(16 * batches / cpu, 1),
            "pairs per second, two threads": round(16 * batches / wall, 1),
        }
    return found


def measure(count: int, quick: bool) -> dict[str, Any]:
    return {
        "shot noise [ns/pixel]": counting(count),
        "stem chain, 1024 x 1024": chain(count),
        "pairs, 256 x 256": pairs(count),
    }


if __name__ == "__main__":
    peers_main("noise", __doc__, measure)
