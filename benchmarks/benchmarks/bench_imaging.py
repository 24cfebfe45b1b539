"""Sums over diffraction patterns: centre of mass, virtual detectors, and both with a mask of hot pixels in one pass.

Frames per CPU second: from memory (512 MB, many times what the caches hold) and from the L2 cache (512 KB, like the
ring behind a detector's socket), beside the rate at which one core reads and sums the same bytes.
"""

from typing import Any

import numpy as np

from crewe import _core
from crewe.imaging import com, virtual_image

from .common import cpu_rate, frames, read_rate

DTYPES = ["u1", "<u2", ">u2", "<u4", "<f4"]
BYTES = {"memory": 512 << 20, "cache": 512 << 10}
RING = _core.ring_weights((256, 256), 60.0, 110.0, 127.3, 126.8)


def stack(dtype: str, where: str) -> Any:
    """Frames (n, 256, 256) of some kind, written once."""
    return frames(BYTES[where] // (256 * 256 * np.dtype(dtype).itemsize), dtype=dtype)


class Com:
    """`crewe.imaging.com`."""

    params = (["u1", "u2", "u4", "f4"], ["memory", "cache"], [1, 0])
    param_names = ("dtype", "where", "threads")

    def setup(self, dtype: str, where: str, threads: int) -> None:
        self.frames = stack(dtype, where)

    def time_com(self, dtype: str, where: str, threads: int) -> None:
        com(self.frames, threads=threads)

    def track_frames(self, dtype: str, where: str, threads: int) -> float:
        return cpu_rate(lambda: com(self.frames, threads=threads), len(self.frames))

    track_frames.unit = "frames/CPU-s"  # type: ignore[attr-defined]

    def peakmem_com(self, dtype: str, where: str, threads: int) -> None:
        com(self.frames, threads=threads)


class VirtualImage:
    """`crewe.imaging.virtual_image` of an annulus, and of weights."""

    params = (["u1", "u2", "u4", "f4"], ["memory", "cache"], ["annulus", "weights"])
    param_names = ("dtype", "where", "detector")

    def setup(self, dtype: str, where: str, detector: str) -> None:
        self.frames = stack(dtype, where)
        weights = np.random.default_rng(0).random((256, 256), np.float32)
        self.options: dict[str, Any] = {"inner": 60.0, "outer": 110.0} if detector == "annulus" else {"mask": weights}

    def time_virtual_image(self, dtype: str, where: str, detector: str) -> None:
        virtual_image(self.frames, threads=1, **self.options)

    def track_frames(self, dtype: str, where: str, detector: str) -> float:
        return cpu_rate(lambda: virtual_image(self.frames, threads=1, **self.options), len(self.frames))

    track_frames.unit = "frames/CPU-s"  # type: ignore[attr-defined]


class Fused:
    """One pass: centre of mass, an annulus, 40 hot pixels left out; and what else a session can ask for."""

    params = (DTYPES, ["memory", "cache"], ["com + annulus + mask", "annular com", "dark, gain", "profile"])
    param_names = ("dtype", "where", "task")

    def setup(self, dtype: str, where: str, task: str) -> None:
        self.frames = stack(dtype, where)
        rng = np.random.default_rng(0)
        dead = np.zeros((256, 256), np.uint8)
        dead.flat[rng.integers(0, dead.size, 40)] = 1
        options: dict[str, Any] = {"detectors": [RING], "dead_pixels": dead}
        if task == "annular com":
            options["weights"] = RING
        elif task == "dark, gain":
            options["dark"], options["gain"] = rng.random((2, 256, 256), np.float32)
        elif task == "profile":
            y, x = np.ogrid[:256, :256]
            options["rings"] = (np.hypot(y - 127.3, x - 126.8) / 2.85).astype(np.uint8)  # 64, to the corners
        self.reducer = _core.FrameReducer((256, 256), **options)
        n = len(self.frames)
        self.out = {"com": np.empty((n, 2), np.float32), "sums": np.empty((n, 1))}
        if task == "profile":
            self.out["profiles"] = np.empty((n, 64), np.float32)

    def run(self) -> None:
        self.reducer.reduce(self.frames, cy=127.5, cx=127.5, threads=1, **self.out)

    def time_reduce(self, dtype: str, where: str, task: str) -> None:
        self.run()

    def track_frames(self, dtype: str, where: str, task: str) -> float:
        return cpu_rate(self.run, len(self.frames))

    track_frames.unit = "frames/CPU-s"  # type: ignore[attr-defined]

    def track_read_limit(self, dtype: str, where: str, task: str) -> float:
        return read_rate(self.frames) / self.frames[0].nbytes

    track_read_limit.unit = "frames/CPU-s"  # type: ignore[attr-defined]
