"""Single electrons beside NumPy, beside a plain loop compiled by Numba, and beside what one core can read.

All get the same bytes in memory and one thread; what they find is checked against the truth first. Rates per CPU
second, medians of rounds in which all take turns, because who else uses the machine changes by the minute. Wanted
beside crewe: numba. Figures in `quoted` were measured elsewhere, on one core of a Xeon, on streams of the same kind:
these programs don't come by pip, or take other input. `python -m benchmarks.peers.events`
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmarks.common import peers_main, read_rate
from benchmarks.benchmarks.event_streams import Stream, t3p_stream, tpx3_stream
from crewe import _core, io
from crewe.io.event_files import quad
from crewe.live import RiCOM, Session

SCAN, DWELL, TICK = (128, 256), 1280, 1.5625e-9
POSITIONS, PIECE = SCAN[0] * SCAN[1], 1 << 18
#: Million events per CPU second.
QUOTED = {
    "riCOM_cpp, branch add_cheetah, tpx3 -> riCOM 61x61": 24,
    "riCOM_cpp, t3p -> riCOM 61x61": 17.1,
    "rustpix 1.4.1, tpx3 -> hits in order of time": 18.6,
    "tpx3awkward 0.1.0, tpx3 -> hits": 2.7,
    "plain C, tpx3 -> centre-of-mass sums": 175,
    "plain C, t3p -> centre-of-mass sums": 149,
}


# ---------------------------------------------------------------------------------------------------------------- crewe
def tpx3_moments(data: NDArray[np.uint8]) -> NDArray[np.float64]:
    decoder = _core.Tpx3Scan(scan=SCAN, detector=(512, 512), chips=quad())
    reducer, moments = _core.EventReducer(512, 512, POSITIONS), np.zeros((POSITIONS, 3))
    for i in range(0, len(data), PIECE):
        reducer.add(decoder.feed(data[i : i + PIECE]), moments=moments)
    reducer.add(decoder.finish(), moments=moments)
    return moments


def tpx3_events(data: NDArray[np.uint8]) -> int:
    decoder = _core.Tpx3Scan(scan=SCAN, detector=(512, 512), chips=quad())
    return sum(len(decoder.feed(data[i : i + PIECE])) for i in range(0, len(data), PIECE)) + len(decoder.finish())


def tpx3_ricom(data: NDArray[np.uint8]) -> NDArray[np.float32]:
    decoder = _core.Tpx3Scan(scan=SCAN, detector=(512, 512), chips=quad())
    with Session(
        scan=SCAN, detector=(512, 512), images={"ricom": RiCOM(61)}, center=(255.5, 255.5), threads=1
    ) as session:
        for i in range(0, len(data), PIECE):
            session._core.push_records(decoder.feed(data[i : i + PIECE]))
        session._core.push_records(decoder.finish())
    return session["ricom"]


def t3p_moments(data: NDArray[np.uint8]) -> NDArray[np.float64]:
    decoder = _core.T3pScan(
        text=False, scan=SCAN, detector=(256, 256), chips=[(0, 0, False, False)], dwell=DWELL * TICK
    )
    reducer, moments = _core.EventReducer(256, 256, POSITIONS), np.zeros((POSITIONS, 3))
    for i in range(0, len(data), PIECE):
        reducer.add(decoder.feed(data[i : i + PIECE]), moments=moments)
    return moments


# --------------------------------------------------------------------------------------------------------------- peers
def numpy_hits(data: NDArray[np.uint8]) -> int:
    """Columns and times of all pixel words by whole-array arithmetic; chunk headers are left out by their low half."""
    words = data.view("<u8")
    words = words[(words >> np.uint64(60)) == 0xB]
    address = words >> np.uint64(44)
    x = (address & 0xFE00) >> 8 | (address >> 2) & 1
    y = (address & 0x01F8) >> 1 | address & 3
    coarse = (words & 0xFFFF) << 14 | (words >> np.uint64(30)) & 0x3FFF
    ticks = (coarse << 4) - (words >> np.uint64(16) & 0xF)
    return len(ticks) + 0 * int(x[0] + y[0])


def numpy_t3p(data: NDArray[np.uint8]) -> NDArray[np.float64]:
    records = data.view([("index", "<u4"), ("toa", "<u8"), ("overflow", "u1"), ("ftoa", "u1"), ("tot", "<u2")])
    ticks = 16 * records["toa"].astype(np.int64) - records["ftoa"]
    position = ticks // DWELL
    columns = (None, records["index"] >> 8, records["index"] & 255)
    return np.stack([np.bincount(position, column, POSITIONS) for column in columns], axis=1)


def numba_loops() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A plain loop for each format: one pass over the words, one line's edges ahead of its hits."""
    from numba import njit

    @njit
    def tpx3(words: Any, sx: int, moments: Any) -> None:  # type: ignore[no-untyped-call]
        # First where lines begin and end, by the words of chip 0; then the hits, from the line of the hit before on.
        rises, falls = [np.int64(0)], [np.int64(0)]
        i = 0
        while i < len(words):
            chip, stop = (words[i] >> 32) & 0xFF, i + 1 + ((words[i] >> 51) & 0x1FFF)
            for k in range(i + 1, stop):
                kind = (words[k] >> 56) & 0xFF
                if chip == 0 and kind == 0x6F:
                    rises.append(((words[k] >> 9) & 0x7FFFFFFFF) << 1)
                elif chip == 0 and kind == 0x6A:
                    falls.append(((words[k] >> 9) & 0x7FFFFFFFF) << 1)
            i = stop
        signs, x0, y0 = (1, -1, -1, 1), (256, 511, 255, 0), (0, 511, 511, 0)
        i, line = 0, 1
        while i < len(words):
            chip, stop = (words[i] >> 32) & 0xFF, i + 1 + ((words[i] >> 51) & 0x1FFF)
            for k in range(i + 1, stop):
                word = words[k]
                if (word >> 60) & 15 != 0xB:
                    continue
                ticks = ((((word & 0xFFFF) << 14) | ((word >> 30) & 0x3FFF)) << 4) - ((word >> 16) & 15)
                while line + 1 < len(rises) and ticks >= rises[line + 1]:
                    line += 1
                while line > 1 and ticks < rises[line]:
                    line -= 1
                if ticks < rises[line] or ticks >= falls[line]:
                    continue
                x = x0[chip] + signs[chip] * (((word >> 52) & 0xFE) | ((word >> 46) & 1))
                y = y0[chip] + signs[chip] * (((word >> 45) & 0xFC) | ((word >> 44) & 3))
                position = (line - 1) * sx + (ticks - rises[line]) * sx // (falls[line] - rises[line])
                moments[position, 0] += 1
                moments[position, 1] += y
                moments[position, 2] += x
            i = stop

    @njit
    def t3p(records: Any, dwell: int, moments: Any) -> None:  # type: ignore[no-untyped-call]
        for record in records:
            position = ((record["toa"] << 4) - record["ftoa"]) // dwell
            moments[position, 0] += 1
            moments[position, 1] += record["index"] >> 8
            moments[position, 2] += record["index"] & 255

    def tpx3_sums(data: NDArray[np.uint8]) -> NDArray[np.int64]:
        moments = np.zeros((POSITIONS, 3), np.int64)
        tpx3(data.view("<i8"), SCAN[1], moments)
        return moments

    def t3p_sums(data: NDArray[np.uint8]) -> NDArray[np.int64]:
        moments = np.zeros((POSITIONS, 3), np.int64)
        dtype = [("index", "<u4"), ("toa", "<i8"), ("overflow", "u1"), ("ftoa", "u1"), ("tot", "<u2")]
        t3p(data.view(dtype), DWELL, moments)
        return moments

    return tpx3_sums, t3p_sums


def moments_of(stream: Stream) -> NDArray[np.float64]:
    """The truth."""
    columns = (None, stream.y, stream.x)
    return np.stack([np.bincount(stream.position, column, POSITIONS) for column in columns], axis=1)


def rates(runs: dict[str, tuple[Callable[[], Any], float]], count: int) -> dict[str, float]:
    """Million words or records per CPU second of each, medians of rounds in turns."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(count):
        for name, (run, work) in runs.items():
            begin = time.process_time()
            run()
            found[name].append(work / (time.process_time() - begin) / 1e6)
    return {name: round(statistics.median(values), 1) for name, values in found.items()}


def measure(rounds: int, quick: bool) -> dict[str, Any]:
    tpx3, t3p = tpx3_stream(SCAN, dwell=DWELL), t3p_stream(SCAN, dwell=DWELL)
    words, records = tpx3.data.nbytes / 8, t3p.data.nbytes / 16
    hits = len(io.decode_tpx3(tpx3.data)[0])
    runs: dict[str, tuple[Callable[[], Any], float]] = {
        "crewe, tpx3 -> hits": (lambda: io.decode_tpx3(tpx3.data), words),
        "crewe, tpx3 -> events": (lambda: tpx3_events(tpx3.data), words),
        "crewe, tpx3 -> centre-of-mass sums": (lambda: tpx3_moments(tpx3.data), words),
        "crewe, tpx3 -> riCOM 61x61": (lambda: tpx3_ricom(tpx3.data), words),
        "crewe, t3p -> centre-of-mass sums": (lambda: t3p_moments(t3p.data), records),
        "NumPy, tpx3 -> hits": (lambda: numpy_hits(tpx3.data), words),
        "NumPy, t3p -> centre-of-mass sums": (lambda: numpy_t3p(t3p.data), records),
    }
    checks: dict[str, tuple[Any, Any]] = {
        "crewe tpx3 events": (tpx3_events(tpx3.data), len(tpx3.position)),
        "crewe tpx3": (tpx3_moments(tpx3.data), moments_of(tpx3)),
        "crewe t3p": (t3p_moments(t3p.data), moments_of(t3p)),
        "NumPy tpx3": (numpy_hits(tpx3.data), hits),
        "NumPy t3p": (numpy_t3p(t3p.data), moments_of(t3p)),
    }
    missing = []
    try:
        numba_tpx3, numba_t3p = numba_loops()
    except ImportError:
        missing.append("numba")
    else:
        runs["Numba loop, tpx3 -> centre-of-mass sums"] = (lambda: numba_tpx3(tpx3.data), words)
        runs["Numba loop, t3p -> centre-of-mass sums"] = (lambda: numba_t3p(t3p.data), records)
        checks["Numba tpx3"] = (numba_tpx3(tpx3.data), moments_of(tpx3))
        checks["Numba t3p"] = (numba_t3p(t3p.data), moments_of(t3p))
    for name, (got, want) in checks.items():
        if not np.array_equal(got, want):
            raise AssertionError(f"{name}: not what lies in the stream")
    return {
        "unit": "million words (tpx3, 8 B) or records (t3p, 16 B) per CPU second",
        "words": words,
        "records": records,
        "read limit, tpx3": round(read_rate(tpx3.data) / 8e6, 1),
        "read limit, t3p": round(read_rate(t3p.data) / 16e6, 1),
        "rates": rates(runs, rounds),
        "quoted": QUOTED,
        "missing": missing,
    }


if __name__ == "__main__":
    peers_main("events", __doc__, measure)
