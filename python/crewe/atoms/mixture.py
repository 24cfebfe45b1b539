"""Mixtures of normal distributions with one width on a line."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_COMPONENTS", "NARROWEST", "Mixture", "grow", "posterior", "widen"]

Floats = NDArray[np.float64]

MOST_COMPONENTS = 30
STEPS, ENOUGH = 300, 1e-8  # of the EM algorithm: at most so many, or until the likelihood per value moves less
BINS = 1000  # values that the first partition tells apart
#: Least width, as a part of the range of the values: two equal values alone would make a needle.
NARROWEST = 1e-4


@dataclass(frozen=True, eq=False)
class Mixture:
    """Normal distributions of one width.

    Attributes
    ----------
    means : ndarray (k,)
        Ascending [unit of the values].
    width : float
        Standard deviation of each.
    proportions : ndarray (k,)
        Parts of the values that belong to each; they sum to 1.
    log_likelihood : float
        Of the values.

    Examples
    --------
    >>> from crewe import atoms
    >>> atoms.count([1.0, 1.1, 2.0, 2.1], components=2).mixture.means.round(2).tolist()
    [1.05, 2.05]
    """

    means: Floats
    width: float
    proportions: Floats
    log_likelihood: float


def posterior(values: Floats, mixture: Mixture) -> Floats:
    """Probabilities (n, k) that a value belongs to a component."""
    logs = _logs(values, mixture.means, mixture.width, mixture.proportions)
    logs -= logs.max(axis=1, keepdims=True)
    p = np.exp(logs)
    p /= p.sum(axis=1, keepdims=True)
    return p


def grow(values: Floats, most: int) -> list[Mixture]:
    """The likeliest mixtures of 1 ... `most` components.

    Each is sought from the partition of the values with the least squares, and from the mixture with one component
    less, to which one is added in its widest gap or where it describes the values worst.
    """
    mixtures: list[Mixture] = []
    for means in _partitions(values, most):
        starts = [means]
        if mixtures:
            last = mixtures[-1].means
            ends = np.concatenate([[min(values.min(), last[0])], last, [max(values.max(), last[-1])]])
            gap = int(np.argmax(np.diff(ends)))
            starts.append(np.sort(np.append(last, (ends[gap] + ends[gap + 1]) / 2)))
            heaviest = int(np.argmax(mixtures[-1].proportions))
            split = mixtures[-1].width * np.array([-0.5, 0.5])
            starts.append(np.sort(np.concatenate([np.delete(last, heaviest), last[heaviest] + split])))
        found = [_maximise(values, start) for start in starts]
        mixtures.append(max(found, key=lambda mixture: mixture.log_likelihood))
    return mixtures


def widen(values: Floats, means: Floats) -> Mixture:
    """Components of equal proportions at given means, and their likeliest width."""
    return _maximise(values, means, only_width=True)


def _logs(values: Floats, means: Floats, width: float, proportions: Floats) -> Floats:
    d = (values[:, None] - means) / width
    logs: Floats = np.log(np.maximum(proportions, 1e-300)) - np.log(width * np.sqrt(2 * np.pi)) - 0.5 * d * d
    return logs


def _maximise(values: Floats, means: Floats, *, only_width: bool = False) -> Mixture:
    """Expectation and maximisation from given means."""
    k, n = len(means), len(values)
    extent = float(np.ptp(np.concatenate([values, means])))
    least = NARROWEST * extent if extent > 0 else 1.0
    proportions = np.full(k, 1 / k)
    width = max(float(np.sqrt(np.mean(np.min((values[:, None] - means) ** 2, axis=1)))), least)
    last = -np.inf
    for _ in range(STEPS):
        logs = _logs(values, means, width, proportions)
        top = logs.max(axis=1, keepdims=True)
        p = np.exp(logs - top)
        total = p.sum(axis=1, keepdims=True)
        likelihood = float(np.sum(np.log(total) + top))
        if likelihood - last <= ENOUGH * n:
            break
        last = likelihood
        p /= total
        weight = p.sum(axis=0)
        if not only_width:
            proportions = weight / n
            held = weight > 1e-12
            means = np.where(held, (p.T @ values) / np.maximum(weight, 1e-300), means)
        width = max(float(np.sqrt(np.sum(p * (values[:, None] - means) ** 2) / n)), least)
    order = np.argsort(means, kind="stable")
    return Mixture(means[order], width, proportions[order], likelihood)


def _partitions(values: Floats, most: int) -> list[Floats]:
    """Means of the partitions of the sorted values into 1 ... `most` runs with the least squares (Fisher 1958)."""
    ordered = np.sort(values)
    if len(ordered) > BINS:
        ordered = np.array([part.mean() for part in np.array_split(ordered, BINS)])
    n = len(ordered)
    shifted = ordered - ordered.mean()
    sums = np.concatenate([[0.0], np.cumsum(shifted)])
    squares = np.concatenate([[0.0], np.cumsum(shifted**2)])
    first, last = np.arange(n)[:, None], np.arange(1, n + 1)
    length = np.maximum(last - first, 1)
    cost = squares[last] - squares[first] - (sums[last] - sums[first]) ** 2 / length  # of the run first ... last − 1
    cost[last - first < 1] = np.inf
    best = cost[0].copy()
    cuts: list[NDArray[np.intp]] = []
    partitions = [np.array([ordered.mean()])]
    for _ in range(1, most):
        total = np.concatenate([[np.inf], best[:-1]])[:, None] + cost
        cuts.append(total.argmin(axis=0))
        best = total.min(axis=0)
        ends, end = [n], n
        for row in reversed(cuts):
            end = int(row[end - 1])
            ends.append(end)
        edges = [0, *reversed(ends)]
        runs = [ordered[a:b] for a, b in itertools.pairwise(edges) if b > a]
        means = np.array([run.mean() for run in runs])
        partitions.append(means if len(means) == len(cuts) + 1 else np.linspace(ordered[0], ordered[-1], len(cuts) + 1))
    return partitions
