"""AtomID-net at work: how far columns lie apart in an image, and a map of where they are.

The network knows columns about 10 pixels apart. An image is looked at with pixels of 1, 2, 4, ... of its own; every
look gives ln s ± σ for up to nine tiles, and the spacing is where the sum of ln(0.02 + N(ln s, σ²)) is highest: tiles
that are mistaken, or see nothing, don't matter. With pixels of s/10 it is looked at again, and the map made, in blocks
that overlap by what a pixel of the map depends on.

Source: Yan, MPhil thesis (PolyU), ch. 2, with the scale found from the image.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crewe import models
from crewe.atoms.resample import resample, size

__all__ = ["Confidence", "network_confidence"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

SPACING = 10.0  # [pixels] of what the network was trained with
_TILE = 128  # [pixels], as trained
_BLOCK, _OVERLAP = 512, 80  # [pixels]; multiples of the network's 16
_NEAREST, _FARTHEST = 3.0, 160.0  # [pixels]: spacings that are looked for


class Confidence(NamedTuple):
    """`map` (y, x), 1 at a column, with pixels of `step` image pixels; the `spacing` in such, if it is known."""

    map: Image
    step: float
    spacing: float | None


def network_confidence(image: Image) -> Confidence:
    """Where columns are in an image (y, x) float32, 0..1, and how far apart."""
    if image.min() == image.max():
        return Confidence(np.zeros(image.shape, np.float32), 1.0, 0.0)
    spacing = _spacing(image)
    step = spacing / SPACING
    low, high = _range(_tiles(image, step, 6))
    whole = size(image.shape, step)
    out = np.empty(whole, np.float32)
    for y in range(0, whole[0], _BLOCK):
        for x in range(0, whole[1], _BLOCK):
            start = (max(y - _OVERLAP, 0), max(x - _OVERLAP, 0))
            stop = (min(y + _BLOCK + _OVERLAP, whole[0]), min(x + _BLOCK + _OVERLAP, whole[1]))
            block = _scaled(resample(image, step, start=start, stop=stop), low, high)
            pad = [(0, -n % 16) for n in block.shape]
            found = _network().run(np.pad(block, pad, mode="symmetric")[None, None])[0][0, 0]
            inner = out[y : y + _BLOCK, x : x + _BLOCK]
            inner[...] = found[y - start[0] :, x - start[1] :][: inner.shape[0], : inner.shape[1]]
    return Confidence(out, step, spacing)


@cache
def _network() -> models.Model:
    return models.load("atomid")


def _spacing(image: Image) -> float:
    logs, spreads = [], []
    step = 1.0
    while step == 1 or (step <= _FARTHEST / SPACING and min(image.shape) / step >= 40):
        log, spread = _look(image, step)
        logs.append(log)
        spreads.append(spread)
        step *= 2
    best = _agreed(np.concatenate(logs), np.concatenate(spreads))
    for _ in range(2):
        before = best
        best = _agreed(*_look(image, best / SPACING))
        if abs(math.log(best / before)) < 0.1:
            break
    return best


def _look(image: Image, step: float) -> tuple[Floats, Floats]:
    """ln of the spacing [image pixels] in each tile, and its standard deviation."""
    tiles = _tiles(image, step, 3)
    told = _network().run(_scaled(tiles, *_range(tiles))[:, None])[1].astype(np.float64)
    return told[:, 0] + math.log(SPACING * step), np.exp(np.clip(told[:, 1], -3.0, 2.0))


def _agreed(logs: Floats, spreads: Floats) -> float:
    candidates = np.linspace(math.log(_NEAREST), math.log(_FARTHEST), 800)
    apart = (candidates[:, None] - logs) / spreads
    return math.exp(candidates[np.log(0.02 + np.exp(-(apart**2) / 2) / spreads).sum(axis=1).argmax()])


def _tiles(image: Image, step: float, most: int) -> Image:
    """At most `most`² tiles spread evenly over the resampled image; a smaller image is continued by its reflection."""
    whole = size(image.shape, step)
    corners = []
    for n in whole:
        count = min(most, math.ceil(n / _TILE))
        corners.append(np.unique(np.linspace(0, max(n - _TILE, 0), count).round().astype(int)))
    tiles = []
    for y in corners[0].tolist():
        for x in corners[1].tolist():
            tile = resample(image, step, start=(y, x), stop=(min(y + _TILE, whole[0]), min(x + _TILE, whole[1])))
            tiles.append(np.pad(tile, [(0, _TILE - n) for n in tile.shape], mode="symmetric"))
    return np.stack(tiles)


def _range(tiles: Image) -> tuple[float, float]:
    """What becomes 0 and 1: the first and the 99.8th percentile, at least a standard deviation apart."""
    low, high = (float(v) for v in np.percentile(tiles, [1, 99.8]))
    return low, max(high, low + float(tiles.std()))


def _scaled(image: Image, low: float, high: float) -> Image:
    scaled: Image = np.clip((image - np.float32(low)) / np.float32(max(high - low, 1e-30)), -0.5, 1.5)
    return scaled
