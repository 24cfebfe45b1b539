"""Random specimens for exit waves, without any database: crystals of any space group, simple and layered structures,
amorphous matter, a few atoms.

Atoms (n) fill a box (x, y, z) [Å] that multislice repeats; they keep 0.5 Å from its sides, since crystals don't fit to
themselves across them.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe.specimen.crystal import random_crystal
from crewe.specimen.elements import LAST

__all__ = ["ZONES", "random_structure"]

Floats = NDArray[np.float64]
Matter = tuple[Floats, NDArray[np.int64]]

#: Directions along the beam.
ZONES = ((1, 1, 0), (0, 1, 1), (1, 0, 1), (0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 1))
CLOSEST = 1.2  # [Å] between atoms
THINNEST = 0.02  # [atoms/Å³] of crystals: ice has 0.09, MoS₂ 0.06, the crystals of `specimen` hardly ever as much
MARGIN = 0.5  # [Å]
MOST = 20_000

_FACES = ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))
_EDGES = tuple((x + 0.5, y, z) for x, y, z in _FACES)
_QUARTERS = tuple((x + 0.25, y + 0.25, z + 0.25) for x, y, z in _FACES)
#: Cubic structures: places of each species.
CUBIC: dict[str, tuple[tuple[tuple[float, ...], ...], ...]] = {
    "sc": (((0, 0, 0),),),
    "bcc": (((0, 0, 0), (0.5, 0.5, 0.5)),),
    "fcc": (_FACES,),
    "diamond": (_FACES + _QUARTERS,),
    "cesium chloride": (((0, 0, 0),), ((0.5, 0.5, 0.5),)),
    "rock salt": (_FACES, _EDGES),
    "zinc blende": (_FACES, _QUARTERS),
    "fluorite": (_FACES, _QUARTERS + tuple((x + 0.5, y, z) for x, y, z in _QUARTERS)),
    "L1_2": (((0, 0, 0),), _FACES[1:]),
    "perovskite": (((0, 0, 0),), ((0.5, 0.5, 0.5),), ((0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5))),
    "half Heusler": (_FACES, _EDGES, _QUARTERS),
}


def random_structure(rng: np.random.Generator, *, edge: float, thickness: float) -> tuple[Floats, Any, str]:
    """Positions (n, 3) as (x, y, z) [Å] within (edge, edge, thickness), atomic numbers (n,), and what it is.

    Crystals of any space group 0.4, cubic ones 0.25, layers 0.15, amorphous matter 0.1, up to 20 atoms 0.1; a third of
    what is ordered has up to 3 % of its atoms missing.
    """
    kinds = {"crystal": _crystal, "cubic": _cubic, "layers": _layers, "amorphous": _amorphous, "atoms": _few}
    while True:
        kind = str(rng.choice(list(kinds), p=[0.4, 0.25, 0.15, 0.1, 0.1]))
        positions, numbers = kinds[kind](rng, edge, thickness)
        if kind not in ("amorphous", "atoms") and rng.random() < 1 / 3:
            stay = rng.random(len(numbers)) >= rng.uniform(0, 0.03)
            positions, numbers = positions[stay], numbers[stay]
        if len(numbers):
            return positions, numbers, kind


def _elements(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    return rng.integers(1, LAST + 1, count)


def _crystal(rng: np.random.Generator, edge: float, thickness: float) -> Matter:
    while True:
        crystal = random_crystal(rng)
        density = len(crystal.numbers) / abs(float(np.linalg.det(crystal.cell)))
        if crystal.distance >= CLOSEST and density >= THINNEST:
            return _along(rng, crystal.cell, crystal.motif, crystal.numbers, edge, thickness)


def _cubic(rng: np.random.Generator, edge: float, thickness: float) -> Matter:
    """Neighbours 1.4 to 3.2 Å apart, strained by up to 3 %."""
    species = CUBIC[str(rng.choice(list(CUBIC)))]
    motif = np.array([place for places in species for place in places], float)
    apart = (motif[:, None] - motif).reshape(-1, 3)
    apart = np.linalg.norm(apart - np.rint(apart), axis=1)
    near = min(apart[apart > 1e-6].min(initial=1.0), 1.0)
    strain = np.eye(3) + rng.uniform(-0.03, 0.03, (3, 3)) * (rng.random() < 0.5)
    cell = rng.uniform(1.4, 3.2) / near * strain
    numbers = np.repeat(_elements(rng, len(species)), [len(places) for places in species])
    return _along(rng, cell, motif, numbers, edge, thickness)


def _layers(rng: np.random.Generator, edge: float, thickness: float) -> Matter:
    """Hexagonal sheets, as graphene, h-BN or MX₂ have them, 3 to 6.5 Å apart, each turned or laid on the one below."""
    bond, buckle = rng.uniform(1.4, 2.6), rng.uniform(0, 1.8) * (rng.random() < 0.6)
    cell = np.diag([1.0, 1.0, 200.0])
    cell[:2, :2] = math.sqrt(3) * bond * np.array([[1, 0], [0.5, math.sqrt(3) / 2]])
    places = [(0.0, 0.0, 0.0), (1 / 3, 1 / 3, buckle / 200)]
    if buckle > CLOSEST / 2:
        places.append((1 / 3, 1 / 3, -buckle / 200))
    motif, kinds = np.array(places), _elements(rng, 2)
    numbers = kinds[[0, *[1] * (len(places) - 1)]]
    gap, turned = rng.uniform(3.0, 6.5) + 2 * buckle, rng.random() < 0.5
    angle, shift = rng.uniform(0, 2 * np.pi), rng.random(3)
    found: list[Matter] = []
    height = buckle
    while height + buckle < thickness and len(found) < 5:
        turn = _about_z(angle)
        shift[2] = 0.5
        positions, members = _fill(cell @ turn.T, np.mod(motif + shift, 1), edge, 200.0)
        positions[:, 2] += height - 100.0
        found.append((positions, numbers[members]))
        height += gap
        if turned:
            angle, shift = angle + rng.uniform(-0.6, 0.6), rng.random(3)
        elif rng.random() < 0.5:
            shift = shift + np.array([1 / 3, 1 / 3, 0])
    if not found:
        return np.empty((0, 3)), np.empty(0, np.int64)
    positions, numbers = (np.concatenate(part) for part in zip(*found, strict=True))
    inside = np.abs(positions[:, 2] - thickness / 2) <= thickness / 2 - MARGIN
    return positions[inside], numbers[inside]


def _amorphous(rng: np.random.Generator, edge: float, thickness: float) -> Matter:
    """Up to three elements, no two atoms closer than 1.2 to 2.5 Å, up to 0.3 of the densest that chance can pack."""
    distance = float(rng.uniform(CLOSEST, 2.5))
    size = max(edge, thickness) + distance
    wanted = int(rng.uniform(0.05, 0.3) * size**3 / (math.pi / 6 * distance**3))
    block = _core.specimen_amorphous(size, distance, wanted, int(rng.integers(2**63))) * size
    box = np.array([edge, edge, thickness])
    positions = block[(np.abs(block - box / 2) <= box / 2 - MARGIN).all(axis=1)]
    return positions, rng.choice(_elements(rng, int(rng.integers(1, 4))), len(positions))


def _few(rng: np.random.Generator, edge: float, thickness: float) -> Matter:
    """1 to 20 atoms within 4 Å of the middle, half of the time all of one element."""
    count = int(rng.integers(1, 21))
    positions = rng.uniform(-4, 4, (count, 3)) + edge / 2
    positions[:, 2] = rng.uniform(MARGIN, thickness - MARGIN, count)
    apart = np.linalg.norm(positions[:, None] - positions, axis=2)
    stay = ~np.tril(apart < CLOSEST, -1).any(axis=1)
    numbers = np.repeat(_elements(rng, 1), count) if rng.random() < 0.5 else _elements(rng, count)
    return positions[stay], numbers[stay]


def _along(
    rng: np.random.Generator, cell: Floats, motif: Floats, numbers: Any, edge: float, thickness: float
) -> Matter:
    """A crystal with one of the zones along the beam, turned about it and moved at random, in the box."""
    zone = np.array(ZONES[int(rng.integers(len(ZONES)))], float) @ cell
    z = zone / np.linalg.norm(zone)
    x = np.cross(np.eye(3)[int(np.abs(z).argmin())], z)
    x /= np.linalg.norm(x)
    turn = _about_z(rng.uniform(0, 2 * np.pi)) @ np.stack([x, np.cross(z, x), z])
    positions, members = _fill(cell @ turn.T, np.mod(motif + rng.random(3), 1), edge, thickness)
    return positions, numbers[members]


def _fill(cell: Floats, motif: Floats, edge: float, depth: float) -> tuple[Floats, Any]:
    rows = np.ascontiguousarray(cell).ravel().tolist()
    high = (edge - MARGIN, edge - MARGIN, depth - MARGIN)
    return _core.specimen_fill(rows, np.ascontiguousarray(motif), (MARGIN,) * 3, high, MOST)


def _about_z(angle: float) -> Floats:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
