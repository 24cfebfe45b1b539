"""Atoms per column from scattering cross-sections: a mixture of normal distributions, or a simulated library."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._array import as_int, as_reals
from crewe.atoms.mixture import MOST_COMPONENTS, Mixture, grow, posterior, widen

__all__ = ["Counts", "count"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Counts:
    """Atoms per column.

    Attributes
    ----------
    counts : ndarray (n,) int64
        Atoms, from 1.
    probabilities : ndarray (n, components)
        That a column has 1, 2, ... atoms; rows sum to 1.
    mixture : Mixture
        The distributions: `means`, `width`, `proportions`, `log_likelihood`.
    criterion : ndarray (m,)
        Integrated classification likelihood (ICL) of 1 ... m components; the lower, the better. Empty with a library.
    bic : ndarray (m,)
        Bayesian information criterion of the same mixtures.

    Examples
    --------
    >>> count([1.0, 1.1, 2.0, 2.1], components=2).counts.tolist()
    [1, 1, 2, 2]
    """

    counts: NDArray[np.int64]
    probabilities: Floats
    mixture: Mixture
    criterion: Floats
    bic: Floats


def count(scs: ArrayLike, *, library: ArrayLike | None = None, components: int | None = None) -> Counts:
    """Number of atoms in each column.

    Without a library the cross-sections are described by a mixture of normal distributions with one width, grown from
    one component to many; each component is one atom more than the one below. ICL = −2 ln L + 2·entropy + 2k·ln n
    tells how many there are, but is seldom clear for few columns: look at `criterion` and give `components` where you
    know more. With a library each column goes to the nearest entry.

    Parameters
    ----------
    scs : array (n,)
        Scattering cross-sections, as of `fit`.
    library : array (m,), optional
        Simulated cross-sections of 1, 2, ..., m atoms, ascending, in the unit of `scs`.
    components : int, optional
        Number of distributions; default: the one with the least ICL, up to 30.

    Returns
    -------
    Counts

    Raises
    ------
    ValueError
        No columns, NaN, a wrong shape, more components than columns, a library that doesn't ascend.

    References
    ----------
    Van Aert et al., Phys. Rev. B 87 (2013) 064107; De Backer et al., Ultramicroscopy 134 (2013) 23.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> atoms = rng.integers(1, 5, 200)
    >>> found = count(3.0 * atoms + rng.normal(0, 0.2, 200))
    >>> len(found.mixture.means), bool((found.counts == atoms).all())
    (4, True)
    """
    values = _values(scs)
    if library is not None:
        if components is not None:
            raise ValueError("components: the library says how many there are, give one of both")
        return _with_library(values, _library(library))
    most = min(MOST_COMPONENTS, len(np.unique(values)))
    if components is not None:
        most = as_int(components, "components", 1, len(values))
    mixtures = grow(values, most)
    n = len(values)
    icl, bic = np.empty(len(mixtures)), np.empty(len(mixtures))
    for k, mixture in enumerate(mixtures):
        p = posterior(values, mixture)
        entropy = -np.sum(p * np.log(np.maximum(p, 1e-300)))
        bic[k] = -2 * mixture.log_likelihood + 2 * (k + 1) * np.log(n)
        icl[k] = bic[k] + 2 * entropy
    mixture = mixtures[int(np.argmin(icl)) if components is None else -1]
    p = posterior(values, mixture)
    return Counts(p.argmax(axis=1) + 1, p, mixture, icl, bic)


def _with_library(values: Floats, library: Floats) -> Counts:
    mixture = widen(values, library)
    return Counts(
        counts=np.abs(values[:, None] - library).argmin(axis=1) + 1,
        probabilities=posterior(values, mixture),
        mixture=mixture,
        criterion=np.empty(0),
        bic=np.empty(0),
    )


def _values(scs: Any) -> Floats:
    values = as_reals(scs, "scs")
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"scs: shape (n,), at least one, wanted, {values.shape} came")
    return values


def _library(library: Any) -> Floats:
    entries = as_reals(library, "library")
    if entries.ndim != 1 or entries.size == 0:
        raise ValueError(f"library: shape (m,), at least one, wanted, {entries.shape} came")
    if not (np.diff(entries) > 0).all():
        raise ValueError("library: cross-sections that ascend with the number of atoms wanted")
    return entries
