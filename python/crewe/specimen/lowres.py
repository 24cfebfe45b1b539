"""Images at low magnification: particles, grains, bands, boxes, cracks."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core, noise

__all__ = ["OBJECTS", "random_objects"]

Image = NDArray[np.float32]


def random_objects(rng: np.random.Generator, shape: tuple[int, int], threads: int) -> tuple[Image, list[str]]:
    """One to six kinds of objects in one picture, each of a random strength."""
    count = int(rng.integers(1, len(OBJECTS) + 1))
    chosen = [list(OBJECTS)[k] for k in sorted(rng.choice(len(OBJECTS), count, replace=False))]
    image = np.zeros(shape, np.float32)
    for name in chosen:
        part = OBJECTS[name](rng, shape, threads)
        top = float(part.max())
        if top > 0:
            image += part * np.float32(rng.uniform(0.3, 1) / top)
    # No beam is sharper than its pixels: edges without stairs.
    return noise.gaussian_blur(image, sigma=float(rng.uniform(0.4, 0.8)), threads=threads), chosen


def _soft_particles(rng: np.random.Generator, shape: tuple[int, int], threads: int) -> Image:
    """15 to 85 stretched radial profiles (eq. 17), axes 0.8 to 1.2 of each other."""
    count, kinds = int(rng.integers(15, 86)), 4
    heights, n = rng.uniform(0.5, 1, (kinds, 3)), rng.uniform(4, 16, kinds)
    profiles = np.column_stack([heights, n, np.ones(kinds)])
    largest = rng.uniform(0.02, 0.08) * min(shape)
    radius = np.maximum(largest * rng.uniform(0.3, 1, count), 0.7)
    ry, rx = radius * np.sqrt(rng.uniform(0.8, 1.2, count)), radius / np.sqrt(rng.uniform(0.8, 1.2, count))
    angle = rng.uniform(0, np.pi, count)
    c, s = np.cos(angle), np.sin(angle)
    form = (c**2 / ry**2 + s**2 / rx**2, c * s * (1 / ry**2 - 1 / rx**2), s**2 / ry**2 + c**2 / rx**2)
    places = rng.uniform(0, 1, (count, 2)) * shape
    blobs = np.column_stack([places, *form, rng.uniform(0.3, 1, count)])
    image = np.zeros(shape, np.float32)
    kind = rng.integers(0, kinds, count).astype(np.uint32)
    _core.specimen_blobs(np.ascontiguousarray(blobs), kind, np.ascontiguousarray(profiles), image, threads=threads)
    return image


def _plane(rng: np.random.Generator, y: Any, x: Any, reach: float) -> Image:
    """A positive plane: 0.3..1 in the middle, at most 60 % of that up or down at `reach` pixels."""
    level = rng.uniform(0.3, 1)
    slope, angle = level * rng.uniform(0, 0.6) / max(reach, 1.0), rng.uniform(0, 2 * np.pi)
    plane = level + slope * (math.sin(angle) * y + math.cos(angle) * x)
    inside: Image = np.maximum(plane, 0.02).astype(np.float32)
    return inside


def _window(y: float, x: float, reach: float, shape: tuple[int, int]) -> tuple[slice, slice, Any, Any] | None:
    """The part of the frame within `reach` of a place, and the distances there."""
    y0, y1 = max(int(y - reach), 0), min(int(y + reach) + 2, shape[0])
    x0, x1 = max(int(x - reach), 0), min(int(x + reach) + 2, shape[1])
    if y0 >= y1 or x0 >= x1:
        return None
    return slice(y0, y1), slice(x0, x1), np.arange(y0, y1)[:, None] - y, np.arange(x0, x1)[None] - x


def _sharp_particles(rng: np.random.Generator, shape: tuple[int, int], threads: int) -> Image:
    """15 to 40 ellipses or polygons of 3 to 5 corners, a plane inside, in front of each other."""
    image = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(15, 41))):
        y, x = rng.uniform(0, 1, 2) * shape
        reach = rng.uniform(0.02, 0.15) * min(shape)
        window = _window(y, x, reach, shape)
        if window is None:
            continue
        rows, columns, dy, dx = window
        angle = rng.uniform(0, 2 * np.pi)
        if rng.random() < 0.5:
            u, v = math.cos(angle) * dy + math.sin(angle) * dx, math.cos(angle) * dx - math.sin(angle) * dy
            inside = u**2 + (v / rng.uniform(0.4, 1)) ** 2 <= reach**2
        else:
            corners = int(rng.integers(3, 6))
            turns = angle + 2 * np.pi * (np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) / corners
            ys, xs = reach * np.sin(turns), reach * np.cos(turns)
            inside = np.ones(np.broadcast_shapes(dy.shape, dx.shape), bool)
            for k in range(corners):
                ey, ex = ys[k - 1] - ys[k], xs[k - 1] - xs[k]
                inside &= ex * (dy - ys[k]) - ey * (dx - xs[k]) <= 0
        image[rows, columns][inside] = _plane(rng, dy, dx, reach)[inside]
    return image


def _grains(rng: np.random.Generator, shape: tuple[int, int], threads: int) -> Image:
    """15 to 175 Voronoi cells, a plane in each; half of the pictures have borders of another brightness."""
    count = int(rng.integers(15, 176))
    seeds = rng.uniform(0, 1, (count, 2)) * shape
    nearest, gap = np.empty(shape, np.int32), np.empty(shape, np.float32)
    _core.specimen_voronoi(seeds, nearest, gap, threads=threads)
    level = rng.uniform(0.3, 1, count).astype(np.float32)
    reach = math.sqrt(shape[0] * shape[1] / count)
    slope = (level * rng.uniform(0, 0.5, count) / reach).astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi, count)
    sy, sx = (slope * np.sin(angle)).astype(np.float32), (slope * np.cos(angle)).astype(np.float32)
    start = (level - sy * seeds[:, 0] - sx * seeds[:, 1]).astype(np.float32)
    y, x = np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[1], dtype=np.float32)
    image: Image = np.maximum(start[nearest] + sy[nearest] * y + sx[nearest] * x, np.float32(0.02))
    if rng.random() < 0.5:
        image[gap < rng.uniform(1, 4)] = rng.uniform(0.5, 1.5) * image.mean()
    return image


def _bands(rng: np.random.Generator, shape: tuple[int, int], threads: int) -> Image:
    """2 to 12 stripes of random width and brightness across the picture, their edges sharp or soft."""
    y, x = np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[1], dtype=np.float32)
    angle = rng.uniform(0, np.pi)
    place = np.float32(math.sin(angle)) * y + np.float32(math.cos(angle)) * x
    low, high = float(place.min()), float(place.max())
    image = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(2, 13))):
        centre, half = rng.uniform(low, high), rng.uniform(0.01, 0.1) * (high - low)
        edge = max(rng.uniform(0, 0.5) * half, 0.5)
        profile = np.clip((half + edge / 2 - np.abs(place - np.float32(centre))) / np.float32(edge), 0, 1)
        image += np.float32(rng.uniform(0.3, 1)) * profile
    return image


def _boxes(rng: np.random.Generator, shape: tuple[int, int], threads: int) -> Image:
    """3 to 20 rectangles at one angle, of even brightness: devices, windows, pits."""
    image = np.zeros(shape, np.float32)
    angle = rng.uniform(0, np.pi / 2)
    c, s = math.cos(angle), math.sin(angle)
    for _ in range(int(rng.integers(3, 21))):
        half = rng.uniform(0.02, 0.2, 2) * min(shape)
        y, x = rng.uniform(0, 1, 2) * shape
        window = _window(y, x, float(np.hypot(*half)), shape)
        if window is None:
            continue
        rows, columns, dy, dx = window
        inside = (np.abs(c * dy + s * dx) <= half[0]) & (np.abs(c * dx - s * dy) <= half[1])
        image[rows, columns][inside] = rng.uniform(0.2, 1)
    return image


def _cracks(rng: np.random.Generator, shape: tuple[int, int], threads: int) -> Image:
    """1 to 6 dark lines that wander over a bright picture."""
    image = np.zeros(shape, np.float32)
    profiles = np.array([[1.0, 0.0, 0.0, 4.0, 1.0]])
    for _ in range(int(rng.integers(1, 7))):
        width, steps = rng.uniform(0.7, 2.5), 2 * max(shape)
        turns = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.15, steps))
        path = np.cumsum(np.stack([np.sin(turns), np.cos(turns)], axis=1), axis=0) + rng.uniform(0, 1, 2) * shape
        path = path[((path > -9) & (path < np.array(shape) + 9)).all(axis=1)]
        form = np.full(len(path), 1 / width**2)
        blobs = np.column_stack([path, form, 0 * form, form, np.full(len(path), 0.5)])
        kind = np.zeros(len(path), np.uint32)
        _core.specimen_blobs(np.ascontiguousarray(blobs), kind, profiles, image, threads=threads)
    return 1 - np.minimum(image, 1) * np.float32(rng.uniform(0.3, 1))


#: Kind of object → how it is drawn: (rng, shape, threads) → image.
OBJECTS: dict[str, Callable[[np.random.Generator, tuple[int, int], int], Image]] = {
    "soft particles": _soft_particles,
    "sharp particles": _sharp_particles,
    "grains": _grains,
    "bands": _bands,
    "boxes": _boxes,
    "cracks": _cracks,
}
