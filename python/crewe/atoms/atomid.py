"""AtomID-net at work: how far columns lie apart in an image, and a map of where they are.

The network knows columns about 10 pixels apart. The Laplacian of Gaussian (`atoms.log`) gives a first spacing s₁; the
image with pixels of s₁/10 is shown to the network, which gives μ ± σ for ln s in up to nine tiles, and the spacing s is
where

    Σ ln(σ₀/σ)·ln(1 + exp(−(ln s − μ)²/2σ²)/σ)

over the tiles and s₁ is highest, σ₀ the spread of ln s in training: tiles that are mistaken, or see nothing, count
little. With pixels of s/10 the map is made, in blocks that overlap by what a pixel of the map depends on: the mean of
what the network makes of a block and of the block turned by 180°. Without a lattice, hills of the map where the
Laplacian of Gaussian sees nothing at all are erased: single atoms have two witnesses.

Source: Yan, MPhil thesis (PolyU), ch. 2, with the scale found from the image.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from crewe import _core, models
from crewe.atoms.confidence import Confidence
from crewe.atoms.log import log_confidence, spacing_of
from crewe.atoms.resample import size
from crewe.atoms.views import Views, levels, normalised

__all__ = ["network_confidence"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

SPACING = 10.0  # [pixels] of what the network was trained with
_TILE = 128  # [pixels], as trained
_BLOCK, _OVERLAP = 1024, 80  # [pixels]; multiples of the network's 16
_NEAREST, _FARTHEST = 4.0, 120.0  # [pixels]: spacings that are looked for
_ALONE = 8.0  # [pixels]: the least without a lattice, where a finer look takes single electrons for atoms
_SPREAD = 0.94  # σ₀: ln s is uniform from ln 3.5 to ln 90 in training
_WIDTHS = 5.2  # σ of the Laplacian of Gaussian to the spacing of single atoms, 2.2 full widths at half maximum
_FIRST = 0.15  # what ln s₁ is wrong by
_SEEN = 3.5 / 4.5  # of what the Laplacian of Gaussian alone asks of a single atom: 3.5 instead of 4.5 deviations
_HILL, _LEAST = 4.0, 0.07  # [pixels of the map] around a column, and what it has there


def network_confidence(seen: Views) -> Confidence:
    """Where columns are in an image, 0..1, and how far apart."""
    shape = seen.image.shape
    if seen.image.min() == seen.image.max():
        return Confidence(np.zeros(shape, np.float32), 1.0, 0.0)
    spacing = _spacing(seen)
    step = spacing / SPACING
    low, high = levels(_tiles(seen, step, 6))
    whole = size(shape, step)
    out = np.empty(whole, np.float32)
    for y in range(0, whole[0], _BLOCK):
        for x in range(0, whole[1], _BLOCK):
            start = (max(y - _OVERLAP, 0), max(x - _OVERLAP, 0))
            stop = (min(y + _BLOCK + _OVERLAP, whole[0]), min(x + _BLOCK + _OVERLAP, whole[1]))
            block = normalised(seen.part(step, start, stop), low, high)
            pad = [(0, 0)] + [(0, -n % 16) for n in block.shape[1:]]
            block = np.pad(block, pad, mode="symmetric")
            one, turned = (_network().run(b[None])[0][0, 0] for b in (block, block[:, ::-1, ::-1]))
            found = (one + turned[::-1, ::-1]) / 2
            inner = out[y : y + _BLOCK, x : x + _BLOCK]
            inner[...] = found[y - start[0] :, x - start[1] :][: inner.shape[0], : inner.shape[1]]
    if not seen.lattice:
        _erase_unseen(out, step, seen)
    return Confidence(out, step, spacing)


def _erase_unseen(map: Image, step: float, seen: Views) -> None:
    """Flatten the hills of the map within σ of whose summit the Laplacian of Gaussian has none."""
    confidence, lowest = log_confidence(seen)
    witnesses = _core.atoms_peaks(confidence.map, reach=1, lower=_SEEN * lowest)[:, :2]
    summits = _core.atoms_peaks(map, reach=1, lower=_LEAST)[:, :2]
    near = _discs(map.shape, (witnesses + 0.5) / step - 0.5, seen.sigma / step)
    lone = ~near[tuple(np.rint(summits).astype(int).T)]
    map[_discs(map.shape, summits[lone], _HILL) & ~_discs(map.shape, summits[~lone], _HILL)] = 0


def _discs(shape: tuple[int, ...], middles: Floats, radius: float) -> NDArray[np.bool_]:
    """Where a pixel (y, x) is within `radius` of one of the middles (n, 2)."""
    reach = math.ceil(radius)
    around = np.argwhere(np.ones((2 * reach + 1, 2 * reach + 1))) - reach
    around = around[np.hypot(*around.T) <= radius]
    inside = np.zeros(shape, bool)
    at = np.clip(np.rint(middles).astype(int)[:, None] + around, 0, np.array(shape) - 1)
    inside[at[..., 0], at[..., 1]] = True
    return inside


@cache
def _network() -> models.Model:
    return models.load("atomid")


def _spacing(seen: Views) -> float:
    """[pixels]; begins with what the Laplacian of Gaussian finds."""
    best, nearest = _WIDTHS * seen.sigma, _NEAREST if seen.lattice else _ALONE
    if seen.lattice:
        map, lowest = log_confidence(seen)
        best = spacing_of(_core.atoms_peaks(map.map, reach=1, lower=lowest)[:, :2]) or best
    best = min(max(best, nearest), _FARTHEST)
    for _ in range(2):
        before = best
        best = max(_agreed(*_look(seen, before / SPACING), before), nearest)
        if abs(math.log(best / before)) < 0.1:
            break
    return best


def _look(seen: Views, step: float) -> tuple[Floats, Floats]:
    """ln of the spacing [image pixels] in each tile, and its standard deviation."""
    tiles = _tiles(seen, step, 3)
    told = _network().run(normalised(tiles, *levels(tiles)))[1].astype(np.float64)
    return told[:, 0] + math.log(SPACING * step), np.exp(np.clip(told[:, 1], -3.0, 2.0))


def _agreed(logs: Floats, spreads: Floats, first: float) -> float:
    logs, spreads = np.append(logs, math.log(first)), np.append(spreads, _FIRST)
    candidates = np.linspace(math.log(_NEAREST), math.log(_FARTHEST), 800)
    spreads = np.minimum(spreads, 0.99 * _SPREAD)
    likely = np.log1p(np.exp(-(((candidates[:, None] - logs) / spreads) ** 2) / 2) / spreads)
    return math.exp(candidates[(likely @ np.log(_SPREAD / spreads)).argmax()])


def _tiles(seen: Views, step: float, most: int) -> Image:
    """At most `most`² tiles (n, 3, y, x) spread evenly; a smaller image is continued by its reflection."""
    whole = size(seen.image.shape, step)
    corners = []
    for n in whole:
        count = min(most, math.ceil(n / _TILE))
        corners.append(np.unique(np.linspace(0, max(n - _TILE, 0), count).round().astype(int)))
    tiles = []
    for y in corners[0].tolist():
        for x in corners[1].tolist():
            tile = seen.part(step, (y, x), (min(y + _TILE, whole[0]), min(x + _TILE, whole[1])))
            tiles.append(np.pad(tile, [(0, 0)] + [(0, _TILE - n) for n in tile.shape[1:]], mode="symmetric"))
    return np.stack(tiles)
