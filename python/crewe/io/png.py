"""PNG files with nothing but zlib: a signature and chunks of length, name, content and checksum."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["png"]

GREY, RGB = 0, 2


def png(pixels: NDArray[np.uint8]) -> bytes:
    """The bytes of a PNG: pixels (y, x) grey or (y, x, 3) red, green, blue, uint8."""
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + pixels[0].size), np.uint8)  # each row begins with its filter: 0 = none
    rows[:, 1:] = pixels.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, GREY if pixels.ndim == 2 else RGB, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
