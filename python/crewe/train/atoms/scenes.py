"""Scenes for AtomID-net: images of atomic columns whose places are known.

A scene is a crystal or single atoms; with an edge, a particle, a grain boundary, vacancies, dopants, adatoms, strain;
on nothing, on amorphous matter, under contamination; seen by a probe with tails, at 8 to 5000 electrons per column, by
a scan that jitters. Columns that scatter less than `HEAVY` of the heaviest ones of the lattice, and
what can't be told from noise, count neither way.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe.train.atoms.cells import cell, grain
from crewe.train.atoms.views import empty, recorded, seen

__all__ = ["Scene", "draw"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Image = NDArray[np.float32]

HEAVY = 0.43  # of the heaviest column: between S2 in MoS2 (0.39) and TiO in SrTiO3 (0.46)
FAINT = 0.2  # lighter columns aren't there
FOUND, LIGHT, UNSEEN = 2, 1, 0  # what a column is: to be found, counting neither way, not to be found
VISIBLE, VISIBLE_ALONE = 0.3, 4.0  # times the noise: columns of a lattice, and single atoms, that count
WIDTHS = 4.0  # a spacing is at most as many widths of a column
ALONE = 2.2  # widths of a single atom: what it has for a spacing


@dataclass(frozen=True)
class Scene:
    """What is seen, and what is to be found.

    Attributes
    ----------
    image : ndarray (y, x) float32
        As recorded.
    places, light : ndarray (n, 2)
        Columns to be found, and columns that count neither way, (y, x) [pixels].
    spacing : float or None
        Mean distance of a column from its nearest neighbour, four widths of a column at most; of single atoms 2.2
        widths [pixels]; None: nothing is to be found.
    """

    image: Image
    places: Floats
    light: Floats
    spacing: float | None


@dataclass(frozen=True)
class _Columns:
    """Columns at `places`, of electrons `weights` and of a `rank`; lengths in spacings."""

    places: Floats
    weights: Floats
    rank: Ints
    width: float


def draw(rng: np.random.Generator, *, size: int, spacing: float) -> Scene:
    """A scene of size×size pixels, with columns about `spacing` pixels apart.

    Examples
    --------
    >>> import numpy as np
    >>> scene = draw(np.random.default_rng(3), size=64, spacing=12.0)
    >>> scene.image.shape, scene.places.shape[1]
    ((64, 64), 2)
    """
    if rng.random() < 0.16:
        return Scene(empty(rng, size, spacing), np.zeros((0, 2)), np.zeros((0, 2)), None)
    single = rng.random() < 0.22
    while True:
        columns = _single(rng, size / spacing) if single else _crystal(rng, size / spacing)
        if len(columns.places):
            break
    fwhm = spacing * (columns.width * math.exp(rng.normal(0, 0.1)) if single else columns.width)
    places, rank = columns.places * spacing, columns.rank
    clean = seen(rng, places, columns.weights, size, fwhm)
    apart = _neighbours(places, rank == FOUND)
    inside = ((places > -0.5) & (places < size - 0.5)).all(axis=1)
    places, weights, rank, apart = places[inside], columns.weights[inside], rank[inside], apart[inside]
    near = apart[rank == FOUND]
    mean = float(np.mean(near)) if len(near) and np.isfinite(near).all() else spacing
    true = ALONE * fwhm if single else min(mean, WIDTHS * fwhm)
    image, doubt = recorded(rng, clean, columns.weights, fwhm, true, single)
    hidden = apart < (0.6 * fwhm if single else 0.45 * spacing)  # two that look like one
    y, x = np.rint(places).astype(int).T
    hidden |= weights < (VISIBLE_ALONE if single else VISIBLE) * doubt[y, x]
    rank = np.where(hidden & (rank == FOUND), LIGHT, rank)
    found = places[rank == FOUND]
    return Scene(image, found, places[rank == LIGHT], true if len(found) else None)


def _crystal(rng: np.random.Generator, extent: float) -> _Columns:
    """Columns of a crystal in 0..extent spacings."""
    vectors, motif, species = cell(rng)
    power = rng.uniform(1.6, 1.8)
    strength = np.array([sum(z**power for z in column) for column in species])
    strength /= strength.max()
    ranks = np.where(strength >= HEAVY, FOUND, np.where(strength >= FAINT, LIGHT, UNSEEN))
    # Up to the end in Å; `unit` is the spacing of the columns that are to be found.
    sample, member = grain(vectors, motif, 0.0, 30.0, np.zeros(2))
    unit = float(np.mean(_neighbours(sample[ranks[member] == FOUND])))
    size = extent * unit
    turn = rng.uniform(0, 2 * math.pi)
    places, member = grain(vectors, motif, turn, size, rng.random(2))
    middle = rng.uniform(0.2, 0.8, 2) * size
    if rng.random() < 0.2:  # a grain boundary; half of those that are too close at it are gone
        angle, gap = rng.uniform(0, 2 * math.pi), rng.uniform(0, 1.0)
        normal = np.array([math.cos(angle), math.sin(angle)])
        other, members = grain(vectors, motif, turn + rng.uniform(0.03, 1.2), size, rng.random(2))
        keep, take = (places - middle) @ normal < -gap / 2, (other - middle) @ normal > gap / 2
        places, member = np.concatenate([places[keep], other[take]]), np.concatenate([member[keep], members[take]])
        close = (_neighbours(places) < 0.45 * unit) & (np.abs((places - middle) @ normal) < unit)
        close &= rng.random(len(places)) < 0.5
        places, member = places[~close], member[~close]
    if rng.random() < 0.35:
        places = places + _strain(rng, places, size, unit)
    if rng.random() < 0.3:
        places = places + rng.normal(0, rng.uniform(0, 0.05) * unit, places.shape)
    weights, rank = strength[member], ranks[member]
    if rng.random() < 0.5:
        there = _not_vacant(rng, places, size, unit)
        places, weights, rank = places[there], weights[there], rank[there]
    if rng.random() < 0.35:  # dopants
        which = (rng.random(len(places)) < rng.uniform(0, 0.06)) & (rank == FOUND)
        factor = rng.choice([0.2, 0.36, 0.6, 1.8, 2.9, 5])
        weights = np.where(which, weights * factor, weights)
        rank = np.where(which & (factor < HEAVY), LIGHT, rank)
    counts, most = _thickness(rng, places, size)
    there = counts > 0
    places, weights, rank = places[there], (weights * counts)[there], rank[there]
    if most > 1 and rng.random() < 0.3:  # adatoms
        extra = rng.uniform(0, size, (int(rng.integers(1, 26)), 2))
        places = np.concatenate([places, extra])
        weights = np.concatenate([weights, rng.uniform(0.6, 1, len(extra))])
        rank = np.concatenate([rank, np.full(len(extra), LIGHT)])
    width = float(np.clip(math.exp(rng.uniform(math.log(0.75), math.log(1.9))) / unit, 0.24, 0.88))
    return _Columns(places / unit, weights, rank, width)


def _not_vacant(rng: np.random.Generator, places: Floats, size: float, unit: float) -> NDArray[np.bool_]:
    """All but up to 6 % of the columns, and sometimes but those in a hole."""
    there = rng.random(len(places)) > rng.uniform(0, 0.06)
    if rng.random() < 0.2:
        centre, radius = rng.uniform(0, size, 2), rng.uniform(1, 4) * unit
        there &= np.hypot(*(places - centre).T) > radius
    return there


def _strain(rng: np.random.Generator, places: Floats, size: float, unit: float) -> Floats:
    """A smooth field, or that of an edge dislocation (Hirth and Lothe, eq. 3-45, ν = 0.3)."""
    if rng.random() < 0.6:
        wave = rng.normal(0, 1, 2) * 2 * math.pi / size
        amount = rng.uniform(0, 0.04) / max(float(np.hypot(*wave)), 1e-6)
        return np.sin(places @ wave + rng.uniform(0, 6.3))[:, None] * rng.normal(0, amount / 2, 2)
    x, y = (places - rng.uniform(0.2, 0.8, 2) * size).T
    square = np.maximum(x**2 + y**2, 0.3)
    along = unit / (2 * math.pi) * (np.arctan2(y, x) + x * y / (1.4 * square))
    across = -unit / (2 * math.pi) * (0.4 / 2.8 * np.log(square) + (x**2 - y**2) / (2.8 * square))
    return np.stack([along, across], axis=1)


def _thickness(rng: np.random.Generator, places: Floats, size: float) -> tuple[Floats, int]:
    """Atoms per column, and the most."""
    form = rng.choice(["layer", "even", "wedge", "particle", "edge", "rough"], p=[0.33, 0.12, 0.08, 0.24, 0.13, 0.1])
    most = 1 if form == "layer" else int(rng.integers(2, 30))
    relative = np.ones(len(places))
    angle = rng.uniform(0, 2 * math.pi)
    along = (places - rng.uniform(0.2, 0.8, 2) * size) @ np.array([math.cos(angle), math.sin(angle)])
    if form == "wedge":
        relative = np.clip(along / size * rng.uniform(0.8, 2) + rng.uniform(0, 0.6), 0, 1)
    elif form == "edge":
        most = 1 if rng.random() < 0.6 else most
        wave = np.sin(places[:, ::-1] @ rng.normal(0, 0.3, 2)) * rng.uniform(0, 3)
        relative = (along + wave > 0).astype(float)
    elif form == "particle":
        radius = rng.uniform(0.3, 1.1) * size
        distance = np.hypot(*((places - rng.uniform(0.0, 1.0, 2) * size) * rng.uniform(0.85, 1.2, 2)).T)
        relative = np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1))
        if rng.random() < 0.4:  # faceted
            relative = np.clip(rng.uniform(1.2, 2) * relative, 0, 1)
    elif form == "rough":
        relative = rng.uniform(rng.uniform(0.3, 1), 1, len(places))
    # At least one atom where there is matter.
    return np.where(relative > 0.05, np.maximum(np.rint(most * relative), relative > 0.15), 0.0), most


def _single(rng: np.random.Generator, extent: float) -> _Columns:
    """Single atoms in 0..extent spacings, alone, strewn or in clusters."""
    most = max(1.0, 0.35 * extent**2)
    count = 1 if rng.random() < 0.1 else int(rng.integers(1, max(2, int(math.exp(rng.uniform(0, math.log(most)))) + 1)))
    places = rng.uniform(-1, extent + 1, (count, 2))
    if rng.random() < 0.5 and count > 3:
        seeds = rng.uniform(0, extent, (max(1, count // int(rng.integers(2, 7))), 2))
        places = seeds[rng.integers(len(seeds), size=count)] + rng.normal(0, rng.uniform(0.4, 1.5), (count, 2))
    kept: list[Floats] = []
    for place in places:
        if all(math.hypot(*(place - other)) > 0.3 for other in kept):
            kept.append(place)
    places = np.array(kept)
    weights = np.exp(rng.normal(0, rng.uniform(0, 0.3), len(places)))
    return _Columns(places, weights, np.full(len(places), FOUND), 1 / ALONE)


def _neighbours(points: Floats, among: NDArray[np.bool_] | None = None) -> Floats:
    """The distance of each point from the nearest other one (`among` some of them); infinite if there is none."""
    apart = np.full(len(points), math.inf)
    chosen = np.ones(len(points), bool) if among is None else among
    if chosen.sum() > 1:
        apart[chosen] = _core.atoms_neighbour(points[chosen])
    if chosen.any() and not chosen.all():
        apart[~chosen] = _core.atoms_nearest(points[~chosen], points[chosen])
    return apart
