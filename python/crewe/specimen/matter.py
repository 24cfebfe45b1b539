"""Matter in a box: a crystal, amorphous matter or points; turned, cut, with defects, on a support."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe.specimen.crystal import random_crystal, zone_rotation
from crewe.specimen.elements import LAST, WEIGHTS, radii

__all__ = ["MARGIN", "Atoms", "random_matter"]

Floats = NDArray[np.float64]

MARGIN = 5.0  # [Å] of atoms around the frame
THINNEST = 40.0  # [Å] of matter under a small frame: less is no crystal
#: What is drawn in a picture: thicker specimens are cut off. A column looks the same, and a picture takes some 10 ms.
MOST_ATOMS = 25_000
MOST_SUPPORT = 10_000
_GAP = 2.0  # [Å] between specimen and support


@dataclass(frozen=True)
class Atoms:
    """Atoms as in ase.

    Attributes
    ----------
    numbers : ndarray (n,) int
        Z.
    positions : ndarray (n, 3)
        (x, y, z) [Å]; the beam runs along z, the centre of the first pixel is at x = y = 0.

    Examples
    --------
    >>> Atoms(np.array([14, 8]), np.array([[1.0, 2.0, 0.0], [3.0, 2.0, 0.0]])).numbers.tolist()
    [14, 8]
    """

    numbers: NDArray[np.int64]
    positions: Floats


@dataclass
class _Piece:
    positions: Floats
    numbers: NDArray[np.int64]
    facts: dict[str, Any] = field(default_factory=dict)


def random_matter(
    rng: np.random.Generator, size: tuple[float, float], pixel_size: float
) -> tuple[Atoms, dict[str, Any]]:
    """Atoms for a frame of `size` (y, x) [Å], and what they are.

    Crystal, amorphous or points with probabilities 0.7, 0.15, 0.15; wedge 0.75, shape 0.5, defects 0.8 (half of them
    displaced atoms, half vacancies), support 0.95.
    """
    low, high = np.array([-MARGIN, -MARGIN]), np.array([size[1] + MARGIN, size[0] + MARGIN])
    depth = max(*size, THINNEST)
    draw = rng.random()
    if draw < 0.7:
        piece = _crystal(rng, low, high, depth, MOST_ATOMS)
    elif draw < 0.85:
        piece = _amorphous(rng, low, high, depth, MOST_ATOMS)
    else:
        piece = _points(rng, low, high, pixel_size)
    facts = {"type": piece.facts["type"], "margin": MARGIN, "space_group": None, "cell": None, "zone_axis": None}
    facts.update(piece.facts)
    facts["wedge"] = facts["shape"] = None
    thick = float(np.ptp(piece.positions[:, 2])) if len(piece.positions) else 0.0
    if facts["type"] != "points":
        if rng.random() < 0.75:
            facts["wedge"] = _keep(piece, *_wedge(rng, low, high, thick))
        if rng.random() < 0.5:
            facts["shape"] = _keep(piece, *_shape(rng, low, high, thick))
    facts["displaced"] = facts["vacancies"] = 0
    if rng.random() < 0.8:
        _defects(rng, piece, facts, low, high)
    facts["support"] = None
    if rng.random() < 0.95:
        _add_support(rng, piece, facts, low, high, thick)
    return Atoms(piece.numbers, piece.positions), facts


def _fill(cell: Floats, motif: Floats, low: Floats, high: Floats, depth: float, most: int) -> tuple[Floats, Any, float]:
    """The lattice in the frame, as thick as `most` atoms allow → positions, members of the motif, depth."""
    density = len(motif) / abs(float(np.linalg.det(cell)))
    depth = max(min(depth, 0.9 * most / density / float(np.prod(high - low))), 1.0)
    positions, member = _core.specimen_fill(
        cell.ravel().tolist(),
        np.ascontiguousarray(motif),
        (*low.tolist(), 0.0),
        (*high.tolist(), depth),
        4 * MOST_ATOMS,
    )
    return positions, member, depth


def _crystal(rng: np.random.Generator, low: Floats, high: Floats, depth: float, most: int) -> _Piece:
    while True:
        crystal = random_crystal(rng)
        turn, zone = zone_rotation(rng, crystal.cell)
        cell = crystal.cell @ turn.T
        motif = np.mod(crystal.motif + rng.random(3), 1)
        positions, member, _ = _fill(cell, motif, low, high, depth, most)
        if len(positions):
            break
    facts = {"type": "crystal", "space_group": crystal.group, "hall": crystal.symbol, "cell": cell.tolist()}
    facts.update({"zone_axis": zone, "minimum_distance": crystal.distance})
    return _Piece(positions, crystal.numbers[member], facts)


def _amorphous(rng: np.random.Generator, low: Floats, high: Floats, depth: float, most: int) -> _Piece:
    number, distance = int(rng.integers(1, LAST + 1)), float(rng.uniform(0.95, 1.6))
    density = float(rng.uniform(2, 7))  # [g/cm³]
    # 0.6022 atoms/Å³ per mol/cm³; no denser than 0.8 of what random addition can reach (38 % of the volume).
    per_volume = min(0.6022 * density / WEIGHTS[number - 1], 0.8 * 0.38 / (math.pi / 6 * distance**3))
    wanted = 2000
    edge = max((wanted / per_volume) ** (1 / 3), 4 * distance)
    block = _core.specimen_amorphous(edge, distance, int(per_volume * edge**3), int(rng.integers(2**63)))
    turn, _ = zone_rotation(rng, np.eye(3))
    positions, _, _ = _fill(edge * turn.T, block, low, high, depth, most)
    facts = {"type": "amorphous", "minimum_distance": distance, "density": density}
    return _Piece(positions, np.full(len(positions), number), facts)


def _points(rng: np.random.Generator, low: Floats, high: Floats, pixel_size: float) -> _Piece:
    """Places in one plane, drawn all at once; of two that are too close the later one goes."""
    wanted = int(rng.integers(15, 1001))
    distance = max(float(rng.uniform(1, 20)) * pixel_size, 0.95)
    places = rng.uniform(low, high, (wanted, 2))
    x, y = places.T.astype(np.float32)
    square = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    later = np.tril(square < np.float32(1.0001 * distance**2), -1).any(axis=1)
    places = places[~later]
    numbers = np.full(len(places), int(rng.integers(1, LAST + 1)))
    positions = np.concatenate([places, np.zeros((len(places), 1))], axis=1)
    return _Piece(positions, numbers, {"type": "points", "minimum_distance": distance})


def _keep(piece: _Piece, mask_of: Any, name: str) -> str | None:
    """Keep the atoms of a mask, if at least a tenth and 20 of them are left."""
    mask = mask_of(piece.positions)
    if mask.sum() < max(20, 0.1 * len(mask)):
        return None
    piece.positions, piece.numbers = piece.positions[mask], piece.numbers[mask]
    return name


def _below(normals: Floats, points: Floats) -> Any:
    """Mask of the places on the inner side of all planes."""

    def mask(positions: Floats) -> NDArray[np.bool_]:
        inside = np.ones(len(positions), bool)
        for normal, point in zip(normals, points, strict=True):
            inside &= positions @ normal <= point @ normal
        return inside

    return mask


def _wedge(rng: np.random.Generator, low: Floats, high: Floats, thick: float) -> tuple[Any, str]:
    """A plane at 5° to 45° to the beam's normal cuts off the top, the bottom or both."""
    which = ("top", "bottom", "both")[int(rng.integers(3))]
    normals, points = [], []
    for side in ("top", "bottom"):
        if which not in (side, "both"):
            continue
        angle, azimuth = np.radians(rng.uniform(5, 45)), rng.uniform(0, 2 * np.pi)
        up = math.cos(angle) * (1 if side == "top" else -1)
        normals.append([math.sin(angle) * math.cos(azimuth), math.sin(angle) * math.sin(azimuth), up])
        height = thick * (rng.uniform(0.5, 1) if side == "top" else rng.uniform(0, 0.5))
        points.append([*rng.uniform(low, high), height])
    return _below(np.array(normals), np.array(points)), which


def _shape(rng: np.random.Generator, low: Floats, high: Floats, thick: float) -> tuple[Any, str]:
    """A polygonal rod, a convex polyhedron or a half space along z; what is inside, or what is outside, stays."""
    kind = ("rod", "polyhedron", "half space")[int(rng.integers(3))]
    inside = bool(rng.random() < 0.5)
    centre = np.array([*rng.uniform(low, high), rng.uniform(0, thick)])
    radius = rng.uniform(0.01, 0.5) * max(*(high - low), thick)
    if kind == "half space":
        azimuth = rng.uniform(0, 2 * np.pi)
        normals = np.array([[math.cos(azimuth), math.sin(azimuth), 0.0]])
        points = centre[None]
    elif kind == "rod":
        turn, _ = zone_rotation(rng, np.eye(3))
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 16))))
        corners = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        edges = np.roll(corners, -1, axis=0) - corners
        normals = np.stack([edges[:, 1], -edges[:, 0], np.zeros(len(angles))], axis=1) @ turn
        points = centre + np.concatenate([corners, np.zeros((len(angles), 1))], axis=1) @ turn
    else:
        normals = rng.normal(size=(int(rng.integers(4, 21)), 3))
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        points = centre + radius * normals
    within = _below(normals, points)
    if inside:
        return within, f"{kind} kept"
    return (lambda positions: ~within(positions)), f"{kind} removed"


def _defects(rng: np.random.Generator, piece: _Piece, facts: dict[str, Any], low: Floats, high: Floats) -> None:
    total = len(piece.numbers)
    count = int(rng.integers(0, round(0.25 * total) + 1))
    chosen = rng.choice(total, count, replace=False, shuffle=False)
    if rng.random() < 0.5:
        size = radii()[piece.numbers[chosen] - 1]
        piece.positions[chosen] += rng.normal(size=(count, 3)) * size[:, None]
        piece.positions[:, :2] = np.clip(piece.positions[:, :2], low, high)
        facts["displaced"] = count
    else:
        stay = np.ones(total, bool)
        stay[chosen] = False
        piece.positions, piece.numbers = piece.positions[stay], piece.numbers[stay]
        facts["vacancies"] = count


def _add_support(
    rng: np.random.Generator, piece: _Piece, facts: dict[str, Any], low: Floats, high: Floats, thick: float
) -> None:
    """1 to 30 nm of crystal or amorphous matter below, at most half as thick and a third as many atoms as the specimen.

    Small frames hold few atoms of the specimen: under an uncut support it would not be seen.
    """
    depth = min(float(rng.uniform(10, 300)), max(0.5 * thick, 5.0))
    make = _crystal if rng.random() < 0.5 else _amorphous
    support = make(rng, low, high, depth, min(MOST_SUPPORT, max(len(piece.numbers) // 3, 20)))
    top = float(support.positions[:, 2].max()) if len(support.positions) else 0.0
    bottom = float(piece.positions[:, 2].min()) if len(piece.positions) else 0.0
    support.positions[:, 2] += bottom - _GAP - top
    piece.positions = np.concatenate([piece.positions, support.positions])
    piece.numbers = np.concatenate([piece.numbers, support.numbers])
    facts["support"] = support.facts["type"]
