"""The compiled core: what the functions of the package call after their checks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__version__: str

def isa() -> str: ...

# Diffraction patterns (bind_frames.cpp)

def ring_weights(shape: tuple[int, ...], inner: float, outer: float, cy: float, cx: float) -> NDArray[np.float32]: ...
def equal_rings(shape: tuple[int, ...], rings: int, cy: float, cx: float) -> tuple[NDArray[np.uint8], float]: ...

class FrameReducer:
    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        moments: bool = True,
        weights: NDArray[np.float32] | None = None,
        detectors: Sequence[NDArray[np.float32]] = (),
        rings: NDArray[np.uint8] | None = None,
        dark: NDArray[np.float32] | None = None,
        gain: NDArray[np.float32] | None = None,
        dead: NDArray[np.uint8] | None = None,
    ) -> None: ...
    @property
    def rings(self) -> int: ...
    def reduce(
        self,
        frames: NDArray[Any],
        *,
        com: NDArray[np.float32] | None = None,
        cy: float = 0.0,
        cx: float = 0.0,
        moments: NDArray[np.float64] | None = None,
        sums: NDArray[np.float64] | None = None,
        profiles: NDArray[np.float32] | None = None,
        threads: int = 0,
    ) -> None: ...
