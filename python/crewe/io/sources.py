"""What every reader gives: frames or events, in blocks, as often as asked for."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

__all__ = ["EVENT", "Bytes", "EventSource", "FrameSource", "as_bytes"]

#: One event as the core exchanges it (`crewe::io::Event`): probe position, detector pixel.
EVENT = np.dtype([("position", "<u4"), ("y", "<u2"), ("x", "<u2")])


#: What decoders take: anything whose memory can be looked at.
Bytes = bytes | bytearray | memoryview | NDArray[Any]


def as_bytes(buffer: Bytes) -> NDArray[np.uint8]:
    """Bytes of any owner as an array, without a copy."""
    try:
        view = memoryview(cast(Any, buffer))
    except TypeError:
        raise TypeError(f"buffer: bytes wanted, {type(buffer).__name__} came") from None
    if not view.c_contiguous:
        raise ValueError("buffer: contiguous bytes wanted")
    return np.frombuffer(view.cast("B"), np.uint8) if view.nbytes else np.empty(0, np.uint8)


class FrameSource(ABC):
    """Diffraction patterns in the order in which they were recorded.

    All recorded frames are handed out. Which of them belong to probe positions is the session's business: it leaves out
    the first `skip` frames and, after every scan line, `flyback` frames.

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
    skip, flyback : int
        Frames before the first probe position, and after every scan line, that belong to none.

    Examples
    --------
    >>> import crewe, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(folder + "/scan.npy", np.ones((3, 4, 8, 8), np.uint16))
    ...     with crewe.io.open(folder + "/scan.npy") as source:
    ...         source.scan, len(source), source[5].shape
    ((3, 4), 12, (8, 8))
    """

    scan: tuple[int, int]
    detector: tuple[int, int]
    dtype: np.dtype[Any]
    metadata: dict[str, Any]
    lost: int = 0
    skip: int = 0
    flyback: int = 0

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
        """(first, frames (n, ky, kx)), `first` the index of the first frame; native byte order, yours to keep."""
        for first, frames in self.raw_blocks():
            yield first, np.array(frames, dtype=self.dtype)

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

    Examples
    --------
    One of your own gives records; `crewe.live.run` and `crewe.io.replay` take it.

    >>> class TwoElectrons(EventSource):
    ...     scan, detector, metadata = (1, 2), (8, 8), {}
    ...
    ...     def records(self):
    ...         yield np.array([(0, 3, 4), (1, 3, 5)], EVENT)
    >>> [position.tolist() for position, y, x in TwoElectrons()]
    [[0, 1]]
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
