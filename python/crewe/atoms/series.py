"""Atoms per column followed through time: a hidden Markov model on the series of every column."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._array import as_reals
from crewe.atoms.count import count
from crewe.atoms.mixture import NARROWEST, Mixture

__all__ = ["CountSeries", "count_series"]

Floats = NDArray[np.float64]

STEPS, ENOUGH = 200, 1e-8  # of the Baum-Welch algorithm: at most so many, or until the likelihood per value moves less
FIRST_STAY = 0.9  # probability to keep the number of atoms, before it is learnt


@dataclass(frozen=True, eq=False)
class CountSeries:
    """Atoms per column and frame.

    Attributes
    ----------
    counts : ndarray (frames, n) int64
        Atoms, from 1: the likeliest number in each frame, all frames of the column considered.
    probabilities : ndarray (frames, n, components)
        That a column has 1, 2, ... atoms in a frame.
    transitions : ndarray (components, components)
        Probability to have j + 1 atoms in the next frame after i + 1 in this one; rows sum to 1.
    mixture : Mixture
        The distributions of the cross-sections.

    Examples
    --------
    >>> count_series([[1.0, 2.0, 1.1], [1.1, 2.1, 2.0]], components=2).counts.tolist()
    [[1, 2, 1], [1, 2, 2]]
    """

    counts: NDArray[np.int64]
    probabilities: Floats
    transitions: Floats
    mixture: Mixture


def count_series(scs: ArrayLike, *, library: ArrayLike | None = None, components: int | None = None) -> CountSeries:
    """Number of atoms of each column in each frame of a series.

    Columns change seldom from one frame to the next, so that their earlier and later frames tell more than one frame
    alone. All columns share means, width and transition probabilities, learnt by the Baum-Welch algorithm from the
    mixture of all frames together; the probabilities come from its forward and backward passes.

    Parameters
    ----------
    scs : array (frames, n)
        Scattering cross-sections of the same n columns.
    library, components
        As in `count`, of all frames together; with a library the means stay at its entries.

    Returns
    -------
    CountSeries

    Raises
    ------
    ValueError
        As `count`; a wrong shape.

    References
    ----------
    De wael et al., Phys. Rev. Lett. 125 (2020) 106105; Rabiner, Proc. IEEE 77 (1989) 257.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> atoms = np.repeat(rng.integers(1, 4, (1, 60)), 8, axis=0)
    >>> atoms[5:, :20] += 1
    >>> found = count_series(atoms + rng.normal(0, 0.3, atoms.shape), components=4)
    >>> bool((found.counts == atoms).mean() > 0.98)
    True
    """
    values = as_reals(scs, "scs")
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(f"scs: shape (frames, n) wanted, {values.shape} came")
    mixture = count(values.ravel(), library=library, components=components).mixture
    k = len(mixture.means)
    transitions = np.full((k, k), (1 - FIRST_STAY) / max(k - 1, 1))
    np.fill_diagonal(transitions, FIRST_STAY if k > 1 else 1.0)
    start, means, width = mixture.proportions, mixture.means, mixture.width
    least, last = NARROWEST * max(float(np.ptp(values)), width), -np.inf
    for _ in range(STEPS):
        emission, offset = _emission(values, means, width)
        probabilities, moved, likelihood = _passes(emission, start, transitions)
        likelihood += offset
        if likelihood - last <= ENOUGH * values.size:
            break
        last = likelihood
        start = probabilities[0].mean(axis=0)
        moved += 1e-9 * np.eye(k)  # a number of atoms that never occurs stays what it is
        transitions = moved / moved.sum(axis=1, keepdims=True)
        weight = probabilities.sum(axis=(0, 1))
        if library is None:
            found = np.einsum("tnk,tn->k", probabilities, values)
            means = np.where(weight > 1e-9, found / np.maximum(weight, 1e-300), means)
        width = max(float(np.sqrt(np.mean(np.sum(probabilities * (values[..., None] - means) ** 2, axis=2)))), least)
    order = np.argsort(means, kind="stable")
    probabilities = probabilities[..., order]
    return CountSeries(
        counts=probabilities.argmax(axis=2) + 1,
        probabilities=probabilities,
        transitions=transitions[order][:, order],
        mixture=Mixture(means[order], width, probabilities.mean(axis=(0, 1)), likelihood),
    )


def _emission(values: Floats, means: Floats, width: float) -> tuple[Floats, float]:
    """Densities (frames, n, k), the largest of each value 1, and the logarithm of what that left out."""
    logs = -0.5 * ((values[..., None] - means) / width) ** 2
    top = logs.max(axis=2, keepdims=True)
    return np.exp(logs - top), float(top.sum() - values.size * np.log(width * np.sqrt(2 * np.pi)))


def _passes(emission: Floats, start: Floats, transitions: Floats) -> tuple[Floats, Floats, float]:
    """Forward and backward: state probabilities (frames, n, k), expected transitions (k, k), log-likelihood."""
    frames = len(emission)
    forward, backward, moved = np.empty_like(emission), np.ones_like(emission), np.zeros_like(transitions)
    scales = np.empty((*emission.shape[:2], 1))
    state = np.broadcast_to(start, emission.shape[1:])
    for t in range(frames):
        forward[t] = (state if t == 0 else forward[t - 1] @ transitions) * emission[t]
        scales[t] = np.maximum(forward[t].sum(axis=1, keepdims=True), 1e-300)
        forward[t] /= scales[t]
    for t in range(frames - 1, 0, -1):
        seen = emission[t] * backward[t] / scales[t]
        backward[t - 1] = seen @ transitions.T
        moved += forward[t - 1].T @ seen * transitions
    probabilities = forward * backward
    probabilities /= probabilities.sum(axis=2, keepdims=True)
    return probabilities, moved, float(np.log(scales).sum())
