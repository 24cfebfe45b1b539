"""Strain per column from the columns around it.

F = argmin Σ_n |d_n − c − F D_n|² over a column and its neighbours, D_n the lattice vectors that lead to them, d_n the
ways that are seen; e = 1 − F⁻¹.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._array import as_number, as_positive, as_reals
from crewe.strain._neighbours import SAMPLE, as_positions, lattice_steps, nearest, tolerance
from crewe.strain.lattice import lattice
from crewe.strain.tensor import Strain

__all__ = ["as_basis", "from_positions"]


def from_positions(
    positions: ArrayLike,
    *,
    reference: ArrayLike | None = None,
    reach: float = 1.1,
    precision: float | None = None,
) -> Strain:
    """Strain and rotation of each column against the mean lattice, from its neighbours of the same kind.

    Eulerian, as `gpa`: derivatives at the place where the column is seen; `Strain.lagrangian` for the other definition.
    Neighbours are recognised by the way that leads to them, not by an index: dislocations and gaps don't disturb those
    beside them.

    Parameters
    ----------
    positions : array_like (n, 2)
        Columns (y, x) [pixels], n >= 3.
    reference : array_like (2, 2), optional
        Lattice vectors (y, x) in rows [pixels] that count as unstrained; default: those of the mean lattice. With
        ``lattice(positions[region]).basis`` a region is the reference.
    reach : float
        Neighbours are joined by lattice vectors of at most `reach` times the longer basis vector: 1.1 takes the four of
        a square and the six of a hexagonal lattice, 1.5 the eight of a square one (less noise, less resolution).
    precision : float, optional
        Standard deviation of the positions along y and along x [pixels], for the standard errors; default: what the
        neighbourhoods leave unexplained, all columns taken together.

    Returns
    -------
    Strain
        `eps_yy`, `eps_xx`, `eps_xy`, `omega` and `hydrostatic`, each (n,) float64, NaN for columns with too few
        neighbours; `errors`, the same as standard errors (NaN where `precision` can't be told).

    Raises
    ------
    ValueError
        Fewer than 3 columns, NaN, another shape, all on one line, no lattice, or a `reach` below 1.

    References
    ----------
    De Backer et al., Ultramicroscopy 171 (2016) 104 (StatSTEM: F from neighbours); Hÿtch et al., Ultramicroscopy 74
    (1998) 131 (Eulerian gradient).

    Examples
    --------
    >>> import numpy as np
    >>> y, x = (a.ravel() for a in np.mgrid[:10, :10].astype(float))
    >>> points = np.stack([10 * y, 12 * x + 0.1 * y], 1)
    >>> found = from_positions(points, reference=[[10.0, 0.0], [0.0, 12.0]])
    >>> round(float(found.eps_xy[44]), 6), round(float(found.omega[44]), 6)
    (0.005, -0.005)
    """
    points = as_positions(positions)
    if precision is not None:
        precision = as_positive(precision, "precision", "pixels")
    reach = as_number(reach, "reach", 1)
    basis = lattice(points).basis if reference is None else as_basis(reference, "reference")
    longest = float(np.sqrt((basis**2).sum(1).max()))
    i, j, steps, _ = lattice_steps(points, basis, reach * longest, tolerance(nearest(points, SAMPLE, 1)))
    ideal, seen = steps @ basis, points[j] - points[i]
    n = len(points)

    # Normal equations of [c, F]: the column itself stands at D = d = 0 and only counts in the first.
    normal, right = np.zeros((n, 3, 3)), np.zeros((n, 3, 2))
    many = np.bincount(i, minlength=n)
    normal[:, 0, 0] = many + 1
    for a in (0, 1):
        normal[:, 0, 1 + a] = normal[:, 1 + a, 0] = np.bincount(i, ideal[:, a], n)
        right[:, 0, a] = np.bincount(i, seen[:, a], n)
        for b in (0, 1):
            normal[:, 1 + a, 1 + b] = np.bincount(i, ideal[:, a] * ideal[:, b], n)
            right[:, 1 + a, b] = np.bincount(i, ideal[:, a] * seen[:, b], n)
    area = abs(np.linalg.det(basis))
    spans = np.linalg.det(normal) > 1e-3 * area**2
    covariance = np.linalg.inv(np.where(spans[:, None, None], normal, np.eye(3)))
    solution = covariance @ right

    left = seen - solution[i, 0] - np.einsum("nk,nki->ni", ideal, solution[i, 1:])
    squares = np.bincount(i, (left**2).sum(1), n) + (solution[:, 0] ** 2).sum(1)
    sigma = _scatter(squares[spans], 2 * (many[spans] - 2)) if precision is None else precision

    covariance[~spans] = np.nan
    deformation = np.where(spans[:, None, None], np.swapaxes(solution[:, 1:], 1, 2), np.nan)
    gradient = np.eye(2) - np.linalg.inv(deformation)
    return Strain.of_gradient(gradient, _errors(covariance[:, 1:, 1:], sigma))


def as_basis(basis: Any, name: str) -> NDArray[np.float64]:
    """Two lattice vectors in rows that span the plane."""
    rows = as_reals(basis, name)
    if rows.shape != (2, 2):
        raise ValueError(f"{name}: two lattice vectors (y, x) in rows wanted, {basis!r} came")
    if abs(np.linalg.det(rows)) <= 1e-3 * np.prod(np.hypot(*rows.T)):
        raise ValueError(f"{name}: two vectors that aren't parallel wanted, {rows.tolist()} came")
    return rows


def _scatter(squares: NDArray[np.float64], freedom: NDArray[np.intp]) -> float:
    """Standard deviation of positions along one axis, from what the fits leave."""
    return float(np.sqrt(squares.sum() / freedom.sum())) if freedom.sum() > 0 else float("nan")


def _errors(covariance: NDArray[np.float64], sigma: float) -> Strain:
    """To first order in the strain: var(e_ik) = σ²·C_kk, and the two parts of ε_xy and ω are independent."""
    yy, xx = (sigma * np.sqrt(covariance[:, k, k]) for k in (0, 1))
    both = np.hypot(yy, xx) / 2
    return Strain(yy, xx, both, both)
