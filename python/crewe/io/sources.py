"""What every reader gives: frames or events, in blocks, as often as asked for."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["EVENT", "EventSource", "FrameSource"]

#: One event as the core exchanges it (`crewe::io::Event`): probe position, detector pixel.
EVENT = np.dtype([("position", "<u4"), ("y", "<u2"), ("x", "<u2")])


class FrameSource(ABC):
    """Diffraction patterns in order of probe position.

    Attributes
    ----------
    scan : tuple of int
        Probe positions (y, x).
    detector : tuple of int
        Pixels of a frame (ky, kx).
    dtype : numpy.dtype
        uint8, uint16, uint32 or float32, native byte order.
    metadata : dict
        What the file or the detector tells of itself.
    lost : int
        Frames that should have come and didn't, so far.
    """

    scan: tuple[int, int]
    detector: tuple[int, int]
    dtype: np.dtype[Any]
    metadata: dict[str, Any]
    lost: int = 0

    @abstractmethod
    def __len__(self) -> int:
        """Frames that the source holds, or announces."""

    @abstractmethod
    def __getitem__(self, index: int) -> NDArray[Any]:
        """One frame (ky, kx), native byte order."""

    @abstractmethod
    def raw_blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """(first, frames) as they lie in memory: either byte order, any stride. What a session is fed with.

        A block is valid until the next one is asked for. Damage is raised as `FormatError` after the good part.
        """

    def __iter__(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """(first, frames (n, ky, kx)) with `first` the index of the block's first frame; native byte order."""
        for first, frames in self.raw_blocks():
            yield first, np.ascontiguousarray(frames, dtype=self.dtype)

    def close(self) -> None:  # noqa: B027  (most sources hold nothing)
        """Release the file or the connection."""

    def __enter__(self) -> "FrameSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class EventSource(ABC):
    """Single electrons, each at its probe position, in any order.

    Attributes
    ----------
    scan : tuple of int
        Probe positions (y, x).
    detector : tuple of int
        Pixels of the detector (ky, kx).
    metadata : dict
        What the file or the detector tells of itself.
    lost : int
        Events that the detector reported as lost, so far.
    """

    scan: tuple[int, int]
    detector: tuple[int, int]
    metadata: dict[str, Any]
    lost: int = 0

    @abstractmethod
    def records(self) -> Iterator[NDArray[Any]]:
        """Blocks of `EVENT` records: what a session is fed with. A block is valid until the next one is asked for."""

    def __iter__(self) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """(position, y, x), three arrays of one length; position = row · scan[1] + column."""
        for block in self.records():
            yield block["position"].copy(), block["y"].copy(), block["x"].copy()

    def close(self) -> None:  # noqa: B027  (most sources hold nothing)
        """Release the file or the connection."""

    def __enter__(self) -> "EventSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
