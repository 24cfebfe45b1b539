"""Files that are arrays already, mapped into memory: NumPy .npy and EMPAD .raw."""

import re
from collections.abc import Iterator
from pathlib import Path
from tokenize import TokenError
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from crewe._array import FRAME_DTYPES, as_int, as_shape
from crewe._mapped import let_go
from crewe.errors import FormatError
from crewe.io.sources import FrameSource

__all__ = ["ArraySource", "EmpadFile", "NpyFile", "is_empad", "is_npy"]

#: Frames are handed out in blocks of about so many bytes: large enough to share out, small enough for a progress bar.
BLOCK_BYTES = 1 << 25


class ArraySource(FrameSource):
    """Frames in memory or in a mapped file: a source of an array, in either byte order, of any stride.

    Parameters
    ----------
    frames : (sy, sx, ky, kx) or (n, ky, kx) uint8, uint16, uint32 or float32
        Not copied.
    scan : (int, int), optional
        Probe positions (y, x); default: the first two of four axes, or one row.
    skip, flyback : int
        Frames before the first position, and after every line, that belong to none.
    metadata : dict, optional
        What is known of the frames.
    """

    def __init__(
        self,
        frames: NDArray[Any],
        *,
        scan: tuple[int, int] | None = None,
        skip: int = 0,
        flyback: int = 0,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if frames.dtype.newbyteorder("=") not in FRAME_DTYPES:
            raise TypeError(f"frames: dtype uint8, uint16, uint32 or float32 wanted, {frames.dtype} came")
        if frames.ndim not in (3, 4) or 0 in frames.shape:
            raise ValueError(f"frames: shape (sy, sx, ky, kx) or (n, ky, kx) wanted, {frames.shape} came")
        if scan is None:
            scan = (frames.shape[0], frames.shape[1]) if frames.ndim == 4 else (1, frames.shape[0])
        self._frames = frames
        self.scan = as_shape(scan, "scan")
        self.detector = (frames.shape[-2], frames.shape[-1])
        self.dtype = frames.dtype.newbyteorder("=")
        self.metadata = metadata or {}
        self.skip, self.flyback = as_int(skip, "skip"), as_int(flyback, "flyback")

    def __len__(self) -> int:
        return int(np.prod(self._frames.shape[:-2]))

    def __getitem__(self, index: int) -> NDArray[Any]:
        index = range(len(self))[index]
        return np.array(self._frames[np.unravel_index(index, self._frames.shape[:-2])], dtype=self.dtype)

    def raw_blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        step = max(1, BLOCK_BYTES // (self.detector[0] * self.detector[1] * self.dtype.itemsize))
        rows = self._frames if self._frames.ndim == 4 else self._frames[np.newaxis]
        if rows.strides[0] == rows.shape[1] * rows.strides[1]:  # the scan's rows follow each other: one long row
            rows = rows.reshape(1, -1, *self.detector)
        first = 0
        for row in rows:
            for start in range(0, len(row), step):
                yield first + start, row[start : start + step]
                let_go(self._frames)
            first += len(row)


def is_npy(path: Path, head: bytes) -> bool:
    """Whether a file begins as .npy files do."""
    return head.startswith(b"\x93NUMPY")


class NpyFile(ArraySource):
    """A .npy file of frames (sy, sx, ky, kx) or (n, ky, kx), or of a single frame (ky, kx)."""

    def __init__(self, path: Path, *, scan: tuple[int, int] | None = None, skip: int = 0, flyback: int = 0) -> None:
        try:
            frames = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, SyntaxError, TokenError) as error:  # the last two: a header that is no dict
            size = path.stat().st_size
            raise FormatError(f"{path}: no whole .npy: {error} (at byte {size})", size) from error
        try:
            frames = frames[np.newaxis] if frames.ndim == 2 else frames
            super().__init__(frames, scan=scan, skip=skip, flyback=flyback)
        except TypeError as error:
            raise TypeError(f"{path}: {error}") from None


#: An EMPAD frame: 128 rows of pixels, two of the readout's own.
EMPAD_ROWS, EMPAD_SHAPE = 130, (128, 128)
EMPAD_BYTES = EMPAD_ROWS * EMPAD_SHAPE[1] * 4


def is_empad(path: Path, head: bytes) -> bool:
    """Whether a file can be EMPAD frames, which have no mark of their own: its name ends in .raw, the size fits."""
    return path.suffix.lower() == ".raw" and path.stat().st_size % EMPAD_BYTES == 0


class EmpadFile(ArraySource):
    """EMPAD frames (128 x 128 float32): the scan from the name ``..._x<NX>_y<NY>.raw``, or from an .xml beside it.

    Pixels may be NaN; a session refuses blocks that hold some.
    """

    def __init__(self, path: Path, *, scan: tuple[int, int] | None = None, skip: int = 0, flyback: int = 0) -> None:
        count = path.stat().st_size // EMPAD_BYTES
        frames = np.memmap(path, "<f4", "r", shape=(count, EMPAD_ROWS, EMPAD_SHAPE[1]))[:, : EMPAD_SHAPE[0]]
        super().__init__(frames, scan=scan or empad_scan(path, count), skip=skip, flyback=flyback)


def empad_scan(path: Path, frames: int) -> tuple[int, int]:
    """Probe positions (y, x) of an EMPAD file: by its name, by the .xml that names it, else one row."""
    if named := re.search(r"_x(\d+)_y(\d+)$", path.stem):
        scan = int(named[2]), int(named[1])
        if scan[0] * scan[1] == frames:
            return scan
    for beside in sorted(path.parent.glob("*.xml")):
        try:
            root = ElementTree.parse(beside).getroot()
        except (ElementTree.ParseError, OSError):
            continue
        raw = root.find("raw_file")
        if raw is None or Path(raw.get("filename", "")).name != path.name:
            continue
        sy, sx = (int(text) if (text := root.findtext(key, "")).isdigit() else 0 for key in ("pix_y", "pix_x"))
        if sy * sx == frames:
            return sy, sx
    return 1, frames
