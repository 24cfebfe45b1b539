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

# Multislice (bind_sim.cpp); 32: float32 and complex64, 64: float64 and complex128

class _Multislice:
    def __init__(
        self,
        shape: tuple[int, int],
        sampling: tuple[float, float],
        wavelength: float,
        interaction: float,
        thickness: Sequence[float],
        tilt: tuple[float, float],
    ) -> None: ...
    def load(self, potential: NDArray[Any], threads: int) -> None: ...
    @property
    def slices(self) -> int: ...
    @property
    def slice_bytes(self) -> int: ...
    @property
    def wave_bytes(self) -> int: ...

class Multislice32(_Multislice): ...
class Multislice64(_Multislice): ...

class _Waves:
    def __init__(self, engine: _Multislice, count: int) -> None: ...
    @property
    def count(self) -> int: ...
    def set_plane(self) -> None: ...
    def set_probes(self, spectrum: NDArray[np.complex128], positions: NDArray[np.float64], threads: int) -> None: ...
    def set_waves(self, waves: NDArray[Any]) -> None: ...
    def advance(self, transmission: NDArray[np.uint32], propagator: NDArray[np.uint32], threads: int) -> None: ...
    def wave(self, out: NDArray[Any], threads: int) -> None: ...
    def intensity(
        self, row: NDArray[np.int32], column: NDArray[np.int32], weight: float, out: NDArray[Any], threads: int
    ) -> None: ...
    def signals(
        self, detectors: NDArray[np.float32], weight: float, out: NDArray[np.float64], threads: int
    ) -> None: ...

class Waves32(_Waves): ...
class Waves64(_Waves): ...

def sim_project(
    factors: NDArray[np.float64],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    first: NDArray[np.int64],
    out: NDArray[Any],
    threads: int,
) -> None: ...
def sim_transform_pairs(wave: NDArray[Any], pairs: int) -> None: ...
