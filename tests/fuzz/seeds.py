"""Seeds for the fuzz targets: small streams of every kind, and the begin of real files.

python tests/fuzz/seeds.py FOLDER [real files ...]     FOLDER/<format> is what fuzz_<format> starts from
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from reference import mib, tpx3

#: How much of a real file is taken, by suffix: the format whose target it feeds.
FORMATS = {".mib": "mib", ".tpx3": "tpx3", ".t3p": "t3p"}
LONGEST = 40_000


def mib_seeds():
    """Frames of every kind, the rows as few as can be."""
    for depth, raw in [(1, False), (6, False), (12, False), (24, False), (1, True), (6, True), (12, True), (24, True)]:
        for quad in (False, True):
            shape = (2, 512) if quad else (1, 256)
            images = mib.counts(3, depth, shape)
            for modern in (True, False):
                stream = b"".join(
                    mib.frame(i + 1, image, depth, raw=raw, quad=quad, modern=modern) for i, image in enumerate(images)
                )
                yield bytes([{1: 3, 6: 4, 12: 5, 24: 6}[depth] if not modern else 0, 20]) + stream
    halves = [mib.header(i + 1, 256, 1, "R64", depth=24) + bytes(512) for i in range(4)]
    yield bytes([0, 3]) + b"".join(halves)
    gap = np.zeros((4, 514), np.uint16)
    yield bytes([0, 9]) + mib.frame(1, gap, 12, raw=True, quad=True, layout="2x2G")
    for image in mib.counts(2, 6, (2, 3)):
        payload = mib.frame(1, image, 6)
        yield bytes([0, 1]) + b"MPX,%010d," % (len(payload) + 1) + payload


def tpx3_seeds():
    """Short scans: with all edges, some lost, chips apart; by dwell time; without chunk headers."""
    variants = (
        {},
        {"lost": {(0, 1, True), (2, 0, False)}},
        {"without_tdc": (1, 2)},
        {"lag": (0, 2, 1, 0)},
        {"per_line": 5},
    )
    for choice, variant in enumerate(variants):
        made = tpx3.scan_stream(np.random.default_rng(choice), (4, 5), **{"per_line": 60, **variant})
        for way in (choice * 2, choice * 2 + 1, choice * 2 + 92):
            yield bytes([way, 30]) + made.stream
    yield bytes([1, 3]) + tpx3.hit_word(1, 2, np.arange(0, 3 * tpx3.TURN, tpx3.TURN // 30)).astype("<u8").tobytes()


def t3p_seeds():
    """Records and text, gaps and several chips among them."""
    rng = np.random.default_rng(0)
    fields = np.stack([rng.integers(0, 1 << 17, 90), np.arange(90) * 37, rng.integers(0, 2, 90), np.arange(90) % 32], 1)
    records = np.zeros(90, [("index", "<u4"), ("toa", "<u8"), ("overflow", "u1"), ("ftoa", "u1"), ("tot", "<u2")])
    for name, column in zip(("index", "toa", "overflow", "ftoa"), fields.T, strict=True):
        records[name] = column
    text = "Index\tMatrix Index\tToA\tToT\tFToA\tOverflow\n" + "".join(
        f"{i}\t{index}\t{toa}\t9\t{ftoa}\t{overflow}\n" for i, (index, toa, overflow, ftoa) in enumerate(fields)
    )
    for choice in (0, 4, 12, 34):
        yield bytes([choice, 9]) + records.tobytes()
        yield bytes([choice + 1, 9]) + text.encode()


def main(folder, *files):
    for name, seeds in (("mib", mib_seeds()), ("tpx3", tpx3_seeds()), ("t3p", t3p_seeds())):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds):
            (folder / name / f"made-{number:03d}").write_bytes(seed)
    for path in map(Path, files):
        if name := FORMATS.get(path.suffix):
            with path.open("rb") as file:
                (folder / name / path.name).write_bytes(bytes([0, 250]) + file.read(LONGEST))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
