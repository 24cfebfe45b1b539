"""What a model makes of an image."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Confidence"]


class Confidence(NamedTuple):
    """`map` (y, x), 1 at a column, with pixels of `step` image pixels; the `spacing` in such, if it is known."""

    map: NDArray[np.float32]
    step: float
    spacing: float | None
