"""Random crystals: a space group in one of its settings, a cell that it allows, atoms that it repeats."""

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe.specimen.elements import LAST
from crewe.specimen.symmetry import UNIT, operations, settings_of

__all__ = ["Crystal", "random_crystal", "zone_rotation"]

Floats = NDArray[np.float64]

EDGES = (3.1, 25.0)  # [Å]
ANGLES = (45.0, 120.0)  # [degrees]
DISTANCES = (0.95, 7.0)  # [Å]
MOST_SPECIES = 16
MOST_ATOMS = 400  # per cell

_ONE_NUMBER = np.array([10**12, 10**6, 1])  # of three with six digits each


@dataclass(frozen=True)
class Crystal:
    """A cell and what is in it.

    Attributes
    ----------
    group : int
        Space group 1..230.
    symbol : str
        Hall symbol of the setting.
    cell : ndarray (3, 3)
        Rows a, b, c [Å].
    motif : ndarray (n, 3)
        Fractional coordinates of all atoms of the cell.
    numbers : ndarray (n,)
        Their Z.
    distance : float
        No two atoms of the crystal are closer [Å].
    """

    group: int
    symbol: str
    cell: Floats
    motif: Floats
    numbers: NDArray[np.int64]
    distance: float


def random_crystal(rng: np.random.Generator) -> Crystal:
    """A crystal of any of the 230 space groups, in any of its settings.

    The cell's metric is a random one averaged over the point group, so that it has the angles and equal edges which the
    group asks for. Atoms on general places that come too close to their own images move to the special place between
    them.
    """
    while True:
        group = int(rng.integers(1, 231))
        symbol = str(rng.choice(settings_of(group)))
        crystal = _in_group(rng, group, symbol)
        if crystal is not None:
            return crystal


def _in_group(rng: np.random.Generator, group: int, symbol: str) -> Crystal | None:
    rotations, moves = operations(symbol)
    for _ in range(50):
        cell = _random_cell(rng, rotations)
        metric = cell @ cell.T
        shortest = _shortest(metric, moves[(rotations == np.eye(3, dtype=int)).all(axis=(1, 2))] / UNIT)
        if shortest < DISTANCES[0]:
            continue
        distance = float(rng.uniform(DISTANCES[0], min(DISTANCES[1], shortest)))
        volume = abs(np.linalg.det(cell))
        room = 0.6 * volume / (len(rotations) * math.pi / 6 * distance**3)
        species = int(rng.integers(1, MOST_SPECIES + 1))
        motif, numbers = _fill_cell(rng, metric, rotations, moves, distance, max(1, min(species, int(room))))
        if len(numbers):
            return Crystal(group, symbol, cell, motif, numbers, distance)
    return None


def _random_cell(rng: np.random.Generator, rotations: NDArray[Any]) -> Floats:
    while True:
        edges = rng.uniform(*EDGES, 3)
        cosines = np.cos(np.radians(rng.uniform(*ANGLES, 3)))
        metric = np.diag(edges**2)
        for (i, j), cosine in zip(((1, 2), (0, 2), (0, 1)), cosines, strict=True):
            metric[i, j] = metric[j, i] = edges[i] * edges[j] * cosine
        metric = (rotations.transpose(0, 2, 1) @ metric @ rotations).mean(axis=0)
        metric *= (rng.uniform(*EDGES) / math.sqrt(metric[0, 0])) ** 2
        edges = np.sqrt(np.diag(metric))
        cosines = np.array([metric[i, j] / edges[i] / edges[j] for i, j in ((1, 2), (0, 2), (0, 1))])
        angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
        fits = edges.min() >= EDGES[0] and edges.max() <= EDGES[1]
        if not fits or angles.min() < ANGLES[0] or angles.max() > ANGLES[1] + 1e-6:
            continue
        if np.linalg.det(metric) > 0.05 * edges.prod() ** 2:  # no cell that is nearly flat
            return np.ascontiguousarray(np.linalg.cholesky(metric))


def _shortest(metric: Floats, centrings: Floats) -> float:
    """Length of the shortest lattice vector."""
    steps = (centrings[:, None] + np.array(list(itertools.product((-2, -1, 0, 1, 2), repeat=3)))).reshape(-1, 3)
    squares = np.einsum("ij,jk,ik->i", steps, metric, steps)
    return float(np.sqrt(squares[squares > 1e-6].min()))


def _nearest(difference: Floats, metric: Floats) -> tuple[Floats, Floats]:
    """Differences (n, 3) of fractional coordinates modulo the lattice → the shortest ones and their squared lengths."""
    return _core.specimen_nearest(np.ascontiguousarray(difference), metric.ravel().tolist())


def _fill_cell(
    rng: np.random.Generator,
    metric: Floats,
    rotations: NDArray[Any],
    moves: NDArray[Any],
    distance: float,
    species: int,
) -> tuple[Floats, NDArray[np.int64]]:
    motif, numbers = np.empty((0, 3)), np.empty(0, np.int64)
    for _ in range(species):
        number = int(rng.integers(1, LAST + 1))
        for _ in range(6):
            orbit = _orbit(rng.random(3), metric, rotations, moves, distance)
            if orbit is None or len(motif) + len(orbit) > MOST_ATOMS:
                continue
            if len(motif) and _nearest(motif - orbit[0], metric)[1].min() < distance**2:
                continue
            motif = np.concatenate([motif, orbit])
            numbers = np.concatenate([numbers, np.full(len(orbit), number)])
            break
    return motif, numbers


def _orbit(
    place: Floats, metric: Floats, rotations: NDArray[Any], moves: NDArray[Any], distance: float
) -> Floats | None:
    """All images of a place, or of the special place that it is moved to; None if images stay too close."""
    for _ in range(4):
        images = place @ rotations.transpose(0, 2, 1) + moves / UNIT
        steps, squares = _nearest(images - place, metric)
        close = squares < distance**2
        same = squares < 1e-10
        if (close == same).all():
            inside = np.mod(images, 1)
            keys = np.rint(inside * 1e6).astype(np.int64) % 1_000_000 @ _ONE_NUMBER
            orbit: Floats = inside[np.unique(keys, return_index=True)[1]]
            return orbit
        place = place + steps[close].mean(axis=0)
    return None


#: The directions along which microscopists look first.
ZONES = ((0, 0, 1), (1, 1, 0), (1, 1, 1), (1, 1, 2), (2, 1, 0), (3, 1, 0), (1, 1, 3), (1, 2, 0))


def zone_rotation(
    rng: np.random.Generator, cell: Floats, mistilt: float = 5.0
) -> tuple[Floats, tuple[int, ...] | None]:
    """A rotation of space: with probability 0.75 a main zone axis along z but for a mistilt N(0, 5°), else any."""
    if rng.random() < 0.75:
        zone = ZONES[int(rng.integers(len(ZONES)))]
        axis = np.array(zone, float) @ cell
        tilt = np.radians(rng.normal(0, mistilt, 2))
        turn = _about(1, tilt[1]) @ _about(0, tilt[0]) @ _onto_z(axis)
        return _about(2, rng.uniform(0, 2 * np.pi)) @ turn, zone
    return _about(2, rng.uniform(0, 2 * np.pi)) @ _onto_z(rng.normal(size=3)), None


def _about(axis: int, angle: float) -> Floats:
    c, s = math.cos(angle), math.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def _onto_z(axis: Floats) -> Floats:
    z = axis / np.linalg.norm(axis)
    helper = np.eye(3)[int(np.abs(z).argmin())]
    x = np.cross(helper, z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z])
