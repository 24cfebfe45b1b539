"""Noise chains, suppression of boxes, rendering and patches on a GPU, beside the rates that are wanted."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from crewe import atoms, cuda, noise, specimen
from crewe._device import extension, view

__all__ = ["rows"]

COPY = "copy within the GPU, read and written"  # a row of rows_imaging.py
STEM = {
    "pixel_size": 0.1, "electrons_per_pixel": 20.0, "jitter": {"sigma": 0.05, "phi": 0.5},
    "detector": {"width": 0.2, "pedestal": 0.1}, "fast_scan": {"alpha": 2.5, "beta": 1.0, "gamma": 10.0, "theta": 1.0},
    "row_lines": {"count": 3}, "black": {"count": 20}, "zingers": {"count": 20}, "clip": {"quantile": 0.99}, "bits": 12,
}  # fmt: skip
TEM = {
    "electrons_per_pixel": 20.0, "mtf": {"a": 0.6, "b": 0.3, "c": 0.9}, "fixed_pattern": {"sigma": 0.01},
    "dark_current": {"mean": 2.0, "std": 0.5, "hot": 1e-3}, "thermal": {"sigma": 1.0}, "flicker": {"sigma": 1.0},
    "reset": {"sigma": 1.0}, "zingers": {"count": 20}, "bits": 12,
}  # fmt: skip

#: Name, unit, amount of work of a run, what makes the run, and the bar: a rate, or (another row, factor of its rate).
Row = tuple[str, str, float, Callable[[], Callable[[], Any]], Any]


def rows(*, small: bool = False) -> list[Row]:
    """All of them; `small`: sizes that only show that they run."""
    return [*of_chains(small), *of_counts(small), of_boxes(small), of_atoms(small), of_patches(small)]


def of_chains(small: bool) -> list[Row]:
    """A stack of 32 is larger than any cache."""
    n, count = (48, 2) if small else (1024, 32)

    def setup(chain: Callable[..., Any], settings: dict[str, Any], many: bool) -> Callable[[], Any]:
        stack = np.random.default_rng(0).uniform(0.1, 1, (count, n, n)).astype(np.float32)
        return partial(chain, cuda.asarray(stack if many else stack[0]), seed=1, **settings)

    found: list[Row] = []
    for name, chain, settings in (("STEM", noise.stem, STEM), ("TEM", noise.tem, TEM)):
        for many in (True, False):
            title = f"{name} chain, {n}², {'a stack' if many else 'one by one'}"
            bar = 2000.0 if name == "STEM" and many else None
            found.append((title, "images/s", count if many else 1, partial(setup, chain, settings, many), bar))
    return found


def of_counts(small: bool) -> list[Row]:
    """A read and a write per pixel: held against a copy of as many bytes."""
    n = 48 if small else 4096

    def setup(mean: float) -> Callable[[], Any]:
        image = view(cuda.asarray(np.full((n, n), mean, np.float32)), "image")
        return partial(extension().noise_shot, image, image.empty((n, n), np.float32), seed=1)

    return [
        (f"counts, {mean:g} electrons per pixel", "B/s", 8 * n * n, partial(setup, mean), (COPY, None))
        for mean in (1.0, 5.0, 20.0, 1000.0)
    ]


def of_boxes(small: bool) -> Row:
    """Squares ten of which lie over each place: a detector's proposals before they are thinned."""
    count, half = 500 if small else 100_000, 10**0.5 / 2

    def setup() -> Callable[[], Any]:
        generator = np.random.default_rng(0)
        middle = generator.uniform(0, count**0.5, (count, 2))
        boxes = cuda.asarray(np.concatenate([middle - half, middle + half], axis=1))
        return partial(atoms.nms, boxes, cuda.asarray(generator.random(count)))

    return f"suppression of {count} boxes", "calls/s", 1, setup, 500.0


def of_atoms(small: bool) -> Row:
    count, n = (20, 48) if small else (30_000, 1024)

    def setup() -> Callable[[], Any]:
        generator = np.random.default_rng(0)
        positions = generator.uniform(0, 0.1 * n, (count, 3))
        scene = SimpleNamespace(numbers=generator.choice([8, 38], count), positions=positions)
        model = {8: (0.7, 0.2, 0.3, 6.0, 0.3), 38: (1.0, 0.5, 0.6, 12.0, 0.5)}
        return partial(specimen.render, scene, shape=(n, n), pixel_size=0.1, model=model, device="cuda")

    return f"rendering of {count} atoms, {n}²", "images/s", 1, setup, None


def of_patches(small: bool) -> Row:
    """Every wave is read once."""
    side, n = (3, 16) if small else (64, 64)

    def setup() -> Callable[[], Any]:
        y, x = np.mgrid[:n, :n] - n / 2
        wave = np.exp(-(y**2 + x**2) / (2 * n)).astype(np.float32)
        there = extension().Patches(np.stack([wave, 0 * wave]), pitch=1.0, cut=0.1, device=0)
        waves = np.random.default_rng(0).normal(size=(side * side, 2, n, n)).astype(np.float32)
        given, image = cuda.asarray(waves), cuda.asarray(np.zeros((side, side), np.complex64))
        seen, total = view(given, "waves"), view(image, "image")
        return partial(there.add, seen, total, first=0, columns=side, oversample=1)

    return f"patches, waves of {n}²", "B/s", side * side * 8 * n * n, setup, (COPY, None)
