"""Timepix3 (ASI CheeTah, SERVAL): .tpx3 files and streams → hits and triggers, or electrons at probe positions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe.errors import FormatError
from crewe.io.event_files import BLOCK_BYTES, EventFile, EventScan, core_options, damage_error
from crewe.io.sources import Bytes, as_bytes

__all__ = ["HIT", "TDC", "Tpx3Decoder", "Tpx3File", "decode_tpx3", "is_tpx3"]

#: A hit: pixel on the chip, time of arrival [1.5625 ns], time over threshold [25 ns], chip.
HIT = _core.HIT
#: An edge of a trigger input: time [1.5625 ns], input 1 or 2, direction, chip that reported it.
TDC = _core.TDC

#: Top bytes of words that a Timepix3 sends beside pixels (0xb.): triggers, then time and control.
TRIGGERS, OTHERS = (0x6F, 0x6A, 0x6E, 0x6B), (0x44, 0x45, 0x50, 0x51, 0x5A, 0x5C, 0x5F, 0x71, 0x72)


class Tpx3Decoder:
    """Hits and triggers from a stream that comes in pieces of any size.

    Words of kinds that aren't known are passed over, and so is damage, up to the next chunk header: `finish` tells.

    Examples
    --------
    >>> hits, tdc = Tpx3Decoder().feed(bytes.fromhex("54505833 02000800 e8030000 04000000".replace(" ", "")))
    >>> len(hits), len(tdc)
    (0, 0)
    """

    def __init__(self) -> None:
        self._decoder = _core.Tpx3Decoder()

    def feed(self, buffer: Bytes) -> tuple[NDArray[Any], NDArray[Any]]:
        """The hits (`HIT`) and triggers (`TDC`) of this piece, in the order of the stream.

        Times go on beyond the 26.8 s after which the detector's clock begins again: every word lies within half of
        that from the word before it, so that late words keep their time.
        """
        hits, tdc = self._decoder.feed(as_bytes(buffer))
        return hits, tdc

    def finish(self) -> None:
        """Say that the stream ends here.

        Raises
        ------
        FormatError
            Bytes had to be passed over, or the end is within a chunk or a word; names the first such place.
        """
        self._decoder.finish()
        if (damage := self._decoder.damage) is not None:
            raise damage_error("Timepix3 stream", damage)

    @property
    def counts(self) -> dict[str, int]:
        """Words so far: hits, tdc, heartbeats, control, unknown; and chunks."""
        counts: dict[str, int] = self._decoder.counts
        return counts


def decode_tpx3(buffer: Bytes) -> tuple[NDArray[Any], NDArray[Any]]:
    """The bytes of a .tpx3 file → hits and triggers.

    Parameters
    ----------
    buffer : bytes-like
        64-bit little-endian words, in chunks with a header each, or without any (then all are of chip 0).

    Returns
    -------
    hits : (n,) structured array
        ``x``, ``y`` on the chip, ``toa`` [1.5625 ns] going on beyond the 26.8 s of the detector's clock, ``tot``
        [25 ns], ``chip``.
    tdc : (m,) structured array
        ``toa`` [1.5625 ns], ``channel`` 1 or 2, ``rising``, ``chip``.

    Raises
    ------
    FormatError
        Bytes had to be passed over, or the end is within a chunk; `offset` is the first such byte, `decoded` the hits
        and triggers of all that is good.

    References
    ----------
    SERVAL manual 3.2, TPX3 raw file format.

    Examples
    --------
    >>> words = np.array([0x0008000033585054, 0xB000100FA0140002], "<u8")
    >>> hits, tdc = decode_tpx3(words.tobytes())
    >>> hits["x"][0], hits["y"][0], hits["tot"][0]
    (np.uint16(0), np.uint16(1), np.uint16(513))
    """
    decoder = Tpx3Decoder()
    decoded = decoder.feed(buffer)
    try:
        decoder.finish()
    except FormatError as error:
        error.decoded = decoded
        raise
    return decoded


def is_tpx3(path: Path, head: bytes) -> bool:
    """Whether a file begins with a chunk, or with words that mostly are a Timepix3's."""
    if head.startswith(b"TPX3"):
        return True
    top = np.frombuffer(head, "u1")[7::8]
    data = (top >> 4 == 0xB) | np.isin(top, TRIGGERS)
    return len(top) >= 8 and data.mean() > 0.75 and (data | np.isin(top, OTHERS)).mean() > 0.9


class Tpx3File(EventFile):
    """Electrons at probe positions from a .tpx3 file.

    Without `dwell` the trigger input 1 rises where a scan line begins, and falls where it ends; the first line counts.
    A line's columns share its time evenly; a chip without triggers of its own uses those of the others. With `dwell`
    the position is floor(time / dwell), from time 0 of the detector's clock. After the last row the scan begins again,
    and the events of repeated scans add up.

    Parameters
    ----------
    path : path
    scan : (int, int)
        Probe positions (y, x).
    detector : (int, int)
        Pixels (ky, kx).
    dwell : float, optional
        Time per position [s]; default: by line triggers.
    acceptance : float, optional
        Events later than that within their dwell [s] are left out.
    chips : sequence of (y0, x0, flip_y, flip_x), optional
        The place of every chip by its number; default: one chip, or the four of a CheeTah with a gap that fills
        `detector`.
    scans : int, optional
        Repeated scans to take; default: all.

    Attributes
    ----------
    metadata : dict
        So far: hits, tdc, heartbeats, control, unknown (words), chunks, chips (hits of each), events, stray (hits of no
        position), unaccepted, lines, dwell [s].
    lost : int
        Hits that were dropped because more than 16 million waited for the end of their line.
    """

    def __init__(
        self,
        path: Path,
        *,
        scan: tuple[int, int] | None = None,
        detector: tuple[int, int] = (512, 512),
        dwell: float | None = None,
        acceptance: float | None = None,
        chips: Sequence[tuple[int, int, bool, bool]] | None = None,
        scans: int | None = None,
    ) -> None:
        super().__init__(
            path, core_options(scan, detector, dwell=dwell, acceptance=acceptance, chips=chips, scans=scans)
        )
        self._dwell = float(self._options["dwell"])

    @property
    def dwell(self) -> float:
        """Time per position [s]: as given, or the mean of the lines read so far; looks into the file if none was."""
        if not self._dwell:
            decoder, data = self._decoder(), self.raw()
            for start in range(0, len(data), BLOCK_BYTES):
                decoder.feed(data[start : start + BLOCK_BYTES])
                self._dwell = decoder.dwell
                if self._dwell:
                    break
        return self._dwell

    def _decoder(self) -> "_core.Tpx3Scan":
        return _core.Tpx3Scan(**self._options)

    def _note(self, decoder: EventScan) -> None:
        super()._note(decoder)
        assert isinstance(decoder, _core.Tpx3Scan)
        self._dwell = decoder.dwell
        self.metadata.update(lines=decoder.lines, dwell=decoder.dwell)

    def _check(self, decoder: EventScan) -> None:
        super()._check(decoder)
        if not self._dwell and decoder.counts["hits"]:
            size = self.metadata["bytes"]
            raise FormatError(
                f"{self._path}: no scan line in the whole file (trigger input 1 never rises and falls): give the dwell "
                f"time (at byte {size})",
                size,
            )
