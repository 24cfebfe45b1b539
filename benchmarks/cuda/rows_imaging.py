"""Patterns to images on a GPU, beside copies within it and to it, which nothing that looks at all data can exceed."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.benchmarks.common import events, frames
from crewe import cuda, imaging
from crewe._core import ring_weights
from crewe._device import extension, view
from crewe.io import EVENT
from crewe.live import RiCOM, Session, VirtualDetector

__all__ = ["rows"]

COPY, BUS = "copy within the GPU, read and written", "copy from page-locked memory"
OPTICS = {"energy": 300e3, "semiangle": 20.0, "step": 0.2}

#: Name, unit, amount of work of a run, what makes the run, and the bar: a rate, or (another row, factor of its rate).
Row = tuple[str, str, float, Callable[[], Callable[[], Any]], Any]


def copy_within(size: int) -> Callable[[], Any]:
    source, into = cuda.Array((size,), np.uint8), cuda.Array((size,), np.uint8)
    return lambda: extension().copy(view(source, "source"), view(into, "into"))


def copy_in(size: int) -> Callable[[], Any]:
    source, into = cuda.pinned((size,), np.uint8), cuda.Array((size,), np.uint8)
    source[:] = 1
    return lambda: into.set(source)


def fused(count: int, k: int, dtype: str) -> Callable[[], Any]:
    """Centre of mass and an annulus of frames on the device, read once."""
    seen = view(cuda.asarray(frames(count, (k, k), np.dtype(dtype))), "frames")
    com, image = seen.empty((count, 2), np.float32), seen.empty((count, 1), np.float32)
    annulus = ring_weights((k, k), k / 8, k / 4, (k - 1) / 2, (k - 1) / 2)
    return lambda: extension().reduce(seen, detectors=[annulus], com=com, image=image)


def of_map(function: Callable[..., Any], n: int, **options: Any) -> Callable[[], Any]:
    com = cuda.asarray(np.random.default_rng(0).normal(size=(n, n, 2)).astype(np.float32))
    return lambda: function(com, **options)


def of_events(n: int, scan: int) -> Callable[[], Any]:
    """Single electrons from the host's memory, in one block."""
    records = cuda.pinned((n,), EVENT)
    records["position"], records["y"], records["x"] = events(n, (scan, scan))
    reducer = extension().Events((256, 256), scan * scan)
    return lambda: reducer.add(records)


def phases(n: int, k: int) -> Callable[[], Any]:
    """Single-sideband ptychography of a scan on the device, its plan included."""
    data = cuda.asarray(frames(n * n, (k, k), np.uint8).reshape(n, n, k, k))
    return lambda: imaging.ssb(data, angle_per_pixel=80.0 / k, **OPTICS)


def session(n: int, k: int, locked: bool) -> Callable[[], Any]:
    """One scan after the other, from the host: riCOM and an annulus."""
    block = frames(n * n, (k, k), np.uint16)
    if locked:
        memory = cuda.pinned(block.shape, block.dtype)
        memory[:] = block
        block = memory
    images = {"ricom": RiCOM(), "annulus": VirtualDetector(k / 8, k / 4)}
    live = Session(scan=(n, n), detector=(k, k), images=images, center=(k / 2, k / 2), device="cuda")

    def run() -> None:
        live.push(block)
        live.next_scan()

    return run


def rows(*, small: bool = False) -> list[Row]:
    """All of them; `small`: sizes that only show that they run."""
    k, size, scan, n = (16, 1 << 14, 8, 24) if small else (256, 4 << 30, 128, 512)
    found: list[Row] = [
        (COPY, "B/s", 2 * size, lambda: copy_within(size), None),
        (BUS, "B/s", size // 4, lambda: copy_in(size // 4), None),
    ]
    for dtype in ("u1", "u2", "u4", "f4"):
        count = size // (k * k * np.dtype(dtype).itemsize)
        name = f"com and annulus of {k}×{k} {dtype}, on the GPU"
        found.append((name, "B/s", size, lambda count=count, dtype=dtype: fused(count, k, dtype), (COPY, 0.8)))
    for locked, memory in ((True, "page-locked"), (False, "pageable")):
        name = f"Session, riCOM and annulus, {k}×{k} u2, {memory}"
        bar = (BUS, 0.9) if locked else None
        found.append((name, "B/s", 2 * (scan * k) ** 2, lambda locked=locked: session(scan, k, locked), bar))
    width = 7 if small else 61
    found += [
        (f"riCOM of {n}×{n}, kernel {width}", "maps/s", 1, lambda: of_map(imaging.ricom, n, kernel=width), None),
        (f"iCOM of {n}×{n}", "maps/s", 1, lambda: of_map(imaging.icom, n), None),
        ("events to centres of mass, from the host", "events/s", size // 64, lambda: of_events(size // 64, scan), None),
        (f"SSB of {scan}×{scan} positions", "maps/s", 1, lambda: phases(scan, 16 if small else 64), None),
    ]
    return found
