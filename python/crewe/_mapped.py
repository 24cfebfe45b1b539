"""Mapped files whose pages don't count as memory of this process."""

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["let_go"]


def let_go(array: NDArray[Any]) -> None:
    """Take the pages of a mapped file out of this process; the system may keep them, and keeps what was written.

    What is read again comes back by itself. An array that isn't mapped, or is mapped as a copy, stays as it is.
    """
    pages: Any = array
    mode = None
    while isinstance(pages, np.ndarray):
        mode, pages = getattr(pages, "mode", mode), pages.base
    if isinstance(pages, mmap.mmap) and mode in ("r", "r+", "w+") and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
