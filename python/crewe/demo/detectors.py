"""The electrons of the model as two detectors see them: a frame per position, or single events."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.demo.model import Model
from crewe.io.sources import EventSource, FrameSource

__all__ = ["Camera", "Counter"]

BLOCK_FRAMES = 64
BLOCK_EVENTS = 1 << 18


class Camera(FrameSource):
    """Frames (pixels, pixels) uint16, one per position; made when they are asked for."""

    def __init__(self, model: Model, events: NDArray[Any]) -> None:
        self.scan = model.scan
        self.detector = (model.pixels, model.pixels)
        self.dtype = np.dtype(np.uint16)
        self.metadata = {"depth": 12}
        self._place = events["position"].astype(np.int64) * model.pixels**2
        self._place += events["y"].astype(np.int32) * model.pixels + events["x"]
        self._ends = np.searchsorted(events["position"], np.arange(len(self) + 1))

    def __len__(self) -> int:
        return self.scan[0] * self.scan[1]

    def __getitem__(self, index: int) -> NDArray[Any]:
        index = range(len(self))[index]
        return self._frames(index, index + 1).reshape(self.detector)

    def _frames(self, first: int, end: int) -> NDArray[Any]:
        frames = np.zeros((end - first, *self.detector), self.dtype)
        place = self._place[self._ends[first] : self._ends[end]] - first * frames[0].size
        np.add.at(frames.reshape(-1), place, self.dtype.type(1))
        return frames

    def raw_blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        for first in range(0, len(self), BLOCK_FRAMES):
            yield first, self._frames(first, min(first + BLOCK_FRAMES, len(self)))


class Counter(EventSource):
    """The electrons one by one, in order of position."""

    def __init__(self, model: Model, events: NDArray[Any]) -> None:
        self.scan = model.scan
        self.detector = (model.pixels, model.pixels)
        self.metadata: dict[str, Any] = {}
        self._events = events

    def records(self) -> Iterator[NDArray[Any]]:
        for start in range(0, len(self._events), BLOCK_EVENTS):
            yield self._events[start : start + BLOCK_EVENTS]
