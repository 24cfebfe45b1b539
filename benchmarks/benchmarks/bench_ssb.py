"""Single-sideband ptychography: a whole scan, with what it prepares, and live."""

import numpy as np

from crewe import live
from crewe.imaging import ssb
from crewe.optics import Aberrations

from .common import cpu_rate

LENSES = {"perfect": None, "aberrated": Aberrations(C10=50.0, C12=20.0)}


def patterns(scan, detector, radius):
    """Counts of a disc of `radius` pixels."""
    y, x = np.mgrid[:detector, :detector] - (detector - 1) / 2
    disc = (np.hypot(y, x) <= radius) * 10.0 + 0.05
    some = np.random.default_rng(0).poisson(np.broadcast_to(disc, (64, detector, detector))).astype(np.uint8)
    return np.tile(some, (scan * scan // 64, 1, 1)).reshape(scan, scan, detector, detector)


class Ssb:
    """scan × scan patterns of 64² pixels, disc of 14 pixels; 20 mrad at 300 kV, 0.2156 Å."""

    params = ((64, 128, 256), tuple(LENSES))
    param_names = ("scan", "lens")

    def setup(self, scan, lens):
        self.frames = patterns(scan, 64, 14.0)
        self.optics = {"energy": 300e3, "semiangle": 20.0, "step": 0.2156, "angle_per_pixel": 20 / 14.0}
        self.optics["aberrations"] = LENSES[lens]

    def track_batch(self, scan, lens):
        return cpu_rate(lambda: ssb(self.frames, threads=1, **self.optics), scan * scan, repeats=5)

    track_batch.unit = "patterns/CPU-s"

    def track_live(self, scan, lens):
        """All patterns of a scan, 64 at a time, in a session that is there already, and the image at the end."""
        kind = {"phase": live.SSB(**self.optics)}
        flat = self.frames.reshape(-1, 64, 64)
        with live.Session(scan=(scan, scan), detector=(64, 64), images=kind, center=(31.5, 31.5), threads=1) as session:

            def run():
                session.next_scan()
                for first in range(0, len(flat), 64):
                    session.push(flat[first : first + 64])
                return session["phase"]

            return cpu_rate(run, scan * scan, repeats=5)

    track_live.unit = "patterns/CPU-s"

    def time_prepare(self, scan, lens):
        kind = {"phase": live.SSB(**self.optics)}
        live.Session(scan=(scan, scan), detector=(64, 64), images=kind, center=(31.5, 31.5), threads=1).close()

    def peakmem_batch(self, scan, lens):
        ssb(self.frames, threads=1, **self.optics)
