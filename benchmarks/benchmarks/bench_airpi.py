"""AIRPI, per CPU second: training samples, positions with the network of the package, and without one: how much the
resampling of patterns, their nine copies and the patches take.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import imaging, live, models

from .common import cpu_rate

OPTICS = {"energy": 300e3, "semiangle": 20.0, "step": 0.2156}


class Samples:
    """`crewe.train.airpi.samples`: nine probes through 30 configurations of some 16 slices, 128² pixels."""

    params = ([10, 30],)
    param_names = ("configurations",)

    def track_samples(self, configurations: int) -> float:
        from crewe.train.airpi.samples import sample

        def run() -> None:
            for number in range(6):
                sample(0, number, configurations=configurations)

        return cpu_rate(run, 6, repeats=3)

    track_samples.unit = "samples/CPU-s"  # type: ignore[attr-defined]
    track_samples.timeout = 300  # type: ignore[attr-defined]


class Still:
    """In the place of a network: the empty beam, at no cost."""

    info = SimpleNamespace(options={"size": 64, "length": [10.0, 24.0], "fill": [0.1, 0.95]})
    provider = "none"

    def run(self, patterns: NDArray[Any], probes: NDArray[Any], *_: NDArray[Any]) -> NDArray[Any]:
        return np.repeat(probes, len(patterns), axis=0)


def patterns(scan: int, pixels: int) -> tuple[NDArray[np.uint8], dict[str, float]]:
    """A disc as wide as 14 of 64 pixels."""
    y, x = np.mgrid[:pixels, :pixels] - (pixels - 1) / 2
    disc = np.hypot(y, x) < 14 * pixels / 64
    frames = np.random.default_rng(0).poisson(disc * 2.0, (scan, scan, pixels, pixels)).astype(np.uint8)
    return frames, {**OPTICS, "angle_per_pixel": 20.0 * 64 / 14 / pixels}


class Positions:
    """`crewe.imaging.airpi` and `crewe.live.AIRPI` on detectors that are the network's grid, and four times as fine."""

    params = ([64, 256],)
    param_names = ("detector",)
    scan = 24

    def setup(self, detector: int) -> None:
        self.frames, self.optics = patterns(self.scan, detector)
        self.network = models.load("imaging-airpi", threads=1) if "imaging-airpi" in models.list() else None

    def batch(self, network: Any) -> float:
        return cpu_rate(
            lambda: imaging.airpi(self.frames, **self.optics, model=network, threads=1), self.scan**2, repeats=3
        )

    def track_positions(self, detector: int) -> float:
        return float("nan") if self.network is None else self.batch(self.network)

    def track_positions_without_network(self, detector: int) -> float:
        return self.batch(Still())

    def track_live_without_network(self, detector: int) -> float:
        middle = (detector - 1) / 2
        session = live.Session(
            scan=(self.scan, self.scan),
            detector=(detector, detector),
            images={"airpi": live.AIRPI(**self.optics, model=Still())},
            center=(middle, middle),
            threads=1,
        )

        def run() -> None:
            for line in self.frames:
                session.push(line)
            session.finish()
            session.next_scan()

        rate = cpu_rate(run, self.scan**2, repeats=3)
        session.close()
        return rate

    def track_push(self, detector: int) -> float:
        """What the thread that pushes has to do for AIRPI: join pixels and keep them."""
        gathered = live.Session(
            scan=(self.scan, self.scan),
            detector=(detector, detector),
            images={"airpi": live.AIRPI(**self.optics, model=Still(), ahead=10**6)},
            center=((detector - 1) / 2, (detector - 1) / 2),
            threads=1,
        )
        gathered.cancel()  # nobody takes the lines
        core = gathered._core

        def run() -> None:
            core.next_scan()
            core.gather("airpi", max(1, detector // 64), (0, 0), (64, 64))
            for line in self.frames:
                core.push(line, None)

        rate = cpu_rate(run, self.scan**2)
        gathered.close()
        return rate

    for _track in (track_positions, track_positions_without_network, track_live_without_network, track_push):
        _track.unit = "positions/CPU-s"  # type: ignore[attr-defined]
