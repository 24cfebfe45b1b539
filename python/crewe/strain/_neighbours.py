"""Columns and who stands next to them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import as_points

__all__ = ["SAMPLE", "as_positions", "lattice_steps", "nearest", "pairs", "tolerance"]

#: Columns that tell the usual distance of neighbours and vote for lattice vectors.
SAMPLE = 300


def as_positions(positions: Any, *, least: int = 3) -> NDArray[np.float64]:
    """Points (n, 2) that span the plane."""
    points = as_points(positions)
    if len(points) < least:
        raise ValueError(f"positions: at least {least} columns wanted, {len(points)} came")
    spread = np.linalg.svd(points - points.mean(0), compute_uv=False)
    if spread[1] <= 1e-6 * spread[0]:
        raise ValueError("positions: columns that span the plane wanted, all of them lie on one line")
    return points


def nearest(points: NDArray[np.float64], sample: int, count: int) -> NDArray[np.float64]:
    """Vectors (sample, count, 2) from some columns to their nearest others, in no order; infinite where missing."""
    chosen = np.random.default_rng(0).permutation(len(points))[:sample]  # rows and edges without preference
    centres = points[np.sort(chosen)]
    count = min(count, len(points) - 1)
    out = np.empty((len(centres), count, 2))
    for centre, vectors in zip(centres, out, strict=True):
        y, x = points[:, 0] - centre[0], points[:, 1] - centre[1]
        squared = y * y + x * x
        squared[squared == 0] = np.inf
        near = np.argpartition(squared, count - 1)[:count]
        vectors[:, 0], vectors[:, 1] = y[near], x[near]
        vectors[np.isinf(squared[near])] = np.inf
    return out


def tolerance(vectors: NDArray[np.float64]) -> float:
    """How far a column may stand from its lattice point: a quarter of the usual distance of nearest neighbours."""
    return 0.25 * float(np.median(np.hypot(vectors[..., 0], vectors[..., 1]).min(1)))


def pairs(points: NDArray[np.float64], radius: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices (i, j) of all ordered pairs of different points within `radius`, sorted by i: a hash on squares."""
    cell = np.floor((points - points.min(0)) / radius).astype(np.int64)
    width = int(cell[:, 1].max()) + 3
    key = (cell[:, 0] + 1) * width + cell[:, 1] + 1
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    first: list[NDArray[np.intp]] = []
    second: list[NDArray[np.intp]] = []
    for offset in (dy * width + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)):
        low, high = (np.searchsorted(ordered, key + offset, side) for side in ("left", "right"))
        many = high - low
        i = np.repeat(np.arange(len(points)), many)
        j = order[np.arange(len(i)) - np.repeat(np.cumsum(many) - many - low, many)]
        near = ((points[j] - points[i]) ** 2).sum(1) <= radius**2
        near &= i != j
        first.append(i[near])
        second.append(j[near])
    i, j = np.concatenate(first), np.concatenate(second)
    by_i = np.lexsort((j, i))
    return i[by_i], j[by_i]


def lattice_steps(
    points: NDArray[np.float64], basis: NDArray[np.float64], reach: float, allowed: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs (i, j) that a lattice vector of at most `reach` joins, its two integers, and by how much it misses, at most
    `allowed`.
    """
    i, j = pairs(points, reach + allowed)
    vectors = points[j] - points[i]
    steps = np.rint(vectors @ np.linalg.inv(basis)).astype(np.int64)
    ideal = steps @ basis
    miss = np.hypot(*(vectors - ideal).T)
    good = (miss <= allowed) & steps.any(1) & (np.hypot(*ideal.T) <= reach * (1 + 1e-9))
    return i[good], j[good], steps[good], miss[good]
