"""How much memory this process has, second by second, and whether it grows."""

import ctypes
import resource
import threading
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["Growth", "Memory", "growth", "keep_nothing"]

MMAP_THRESHOLD, ARENA_MAX = -3, -8  # of glibc's mallopt


def keep_nothing() -> None:
    """Have the C library hand large blocks back as soon as they are free, so that what is left is in use.

    By itself it keeps some tens of megabytes for each of several threads, filled little by little; with one heap for
    all threads there are fewer holes in it.
    """
    library = ctypes.CDLL(None)
    library.mallopt(MMAP_THRESHOLD, 1 << 15)
    library.mallopt(ARENA_MAX, 1)


class Growth(NamedTuple):
    """Resident bytes at first and at last, the most, and the rise of a line through the minutes.

    What is at work in the middle of a scan comes and goes; what stays is the level that a tenth of the samples are
    below: of the first and last tenth of the time, and of each minute for the line.
    """

    first: float
    last: float
    most: float
    line: float

    def within(self, part: float) -> bool:
        return max(self.last - self.first, self.line) <= part * self.first

    def __str__(self) -> str:
        return (
            f"{self.first / 1e6:.1f} MB at first, {self.last / 1e6:.1f} at last ({self.last / self.first - 1:+.2%}),"
            f" at most {self.most / 1e6:.1f} ({self.most / self.first - 1:+.2%}),"
            f" a line through the minutes rises by {self.line / self.first:+.2%}"
        )


class Memory(threading.Thread):
    """Takes a sample (time [s], bytes) every second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float]] = []

    def run(self) -> None:
        while True:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.samples.append((time.monotonic(), float(pages * resource.getpagesize())))
            time.sleep(1.0)


def growth(samples: list[tuple[float, float]]) -> Growth | None:
    """None: less than a minute is too few to say."""
    if len(samples) < 60:
        return None
    size = np.array([size for _, size in samples])
    minutes = [np.quantile(size[k : k + 60], 0.1) for k in range(0, len(size) - 59, 60)]
    line = np.polyfit(range(len(minutes)), minutes, 1)[0] * (len(minutes) - 1) if len(minutes) > 1 else 0.0
    part = max(len(size) // 10, 6)
    first, last = (float(np.quantile(some, 0.1)) for some in (size[:part], size[-part:]))
    return Growth(first, last, float(size.max()), float(line))
