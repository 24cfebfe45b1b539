"""Merlin (Medipix3) frames from bytes and .mib files: all counter depths, formatted and raw, single chips and quads."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_int, as_shape
from crewe._mapped import let_go
from crewe.errors import FormatError
from crewe.io.sources import Bytes, FrameSource, as_bytes

__all__ = [
    "MibDecoder",
    "MibFile",
    "acquisition_header",
    "big_endian",
    "decode_mib",
    "flyback_of",
    "frame_metadata",
    "is_mib",
    "scan_of",
]

GAINS = ("SLGM", "LGM", "HGM", "SHGM")
LONGEST_HEADER = 1 << 16
LEAST_SCAN = 8

#: Frames are handed out in blocks of about so many bytes: mapped ones, and such as are unpacked (from a warm cache).
MAPPED_BYTES, UNPACKED_BYTES = 1 << 25, 1 << 21


def decode_mib(buffer: Bytes, *, depth: int = 0) -> NDArray[Any]:
    """Merlin frames, as they lie in a .mib file, → images.

    Parameters
    ----------
    buffer : bytes-like
        Whole frames, each a header and its pixels: formatted (U08, U16, U32) or raw (R64).
    depth : int
        Bits of the counter (1, 6, 12, 24) where raw headers of old software don't say; 0 = they say.

    Returns
    -------
    (n, ky, kx) uint8, uint16 or uint32
        Native byte order; uint8 for counters of 1 and 6 bits, uint16 for 12, uint32 for 24.

    Raises
    ------
    FormatError
        Damage, or a frame that isn't whole; `offset` is the byte, `decoded` what came before.

    References
    ----------
    Quantum Detectors, Merlin header format MQ1.

    Examples
    --------
    >>> import crewe.io
    >>> header = "MQ1,000001,00384,01,0002,0001,U16,   1x1,01,2026-01-02 03:04:05,0.001,0,0,0,"
    >>> crewe.io.decode_mib(header.encode().ljust(384, b"\\0") + b"\\x00\\x07\\x01\\x00")
    array([[[  7, 256]]], dtype=uint16)
    """
    data = as_bytes(buffer)
    decoder = _core.MibDecoder(depth=depth)
    images: NDArray[Any] = decoder.feed(data)
    try:
        decoder.feed(data[:0])  # raises the damage after the good part
        if decoder.pending or not len(data):
            raise FormatError(f"the last Merlin frame isn't whole (at byte {len(data)})", len(data))
    except FormatError as error:
        error.decoded = images
        raise
    return images


class MibDecoder:
    """Merlin frames from a stream that comes in pieces of any size; at most one frame is held back.

    Parameters
    ----------
    depth : int
        Bits of the counter (1, 6, 12, 24) where raw headers of old software don't say; 0 = they say.

    Examples
    --------
    >>> import crewe.io
    >>> header = "MQ1,000001,00384,01,0002,0001,U08,   1x1,01,2026-01-02 03:04:05,0.001,0,0,0,"
    >>> decoder = crewe.io.MibDecoder()
    >>> [len(decoder.feed(piece)) for piece in (header.encode(), bytes(384 - len(header)), b"\\1", b"\\2")]
    [0, 0, 0, 1]
    """

    def __init__(self, *, depth: int = 0) -> None:
        self._decoder = _core.MibDecoder(depth=depth)

    def feed(self, buffer: Bytes) -> NDArray[Any]:
        """The frames (n, ky, kx) that these bytes complete, native byte order; n may be 0.

        Raises
        ------
        FormatError
            Damage, with the byte offset in the stream; raised by the next call if frames came before it in these bytes.
        """
        frames: NDArray[Any] = self._decoder.feed(as_bytes(buffer))
        return frames

    @property
    def pending(self) -> int:
        """Bytes of a frame that isn't whole yet."""
        return int(self._decoder.pending)


def is_mib(path: Path, head: bytes) -> bool:
    """Whether a file begins as Merlin frames do."""
    return head.startswith(b"MQ1,")


def acquisition_header(text: bytes) -> dict[str, str]:
    """The ``key: value`` lines of a .hdr file, or of the first message on the data socket; {} if it is none.

    Keys lose what stands in brackets: ``Frames in Acquisition (Number)`` → ``Frames in Acquisition``.
    """
    if not text.startswith(b"HDR"):
        return {}
    entries: dict[str, str] = {}
    for line in text.decode("latin-1").splitlines()[1:]:
        if line.startswith("End"):
            break
        key, colon, value = line.partition(":\t")
        if colon:
            entries[key.split("(")[0].strip()] = value.strip()
    return entries


def number_of(header: dict[str, str], key: str) -> int:
    """A count of the acquisition header, 0 if it isn't there or no number."""
    value = header.get(key, "")
    return int(value) if value.isascii() and value.isdigit() else 0


def scan_of(header: dict[str, str], frames: int) -> tuple[int, int]:
    """Probe positions (y, x) by the acquisition header; one row if it says nothing that fits."""
    scan = number_of(header, "ScanY"), number_of(header, "ScanX")
    if 0 not in scan:
        return scan
    row = number_of(header, "Frames per Trigger")
    if row > 1 and frames >= row:
        return frames // row, row
    return 1, max(frames, 1)


def flyback_of(header: dict[str, str], frames: int) -> int:
    """1 if the acquisition holds exactly a frame more per line than its header's scan, as with line skip 1; else 0.

    Only for scans large enough that this is no coincidence.
    """
    sy, sx = number_of(header, "ScanY"), number_of(header, "ScanX")
    return int(min(sy, sx) >= LEAST_SCAN and frames == sy * (sx + 1))


def frame_metadata(header: bytes) -> dict[str, Any]:
    """What a frame header tells: exposure [s], thresholds [keV], gain, chips, depth [bits], timestamp."""
    main, _, extension = header.rstrip(b"\0").decode("latin-1").partition("MQ1A,")
    words = [word.strip() for word in main.split(",")]
    words += [""] * (22 - len(words))  # old software writes fewer
    thresholds = []
    for word in words[14:22]:
        try:
            thresholds.append(float(word))
        except ValueError:  # old software writes nothing
            break
    gain = words[13]
    metadata: dict[str, Any] = {"chips": int(words[3]), "thresholds": thresholds, "timestamp": words[9]}
    metadata["gain"] = GAINS[int(gain)] if gain in ("0", "1", "2", "3") else gain
    try:
        metadata["exposure"] = float(words[10])
    except ValueError:
        metadata["exposure"] = None
    if extension:
        metadata["timestamp"] = extension.split(",")[0]
    return metadata


def big_endian(framing: _core.MibFraming, data: NDArray[np.uint8], count: int, prefix: int = 0) -> NDArray[Any]:
    """Formatted frames as they lie in memory, (count, ky, kx), big-endian, without a copy."""
    ky, kx = framing.shape
    dtype = np.dtype(framing.dtype).newbyteorder(">")
    strides = (framing.stride(prefix), kx * dtype.itemsize, dtype.itemsize)
    return np.ndarray((count, ky, kx), dtype, data, prefix + framing.header, strides)


class MibFile(FrameSource):
    """Merlin frames of one acquisition in one or several .mib files, mapped into memory.

    Parameters
    ----------
    path : path, or list of paths
        The file, or the files in their order. A .hdr beside the first tells the scan.
    scan : (int, int), optional
        Probe positions (y, x); default: ScanY and ScanX of the .hdr, else its frames per trigger, else one row.
    skip, flyback : int, optional
        Frames before the first position, and after every line, that belong to none. Default: 0; ``flyback=1`` where
        the files hold exactly a frame more per line than the scan of the .hdr, as with a Merlin's line skip of 1.
    depth : int
        Bits of the counter, where raw frames of old software don't say and there is no .hdr.

    Raises
    ------
    FormatError
        The first header is damaged. Later damage is raised when it is met, after the good frames.
    """

    def __init__(
        self,
        path: Path | Sequence[Path],
        *,
        scan: tuple[int, int] | None = None,
        skip: int = 0,
        flyback: int | None = None,
        depth: int = 0,
    ) -> None:
        self._paths = [path] if isinstance(path, Path) else list(path)
        self._files = [np.memmap(part, np.uint8, "r") for part in self._paths]
        beside = self._paths[0].with_suffix(".hdr")
        header = acquisition_header(beside.read_bytes()) if beside.is_file() else {}
        with self._named(0):
            self._framing = _core.MibFraming(
                self._files[0][:LONGEST_HEADER], depth=depth or number_of(header, "Counter Depth")
            )
        self._stride = self._framing.stride()
        self._starts = np.cumsum([0, *(len(data) // self._stride for data in self._files)])
        self.detector = self._framing.shape
        self.dtype = np.dtype(self._framing.dtype)
        self.scan = as_shape(scan, "scan") if scan is not None else scan_of(header, len(self))
        if flyback is None:
            flyback = 0 if scan is not None or skip else flyback_of(header, len(self))
        self.skip, self.flyback = as_int(skip, "skip"), as_int(flyback, "flyback")
        self.metadata = {
            **frame_metadata(bytes(self._files[0][: self._framing.header])),
            "depth": self._framing.depth or number_of(header, "Counter Depth") or None,
            "raw": self._framing.raw,
            "acquisition": header,
        }

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> NDArray[Any]:
        index = range(len(self))[index]
        part = int(np.searchsorted(self._starts, index, side="right")) - 1
        at = (index - int(self._starts[part])) * self._stride
        data = self._files[part][at : at + self._stride]
        with self._named(part):
            self._framing.check(data, offset=at)
        images = np.empty((1, *self.detector), self.dtype)
        self._framing.unpack(data, images=images)
        frame: NDArray[Any] = images[0]
        return frame

    def raw_blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        for part, data in enumerate(self._files):
            yield from self._blocks(part, data)
            whole = len(data) // self._stride
            if len(data) % self._stride:
                raise FormatError(
                    f"{self._paths[part]}: the file ends within frame {whole + 1} (at byte {len(data)})", len(data)
                )

    def payloads(self) -> Iterator[NDArray[np.uint8]]:
        """(n, header + pixels) bytes: the frames as they are recorded, for one that plays them again."""
        for part, data in enumerate(self._files):
            for first, count in self._runs(part, data, MAPPED_BYTES // self._stride):
                at = first * self._stride
                yield data[at : at + count * self._stride].reshape(-1, self._framing.header + self._framing.data)
                let_go(data)

    def _runs(self, part: int, data: NDArray[np.uint8], step: int) -> Iterator[tuple[int, int]]:
        """(first, count) of blocks of at most `step` frames, headers checked."""
        first, frames = 0, len(data) // self._stride
        while first < frames:
            at = first * self._stride
            with self._named(part):
                count, _ = self._framing.check(data[at : at + max(step, 1) * self._stride], offset=at)
            yield first, count
            first += count

    def _blocks(self, part: int, data: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[Any]]]:
        start, frame_bytes = int(self._starts[part]), int(np.prod(self.detector)) * self.dtype.itemsize
        if not self._framing.raw:
            for first, count in self._runs(part, data, MAPPED_BYTES // self._stride):
                yield start + first, big_endian(self._framing, data[first * self._stride :], count)
                let_go(data)
            return
        step = max(1, UNPACKED_BYTES // frame_bytes)
        images = np.empty((step, *self.detector), self.dtype)
        for first, count in self._runs(part, data, step):
            self._framing.unpack(data[first * self._stride :], images=images[:count])
            if first % (16 * step) < step:
                let_go(data)
            yield start + first, images[:count]

    @contextmanager
    def _named(self, part: int) -> Iterator[None]:
        """Damage is told with the file's name."""
        try:
            yield
        except FormatError as error:
            raise FormatError(f"{self._paths[part]}: {error}", error.offset) from None

    def close(self) -> None:
        self._files = []
