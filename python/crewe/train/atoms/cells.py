"""Structures as they are seen along a zone axis: cells, columns, elements.

MX2 (2H, 1T, drawn together to rhombi or zigzags), perovskites along 100 and 110, metals along 100, 110 and 111,
dumbbells, graphene and its kin, rock salt, and any cell of one to four columns.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cell", "cell", "grain"]

Floats = NDArray[np.float64]
Generator = np.random.Generator


class Cell(NamedTuple):
    """`vectors` (2, 2), rows [Å], `motif` (n, 2), fractions, and the elements of each of its columns."""

    vectors: Floats
    motif: Floats
    species: Sequence[tuple[int, ...]]


def cell(rng: Generator) -> Cell:
    """A structure."""
    return _KINDS[rng.choice(len(_KINDS), p=_SHARES)](rng)


def grain(vectors: Floats, motif: Floats, turn: float, size: float, shift: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Places [Å] in 0..size with a margin of 8 Å, and members of the motif; turned [rad], shifted [cells]."""
    c, s = math.cos(turn), math.sin(turn)
    vectors = vectors @ np.array([[c, s], [-s, c]])
    half = size / 2 + 8
    corners = half * np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) @ np.linalg.inv(vectors)
    low, high = np.floor(corners.min(axis=0)).astype(int) - 1, np.ceil(corners.max(axis=0)).astype(int) + 2
    steps = np.stack(np.meshgrid(*map(np.arange, low, high), indexing="ij"), axis=-1).reshape(-1, 1, 2)
    places = ((steps + motif + shift) @ vectors).reshape(-1, 2)
    member = np.tile(np.arange(len(motif)), len(steps))
    inside = (np.abs(places) < half).all(axis=1)
    return places[inside] + size / 2, member[inside]


def _hexagonal(a: float) -> Floats:
    return a * np.array([[1.0, 0.0], [-0.5, math.sqrt(3) / 2]])


def _one(rng: Generator, elements: list[int]) -> int:
    return int(rng.choice(elements))


def _layer(rng: Generator) -> Cell:
    """MX2: 2H, both anions in one column, or 1T."""
    m, x = _one(rng, [22, 23, 41, 42, 73, 74, 75, 78]), int(rng.choice([16, 34, 52], p=[0.6, 0.3, 0.1]))
    a = rng.uniform(3.1, 3.65)
    if rng.random() < 0.75:
        return Cell(_hexagonal(a), np.array([[0, 0], [1 / 3, 2 / 3]]), [(m,), (x, x)])
    return Cell(_hexagonal(a), np.array([[0, 0], [1 / 3, 2 / 3], [2 / 3, 1 / 3]]), [(m,), (x,), (x,)])


def _drawn_together(rng: Generator, cells: Floats, rhombi: bool) -> Cell:
    """1T MX2 with its metals drawn together: four in 2×2 cells to rhombi, or two to zigzags."""
    a, x = rng.uniform(3.1, 3.6), int(rng.choice([16, 34, 52], p=[0.55, 0.35, 0.1]))
    m, pull = _one(rng, [75, 74, 42, 43, 77]), rng.uniform(0.04, 0.13)
    metals = cells + (2 * pull * (cells.mean(axis=0) - cells) if rhombi else np.array([[pull, 0], [-pull, 0]]))
    anions = np.concatenate([cells + np.array([1 / 3, 2 / 3]), cells + np.array([2 / 3, 1 / 3])])
    anions = anions + rng.normal(0, 0.03, anions.shape)
    fold = np.array([2, 2]) if rhombi else np.array([2, 1])
    motif = np.concatenate([metals, anions]) / fold
    return Cell(_hexagonal(a) * fold[:, None], motif, [(m,)] * len(metals) + [(x,)] * len(anions))


def _rhombi(rng: Generator) -> Cell:
    return _drawn_together(rng, np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), rhombi=True)


def _zigzags(rng: Generator) -> Cell:
    return _drawn_together(rng, np.array([[0.0, 0.0], [1.0, 0.0]]), rhombi=False)


def _perovskite(rng: Generator) -> tuple[float, int, int]:
    a = rng.uniform(3.75, 4.15)
    return a, _one(rng, [20, 38, 56, 57, 60, 82]), _one(rng, [13, 22, 25, 26, 28, 40, 41])


def _perovskite_100(rng: Generator) -> Cell:
    a, big, small = _perovskite(rng)
    motif = np.array([[0, 0], [0.5, 0.5], [0.5, 0], [0, 0.5]])
    if rng.random() < 0.4:  # polar
        motif[1] += rng.normal(0, 0.02, 2)
    return Cell(a * np.eye(2), motif, [(big,), (small, 8), (8,), (8,)])


def _perovskite_110(rng: Generator) -> Cell:
    a, big, small = _perovskite(rng)
    motif = np.array([[0, 0], [0.5, 0.5], [0.5, 0.25], [0.5, 0.75]])
    return Cell(np.diag([a, a * math.sqrt(2)]), motif, [(big, 8), (small,), (8,), (8,)])


def _metal(rng: Generator) -> tuple[float, int]:
    return rng.uniform(3.5, 4.15), _one(rng, _METALS)


def _metal_100(rng: Generator) -> Cell:
    a, m = _metal(rng)
    return Cell(a / math.sqrt(2) * np.eye(2), np.zeros((1, 2)), [(m,)])


def _metal_110(rng: Generator) -> Cell:
    a, m = _metal(rng)
    other = _one(rng, _METALS) if rng.random() < 0.2 else m  # an ordered alloy, or one metal
    return Cell(np.diag([a, a / math.sqrt(2)]), np.array([[0, 0], [0.5, 0.5]]), [(m,), (other,)])


def _metal_111(rng: Generator) -> Cell:
    a, m = _metal(rng)
    spacing = a / math.sqrt(6) * rng.choice([1, math.sqrt(3)])
    return Cell(_hexagonal(spacing), np.zeros((1, 2)), [(m,)])


def _dumbbells(rng: Generator) -> Cell:
    a, (m, n) = rng.uniform(5.4, 6.5), rng.choice([[14, 14], [32, 32], [31, 33], [49, 33], [48, 52], [30, 34]])
    motif = np.array([[0, 0], [0.25, 0], [0.5, 0.5], [0.75, 0.5]])
    return Cell(np.diag([a, a / math.sqrt(2)]), motif, [(int(m),), (int(n),)] * 2)


def _honeycomb(rng: Generator) -> Cell:
    """Graphene (twice as often), boron nitride, silicene."""
    a, (m, n) = rng.uniform(2.4, 2.6), [(6, 6), (6, 6), (5, 7), (14, 14)][rng.integers(4)]
    return Cell(_hexagonal(3.86 if m == 14 else a), np.array([[1 / 3, 2 / 3], [2 / 3, 1 / 3]]), [(m,), (n,)])


def _rock_salt(rng: Generator) -> Cell:
    a, m, n = rng.uniform(4.1, 5.5), _one(rng, [12, 20, 28, 82, 71]), _one(rng, [8, 7, 16, 34, 52])
    return Cell(a / 2 * np.array([[1, 1], [-1, 1]]), np.array([[0, 0], [0.5, 0.5]]), [(m, n), (n, m)])


def _any(rng: Generator) -> Cell:
    """Columns more than 1.6 Å apart."""
    a = rng.uniform(2.3, 4.5)
    angle, b = math.radians(rng.uniform(60, 120)), a * rng.uniform(1, 2)
    vectors = np.array([[a, 0], [b * math.cos(angle), b * math.sin(angle)]])
    motif, species = np.zeros((1, 2)), [(int(rng.integers(12, 83)),)]
    for _ in range(int(rng.integers(0, 4))):
        place = rng.random(2)
        apart = place - motif
        apart = (apart - np.rint(apart)) @ vectors
        if (np.hypot(*apart.T) > 1.6).all():
            motif, species = np.vstack([motif, place]), [*species, (int(rng.integers(8, 83)),)]
    return Cell(vectors, motif, species)


_METALS = [22, 24, 26, 28, 29, 40, 41, 42, 44, 45, 46, 47, 72, 73, 74, 75, 77, 78, 79]
_KINDS = [
    _layer, _rhombi, _zigzags, _perovskite_100, _perovskite_110, _metal_100, _metal_110, _metal_111, _dumbbells,
    _honeycomb, _rock_salt, _any,
]  # fmt: skip
_SHARES = [0.13, 0.14, 0.04, 0.14, 0.05, 0.08, 0.08, 0.04, 0.05, 0.12, 0.03, 0.10]
