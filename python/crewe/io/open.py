"""Open a file by what is in it."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from crewe.errors import FormatError
from crewe.io import arrays, mib, rosetta
from crewe.io.sources import EventSource, FrameSource

__all__ = ["open"]

Source = FrameSource | EventSource
StrPath = str | os.PathLike[str]


class Format(NamedTuple):
    """A file format: `is_it(path, head)` looks at the first bytes, `read(path, scan=..., **options)` opens the file."""

    name: str
    is_it: Callable[[Path, bytes], bool]
    read: Callable[..., Source]


#: Asked in this order: what has a magic number first, what can only be guessed last.
FORMATS: list[Format] = [
    Format("Merlin MIB", mib.is_mib, mib.MibFile),
    Format("NumPy", arrays.is_npy, arrays.NpyFile),
    Format("EMPAD", arrays.is_empad, arrays.EmpadFile),
]

HEAD = 4096


def open(path: StrPath | Sequence[StrPath], *, scan: tuple[int, int] | None = None, **options: Any) -> Source:
    """Open a file of frames or events; the format is found by content, not by name.

    Parameters
    ----------
    path : path, or list of paths
        Merlin MIB, Timepix3 (ASI/SERVAL), Advacam t3p/t3pa, NumPy, EMPAD raw; all else goes to RosettaSciIO.
        A list of paths is one acquisition cut into several files, in this order (MIB).
    scan : (int, int), optional
        Probe positions (y, x); default: what the file, or the header beside it, says.
    **options
        Options of the format. Events: ``detector=(512, 512)``, ``dwell`` [s], ``acceptance`` [s]. Frames: ``skip`` and
        ``flyback``, the frames before the first position and after each line that belong to none; ``depth`` [bits] of
        raw Merlin files of old software; ``dtype`` to cast what RosettaSciIO reads.

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
    TypeError
        An option that the format doesn't have.
    """
    if not isinstance(path, str | os.PathLike):
        paths = [Path(part) for part in path]
        if not paths:
            raise ValueError("path: at least one file wanted, an empty list came")
        return _format(paths[0]).read(paths if len(paths) > 1 else paths[0], scan=scan, **options)
    path = Path(path)
    return _format(path).read(path, scan=scan, **options)


def _format(path: Path) -> Format:
    """The format of a file by its first bytes, else by its name."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise FormatError(f"{path}: the file is empty (at byte 0)", 0)
    for known in FORMATS:
        if known.is_it(path, head):
            return known
    return Format("RosettaSciIO", lambda path, head: True, rosetta.open_by_rosetta)
