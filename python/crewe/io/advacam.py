"""Advacam (Pixet) files: .t3p records and .t3pa text → electrons at probe positions, by dwell time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from crewe import _core
from crewe.io.event_files import TICK, EventFile, EventScan, core_options

__all__ = ["T3pFile", "T3paFile", "is_t3p", "is_t3pa"]

#: A record of a .t3p file.
RECORD = np.dtype([("index", "<u4"), ("toa", "<u8"), ("overflow", "u1"), ("ftoa", "u1"), ("tot", "<u2")])


def is_t3pa(path: Path, head: bytes) -> bool:
    """Whether a file begins with the header line of a .t3pa."""
    names = head.split(b"\n", 1)[0].rstrip(b"\r").split(b"\t")
    return b"Matrix Index" in names and b"ToA" in names


def is_t3p(path: Path, head: bytes) -> bool:
    """Whether a file can be .t3p records, which have no mark of their own: all fields lie in their ranges."""
    records = np.frombuffer(head[: len(head) // RECORD.itemsize * RECORD.itemsize], RECORD)
    hits = records[records["overflow"] == 0]
    return bool(
        len(hits) > len(records) // 2
        and (records["overflow"] < 16).all()
        and (records["ftoa"] < 32).all()
        and (records["tot"] < 1 << 14).all()
        and (records["index"] < 1 << 20).all()
        and (records["toa"] < 1 << 48).all()
        and len(np.unique(hits[["index", "toa"]])) > len(hits) // 2
    )


class T3pFile(EventFile):
    """Electrons at probe positions from a .t3p file.

    The position is floor(time / dwell), from time 0 of the detector's clock. After the last position the scan begins
    again, and the events of repeated scans add up.

    Parameters
    ----------
    path : path
    scan : (int, int)
        Probe positions (y, x).
    detector : (int, int)
        Pixels (ky, kx).
    dwell : float
        Time per position [s].
    acceptance : float, optional
        Events later than that within their dwell [s] are left out.
    chips : sequence of (y0, x0, flip_y, flip_x), optional
        The place of every chip by its number, for detectors of several chips.
    scans : int, optional
        Repeated scans to take; default: all.

    Attributes
    ----------
    metadata : dict
        So far: hits, gaps (records of lost data) and gap_time, their length [s], events, stray (hits of no position),
        unaccepted.
    lost : int
        Gaps in the data that the detector reported; how many events are missing in them nobody knows.
    """

    TEXT = False

    def __init__(
        self,
        path: Path,
        *,
        scan: tuple[int, int] | None = None,
        detector: tuple[int, int] = (256, 256),
        dwell: float | None = None,
        acceptance: float | None = None,
        chips: Sequence[tuple[int, int, bool, bool]] | None = None,
        scans: int | None = None,
    ) -> None:
        if dwell is None:
            raise ValueError(f"dwell: the seconds per probe position wanted, because {path.name} has no line triggers")
        super().__init__(
            path, core_options(scan, detector, dwell=dwell, acceptance=acceptance, chips=chips, scans=scans)
        )
        self.dwell = float(self._options["dwell"])

    def _decoder(self) -> EventScan:
        return _core.T3pScan(text=self.TEXT, **self._options)

    def _note(self, decoder: EventScan) -> None:
        super()._note(decoder)
        self.metadata["gap_time"] = self.metadata.pop("gap_ticks") * TICK


class T3paFile(T3pFile):
    """Electrons at probe positions from a .t3pa file, a table as text with the columns of a .t3p; see `T3pFile`."""

    TEXT = True
