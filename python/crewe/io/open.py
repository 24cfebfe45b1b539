"""Open a file by what is in it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crewe.errors import FormatError
from crewe.io.sources import EventSource, FrameSource

__all__ = ["open"]

Source = FrameSource | EventSource


def open(path: str | os.PathLike[str], *, scan: tuple[int, int] | None = None, **options: Any) -> Source:
    """Open a file of frames or events; the format is found by content, not by name.

    Parameters
    ----------
    path : path
        Merlin MIB, Timepix3 (ASI/SERVAL), Advacam t3p/t3pa, NumPy, EMPAD raw; all else goes to RosettaSciIO.
    scan : (int, int), optional
        Probe positions (y, x); default: what the file, or the header beside it, says.
    **options
        Options of the format: ``detector=(512, 512)``, ``dwell`` [s], ``acceptance`` [s] for events.

    Returns
    -------
    FrameSource or EventSource
        May be read again and again.

    Raises
    ------
    OSError
        The file can't be read.
    FormatError
        The content is damaged or of no known format; names the byte offset.
    """
    path = Path(path)
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise FormatError(f"{path}: the file is empty (at byte 0)", 0)
    return _reader(path, head)(path, scan=scan, **options)


def _reader(path: Path, head: bytes) -> Callable[..., Source]:
    """The function that opens a file which begins with `head`."""
    raise FormatError(f"{path}: no known format", 0)
