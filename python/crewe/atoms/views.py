"""What AtomID-net sees of an image: the image, and both maps of a Laplacian of Gaussian that the spectrum weights.

The maps carry what the network's field of view can't hold, the order of the whole lattice: at 20 electrons per column
a column is seen with the help of hundreds of others (`crewe/atoms/log_map.hpp`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe.atoms.resample import resample

__all__ = ["Views", "levels", "normalised", "views"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]


class Views(NamedTuple):
    """`image`, `map` and `finer` (y, x); the width `sigma` [pixels] of the map, and whether there is a `lattice`."""

    image: Image
    map: Image
    finer: Image
    sigma: float
    lattice: bool

    def part(self, step: float, start: tuple[int, int], stop: tuple[int, int]) -> Image:
        """The views (3, y, x) with pixels of `step`, from `start` to `stop`, as in `resample`."""
        return np.stack([resample(view, step, start=start, stop=stop) for view in self[:3]])


def views(image: Image, *, threads: int = 0) -> Views:
    """The views of an image (y, x); of a constant one, maps of 0."""
    map, finer = np.zeros_like(image), np.zeros_like(image)
    if image.min() == image.max():
        return Views(image, map, finer, 1.0, False)
    return Views(image, map, finer, *_core.atoms_log_map(image, map, finer, threads=threads))


def levels(stack: Image) -> tuple[Floats, Floats]:
    """What becomes 0 and 1 in views (..., 3, y, x): first and 99.8th percentile, a standard deviation apart or more."""
    each = np.moveaxis(stack, -3, 0).reshape(stack.shape[-3], -1)
    low, high = np.percentile(each, [1, 99.8], axis=1)
    return low, np.maximum(high, low + np.maximum(each.std(axis=1), 1e-30))


def normalised(stack: Image, low: Floats, high: Floats) -> Image:
    """Views (..., 3, y, x) with `low` at 0 and `high` at 1, cut off half of that beyond."""
    zero, unit = (a.astype(np.float32)[:, None, None] for a in (low, high - low))
    scaled: Image = np.clip((stack - zero) / unit, -0.5, 1.5)
    return scaled
