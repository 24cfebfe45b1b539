"""The definition of a session in plain NumPy: sums per position, and every image made from them anew."""

import numpy as np

from reference import imaging

__all__ = ["Session", "integrate"]


def integrate(com, kernel):
    """Yu et al. (2022), eq. 3.4 as a double sum: Σ_r (p − r)·com(r) / (2π|p − r|²) over the window, clipped."""
    half, (sy, sx) = kernel // 2, com.shape[:2]
    out = np.zeros((sy, sx))
    for dy in range(-half, half + 1):
        for dx in range(-half, half + 1):
            if dy == dx == 0:
                continue
            rows, cols = np.arange(sy)[:, None] - dy, np.arange(sx) - dx  # r = p − d
            inside = (rows >= 0) & (rows < sy) & (cols >= 0) & (cols < sx)
            at = com[rows.clip(0, sy - 1), cols.clip(0, sx - 1)]
            out += inside * (dy * at[..., 0] + dx * at[..., 1]) / (2 * np.pi * (dy**2 + dx**2))
    return out


class Session:
    """Frames and events by position; `com` and the images are functions of what has come."""

    def __init__(self, scan, detector, *, dark=0.0, gain=1.0, dead=None, weights=None):
        self.scan, self.detector = scan, detector
        self.dark, self.gain = dark, gain
        self.live = np.ones(detector) if dead is None else 1.0 - np.asarray(dead)
        self.weights = np.ones(detector) if weights is None else weights
        self.patterns = np.zeros((*scan, *detector))
        self.seen = np.zeros(scan, bool)

    def push(self, position, frame):
        """A frame takes the place of what was there."""
        at = divmod(position, self.scan[1])
        self.patterns[at] = (frame.astype(np.float64) - self.dark) * self.gain * self.live
        self.seen[at] = True

    def push_event(self, position, y, x):
        """An event adds to what is there."""
        at = divmod(position, self.scan[1])
        self.patterns[at][y, x] += np.broadcast_to(self.gain, self.detector)[y, x] * self.live[y, x]
        self.seen[at] = self.seen[at] or bool(self.live[y, x])

    def centers(self, center, slopes=((0, 0), (0, 0))):
        """Centre of the undiffracted pattern per position, (sy, sx, 2)."""
        v = np.arange(self.scan[0])[:, None] - (self.scan[0] - 1) / 2
        u = np.arange(self.scan[1]) - (self.scan[1] - 1) / 2
        return np.stack([c + s[0] * v + s[1] * u for c, s in zip(center, slopes, strict=True)], -1)

    def com(self, center, slopes=((0, 0), (0, 0)), rotation=0.0, transpose=False):
        """(sy, sx, 2); 0 where nothing has come. center="auto": the mean, or the plane with slopes="fit"."""
        raw = imaging.com(self.patterns, (0.0, 0.0), self.weights)
        known = self.patterns.sum((-2, -1)) != 0
        if isinstance(slopes, str):  # "fit"
            v = np.broadcast_to(np.arange(self.scan[0])[:, None] - (self.scan[0] - 1) / 2, self.scan)[known]
            u = np.broadcast_to(np.arange(self.scan[1]) - (self.scan[1] - 1) / 2, self.scan)[known]
            plane = np.linalg.lstsq(np.stack([np.ones(v.shape), v, u], -1), raw[known], rcond=None)[0]
            center, slopes = plane[0] if isinstance(center, str) else center, plane[1:].T
        elif isinstance(center, str):
            center = raw[known].mean(0)
        com = np.where(known[..., None], raw - self.centers(center, slopes), 0)
        if transpose:
            com = com[..., ::-1]
        c, s = np.cos(rotation), np.sin(rotation)
        return np.stack([c * com[..., 0] + s * com[..., 1], c * com[..., 1] - s * com[..., 0]], -1)

    def detector_image(self, inner, outer, center):
        return imaging.virtual_image(self.patterns, imaging.ring(self.detector, inner, outer, center))
