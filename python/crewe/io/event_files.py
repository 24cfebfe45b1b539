"""What the files and sockets of event detectors have in common: options, and events in blocks from a mapped file."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from crewe._array import as_int, as_positive, as_shape
from crewe._mapped import let_go
from crewe.errors import FormatError
from crewe.io.sources import EventSource

__all__ = ["TICK", "Chip", "EventFile", "EventScan", "core_options", "damage_error", "quad"]

#: The finest time of a Timepix3 [s].
TICK = 1.5625e-9
CHIP_PIXELS = 256
#: Bytes per step through a file: their events, too, stay in a core's second cache.
BLOCK_BYTES = 1 << 18
#: Mapped pages are let go of after so many bytes, a multiple of the above.
LET_GO_BYTES = 1 << 24


class Chip(NamedTuple):
    """Where a chip of 256 x 256 pixels lies in the detector: y = y0 + y_chip, or y0 + 255 - y_chip if flipped."""

    y0: int
    x0: int
    flip_y: bool = False
    flip_x: bool = False


def quad(gap: int = 0) -> list[Chip]:
    """The four chips of an ASI CheeTah, by chip number, with `gap` empty pixels between them.

    Examples
    --------
    >>> quad()[1]
    Chip(y0=256, x0=256, flip_y=True, flip_x=True)
    """
    far = CHIP_PIXELS + gap
    return [Chip(0, far), Chip(far, far, True, True), Chip(far, 0, True, True), Chip(0, 0)]


def as_chips(chips: Sequence[tuple[int, int, bool, bool]] | None, detector: tuple[int, int]) -> list[Chip]:
    """The places of the chips; default: one chip, or a quad that fills the detector."""
    ky, kx = detector
    if chips is None:
        if max(detector) <= CHIP_PIXELS:
            return [Chip(0, 0)]
        if ky == kx and ky >= 2 * CHIP_PIXELS:
            return quad(ky - 2 * CHIP_PIXELS)
        raise ValueError(f"chips: the places of the chips wanted, because {detector} is neither one chip nor a quad")
    places = [Chip(int(y0), int(x0), bool(flip_y), bool(flip_x)) for y0, x0, flip_y, flip_x in chips]
    for number, place in enumerate(places):
        if not (0 <= place.y0 < ky and 0 <= place.x0 < kx):
            raise ValueError(f"chips: places within {detector} wanted, chip {number} lies at ({place.y0}, {place.x0})")
    if not 1 <= len(places) <= 256:
        raise ValueError(f"chips: 1 to 256 places wanted, {len(places)} came")
    return places


def core_options(
    scan: tuple[int, int] | None,
    detector: tuple[int, int],
    *,
    dwell: float | None,
    acceptance: float | None,
    chips: Sequence[tuple[int, int, bool, bool]] | None,
    scans: int | None,
) -> dict[str, Any]:
    """Checked options, as the decoders of the core take them."""
    if scan is None:
        raise ValueError("scan: the probe positions (y, x) wanted, because events don't tell them")
    ky, kx = as_shape(detector, "detector")
    if max(ky, kx) > 1 << 16:
        raise ValueError(f"detector: at most 65536 pixels (ky, kx) wanted, {detector!r} came")
    return {
        "scan": as_shape(scan, "scan"),
        "detector": (ky, kx),
        "chips": as_chips(chips, (ky, kx)),
        "dwell": 0.0 if dwell is None else as_positive(dwell, "dwell", "s"),
        "acceptance": 0.0 if acceptance is None else as_positive(acceptance, "acceptance", "s"),
        "scans": 0 if scans is None else as_int(scans, "scans"),
    }


class EventScan(Protocol):
    """A decoder of the core: bytes → `EVENT` records."""

    @property
    def counts(self) -> dict[str, Any]: ...
    @property
    def damage(self) -> tuple[str, int, int] | None: ...
    def feed(self, buffer: Any) -> NDArray[Any]: ...
    def finish(self) -> NDArray[Any]: ...


def damage_error(name: object, damage: tuple[str, int, int]) -> FormatError:
    """The error for what a decoder passed over."""
    what, offset, skipped = damage
    return FormatError(f"{name}: {what} (at byte {offset}; {skipped} bytes passed over in all)", offset)


class EventFile(EventSource):
    """Events from a file, read as often as asked for."""

    def __init__(self, path: Path, options: dict[str, Any]) -> None:
        self._path, self._options = path, options
        self.scan, self.detector = options["scan"], options["detector"]
        self.metadata = {"bytes": path.stat().st_size}

    def _decoder(self) -> EventScan:
        raise NotImplementedError

    def _check(self, decoder: EventScan) -> None:
        """Raises what is wrong with the file as a whole, after all events were given."""
        if decoder.damage is not None:
            raise damage_error(self._path, decoder.damage)

    def raw(self) -> NDArray[np.uint8]:
        """The bytes of the file, mapped."""
        return np.memmap(self._path, np.uint8, "r")

    def records(self) -> Iterator[NDArray[Any]]:
        """Blocks of `EVENT` records, valid until the next one is asked for.

        Raises
        ------
        FormatError
            After the last block: something had to be passed over; names the byte offset.
        """
        decoder, data = self._decoder(), self.raw()
        for start in range(0, len(data), BLOCK_BYTES):
            block = decoder.feed(data[start : start + BLOCK_BYTES])
            if start % LET_GO_BYTES == 0:
                let_go(data)
            self._note(decoder)
            if len(block):
                yield block
        block = decoder.finish()
        self._note(decoder)
        if len(block):
            yield block
        self._check(decoder)

    def _note(self, decoder: EventScan) -> None:
        counts = decoder.counts
        self.metadata.update(counts)
        self.lost = counts["lost"]
