"""PNG pictures with the standard library alone."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["png"]


def png(pixels: NDArray[np.uint8], *, text: dict[str, str] | None = None) -> bytes:
    """Grey (y, x) or red, green, blue (y, x, 3), uint8 → the bytes of a .png file (PNG specification, 3rd edition).

    `text`: keywords (Latin-1, at most 79 letters) and what they say, kept in the file.
    """
    rows, columns = pixels.shape[:2]
    lines = np.zeros((rows, 1 + columns * pixels[0, 0].size), np.uint8)  # each with filter 0 in front
    lines[:, 1:] = pixels.reshape(rows, -1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0 if pixels.ndim == 2 else 2, 0, 0, 0)
    parts = [_chunk(b"IHDR", header)]
    for keyword, words in (text or {}).items():
        parts.append(_chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + words.encode("utf-8")))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [*parts, _chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)), _chunk(b"IEND", b"")]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
