"""How well points that were found agree with the truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe import _core
from crewe._array import as_points, as_positive

__all__ = ["Score", "score"]


@dataclass(frozen=True)
class Score:
    """Agreement of found points with true ones.

    Attributes
    ----------
    precision : float
        Matches over points found; 0 where nothing was found.
    recall : float
        Matches over true points; 0 where there are none.
    f1 : float
        2·matches / (found + true), the harmonic mean of both.
    jaccard : float
        Matches / (found + true − matches) = f1/(2 − f1).
    chamfer : float
        Mean distance from a found point to the nearest true one, plus the mean from a true to the nearest found one
        [pixels]; infinite where either is missing.
    matches : ndarray (k, 2) int64
        Pairs (index in found, index in truth), by rising index in found.

    Examples
    --------
    >>> found = score([[0, 0]], [[0, 0], [5, 5]], tolerance=1.0)
    >>> found.precision, found.recall
    (1.0, 0.5)
    """

    precision: float
    recall: float
    f1: float
    jaccard: float
    chamfer: float
    matches: NDArray[np.int64]


def score(found: ArrayLike, truth: ArrayLike, *, tolerance: float) -> Score:
    """Match found points to true ones, one to one, and count.

    As many pairs as can be, and among such matchings the one with the least sum of distances.

    Parameters
    ----------
    found, truth : array (n, 2), array (m, 2)
        Points (y, x) [pixels].
    tolerance : float
        The largest distance of a pair [pixels], > 0; 0.3 of the distance of neighbours is customary.

    Returns
    -------
    Score
        `precision`, `recall`, `f1`, `jaccard`, `chamfer`, `matches`.

    Raises
    ------
    TypeError
        Points that aren't real numbers.
    ValueError
        A wrong shape, NaN or infinity, `tolerance` not positive.

    References
    ----------
    Yan, MPhil thesis (PolyU), eqs. 8-11 (there precision and recall have each other's names); Jonker, Volgenant,
    Computing 38 (1987) 325.

    Examples
    --------
    >>> result = score([[0, 0.6], [0, 1.5], [9, 9]], [[0, 0], [0, 1]], tolerance=0.7)
    >>> result.matches.tolist(), result.recall, round(result.precision, 3), result.f1
    ([[0, 0], [1, 1]], 1.0, 0.667, 0.8)
    """
    found, truth = as_points(found, "found"), as_points(truth, "truth")
    tolerance = as_positive(tolerance, "tolerance", "pixels")
    n, m = len(found), len(truth)
    matches = _core.atoms_match(found, truth, tolerance=tolerance)
    k = len(matches)
    if n == 0 or m == 0:
        return Score(0.0, 0.0, 0.0, 0.0, np.inf, matches)
    chamfer = float(_core.atoms_nearest(found, truth).mean() + _core.atoms_nearest(truth, found).mean())
    return Score(k / n, k / m, 2 * k / (n + m), k / (n + m - k), chamfer, matches)
