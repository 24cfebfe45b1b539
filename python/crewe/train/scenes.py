"""Columns of atoms along the beam, as at high angles: simple lattices that random crystals hardly ever are.

A lattice of 1 to 4 columns per cell, turned in the plane, of even thickness, a wedge or a particle in vacuum; with a
dislocation, a grain boundary, displaced and missing columns; on nothing or on amorphous matter. Intensities are
proportional to the number of atoms.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.specimen import Atoms, render

__all__ = ["columns"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

_MOST = 3000  # columns, and with up to 12 atoms each some 20 ms


def columns(rng: np.random.Generator, *, shape: tuple[int, int], pixel_size: float) -> Image:
    """A picture of columns, >= 0, not scaled.

    Parameters
    ----------
    rng : numpy.random.Generator
        What is drawn comes from here.
    shape : (int, int)
        (y, x) [pixels].
    pixel_size : float
        [Å].

    Returns
    -------
    ndarray (y, x) float32

    Examples
    --------
    >>> import numpy as np
    >>> image = columns(np.random.default_rng(1), shape=(32, 48), pixel_size=0.2)
    >>> image.shape, bool(image.min() >= 0)
    ((32, 48), True)
    """
    size = np.array([shape[1], shape[0]]) * pixel_size
    places, kinds = _lattice(rng, size)
    while len(places) == 0:  # a small frame may lie between the columns of a wide lattice
        places, kinds = _lattice(rng, size)
    if rng.random() < 0.25:
        places, kinds = _boundary(rng, size, places, kinds)
    if rng.random() < 0.25:
        places = places + _dislocation(rng, places, size)
    places = places + rng.normal(size=places.shape) * (rng.uniform(0, 0.15) if rng.random() < 0.5 else 0.0)
    counts = _thickness(rng, places, size)
    if rng.random() < 0.4:
        counts = np.where(rng.random(len(counts)) < rng.uniform(0, 0.15), (counts + 1) // 2, counts)
    model = _profiles(rng, int(kinds.max(initial=0)) + 1)
    stacked = np.repeat(places, counts, axis=0)
    stacked = stacked + rng.normal(0, rng.uniform(0.0, 0.08), stacked.shape)
    positions = np.column_stack([stacked, np.zeros(len(stacked))])
    atoms = Atoms(np.repeat(kinds, counts) + 1, positions)
    image = np.maximum(render(atoms, shape=shape, pixel_size=pixel_size, model=model, threads=1), 0)
    top = float(image.max())
    if top > 0:
        image /= np.float32(top)
    return image + _ground(rng, shape, pixel_size)


def _lattice(rng: np.random.Generator, size: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Places (x, y) [Å] and kinds of the columns in a frame about which 6 Å are added."""
    a = math.exp(rng.uniform(math.log(1.3), math.log(5.5)))
    b = a * rng.choice([1.0, math.sqrt(2), math.sqrt(3), rng.uniform(1, 2)])
    angle = math.radians(rng.choice([90.0, 60.0, rng.uniform(55, 125)], p=[0.5, 0.25, 0.25]))
    turn = rng.uniform(0, 2 * math.pi)
    cell = np.array([[a, 0.0], [b * math.cos(angle), b * math.sin(angle)]])
    cell = cell @ np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    motif = _motif(rng, cell)
    margin = size + 12
    reach = (
        math.ceil(float(np.hypot(*margin)) / abs(np.linalg.det(cell)) * float(np.linalg.norm(cell, axis=1).max())) + 1
    )
    steps = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    centres = steps @ cell + size / 2
    inside = (np.abs(centres - size / 2) < margin / 2 + np.linalg.norm(cell, axis=1).max()).all(axis=1)
    centres = centres[inside]
    places = (centres[:, None] + motif @ cell).reshape(-1, 2)
    kinds = np.tile(np.arange(len(motif)), len(centres))
    inside = (np.abs(places - size / 2) < margin / 2).all(axis=1)
    return places[inside], kinds[inside]


def _motif(rng: np.random.Generator, cell: Floats) -> Floats:
    """1 to 4 places in the cell at least 0.9 Å apart; often the middles of the cell and its edges."""
    motif = np.zeros((1, 2))
    for _ in range(int(rng.choice(4, p=[0.45, 0.3, 0.15, 0.1]))):
        special = np.array([[0.5, 0.5], [0.5, 0.0], [0.0, 0.5]])[rng.integers(3)]
        place = special if rng.random() < 0.6 else rng.random(2)
        apart = place - motif
        apart -= np.rint(apart)
        if (np.linalg.norm(apart @ cell, axis=1) > 0.9).all():
            motif = np.vstack([motif, place])
    return motif


def _boundary(
    rng: np.random.Generator, size: Floats, places: Floats, kinds: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.int64]]:
    """Another grain beyond a line: the same lattice turned or mirrored, or another one."""
    angle, middle = rng.uniform(0, 2 * math.pi), rng.uniform(0.25, 0.75, 2) * size
    normal = np.array([math.cos(angle), math.sin(angle)])
    if rng.random() < 0.5:
        side = (places - middle) @ normal
        mirrored = places - 2 * side[:, None] * normal
        other, others = np.concatenate([mirrored[side <= 0], places[:0]]), kinds[side <= 0]
    else:
        other, others = _lattice(rng, size)
    gap = rng.uniform(0, 1.5)
    keep, take = (places - middle) @ normal <= -gap / 2, (other - middle) @ normal > gap / 2
    if not (keep.any() and take.any()):
        return places, kinds
    return np.concatenate([places[keep], other[take]]), np.concatenate([kinds[keep], others[take]])


def _dislocation(rng: np.random.Generator, places: Floats, size: Floats) -> Floats:
    """Displacements about an edge dislocation in an isotropic medium (ν = 0.3); Hirth and Lothe, eq. 3-45."""
    burgers, angle = rng.uniform(1.0, 4.0), rng.uniform(0, 2 * math.pi)
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c, s], [-s, c]])
    x, y = ((places - rng.uniform(0.2, 0.8, 2) * size) @ turn.T).T
    square = np.maximum(x**2 + y**2, 0.3)
    along = burgers / (2 * math.pi) * (np.arctan2(y, x) + x * y / (1.4 * square))
    across = -burgers / (2 * math.pi) * (0.4 / 2.8 * np.log(square) + (x**2 - y**2) / (2.8 * square))
    moves: Floats = np.stack([along, across], axis=1) @ turn
    return moves


def _thickness(rng: np.random.Generator, places: Floats, size: Floats) -> NDArray[np.int64]:
    """Atoms per column."""
    most = int(rng.integers(1, 13))
    most = max(1, min(most, 12 * _MOST // max(len(places), 1)))
    form = rng.choice(["even", "wedge", "particle", "rough"], p=[0.35, 0.2, 0.3, 0.15])
    relative = np.ones(len(places))
    if form == "wedge":
        angle = rng.uniform(0, 2 * math.pi)
        way = (places / size.max()) @ np.array([math.cos(angle), math.sin(angle)])
        relative = np.clip((way - way.min()) * rng.uniform(0.8, 2) + rng.uniform(-0.4, 0.5), 0, 1)
    elif form == "particle":
        radius = rng.uniform(0.2, 0.7) * size.min()
        distance = np.linalg.norm((places - rng.uniform(0.25, 0.75, 2) * size) * rng.uniform(0.75, 1.3, 2), axis=1)
        relative = np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1))
        if rng.random() < 0.3:  # faceted
            relative = np.clip(2 * relative, 0, 1)
    elif form == "rough":
        relative = rng.uniform(rng.uniform(0, 0.8), 1, len(places))
    counts: NDArray[np.int64] = np.rint(most * relative).astype(np.int64)
    counts[:1] = np.maximum(counts[:1], 1)  # no picture without an atom
    return counts


def _profiles(rng: np.random.Generator, kinds: int) -> dict[int, tuple[float, ...]]:
    """Profiles as `specimen.render` takes them: mostly Gaussian, σ 0.25..0.7 Å, weights as Z^1.7 of random elements."""
    width = rng.uniform(0.25, 0.7)
    tail = rng.uniform(0, 0.4, 2) if rng.random() < 0.5 else np.zeros(2)
    model: dict[int, Any] = {}
    for kind in range(kinds):
        weight = 1.0 if kind == 0 else rng.uniform(0.15, 1.2) ** 1.7
        model[kind + 1] = (weight, weight * tail[0], weight * tail[1], 4.0, width)
    return model


def _ground(rng: np.random.Generator, shape: tuple[int, int], pixel_size: float) -> Image:
    """Vacuum, or amorphous matter: a level of 0..0.25 with grains of about an ångström."""
    if rng.random() < 0.3:
        return np.full(shape, rng.uniform(0, 0.03), np.float32)
    noise = np.fft.rfft2(rng.standard_normal(shape, dtype=np.float32))
    fy, fx = np.fft.fftfreq(shape[0], pixel_size)[:, None], np.fft.rfftfreq(shape[1], pixel_size)
    noise *= np.exp(-2 * (math.pi * rng.uniform(0.3, 1.0)) ** 2 * (fy**2 + fx**2))
    grains = np.fft.irfft2(noise, s=shape)
    level = rng.uniform(0, 0.25) ** rng.uniform(1, 2)
    ground: Image = level * np.maximum(1 + rng.uniform(0, 0.5) * grains / max(float(grains.std()), 1e-9), 0)
    return ground.astype(np.float32)
