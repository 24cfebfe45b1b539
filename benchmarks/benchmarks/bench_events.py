"""Single electrons: bytes of event detectors → hits, events, sums, images; words or records per CPU second."""

import numpy as np

from crewe import _core, io
from crewe.io.event_files import quad
from crewe.live import RiCOM, Session, VirtualDetector
from crewe.live.kinds import Kind

from .common import cpu_rate
from .event_streams import Stream, t3p_stream, tpx3_stream

SCAN, TICK = (64, 256), 1.5625e-9
PIECE = 1 << 18


def tpx3_events(stream: Stream) -> int:
    """All events of a stream at their positions; how many."""
    decoder = _core.Tpx3Scan(scan=SCAN, detector=(512, 512), chips=quad())
    pieces = range(0, len(stream.data), PIECE)
    return sum(len(decoder.feed(stream.data[i : i + PIECE])) for i in pieces) + len(decoder.finish())


class Tpx3:
    """A quad with line triggers; `per_position` electrons."""

    params = (1, 20, 244)
    param_names = ("per_position",)

    def setup(self, per_position: int) -> None:
        self.stream = tpx3_stream(SCAN, per_position)
        self.words = self.stream.data.nbytes / 8
        assert tpx3_events(self.stream) == len(self.stream.position)

    def track_hits(self, per_position: int) -> float:
        return cpu_rate(lambda: io.decode_tpx3(self.stream.data), self.words)

    def track_events(self, per_position: int) -> float:
        return cpu_rate(lambda: tpx3_events(self.stream), self.words)

    def run(self, images: dict[str, Kind]) -> None:
        decoder = _core.Tpx3Scan(scan=SCAN, detector=(512, 512), chips=quad())
        with Session(scan=SCAN, detector=(512, 512), images=images, center=(255.5, 255.5), threads=1) as session:
            for i in range(0, len(self.stream.data), PIECE):
                session._core.push_records(decoder.feed(self.stream.data[i : i + PIECE]))
            session._core.push_records(decoder.finish())

    def track_ricom(self, per_position: int) -> float:
        return cpu_rate(lambda: self.run({"ricom": RiCOM(61)}), self.words)

    def track_ricom_and_annulus(self, per_position: int) -> float:
        return cpu_rate(lambda: self.run({"ricom": RiCOM(61), "adf": VirtualDetector(inner=60.0)}), self.words)


for _method in (Tpx3.track_hits, Tpx3.track_events, Tpx3.track_ricom, Tpx3.track_ricom_and_annulus):
    _method.unit = "words/CPU-s"  # type: ignore[attr-defined]


class T3p:
    """Records of one chip."""

    def setup(self) -> None:
        self.stream = t3p_stream(SCAN)
        self.records = self.stream.data.nbytes / 16

    def events(self, sums: bool) -> None:
        decoder = _core.T3pScan(
            text=False, scan=SCAN, detector=(256, 256), chips=[(0, 0, False, False)], dwell=1280 * TICK
        )
        reducer, moments = _core.EventReducer(256, 256, SCAN[0] * SCAN[1]), np.zeros((SCAN[0] * SCAN[1], 3))
        for i in range(0, len(self.stream.data), PIECE):
            block = decoder.feed(self.stream.data[i : i + PIECE])
            if sums:
                reducer.add(block, moments=moments)

    def track_events(self) -> float:
        return cpu_rate(lambda: self.events(False), self.records)

    def track_moments(self) -> float:
        return cpu_rate(lambda: self.events(True), self.records)


for _method in (T3p.track_events, T3p.track_moments):
    _method.unit = "records/CPU-s"  # type: ignore[attr-defined]


class Sums:
    """Events, in order of position or in any, summed per position."""

    params = (("sorted", "any"), (0, 1))
    param_names = ("order", "detectors")

    def setup(self, order: str, detectors: int) -> None:
        made = tpx3_stream(SCAN)
        self.events = np.empty(len(made.position), io.EVENT)
        self.events["position"], self.events["y"], self.events["x"] = made.position, made.y, made.x
        if order == "any":
            np.random.default_rng(0).shuffle(self.events)
        ring = _core.ring_weights((512, 512), 60.0, 1000.0, 255.5, 255.5)
        positions = SCAN[0] * SCAN[1]
        self.reducer = _core.EventReducer(512, 512, positions, detectors=[ring] * detectors)
        self.moments, self.sums = np.zeros((positions, 3)), np.zeros((positions, detectors))

    def add(self) -> None:
        for i in range(0, len(self.events), 1 << 16):
            self.reducer.add(self.events[i : i + (1 << 16)], moments=self.moments, detectors=self.sums)

    def track_sums(self, order: str, detectors: int) -> float:
        return cpu_rate(self.add, len(self.events))


Sums.track_sums.unit = "events/CPU-s"  # type: ignore[attr-defined]
