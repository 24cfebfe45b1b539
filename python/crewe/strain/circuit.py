"""Burgers vectors from a circuit of columns.

b = ∮ du: the steps from column to column along a loop around the place, each one counted as the lattice vector that it
is, add up to −b.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._array import as_number, as_pair
from crewe.strain._neighbours import SAMPLE, as_positions, lattice_steps, nearest, tolerance
from crewe.strain.columns import as_basis
from crewe.strain.lattice import lattice

__all__ = ["burgers"]


def burgers(
    positions: ArrayLike, around: tuple[float, float], *, radius: float | None = None, basis: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Burgers vector of what lies within a circuit around a point.

    The circuit runs from x towards y (clockwise on a picture whose y points down) over columns at about `radius`; by
    the FS/RH rule the dislocation's line then points away from the viewer.

    Parameters
    ----------
    positions : array_like (n, 2)
        Columns (y, x) [pixels].
    around : (float, float)
        The point (y, x) [pixels].
    radius : float, optional
        Of the circuit [pixels], at least one lattice vector; default: three of the longer lattice vectors, so that the
        core itself isn't walked through.
    basis : array_like (2, 2), optional
        Lattice vectors (y, x) in rows [pixels]; default: those of the mean lattice.

    Returns
    -------
    ndarray (2,)
        Burgers vector (y, x) [pixels], a lattice vector; (0, 0) where the crystal is whole.

    Raises
    ------
    ValueError
        No closed circuit of neighbouring columns leads around the point at that radius, or wrong arguments.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = (a.ravel() for a in np.mgrid[-12:13, -12:13] + 0.5)
    >>> angle = np.arctan2(y, x)  # a screw-like field u_x = θ/2π: an edge dislocation's far field in its simplest form
    >>> points = 10 * np.stack([y, x + angle / (2 * np.pi)], 1)
    >>> points = points[np.hypot(y, x) > 1]
    >>> burgers(points, (0, 0), basis=[[10, 0], [0, 10]]) + 0.0
    array([ 0., 10.])
    """
    points = as_positions(positions)
    centre = np.array(as_pair(around, "around"))
    rows = lattice(points).basis if basis is None else as_basis(basis, "basis")
    longest = float(np.sqrt((rows**2).sum(1).max()))
    size = 3 * longest if radius is None else as_number(radius, "radius", longest, unit="pixels")
    distance = np.hypot(*(points - centre).T)
    ring = points[(distance >= size - longest) & (distance <= size + 1.5 * longest) & (distance > 0)]
    allowed = tolerance(nearest(points, SAMPLE, 1))
    closure = _closure(ring, centre, rows, allowed) if len(ring) else None
    if closure is None:
        raise ValueError(f"around, radius: no closed circuit of columns at {size:.3g} pixels around {tuple(centre)}")
    burgers: NDArray[np.float64] = -closure @ rows
    return burgers


def _closure(
    ring: NDArray[np.float64], centre: NDArray[np.float64], basis: NDArray[np.float64], allowed: float
) -> NDArray[np.int64] | None:
    """The lattice steps of a loop that goes once around, added up: what most loops beside a spanning tree say."""
    i, j, steps, _ = lattice_steps(ring, basis, 1.5 * float(np.sqrt((basis**2).sum(1).max())), allowed)
    y, x = (ring - centre).T
    turn = np.arctan2(x[i] * y[j] - y[i] * x[j], x[i] * x[j] + y[i] * y[j])  # from x towards y
    start = np.searchsorted(i, np.arange(len(ring) + 1))
    seen = np.zeros(len(ring), bool)
    index, angle = np.zeros((len(ring), 2), np.int64), np.zeros(len(ring))
    for seed in range(len(ring)):
        if seen[seed]:
            continue
        seen[seed], queue = True, [seed]
        for here in queue:
            for edge in range(start[here], start[here + 1]):
                there = j[edge]
                if not seen[there]:
                    seen[there] = True
                    index[there], angle[there] = index[here] + steps[edge], angle[here] + turn[edge]
                    queue.append(int(there))
    winding = np.rint((angle[i] + turn - angle[j]) / (2 * np.pi)).astype(np.int64)
    closed = (index[i] + steps - index[j]) * winding[:, None]
    sums, votes = np.unique(closed[np.abs(winding) == 1], axis=0, return_counts=True)
    return sums[np.argmax(votes)] if len(votes) else None
