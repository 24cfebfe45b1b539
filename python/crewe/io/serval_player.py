"""A SERVAL of our own: plays a source of events on a raw socket, for one client."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.io.event_files import TICK, Chip, as_chips
from crewe.io.net import Address
from crewe.io.player import play_pieces
from crewe.io.sources import EVENT, EventSource, FrameSource
from crewe.io.tpx3 import Tpx3File

__all__ = ["encode_lines", "play"]

#: Bytes per call of the operating system.
PIECE = 1 << 17
#: Time per position if the source doesn't say [ticks of 1.5625 ns], and between two lines, in positions.
DWELL, FLYBACK = 6400, 2
#: Words of a chunk, at most.
CHUNK_WORDS = 8000
MAGIC = int.from_bytes(b"TPX3", "little")


def play(
    source: FrameSource | EventSource,
    address: Address,
    *,
    rate: float | None = None,
    on_sent: Callable[[int], None] | None = None,
) -> None:
    """Send the events to the first client; see `crewe.io.replay`.

    A .tpx3 file is sent as it is; all else is made into words, with line triggers.
    """
    if not isinstance(source, EventSource):
        raise ValueError("source: events wanted, because a Timepix3 sends events; frames came (merlin:// plays them)")
    pieces = recorded(source) if isinstance(source, Tpx3File) else encoded(source)
    play_pieces(
        address,
        (([piece], done) for piece, done in pieces),
        rate=rate,
        on_sent=on_sent,
        total=source.scan[0] * source.scan[1],
        unit="probe positions",
    )


def recorded(source: Tpx3File) -> Iterator[tuple[memoryview, int]]:
    """The bytes of a file, and the number of positions that are over with them, as if all lasted equally many bytes."""
    data, positions = source.raw(), source.scan[0] * source.scan[1]
    step = max(8, min(PIECE, len(data) // max(source.scan[0], 1)))  # not longer than a line
    for start in range(0, len(data), step):
        stop = min(start + step, len(data))
        yield data[start:stop].data, positions * stop // len(data)


def encoded(source: EventSource) -> Iterator[tuple[bytes, int]]:
    """All events (held in memory, 8 B each) as words, line by line, and the number of positions that are over."""
    chips = as_chips(None, source.detector)
    dwell = max(round(getattr(source, "dwell", 0.0) / TICK), 1) if getattr(source, "dwell", 0.0) else DWELL
    blocks = [np.array(block) for block in source.records()]
    events = np.concatenate(blocks) if blocks else np.empty(0, EVENT)
    events = events[np.argsort(events["position"], kind="stable")]
    for row, words in enumerate(encode_lines(events, source.scan, chips, dwell)):
        yield words, (row + 1) * source.scan[1]


def encode_lines(
    events: NDArray[Any], scan: tuple[int, int], chips: list[Chip], dwell: int, *, start: int = 1 << 20
) -> Iterator[bytes]:
    """Events in order of position → the stream of a Timepix3 whose trigger input 1 follows the lines, line by line.

    Parameters
    ----------
    events : (n,) EVENT
        In order of position.
    scan : (int, int)
        Probe positions (y, x).
    chips : list of Chip
        Where the chips lie.
    dwell : int
        Time per position [1.5625 ns].
    start : int
        When the first line begins [1.5625 ns].
    """
    sy, sx = scan
    places = np.array([(chip.y0, chip.x0, chip.flip_y, chip.flip_x) for chip in chips], np.int64)
    ends = np.searchsorted(events["position"], np.arange(sy + 1) * sx)
    for row in range(sy):
        line = events[ends[row] : ends[row + 1]]
        rise = start + row * (sx + FLYBACK) * dwell
        fall = rise + sx * dwell
        ticks = rise + (line["position"].astype(np.int64) - row * sx) * dwell + dwell // 2
        # The chip whose square holds the pixel.
        y, x = (line[axis].astype(np.int64)[:, np.newaxis] - places[:, i] for i, axis in enumerate(("y", "x")))
        within = (y >= 0) & (y < 256) & (x >= 0) & (x < 256)
        if not within.any(axis=1).all():
            lost = line[np.argmin(within.any(axis=1))]
            raise ValueError(f"source: pixels on chips wanted, ({lost['y']}, {lost['x']}) lies between them")
        chip, pick = np.argmax(within, axis=1), np.arange(len(line))
        y, x = y[pick, chip], x[pick, chip]
        words = hit_words(np.where(places[chip, 2], 255 - y, y), np.where(places[chip, 3], 255 - x, x), ticks)
        yield b"".join(
            chunks(number, [edge_word(rise, True, row)], words[chip == number], [edge_word(fall, False, row)])
            for number in range(len(chips))
        )


def chunks(chip: int, *words: Any) -> bytes:
    """Words of a chip, in chunks that are short enough."""
    joined = np.concatenate([np.asarray(part, "<u8") for part in words])
    out = bytearray()
    for start in range(0, len(joined), CHUNK_WORDS):
        part = joined[start : start + CHUNK_WORDS]
        out += (MAGIC | chip << 32 | part.nbytes << 48).to_bytes(8, "little") + part.tobytes()
    return bytes(out)


def hit_words(y: NDArray[np.int64], x: NDArray[np.int64], ticks: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Words of pixels (y, x) of a chip at times [1.5625 ns]."""
    coarse = -(-ticks // 16)
    fine = 16 * coarse - ticks  # the time before the next clock of 25 ns
    address = (x >> 1) << 9 | (y >> 2) << 3 | (x & 1) << 2 | (y & 3)
    low = (coarse & 0x3FFF) << 30 | 10 << 20 | fine << 16 | (coarse >> 14 & 0xFFFF)
    return (low | address << 44).astype("<u8") | np.uint64(0xB << 60)


def edge_word(ticks: int, rising: bool, count: int) -> np.uint64:
    """A trigger on input 1 at a time [1.5625 ns]."""
    kind, fine = (0x6F if rising else 0x6A), (7 if ticks & 1 else 1)
    return np.uint64(kind << 56 | (count & 0xFFF) << 44 | (ticks >> 1 & 0x7FFFFFFFF) << 9 | fine << 5)
