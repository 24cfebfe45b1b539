"""The lattice that columns stand on, found from their positions alone.

Differences of neighbouring positions pile up at the lattice vectors; a vector counts as one if from where it leads to
it leads on to another column. From the column with the best neighbourhood indices spread from neighbour to neighbour,
so that strain may add up to more than a lattice vector; least squares over all columns then give the mean lattice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._array import as_points, as_reals
from crewe.strain._neighbours import SAMPLE, as_positions, lattice_steps, nearest, tolerance

__all__ = ["Lattice", "displacement", "find_basis", "lattice"]

_NEIGHBOURS = 32  # differences per column that vote


@dataclass(frozen=True, eq=False)
class Lattice:
    """A mean lattice: positions ≈ origin + motif[sites] + indices @ basis. Can be unpacked in basis, origin, indices.

    Attributes
    ----------
    basis : ndarray (2, 2)
        Lattice vectors (y, x) in rows [pixels]: the shortest, the first more along y.
    origin : ndarray (2,)
        Place of index (0, 0) [pixels].
    indices : ndarray (n, 2) int64
        Lattice point of each column, from 0 on.
    motif : ndarray (m, 2)
        Columns of a cell relative to `origin`, the first is (0, 0); one row for a lattice with one column per cell.
    sites : ndarray (n,) int64
        Row of `motif` of each column.
    belongs : ndarray (n,) bool
        False for columns that stand on no lattice point, or on one that is taken (their index is the nearest).

    Examples
    --------
    >>> y, x = np.mgrid[:4, :5]
    >>> found = lattice(np.stack([12.0 * y.ravel(), 14.0 * x.ravel()], 1))
    >>> (found.basis.round(6) + 0.0).tolist(), len(found.motif), bool(found.belongs.all())
    ([[12.0, 0.0], [0.0, 14.0]], 1, True)
    """

    basis: NDArray[np.float64]
    origin: NDArray[np.float64]
    indices: NDArray[np.int64] = field(repr=False)
    motif: NDArray[np.float64] = field(repr=False)
    sites: NDArray[np.int64] = field(repr=False)
    belongs: NDArray[np.bool_] = field(repr=False)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return iter((self.basis, self.origin, self.indices))


def lattice(positions: ArrayLike) -> Lattice:
    """Find the mean lattice of column positions: with vacancies, noise, strain, and several columns per cell.

    Parameters
    ----------
    positions : array_like (n, 2)
        Columns (y, x) [pixels], n >= 3.

    Returns
    -------
    Lattice
        `basis`, `origin`, `indices` (it unpacks into the three), `motif`, `sites`, `belongs`.

    Raises
    ------
    ValueError
        Fewer than 3 columns, NaN, another shape, all on one line, or no vector leads from column to column.

    Notes
    -----
    Of several grains the one with the most columns is indexed; the others' columns don't belong. Where two sublattices
    are the same but for a small shift (a polar perovskite), they count as one, and the shift is seen in `displacement`.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[:8, :9]
    >>> points = np.stack([12.0 * y.ravel() + 5, 14.0 * x.ravel() + 2 * y.ravel() + 7], 1)
    >>> basis, origin, indices = lattice(np.delete(points, 30, axis=0))
    >>> basis.round(6) + 0.0
    array([[12.,  2.],
           [ 0., 14.]])
    >>> np.allclose(origin + indices @ basis, np.delete(points, 30, axis=0))
    True
    """
    points = as_positions(positions)
    basis, allowed = find_basis(points)
    groups, indices = _spread(points, basis, allowed)
    sites, indices = _unite(points, basis, groups, indices, allowed)
    belongs = sites >= 0
    belongs[belongs] = _first_of_each(np.column_stack([sites, indices])[belongs])
    basis, places = _least_squares(points[belongs], indices[belongs], sites[belongs])
    return _tidy(points, basis, places, indices, sites, belongs)


def displacement(
    positions: ArrayLike, basis: ArrayLike, indices: ArrayLike, *, sites: ArrayLike | None = None
) -> NDArray[np.float64]:
    """How far columns stand from a lattice's points; the mean over all columns is zero.

    Parameters
    ----------
    positions : array_like (n, 2)
        Columns (y, x) [pixels].
    basis : array_like (2, 2)
        Lattice vectors (y, x) in rows [pixels].
    indices : array_like (n, 2)
        Lattice point of each column.
    sites : array_like (n,), optional
        Which of a cell's columns each is: the mean is then zero for each kind.

    Returns
    -------
    ndarray (n, 2) float64
        Displacement (y, x) [pixels].

    Raises
    ------
    ValueError
        Shapes that don't fit, or numbers that aren't finite.

    Examples
    --------
    >>> displacement([[0.0, 0.25], [10.0, 0.0], [20.0, 0.5]], [[10.0, 0.0], [0.0, 10.0]], [[0, 0], [1, 0], [2, 0]])
    array([[ 0.  ,  0.  ],
           [ 0.  , -0.25],
           [ 0.  ,  0.25]])
    """
    points, rows, places = as_points(positions), as_reals(basis, "basis"), as_reals(indices, "indices")
    if len(points) == 0:
        raise ValueError(f"positions: shape (n, 2) as (y, x) wanted, {points.shape} came")
    if rows.shape != (2, 2):
        raise ValueError(f"basis: shape (2, 2) wanted, {rows.shape} came")
    if places.shape != points.shape:
        raise ValueError(f"indices: shape {points.shape} wanted, {places.shape} came")
    kinds = np.zeros(len(points), np.int64) if sites is None else np.asarray(sites)
    if kinds.shape != points.shape[:1]:
        raise ValueError(f"sites: shape {points.shape[:1]} wanted, {kinds.shape} came")
    shift = points - places @ rows
    _, kinds, many = np.unique(kinds, return_inverse=True, return_counts=True)
    mean = np.stack([np.bincount(kinds, shift[:, k]) / many for k in (0, 1)], 1)
    return shift - mean[kinds]


def find_basis(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The two shortest vectors that lead from column to column and on to the next, as reduced rows; the tolerance."""
    vectors = nearest(points, SAMPLE, _NEIGHBOURS)
    radius = tolerance(vectors)
    shortest, of = None, np.empty(0, bool)
    for candidate, its in _voted(vectors, _peaks(vectors, radius), radius):
        if shortest is None:
            shortest, of = candidate, its
        elif (of & its).sum() < 0.4 * min(of.sum(), its.sum()):
            continue  # another grain's
        elif abs(_cross(shortest, candidate)) > 0.3 * np.hypot(*shortest) * np.hypot(*candidate):
            return _reduced(np.stack([shortest, candidate])), radius
    raise ValueError("positions: columns on a lattice wanted, no two vectors lead from column to column and on")


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def _peaks(vectors: NDArray[np.float64], radius: float) -> list[NDArray[np.float64]]:
    """Places where differences pile up: maxima of their histogram, moved to the mean within `radius`, highest first."""
    flat = vectors[np.isfinite(vectors).all(-1)]
    flat = np.concatenate([flat, -flat])
    width = radius / 3
    cell = np.rint(flat / width).astype(np.int64)
    extent = int(np.abs(cell).max()) + 4
    counts = np.zeros((2 * extent + 1, 2 * extent + 1))
    np.add.at(counts, tuple((cell + extent).T), 1.0)
    for axis in (0, 0, 0, 1, 1, 1):  # three boxes in a row: no plateaus
        counts = np.roll(counts, -1, axis) + counts + np.roll(counts, 1, axis)
    higher = np.max([np.roll(counts, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)], axis=0)
    maxima = np.argwhere((counts == higher) & (counts > 0.1 * counts.max()))
    means: list[NDArray[np.float64]] = []
    for k in np.argsort(-counts[tuple(maxima.T)], kind="stable")[: 4 * _NEIGHBOURS]:
        place = (maxima[k] - extent) * width
        if any(np.hypot(*(place - mean)) <= radius for mean in means):
            continue
        for _ in range(4):
            near = ((flat - place) ** 2).sum(1) <= radius**2
            place = flat[near].mean(0) if near.any() else place
        if np.hypot(*place) > radius and all(np.hypot(*(place - mean)) > radius for mean in means):
            means.append(place)
    return means


def _voted(
    vectors: NDArray[np.float64], candidates: list[NDArray[np.float64]], radius: float
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Candidates that lead on where they lead anywhere, shortest first, and which of the columns have them.

    From an end of a lattice vector the next one leads to a column again; from the end of a bond within the cell it
    doesn't. A column votes against a vector only where that next end lies among columns (some in each quadrant around
    it): otherwise it may point out of the crystal.
    """
    for candidate in sorted(candidates, key=lambda place: (round(float(np.hypot(*place)), 9), *place)):
        there = (((vectors - candidate) ** 2).sum(-1) <= radius**2).any(1)
        back = vectors + candidate
        hit = ((back**2).sum(-1) <= radius**2).any(1)
        down, right, real = back[..., 0] > 0, back[..., 1] > 0, np.isfinite(back).all(-1)
        inside = np.logical_and.reduce([(real & (down == a) & (right == b)).any(1) for a in (0, 1) for b in (0, 1)])
        if there.mean() >= 0.2 and (hit | ~inside)[there].mean() >= 0.6:
            yield candidate, there


def _reduced(basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shortest vectors of the lattice (Gauss), the first more along y, both pointing to larger y and x."""
    a, b = basis
    while True:
        if a @ a > b @ b:
            a, b = b, a
        step = np.rint(a @ b / (a @ a))
        if step == 0:
            break
        b = b - step * a
    if abs(a[0]) * np.hypot(*b) < abs(b[0]) * np.hypot(*a):
        a, b = b, a
    a = a if a[0] >= 0 else -a
    return np.stack([a, b if _cross(a, b) >= 0 else -b])


def _spread(
    points: NDArray[np.float64], basis: NDArray[np.float64], allowed: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices that spread from neighbour to neighbour: (group of each column, -1 = alone; its index in the group)."""
    reach = 2.1 * np.sqrt((basis**2).sum(1).max())
    i, j, steps, miss = lattice_steps(points, basis, reach, allowed)
    # shortest and best steps first, so that the first of a column's offers is the one to take
    order = np.lexsort((miss, (steps @ basis * (steps @ basis)).sum(1).round(6), i))
    i, j, steps = i[order], j[order], steps[order]
    start = np.searchsorted(i, np.arange(len(points) + 1))
    group = np.full(len(points), -1)
    indices = np.zeros((len(points), 2), np.int64)
    many = 0
    for seed in np.argsort(start[:-1] - start[1:], kind="stable"):
        if group[seed] >= 0:
            continue
        if start[seed + 1] == start[seed]:
            break
        group[seed] = many
        front = np.array([seed])
        while front.size:
            count = start[front + 1] - start[front]
            edges = np.repeat(start[front] - np.cumsum(count) + count, count) + np.arange(count.sum())
            edges = edges[group[j[edges]] < 0]
            front, first = np.unique(j[edges], return_index=True)
            indices[front] = indices[i[edges[first]]] + steps[edges[first]]
            group[front] = many
        many += 1
    return group, indices


def _unite(
    points: NDArray[np.float64],
    basis: NDArray[np.float64],
    group: NDArray[np.int64],
    indices: NDArray[np.int64],
    allowed: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Groups of neighbours become the sites of a cell: (site of each column, -1 = none; its index)."""
    inverse = np.linalg.inv(basis).astype(np.float64)
    sizes = np.bincount(group[group >= 0], minlength=1)
    main = int(np.argmax(sizes))
    members = np.flatnonzero(group == main)
    site = np.full(len(points), -1)
    site[members] = 0
    indices = indices.copy()
    if members.size == 0:
        return site, indices
    offsets = [np.zeros(2)]
    for other in np.argsort(-sizes, kind="stable"):
        if other == main:
            continue
        mine = np.flatnonzero(group == other)
        offset = _offset(points, members, mine, indices, inverse)
        for k, known in enumerate(offsets):
            whole = np.rint(offset - known)
            if np.hypot(*((offset - known - whole) @ basis)) <= allowed:
                site[mine], indices[mine] = k, indices[mine] + whole.astype(np.int64)
                break
        else:
            if sizes[other] >= 0.2 * sizes[main]:
                whole = np.floor(offset + 1e-9)
                offsets.append(offset - whole)
                site[mine], indices[mine] = len(offsets) - 1, indices[mine] + whole.astype(np.int64)
    return site, indices


def _offset(
    points: NDArray[np.float64],
    main: NDArray[np.intp],
    mine: NDArray[np.intp],
    indices: NDArray[np.int64],
    inverse: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Where a group stands in the main group's cells, from the columns of both that are nearest to each other."""
    some = mine[np.unique(np.linspace(0, len(mine) - 1, 100).astype(np.intp))]
    near = main[np.argmin(((points[some, None] - points[main]) ** 2).sum(-1), axis=1)]
    offset: NDArray[np.float64] = np.median(
        (points[some] - points[near]) @ inverse - (indices[some] - indices[near]), axis=0
    )
    return offset


def _first_of_each(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    first = np.zeros(len(rows), bool)
    first[np.unique(rows, axis=0, return_index=True)[1]] = True
    return first


def _least_squares(
    points: NDArray[np.float64], indices: NDArray[np.int64], sites: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(basis, place of each site's index (0, 0)) with the least squares of positions − place − indices @ basis."""
    which = sites[:, None] == np.arange(sites.max() + 1)
    design = np.column_stack([indices, which]).astype(np.float64)
    solution = np.linalg.lstsq(design, points, rcond=None)[0].astype(np.float64)
    return solution[:2], solution[2:]


def _tidy(
    points: NDArray[np.float64],
    basis: NDArray[np.float64],
    places: NDArray[np.float64],
    indices: NDArray[np.int64],
    sites: NDArray[np.int64],
    belongs: NDArray[np.bool_],
) -> Lattice:
    """Indices from 0 on, and the nearest lattice point for columns that don't belong."""
    outside = points[~belongs]
    if len(outside):
        steps = (outside[:, None] - places) @ np.linalg.inv(basis)
        site = np.argmin((((steps - np.rint(steps)) @ basis) ** 2).sum(-1), axis=1)
        sites[~belongs] = site
        indices[~belongs] = np.rint(steps[np.arange(len(site)), site]).astype(np.int64)
    least = indices[belongs].min(0)
    return Lattice(basis, places[0] + least @ basis, indices - least, places - places[0], sites, belongs)
