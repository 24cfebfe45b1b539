"""Open a file by what is in it."""

import inspect
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from crewe.errors import FormatError
from crewe.io import advacam, arrays, mib, rosetta, tpx3
from crewe.io.sources import EventSource, FrameSource

__all__ = ["open"]

Source = FrameSource | EventSource
StrPath = str | os.PathLike[str]


class Format(NamedTuple):
    """A file format: `is_it(path, head)` looks at the first bytes, `read(path, *, scan, ...)` opens the file."""

    name: str
    is_it: Callable[[Path, bytes], bool]
    read: Callable[..., Source]
    several: bool = False  # `read` takes a list of files too


#: Asked in this order: what has a magic number first, what can only be guessed last.
FORMATS: list[Format] = [
    Format("Merlin MIB", mib.is_mib, mib.MibFile, several=True),
    Format("NumPy", arrays.is_npy, arrays.NpyFile),
    Format("EMPAD", arrays.is_empad, arrays.EmpadFile),
    Format("Timepix3", tpx3.is_tpx3, tpx3.Tpx3File),
    Format("Advacam t3pa", advacam.is_t3pa, advacam.T3paFile),
    Format("Advacam t3p", advacam.is_t3p, advacam.T3pFile),
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
        Options of the format. Events: ``detector=(512, 512)``, ``dwell`` [s], ``acceptance`` [s],
        ``chips``, ``scans``; see `Tpx3File`. Frames: ``skip`` and
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

    Examples
    --------
    >>> import tempfile, numpy as np, crewe
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(folder + "/scan.npy", np.ones((3, 4, 8, 8), np.uint16))
    ...     with crewe.io.open(folder + "/scan.npy") as source:
    ...         print(source.scan, source.detector, [(first, len(frames)) for first, frames in source])
    (3, 4) (8, 8) [(0, 12)]
    """
    paths = [Path(path)] if isinstance(path, str | os.PathLike) else [Path(part) for part in path]
    if not paths:
        raise ValueError("path: at least one file wanted, an empty list came")
    kind = _format(paths[0])
    known = {name: parameter.kind for name, parameter in inspect.signature(kind.read).parameters.items()}
    if inspect.Parameter.VAR_KEYWORD not in known.values() and (
        unknown := [name for name in options if name not in known]
    ):
        wanted = ", ".join(name for name in known if name != "path")
        raise TypeError(f"{paths[0]}: {kind.name}: options out of {wanted} wanted, {unknown[0]!r} came")
    if len(paths) > 1 and not kind.several:
        raise ValueError(f"path: one {kind.name} file wanted, {len(paths)} came")
    return kind.read(paths if len(paths) > 1 else paths[0], scan=scan, **options)


def _format(path: Path) -> Format:
    """The format of a file by its first bytes, else by its name."""
    if not path.is_dir():  # a .zspy is one
        with path.open("rb") as file:
            head = file.read(HEAD)
        if not head:
            raise FormatError(f"{path}: the file is empty (at byte 0)", 0)
        for known in FORMATS:
            if known.is_it(path, head):
                return known
    return Format("RosettaSciIO", lambda path, head: True, rosetta.open_by_rosetta)
