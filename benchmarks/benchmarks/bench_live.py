"""A session as it is used: frames and electrons in, all images out; changes on the way; what it keeps."""

import numpy as np

from crewe.live import ICOM, CenterOfMass, RiCOM, Session, VirtualDetector

from .common import cpu_rate, events, frames

DETECTOR = (256, 256)


def session(scan, threads=1, images=None, **options):
    images = images or {"ricom": RiCOM(), "com": CenterOfMass(), "adf": VirtualDetector(inner=60, outer=120)}
    center = tuple((n - 1) / 2 for n in DETECTOR)
    return Session(scan=scan, detector=DETECTOR, images=images, center=center, threads=threads, **options)


class Frames:
    """riCOM 61 × 61, centre of mass, an annulus and a dead pixel from 256 × 256 uint16, in order."""

    params = ((1, 64), ("<u2", ">u2"), (1, 0))
    param_names = ("block", "dtype", "threads")
    scan = (64, 64)

    def setup(self, block, dtype, threads):
        patterns = frames(self.scan[0] * self.scan[1], DETECTOR).astype(dtype)
        self.blocks = [patterns[i : i + block] for i in range(0, len(patterns), block)]
        dead = np.zeros(DETECTOR, bool)
        dead[10, 20] = True
        self.session = session(self.scan, threads, dead_pixels=dead)

    def scan_once(self):
        self.session.next_scan()
        push = self.session._core.push  # takes either byte order, as readers hand it out
        for block in self.blocks:
            push(block, None)

    def time_scan(self, block, dtype, threads):
        self.scan_once()

    def track_frames(self, block, dtype, threads):
        return cpu_rate(self.scan_once, self.scan[0] * self.scan[1])

    track_frames.unit = "frames/CPU-s"


class Events:
    """The same images from single electrons, 200 per position."""

    params = ((128, 256), (1, 0))
    param_names = ("scan", "threads")

    def setup(self, scan, threads):
        self.events = events(200 * scan * scan, (scan, scan), DETECTOR)
        self.session = session((scan, scan), threads)

    def scan_once(self):
        self.session.next_scan()
        for start in range(0, len(self.events[0]), 1 << 17):
            self.session.push_events(*(column[start : start + (1 << 17)] for column in self.events))
        self.session.finish()

    def time_scan(self, scan, threads):
        self.scan_once()

    def track_events(self, scan, threads):
        return cpu_rate(self.scan_once, len(self.events[0]))

    track_events.unit = "events/CPU-s"


class Configure:
    """How long a change takes that redraws everything already scanned."""

    params = (("kernel", "rotation", "center"), (128, 256, 512))
    param_names = ("change", "scan")

    def setup(self, change, scan):
        self.session = session((scan, scan), 0, {"ricom": RiCOM(kernel=61), "icom": ICOM()})
        self.session.push_events(*events(20 * scan * scan, (scan, scan), DETECTOR))
        self.changes = {
            "kernel": ({"ricom": RiCOM(kernel=31)}, {"ricom": RiCOM(kernel=61)}),
            "rotation": ({"rotation": 0.3}, {"rotation": 0.0}),
            "center": ({"center": (120.0, 130.0)}, {"center": (127.5, 127.5)}),
        }[change]

    def time_two_changes(self, change, scan):
        for one in self.changes:
            self.session.configure(**one)


class Memory:
    """What a session of two images on 4096 × 4096 positions keeps."""

    def peakmem_session(self):
        large = session((4096, 4096), 1, {"ricom": RiCOM(), "adf": VirtualDetector(inner=60)})
        large.push(np.ones((16, *DETECTOR), np.uint16))
        large["ricom"].sum()
