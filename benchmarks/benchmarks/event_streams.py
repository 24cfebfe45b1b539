"""Streams of event detectors behind a scan, made at once with their truth: bytes, and the events that lie in them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Stream", "t3p_stream", "tpx3_stream"]

#: Corner (y0, x0) of each chip of a CheeTah and whether it is turned by 180°.
QUAD = np.array([(0, 256, 0), (256, 256, 1), (256, 0, 1), (0, 0, 0)], np.int64)
DISORDER = 40  # words that a word may be out of place


class Stream(NamedTuple):
    """What a detector sends, and the electrons at probe positions that it tells of."""

    data: NDArray[np.uint8]
    position: NDArray[np.uint32]
    y: NDArray[np.uint16]
    x: NDArray[np.uint16]


def tpx3_stream(
    scan: tuple[int, int] = (256, 256),
    per_position: float = 244,
    *,
    dwell: int = 1280,
    flyback: float = 0.05,
    seed: int = 0,
) -> Stream:
    """A quad with line triggers in every chip, hits in the flyback too; chunks of up to 8000 words, words out of order.

    `dwell` in ticks of 1.5625 ns; `flyback` as a part of the line. The truth holds the events of the lines alone.
    """
    rng = np.random.default_rng(seed)
    sy, sx = scan
    line = sx * dwell
    period = line + int(line * flyback)
    parts, truth = [], []
    for row in range(sy):
        rise = 1_000_000 + row * period
        for chip in rng.permutation(4):
            n = rng.poisson(per_position * sx / 4 * period / line)
            ticks = rise + np.sort(rng.integers(0, period, n))
            y, x = rng.integers(0, 256, (2, n))
            coarse = -(-ticks // 16)
            address = (x >> 1) << 9 | (y >> 2) << 3 | (x & 1) << 2 | (y & 3)
            low = (coarse & 0x3FFF) << 30 | 20 << 20 | (coarse * 16 - ticks) << 16 | (coarse >> 14 & 0xFFFF)
            words = (low | address << 44).astype("<u8") | np.uint64(0xB << 60)
            fall = np.searchsorted(ticks, rise + line)
            words = np.insert(words, [0, fall], [edge(rise, 0x6F), edge(rise + line, 0x6A)])
            words = words[np.argsort(np.arange(n + 2) + rng.uniform(0, DISORDER, n + 2))]
            for start in range(0, len(words), 8000):
                part = words[start : start + 8000]
                parts += [np.array([0x33585054 | int(chip) << 32 | part.nbytes << 48], "<u8"), part]
            inside = slice(0, fall)
            y0, x0, turned = QUAD[chip]
            position = row * sx + (ticks[inside] - rise) * sx // line
            place = [(255 - axis[inside] if turned else axis[inside]) for axis in (y, x)]
            truth.append((position, place[0] + y0, place[1] + x0))
    position, y, x = (np.concatenate([block[i] for block in truth]) for i in range(3))
    return Stream(
        np.concatenate(parts).view(np.uint8), position.astype(np.uint32), y.astype(np.uint16), x.astype(np.uint16)
    )


def edge(ticks: int, kind: int) -> int:
    """A trigger word at an even tick."""
    return kind << 56 | (ticks >> 1 & 0x7FFFFFFFF) << 9 | 1 << 5


def t3p_stream(
    scan: tuple[int, int] = (256, 256), per_position: float = 244, *, dwell: int = 1280, seed: int = 0
) -> Stream:
    """Records of one chip of 256 x 256 pixels in order of time, `dwell` in ticks of 1.5625 ns."""
    rng = np.random.default_rng(seed)
    n = int(scan[0] * scan[1] * per_position)
    ticks = np.sort(rng.integers(0, scan[0] * scan[1] * dwell, n))
    records = np.zeros(n, [("index", "<u4"), ("toa", "<u8"), ("overflow", "u1"), ("ftoa", "u1"), ("tot", "<u2")])
    records["index"] = rng.integers(0, 65536, n)
    records["toa"] = -(-ticks // 16)
    records["ftoa"] = -ticks % 16
    records["tot"] = 11
    index = records["index"]
    return Stream(
        records.view(np.uint8),
        (ticks // dwell).astype(np.uint32),
        (index >> 8).astype(np.uint16),
        (index & 255).astype(np.uint16),
    )
