"""What the detectors of the demo gave."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Stream", "rate"]


@dataclass
class Stream:
    """What one detector gave: images by name, those of half the scan, how much came and in which time."""

    name: str
    unit: str
    images: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    half: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    done: int = 0
    count: int = 0
    bytes: int = 0
    seconds: float = 0.0


def rate(stream: Stream) -> str:
    """Frames or events, and bytes, per second."""
    seconds = max(stream.seconds, 1e-9)
    return f"{stream.count / seconds:,.0f} {stream.unit}/s, {stream.bytes / seconds / 1e6:,.0f} MB/s"
