"""A Merlin of our own: plays a source of frames on a data socket, for one client."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from crewe.io.merlin import PREFIX, message
from crewe.io.mib import MibFile
from crewe.io.net import Address
from crewe.io.player import Piece, play_pieces
from crewe.io.sources import EventSource, FrameSource

__all__ = ["play"]

#: Counter depth [bits] and pixel type of a formatted frame, by bytes per pixel.
KINDS = {1: (6, "U08"), 2: (12, "U16"), 4: (24, "U32")}
CHIP_PIXELS = 256 * 256
#: Frames per call of the operating system, and the time [s] in which a set rate sends that many.
BATCH, BATCH_TIME = 64, 0.002


def play(
    source: FrameSource | EventSource,
    address: Address,
    *,
    rate: float | None = None,
    on_sent: Callable[[int], None] | None = None,
) -> None:
    """Send the acquisition header and all frames to the first client; see `crewe.io.replay`."""
    if not isinstance(source, FrameSource):
        raise ValueError("source: frames wanted, because a Merlin sends frames; events came (tpx3:// plays them)")
    if source.dtype.kind != "u":
        raise ValueError(f"source: unsigned integers wanted, because a Merlin sends counts; {source.dtype} came")
    batch = BATCH if rate is None else max(1, min(BATCH, int(rate * BATCH_TIME)))
    play_pieces(address, pieces(source, batch), rate=rate, on_sent=on_sent, total=len(source), unit="frames")


def pieces(source: FrameSource, batch: int) -> Iterator[Piece]:
    """The acquisition header with the first frames, then `batch` frames at a time, each with its prefix."""
    head, done = [message(acquisition_text(source))], 0
    for frames in payloads(source, batch):
        prefix = message(bytes(len(frames[0])))[:PREFIX]
        done += len(frames)
        yield [*head, *(part for frame in frames for part in (prefix, frame.data))], done
        head = []
    if head:
        yield head, 0


def acquisition_text(source: FrameSource, frames: int | None = None) -> bytes:
    """The acquisition header, 2048 bytes; `frames` where they aren't those of the source."""
    sy, sx = source.scan
    depth = source.metadata.get("depth") or KINDS[source.dtype.itemsize][0]
    entries = {
        "Assembly Size (NX1, 2X2)": source.metadata.get("acquisition", {}).get("Assembly Size", "1x1").rjust(6),
        "Counter Depth (number)": depth,
        "Frames in Acquisition (Number)": len(source) if frames is None else frames,
        "Frames per Trigger (Number)": sx + source.flyback,
        "ScanX": sx,
        "ScanY": sy,
    }
    lines = ["HDR,\t", *(f"{key}:\t{value}" for key, value in entries.items()), "End\t"]
    return "\r\n".join(lines).encode("latin-1").ljust(2048)


def payloads(source: FrameSource, batch: int) -> Iterator[list[NDArray[np.uint8]]]:
    """Batches of payloads, header and pixels: the recorded bytes of a .mib, else formatted frames made here."""
    blocks = source.payloads() if isinstance(source, MibFile) else formatted(source, batch)
    for block in blocks:
        for start in range(0, len(block), batch):
            yield list(block[start : start + batch])


def formatted(source: FrameSource, batch: int, *, first_number: int = 1) -> Iterator[NDArray[np.uint8]]:
    """Any frames as a Merlin formats them, (n, header + pixels) bytes."""
    ky, kx = source.detector
    depth, kind = KINDS[source.dtype.itemsize]
    chips = -(-ky * kx // CHIP_PIXELS)
    size = 256 + 128 * max(chips, 1)
    for first, frames in source.raw_blocks():
        for start in range(0, len(frames), batch):
            part = frames[start : start + batch]
            out = np.empty((len(part), size + ky * kx * source.dtype.itemsize), np.uint8)
            for row, number in zip(out, itertools.count(first_number + first + start), strict=False):
                row[:size] = np.frombuffer(frame_header(number, ky, kx, kind, chips, depth, size), np.uint8)
            out[:, size:].view(source.dtype.newbyteorder(">"))[:] = part.reshape(len(part), -1)
            yield out


def frame_header(number: int, ky: int, kx: int, kind: str, chips: int, depth: int, size: int) -> bytes:
    """A frame header as of a detector whose settings nobody knows."""
    stamp = "2000-01-01 00:00:00.000000"
    words = [
        "MQ1",
        f"{number:06d}",
        f"{size:05d}",
        f"{chips:02d}",
        f"{kx:04d}",
        f"{ky:04d}",
        kind,
        f"{chips}x1".rjust(6),
    ]
    words += ["01", stamp, "0.000000", "0", "0", "0", *["0.000000E+0"] * 8]
    words += ["MQ1A", stamp.replace(" ", "T") + "000Z", "0ns", str(depth), ""]
    return ",".join(words).encode().ljust(size, b"\0")
