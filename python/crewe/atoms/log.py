"""Columns by a Laplacian of Gaussian: a typical column's height, and where noise ends."""

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe.atoms.confidence import Confidence
from crewe.atoms.views import Views

__all__ = ["log_confidence", "spacing_of"]

#: Heights among which the valley between noise and columns is looked for, in units of a typical column's.
_LOWEST, _HIGHEST = 0.06, 0.45
#: Single atoms stand this many standard deviations above the texture around them: one false in 300,000 independent
#: pixels of Gaussian noise.
_OUTLIER = 4.5
#: Of the spots on a texture, so many may be the texture's own.
_FALSE = 0.05


def log_confidence(seen: Views) -> tuple[Confidence, float]:
    """The map scaled to 1 at a typical column, and the threshold that the image itself suggests."""
    confidence, finer, sigma, lattice = seen[1:]
    summits = _core.atoms_peaks(confidence, reach=1, lower=0.0)
    if lattice and _are_pairs(finer, summits, 0.55 * sigma):
        confidence, summits = finer, _core.atoms_peaks(finer, reach=1, lower=0.0)
    heights = summits[:, 2]
    if heights.size == 0:
        return Confidence(confidence, 1.0, None), 1.0
    typical = float((heights**2).sum() / heights.sum())  # the mean, weighted by height: noise counts little
    if lattice:
        threshold = _valley(heights / typical)
    else:
        sample = confidence.ravel()[:: max(1, confidence.size // 65536)]
        spread = 1.4826 * float(np.median(np.abs(sample - np.median(sample))))
        valleys = _core.atoms_peaks(-confidence, reach=1, lower=_OUTLIER * spread)[:, 2]
        threshold = max(_significant(heights, valleys, _OUTLIER * spread) / typical, _LOWEST)
    return Confidence(confidence / np.float32(typical), 1.0, None), threshold


def _are_pairs(finer: NDArray[np.float32], summits: NDArray[np.float64], sigma: float) -> bool:
    """Whether the summits lie between columns: the mean of `finer` around them, `sigma` wide, rises in a direction."""
    step = max(1, round(sigma))
    at = np.rint(summits[summits[:, 2] > np.quantile(summits[:, 2], 0.5), :2]).astype(int)
    at = at[((at >= step) & (at < np.array(finer.shape) - step)).all(axis=1)]
    if len(at) == 0:
        return False

    def mean(dy: int, dx: int) -> float:
        return float(finer[at[:, 0] + dy * step, at[:, 1] + dx * step].mean())

    yy, xx = (mean(*d) + mean(-d[0], -d[1]) - 2 * mean(0, 0) for d in ((1, 0), (0, 1)))
    yx = (mean(1, 1) + mean(-1, -1) - mean(1, -1) - mean(-1, 1)) / 4
    return bool(np.linalg.eigvalsh([[yy, yx], [yx, xx]])[1] > 0)


def _significant(heights: NDArray[np.float64], valleys: NDArray[np.float64], lowest: float) -> float:
    """The lowest height from `lowest` on above which `_FALSE` of the summits are the texture's at most.

    Texture and noise rise as often as they fall: as many of its summits as of its valleys reach a height.
    """
    steps = np.concatenate([[lowest], np.sort(valleys[valleys > lowest])])  # between these the share only falls
    false = len(steps) - 1 - np.arange(len(steps))
    above = len(heights) - np.searchsorted(np.sort(heights), steps, side="right")
    return float(steps[np.flatnonzero(false <= _FALSE * above)[0]])  # none is false above the deepest valley


def _valley(heights: NDArray[np.float64]) -> float:
    """Where the fewest heights are between noise and columns, by their smoothed histogram over the logarithm."""
    edges = np.linspace(np.log(0.02), np.log(2.5), 80)
    counts = np.histogram(np.log(heights[heights > 0.02]), edges)[0]
    x = np.arange(-8, 9) / 2.5
    smooth = np.convolve(np.pad(counts, 8, mode="edge"), np.exp(-(x**2) / 2), mode="valid")
    middles = (edges[1:] + edges[:-1]) / 2
    between = np.flatnonzero((middles > np.log(_LOWEST)) & (middles < np.log(_HIGHEST)))
    return float(np.exp(middles[between[smooth[between].argmin()]]))


def spacing_of(positions: NDArray[np.float64]) -> float:
    """Mean distance to the nearest other position."""
    return float(_core.atoms_neighbour(positions).mean()) if len(positions) > 1 else 0.0
