"""Seeds for the fuzz targets: small streams of every kind, and the begin of real files.

python tests/fuzz/seeds.py FOLDER [real files ...]     FOLDER/<format> is what fuzz_<format> starts from
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from reference import mib

#: How much of a real file is taken, by suffix: the format whose target it feeds.
FORMATS = {".mib": "mib"}
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


def main(folder, *files):
    for name, seeds in (("mib", mib_seeds()),):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds):
            (folder / name / f"made-{number:03d}").write_bytes(seed)
    for path in map(Path, files):
        if name := FORMATS.get(path.suffix):
            with path.open("rb") as file:
                (folder / name / path.name).write_bytes(bytes([0, 250]) + file.read(LONGEST))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
