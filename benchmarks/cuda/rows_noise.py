"""Noise chains, suppression of boxes, rendering and patches on a GPU, beside the rates that are wanted."""

from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from crewe import atoms, cuda, noise, specimen
from crewe._device import extension, view

from .bench import Bench

__all__ = ["rows"]

WANTED = "wanted"
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


def rows(bench: Bench) -> Iterator[dict[str, Any]]:
    """One after the other, as they are measured."""
    yield from of_chains(bench)
    yield from of_counts(bench)
    yield of_boxes(bench)
    yield of_atoms(bench)
    yield of_patches(bench)


def of_chains(bench: Bench) -> Iterator[dict[str, Any]]:
    """A stack of 32 is larger than any cache."""
    n, count = bench.size(1024, 48), bench.size(32, 2)
    stack = np.random.default_rng(0).uniform(0.1, 1, (count, n, n)).astype(np.float32)
    chains: list[tuple[str, Callable[..., Any], dict[str, Any]]] = [("STEM", noise.stem, STEM), ("TEM", noise.tem, TEM)]
    for name, chain, settings in chains:
        for images in (stack, stack[0]):
            run = partial(chain, cuda.asarray(images), seed=1, **settings)
            many = images.ndim == 3
            limit = 2000.0 if name == "STEM" and many else None
            title = f"{name} chain, {n}², {'a stack' if many else 'one by one'}"
            yield bench.row(title, bench.seconds(run), count if many else 1, "images", limit, WANTED if limit else "")


def of_counts(bench: Bench) -> Iterator[dict[str, Any]]:
    """A read and a write per pixel: held against a copy of as many bytes."""
    n = bench.size(4096, 48)
    for mean in (1.0, 5.0, 20.0, 1000.0):
        image = view(cuda.asarray(np.full((n, n), mean, np.float32)), "image")
        run = partial(extension().noise_shot, image, image.empty((n, n), np.float32), seed=1)
        title = f"counts, {mean:g} electrons per pixel"
        yield bench.row(title, bench.seconds(run), n * n, "pixels", bench.copy_rate / 8, "copy")


def of_boxes(bench: Bench) -> dict[str, Any]:
    """Squares ten of which lie over each place: a detector's proposals before they are thinned."""
    count, half = bench.size(100_000, 500), 10**0.5 / 2
    generator = np.random.default_rng(0)
    middle = generator.uniform(0, count**0.5, (count, 2))
    boxes = cuda.asarray(np.concatenate([middle - half, middle + half], axis=1))
    run = partial(atoms.nms, boxes, cuda.asarray(generator.random(count)))
    return bench.row(f"suppression of {count} boxes", bench.wall(run), 1, "calls", 500.0, WANTED)


def of_atoms(bench: Bench) -> dict[str, Any]:
    count, n = bench.size(30_000, 20), bench.size(1024, 48)
    generator = np.random.default_rng(0)
    positions = generator.uniform(0, 0.1 * n, (count, 3))
    scene = SimpleNamespace(numbers=generator.choice([8, 38], count), positions=positions)
    model = {8: (0.7, 0.2, 0.3, 6.0, 0.3), 38: (1.0, 0.5, 0.6, 12.0, 0.5)}
    run = partial(specimen.render, scene, shape=(n, n), pixel_size=0.1, model=model, device="cuda")
    return bench.row(f"rendering of {count} atoms, {n}²", bench.seconds(run), 1, "images")


def of_patches(bench: Bench) -> dict[str, Any]:
    """Every wave is read once."""
    side, n = bench.size(64, 3), bench.size(64, 16)
    y, x = np.mgrid[:n, :n] - n / 2
    wave = np.exp(-(y**2 + x**2) / (2 * n)).astype(np.float32)
    there = extension().Patches(np.stack([wave, 0 * wave]), pitch=1.0, cut=0.1, device=bench.device)
    waves = np.random.default_rng(0).normal(size=(side * side, 2, n, n)).astype(np.float32)
    given, image = cuda.asarray(waves), cuda.asarray(np.zeros((side, side), np.complex64))
    seen, total = view(given, "waves"), view(image, "image")
    run = partial(there.add, seen, total, first=0, columns=side, oversample=1)
    limit = bench.copy_rate / (8 * n * n)
    return bench.row(f"patches, waves of {n}²", bench.seconds(run), side * side, "waves", limit, "copy")
