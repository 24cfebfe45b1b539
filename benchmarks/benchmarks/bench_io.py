"""Readers: bytes of detectors → frames."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from crewe import io
from crewe.io.arrays import ArraySource
from crewe.io.merlin_player import formatted

from .common import cpu_rate, frames

COUNT = 256


def raw_header(width: int, depth: int, chips: int) -> bytes:
    """A header of raw frames."""
    size = 256 + 128 * chips
    layout = "2x2" if chips == 4 else "1x1"
    words = ["MQ1", "000001", f"{size:05d}", f"{chips:02d}", f"{width:04d}", "0256", "R64", f"{layout:>6}", "0F"]
    words += [
        "2000-01-01 00:00:00.000000",
        "0.001",
        "0",
        "0",
        "0",
        "MQ1A",
        "2000-01-01T00:00:00Z",
        "1ns",
        str(depth),
        "",
    ]
    return ",".join(words).encode().ljust(size, b"\0")


class Mib:
    """Merlin frames, 256 x 256 or (quad) 512 x 512, by kind: decoded, and looked at where they lie in a file."""

    params = (
        "formatted 6",
        "formatted 12",
        "formatted 24",
        "raw 1",
        "raw 6",
        "raw 12",
        "raw 24",
        "raw 1 quad",
        "raw 12 quad",
    )
    param_names = ("kind",)

    def setup(self, kind: str) -> None:
        form, depth, *quad = kind.split()
        bits, chips = int(depth), 4 if quad else 1
        if form == "formatted":
            dtype: Any = {6: np.uint8, 12: np.uint16, 24: np.uint32}[bits]
            data = np.concatenate(list(formatted(ArraySource(frames(COUNT, dtype=dtype)), COUNT)))
        else:
            width = 256 * chips * (2 if bits == 24 else 1)
            head = np.frombuffer(raw_header(width, bits, chips), np.uint8)
            pixels = 256 * 256 * chips * {1: 1, 6: 8, 12: 16, 24: 32}[bits] // 8
            data = np.empty((COUNT, len(head) + pixels), np.uint8)
            data[:, : len(head)] = head
            data[:, len(head) :] = np.random.default_rng(0).integers(0, 256, (COUNT, pixels), np.uint8)
        self.stream = data.reshape(-1)
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "scan.mib"
        self.path.write_bytes(self.stream.data)

    def teardown(self, kind: str) -> None:
        self.folder.cleanup()

    def time_decode(self, kind: str) -> None:
        io.decode_mib(self.stream)

    def track_decoded_frames_per_cpu_second(self, kind: str) -> float:
        decoder = io.MibDecoder()
        return cpu_rate(lambda: decoder.feed(self.stream), COUNT)

    def track_frames_of_a_file_per_cpu_second(self, kind: str) -> float:
        """As a session is fed: formatted frames are checked but not touched."""
        with io.open(self.path) as source:
            return cpu_rate(lambda: sum(len(block) for _, block in source.raw_blocks()), COUNT)
