"""Batches for AtomID-net, of a seed and a step alone.

Two kinds: pictures resampled as `atoms.find` does, columns 10 pixels apart ±30 %, with the map to be learnt; and
pictures of any scale, columns 3.5 to 90 pixels apart, with the spacing alone.
"""

import math
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crewe.atoms.views import levels, normalised, views
from crewe.train.atoms.scenes import draw

__all__ = ["SPACING", "Batch", "batch", "batches"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

SPACING = 10.0  # [pixels] of what the map is made for
SIGMA = 0.17  # of a spot in the map [spacings]


class Batch(NamedTuple):
    """`images` (n, 3, y, x), their `maps` and `weights` (n, 1, y, x), ln(s/10); `others` (m, 3, y, x) and theirs."""

    images: Image
    maps: Image
    weights: Image
    spacings: Image
    others: Image
    other_spacings: Image


def batch(seed: int, step: int, *, count: int, size: int, stream: int = 0) -> Batch:
    """`count` pictures of size×size pixels with maps, half as many of any scale."""
    rng = np.random.default_rng([seed, stream, step])
    images, maps, weights, spacings = [], [], [], []
    for _ in range(count):
        spacing = SPACING * math.exp(rng.uniform(-0.35, 0.35))
        step_size = math.exp(rng.uniform(math.log(0.5), math.log(2.6)))
        scene = draw(rng, size=math.ceil(size * step_size), spacing=spacing * step_size)
        image = views(scene.image, threads=1).part(step_size, (0, 0), (size, size))
        places, light = ((p + 0.5) / step_size - 0.5 for p in (scene.places, scene.light))
        true = None if scene.spacing is None else scene.spacing / step_size
        target, weight = spots(places, light, true or spacing, size)
        if rng.random() < 0.3:
            image, target, weight = image.transpose(0, 2, 1), target.T, weight.T
        images.append(_normalised(rng, image))
        maps.append(target)
        weights.append(weight)
        spacings.append(_told(rng, true))
    others, other_spacings = [], []
    for _ in range(count // 2):
        spacing = math.exp(rng.uniform(math.log(3.5), math.log(90)))
        scene = draw(rng, size=size, spacing=spacing)
        others.append(_normalised(rng, np.stack(views(scene.image, threads=1)[:3])))
        other_spacings.append(_told(rng, scene.spacing))
    targets, weighed = (np.stack(part)[:, None].astype(np.float32) for part in (maps, weights))
    near, anywhere = (np.array(part, np.float32) for part in (spacings, other_spacings))
    return Batch(np.stack(images), targets, weighed, near, np.stack(others), anywhere)


def batches(seed: int, step: int, *, count: int, size: int) -> Iterator[Batch]:
    """The batches from `step` on, each made while the one before is in use."""
    with ThreadPoolExecutor(1) as pool:
        ahead: Future[Batch] = pool.submit(batch, seed, step, count=count, size=size)
        while True:
            ready = ahead.result()
            step += 1
            ahead = pool.submit(batch, seed, step, count=count, size=size)
            yield ready


def spots(places: Floats, light: Floats, spacing: float, size: int) -> tuple[Image, Image]:
    """The map: the highest of Gaussians of peak 1 at `places`, σ = 0.17 spacings; and weights, 0 at `light` columns.

    Source: Yan, MPhil thesis (PolyU), eqs. 1-4, with the maximum instead of the sum.
    """
    sigma = SIGMA * spacing
    target, ignored = _highest(places, sigma, size), _highest(light, 1.3 * sigma, size)
    return target, np.where((ignored > 0.1) & (ignored > target), 0, 1).astype(np.float32)


def _highest(points: Floats, sigma: float, size: int) -> Image:
    reach = math.ceil(3.5 * sigma)
    out = np.zeros((size + 2 * reach + 2, size + 2 * reach + 2), np.float32)
    if len(points):
        whole = np.rint(points).astype(np.int64)
        keep = ((whole >= -1) & (whole <= size)).all(axis=1)
        points, whole = points[keep], whole[keep]
        steps = np.arange(-reach, reach + 1)
        y, x = (np.exp(-((steps + whole[:, k, None] - points[:, k, None]) ** 2) / (2 * sigma**2)) for k in (0, 1))
        at = whole + reach + 1
        rows, columns = at[:, 0, None, None] + steps[:, None], at[:, 1, None, None] + steps
        np.maximum.at(out, (rows, columns), (y[:, :, None] * x[:, None, :]).astype(np.float32))
    return out[reach + 1 : reach + 1 + size, reach + 1 : reach + 1 + size]


def _normalised(rng: np.random.Generator, image: Image) -> Image:
    low, high = levels(image)
    spread = (high - low) * np.exp(rng.normal(0, 0.1, low.shape))
    return normalised(image, low - spread * rng.normal(0, 0.03, low.shape), low + spread)


def _told(rng: np.random.Generator, spacing: float | None) -> float:
    """ln(s/10); where nothing is to be seen any spacing, that the network may say how little it knows."""
    return math.log((spacing or math.exp(rng.uniform(math.log(3.5), math.log(90)))) / SPACING)
