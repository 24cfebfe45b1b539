"""Timepix3 streams: words made from their fields, a plain decoder, and a scan behind a quad with its truth."""

from typing import NamedTuple

import numpy as np

TURN = 1 << 34  # ticks of 1.5625 ns after which the detector's clock begins again
TICK = 1.5625e-9
HEARTBEAT, CONTROL = 0x44, (0x45, 0x50, 0x51, 0x5A, 0x5C, 0x5F, 0x71, 0xA0)
EDGES = {0x6F: (1, True), 0x6A: (1, False), 0x6E: (2, True), 0x6B: (2, False)}
#: y and x of the chip's (0, 0) and the direction in which they grow, for the chips of a CheeTah.
QUAD = ((0, 256, 1), (511, 511, -1), (511, 255, -1), (0, 0, 1))


def bits(word, first, count):
    return (word >> first) & ((1 << count) - 1)


# ------------------------------------------------------------------------------------------------------------- encoding
def hit_word(y, x, tick, tot=20):
    """Integers or arrays of int64."""
    coarse = (tick + 15) // 16
    double_column, super_pixel, pixel = x // 2, y // 4, (x % 2) * 4 + y % 4
    address = double_column * 512 + super_pixel * 8 + pixel
    fine, toa, spidr = coarse * 16 - tick, coarse % 2**14, (coarse // 2**14) % 2**16
    low = spidr + fine * 2**16 + tot * 2**20 + toa * 2**30
    high = 0xB * 2**16 + address
    return np.asarray(high, np.uint64) * np.uint64(2**44) + np.asarray(low, np.uint64)


def tdc_word(tick, rising=True, channel=1, fine=None):
    top = next(key for key, value in EDGES.items() if value == (channel, rising))
    if fine is None:
        fine = 7 if tick % 2 else 1
    return (top << 56) + ((tick // 2) % 2**35 << 9) + (fine << 5)


def heartbeat_word(tick):
    return (HEARTBEAT << 56) + ((tick // 16) % 2**32 << 16)


def header_word(chip, size):
    return int.from_bytes(b"TPX3", "little") + (chip << 32) + (size << 48)


def chunk(chip, words):
    words = [int(word) for word in words]
    return b"".join(word.to_bytes(8, "little") for word in [header_word(chip, 8 * len(words)), *words])


# ------------------------------------------------------------------------------------------------------------- decoding
def decode(stream):
    """(hits, tdc) of a stream without damage, word by word: lists of (toa, x, y, tot, chip) and (toa, channel, ...)."""
    words = [int.from_bytes(stream[i : i + 8], "little") for i in range(0, len(stream), 8)]
    hits, tdc, last, chip, left = [], [], None, 0, None
    for word in words:
        if bits(word, 0, 32) == 0x33585054 and left in (0, None):
            chip, left = bits(word, 32, 8), bits(word, 48, 16) // 8
            continue
        left = None if left is None else left - 1
        kind = bits(word, 56, 8)
        if kind >> 4 == 0xB:
            time = (bits(word, 0, 16) * 2**14 + bits(word, 30, 14)) * 16 - bits(word, 16, 4)
        elif kind in EDGES:
            time = 2 * bits(word, 9, 35) + (max(bits(word, 5, 4), 1) - 1) // 6
        elif kind == HEARTBEAT:
            time = 16 * bits(word, 16, 32)
        else:
            continue
        last = time % TURN if last is None else last + (time - last + TURN // 2) % TURN - TURN // 2
        if kind in EDGES:
            tdc.append((last, *EDGES[kind], chip))
        elif kind != HEARTBEAT:
            x = 2 * bits(word, 53, 7) + bits(word, 46, 1)
            y = 4 * bits(word, 47, 6) + bits(word, 44, 2)
            hits.append((last, x, y, bits(word, 20, 10), chip))
    return hits, tdc


# ----------------------------------------------------------------------------------------------------------------- scan
class Scan(NamedTuple):
    """A stream, and the events (position, y, x) of its lines; `inside` tells which part of its dwell each came in."""

    stream: bytes
    events: np.ndarray
    inside: np.ndarray


def sorted_events(*columns):
    """Events as a sorted table."""
    table = np.stack([np.asarray(column, np.int64) for column in columns], axis=1)
    return table[np.lexsort(table.T[::-1])]


def scan_stream(
    rng,
    scan=(6, 8),
    *,
    lengths=6400 * 8,
    flyback=3000,
    per_line=400,
    start=1_000_000,
    disorder=40,
    chips=(0, 1, 2, 3),
    silent=(),
    without_tdc=(),
    lost=(),
    offsets=(0, 0, 0, 0),
    lag=(0, 0, 0, 0),
    before=30,
    noise=True,
    longest=60,
):
    """A quad behind a scan whose lines last `lengths` ticks (one number, or one per line).

    `silent` chips send no hits, those `without_tdc` no edges, `lost` holds (chip, line, rising) of edges that are gone,
    `offsets` shifts the edges of a chip against the others' [ticks], and `lag` is by how many lines a chip's data come
    later than the others'. `before` hits come before the first line.
    """
    sy, sx = scan
    lengths = np.broadcast_to(lengths, sy).astype(int)
    rises = start + np.concatenate([[0], np.cumsum(lengths + flyback)[:-1]])
    turns, truth, inside = [], [], []
    for row in range(sy):
        for chip in rng.permutation(chips):
            rise, fall = int(rises[row]) + offsets[chip], int(rises[row] + lengths[row]) + offsets[chip]
            n = 0 if chip in silent else int(rng.poisson(per_line / len(chips)))
            stray = 0 if chip in silent or flyback < 300 else 5
            ticks = np.concatenate(
                [
                    rng.integers(rise, fall, n),
                    rng.integers(fall + 100, fall + flyback - 100, stray) if stray else np.empty(0, int),
                    rng.integers(max(start - 20000, 0), start - 300, before) if row == 0 and start > 20000 else [],
                ]
            ).astype(np.int64)
            y, x = rng.integers(0, 256, (2, len(ticks)))
            y0, x0, sign = QUAD[chip]
            column, rest = np.divmod((ticks[:n] - rise) * sx, fall - rise)
            truth.append(np.stack([row * sx + column, y0 + sign * y[:n], x0 + sign * x[:n]], axis=1))
            inside.append(rest / (fall - rise))
            words = [int(word) for word in hit_word(y, x, ticks)]
            times = ticks.tolist()
            for edge, rising in ((rise, True), (fall, False)):
                if chip not in without_tdc and (chip, row, rising) not in lost:
                    words.append(tdc_word(edge, rising))
                    times.append(edge)
            order = np.argsort(np.argsort(np.argsort(times, kind="stable")) + rng.uniform(0, disorder, len(times)))
            turns.append((row + lag[chip], int(chip), [words[i] for i in order], fall))
    out = []
    for _, chip, words, fall in sorted(turns, key=lambda turn: turn[0]):
        at = 0
        while at < len(words):
            size = int(rng.integers(1, longest))
            out.append(chunk(chip, words[at : at + size]))
            at += size
        if noise:
            kinds = [heartbeat_word(fall), *(top << 56 | 77 for top in CONTROL), 0x2 << 60 | 9, 0xF << 60]
            out.append(chunk(chip, rng.permutation(np.array(kinds, np.uint64))[: rng.integers(0, 6)]))
    return Scan(b"".join(out), sorted_events(*np.concatenate(truth).T), np.concatenate(inside))
