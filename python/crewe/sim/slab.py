"""From a crystal and a zone axis to a slab with an orthogonal cell, the beam along z."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import as_number, as_positive
from crewe.sim._check import numbers_yx

__all__ = ["read_atoms", "slab"]

LARGEST = 8  # of the indices among which the edges of the cell are looked for
MOST = 50_000_000  # atoms of a slab: some 5 GB
RIGHT = 1e-4  # cosine below which two directions are at right angles


def slab(
    crystal: Any,
    *,
    zone: tuple[int, int, int] = (0, 0, 1),
    thickness: float,
    size: float | tuple[float, float] | None = None,
    rotation: float = 0.0,
) -> Any:
    """A slab of a crystal, its zone axis along the beam, in an orthogonal cell.

    Without `rotation` the cell is a multiple of the smallest box of lattice vectors at right angles, if there is one:
    it fits to itself on all sides. Else a box is cut out of the endless crystal, which doesn't fit at its borders.

    Parameters
    ----------
    crystal : ase.Atoms or path
        A unit cell; or a file that ase reads (CIF, XYZ, POSCAR, …).
    zone : (u, v, w)
        Lattice direction along the beam.
    thickness : float
        Along the beam [Å]; without `rotation` to the nearest whole number of periods.
    size : float or (y, x), optional
        At least that large [Å] (`rotation`: just as large); not given: one box.
    rotation : float
        About the beam [rad], from x towards y.

    Returns
    -------
    ase.Atoms
        For `Potential`, periodic, positions within the cell.

    Raises
    ------
    TypeError, ValueError
        Something that isn't a crystal, a zone of zeros, numbers that aren't positive, `rotation` without `size`.
    ImportError
        A path without ase: pip install 'crewe[sim]'.

    Examples
    --------
    >>> from ase.build import bulk
    >>> silicon = slab(bulk("Si", cubic=True), zone=(1, 1, 0), thickness=50.0, size=10.0)
    >>> silicon.cell.lengths().round(2).tolist(), len(silicon)
    ([10.86, 15.36, 53.75], 448)
    """
    unit = read_atoms(crystal)
    cell, inside = np.array(unit.cell, float), np.array(unit.get_scaled_positions(wrap=True), float)
    direction = np.asarray(zone)
    if direction.shape != (3,) or direction.dtype.kind not in "iu" or not direction.any():
        raise ValueError(f"zone: three whole numbers, not all 0, wanted, {zone!r} came")
    thickness, rotation = as_positive(thickness, "thickness", "Å"), as_number(rotation, "rotation", unit="rad")
    if abs(np.linalg.det(cell)) < 1e-6:
        raise ValueError(f"crystal: a cell with a volume wanted, {cell.tolist()} came")
    wanted = None if size is None else numbers_yx(size, "size")
    box = _box(cell, direction // np.gcd.reduce(direction)) if rotation == 0 else None
    if box is not None:
        edges = np.linalg.norm(box, axis=1)
        needed = np.array([1e-9, 1e-9, thickness] if wanted is None else [wanted[1], wanted[0], thickness])
        repeats = np.maximum(1, np.ceil(needed / edges - 1e-6)).astype(int)
        repeats[2] = max(1, round(thickness / edges[2]))
        _check_count(unit, cell, edges * repeats)
        return _cut(unit, cell, inside, box / edges[:, None], edges).repeat(tuple(int(n) for n in repeats))
    if wanted is None:
        raise ValueError("size: wanted with a rotation, or where lattice vectors at right angles are not to be had")
    edges = np.array([wanted[1], wanted[0], thickness])
    _check_count(unit, cell, edges)
    return _cut(unit, cell, inside, _frame(cell, direction, rotation), edges)


def _check_count(unit: Any, cell: NDArray[np.float64], edges: NDArray[np.float64]) -> None:
    count = len(unit) * float(np.prod(edges)) / abs(float(np.linalg.det(cell)))
    if count > MOST:
        raise ValueError(f"size, thickness: a slab of at most {MOST:,} atoms wanted, one of {count:,.0f} came")


def read_atoms(crystal: Any) -> Any:
    """Atoms, or those of a file."""
    if isinstance(crystal, str | Path):
        try:
            from ase.io import read
        except ImportError:
            raise ImportError("crystal: ase is missing; pip install 'crewe[sim]'") from None
        try:
            return read(str(crystal))
        except OSError:
            raise
        except Exception as error:
            why = f"unknown element {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"crystal: {crystal} can't be read ({why})") from None
    if not all(hasattr(crystal, name) for name in ("cell", "get_scaled_positions", "repeat")):
        raise TypeError(f"crystal: an ase.Atoms or a path wanted, {type(crystal).__name__} came")
    return crystal


def _box(cell: NDArray[np.float64], zone: NDArray[Any]) -> NDArray[np.float64] | None:
    """Edges (3, 3) of the smallest box of lattice vectors: z along the zone axis, x the shortest at right angles."""
    beam = zone @ cell
    steps = np.arange(-LARGEST, LARGEST + 1)
    indices = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    indices = indices[(indices != 0).any(axis=1)]
    vectors = indices @ cell
    lengths = np.linalg.norm(vectors, axis=1)
    across = np.abs(vectors @ beam) < RIGHT * lengths * np.linalg.norm(beam)
    vectors, lengths, indices = vectors[across], lengths[across], indices[across]
    best: tuple[float, NDArray[np.float64], NDArray[np.float64]] | None = None
    # The shortest first; of equal ones that with positive, low indices, so that the choice is always the same.
    order = np.lexsort((*(-indices.T), lengths.round(6)))
    for i in order[:200]:
        right = np.abs(vectors @ vectors[i]) < RIGHT * lengths * lengths[i]
        right &= np.cross(vectors[i], vectors) @ beam < 0  # x, y, z right-handed
        if not right.any():
            continue
        j = order[np.isin(order, np.flatnonzero(right))][0]
        area = lengths[i] * lengths[j]
        if best is None or area < best[0] * (1 - 1e-6):
            best = float(area), vectors[i], -vectors[j]
    return None if best is None else np.stack([best[1], best[2], beam])


def _frame(cell: NDArray[np.float64], zone: NDArray[Any], rotation: float) -> NDArray[np.float64]:
    """Unit vectors x, y, z: z along the zone axis, x turned by −rotation from the lattice vector nearest to it."""
    z = zone @ cell / np.linalg.norm(zone @ cell)
    first = cell - (cell @ z)[:, None] * z
    x = first[np.argmax(np.linalg.norm(first, axis=1))]
    x = x / np.linalg.norm(x)
    y = np.cross(z, x)
    c, s = np.cos(rotation), np.sin(rotation)
    return np.stack([c * x - s * y, s * x + c * y, z])


def _cut(
    unit: Any, cell: NDArray[np.float64], inside: NDArray[np.float64], axes: NDArray[np.float64], edges: NDArray[Any]
) -> Any:
    """The atoms of the endless crystal in a box along `axes`, lower borders included, upper ones not."""
    corners = np.array(np.meshgrid((0, 1), (0, 1), (0, 1), indexing="ij")).reshape(3, -1).T * edges
    reach = corners @ axes @ np.linalg.inv(cell)
    low, high = np.floor(reach.min(axis=0)).astype(int) - 1, np.ceil(reach.max(axis=0)).astype(int) + 1
    ranges = [np.arange(a, b) for a, b in zip(low, high, strict=True)]
    shifts = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    places = ((shifts[:, None] + inside) @ cell @ axes.T).reshape(-1, 3)
    kinds = np.tile(np.arange(len(inside)), len(shifts))
    close = 1e-6  # Å: rounding puts an atom of the lower border on either side
    here = ((places > -close) & (places < edges - close)).all(axis=1)
    chosen = unit[kinds[here].tolist()]
    chosen.set_cell(np.diag(edges))
    chosen.positions = np.maximum(places[here], 0)
    chosen.pbc = True
    chosen.set_constraint()
    return chosen
