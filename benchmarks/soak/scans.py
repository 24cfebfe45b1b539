"""The scans of the soak, and their images without a socket or a session.

Frames are a few patterns over and over, so that a scan of any length needs no room; single electrons lie in a file.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmarks.common import frames
from benchmarks.benchmarks.event_streams import tpx3_stream
from crewe import imaging, io

__all__ = ["CHIP", "MIDDLE", "POSITIONS", "QUAD", "RINGS", "SCAN", "Patterns", "Truth", "of_events", "of_frames"]

SCAN = (80, 100)
POSITIONS = SCAN[0] * SCAN[1]
CHIP, QUAD, MIDDLE = (256, 256), (512, 512), 255.5  # pixels of the Merlin and of the Timepix3; the latter's centre
HELD, ELECTRONS = 64, 1000.0  # different patterns; electrons per position
RINGS = ((8, 24), (12, 40), (16, 30), (20, 60))  # radii between bf and adf, and of adf [ring widths]


class Patterns(io.FrameSource):
    """Frames that repeat after a number that isn't that of the columns."""

    def __init__(self) -> None:
        self.scan, self.detector, self.dtype, self.metadata = SCAN, CHIP, np.dtype(np.uint16), {"depth": 12}
        self.patterns = frames(HELD, CHIP)

    def __len__(self) -> int:
        return POSITIONS

    def __getitem__(self, index: int) -> NDArray[Any]:
        return self.patterns[range(POSITIONS)[index] % HELD]

    def raw_blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        for first in range(0, POSITIONS, HELD):
            yield first, self.patterns[: POSITIONS - first]


class Truth:
    """Images by `crewe.imaging` from the centre of mass, and counts: of all, and within so many ring widths."""

    def __init__(self, com: NDArray[Any], total: NDArray[Any], disks: dict[int, NDArray[Any]]) -> None:
        self._com, self._total, self._disks = com.astype(np.float32), total, disks

    def images(self, kernel: int, rotation: float, rings: int) -> dict[str, NDArray[Any]]:
        com = imaging.rotate(self._com, rotation)
        bf, outer = (self._disks[ring] for ring in RINGS[rings])
        made = {"com": com, "ricom": imaging.ricom(com, kernel=kernel), "icom": imaging.icom(com)}
        return made | {"bf": bf, "adf": outer - bf, "sum": self._total}


def of_frames(width: float) -> Truth:
    """Of `Patterns`, with rings of this width [pixels]; the centre is the mean centre of mass."""
    patterns, which = Patterns().patterns, np.arange(POSITIONS) % HELD
    com = imaging.com(patterns, center=(0.0, 0.0))[which].reshape(*SCAN, 2)
    center = com.mean((0, 1), dtype=np.float64)

    def disk(radius: float) -> NDArray[Any]:
        return imaging.virtual_image(patterns, outer=radius, center=(center[0], center[1]))[which].reshape(SCAN)

    disks = {ring: disk(ring * width) for pair in RINGS for ring in pair}
    return Truth(com - center, np.tensordot(np.bincount(which), patterns, 1), disks)


def of_events(width: float, file: str) -> Truth:
    """Makes the stream of a Timepix3, writes it to `file`, and counts its electrons one by one."""
    stream = tpx3_stream(SCAN, ELECTRONS)
    stream.data.tofile(file)
    y, x = stream.y - MIDDLE, stream.x - MIDDLE
    distance = np.hypot(y, x)

    def count(weights: NDArray[Any] | None = None) -> NDArray[Any]:
        return np.bincount(stream.position, weights, POSITIONS).reshape(SCAN)

    com = np.stack([count(y), count(x)], axis=2) / count()[:, :, None]
    disks = {ring: count(distance < ring * width) for pair in RINGS for ring in pair}
    pixel = stream.y.astype(int) * QUAD[1] + stream.x
    return Truth(com, np.bincount(pixel, minlength=QUAD[0] * QUAD[1]).reshape(QUAD), disks)
