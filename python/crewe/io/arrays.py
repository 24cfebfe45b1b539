"""Files that are arrays already, mapped into memory: NumPy .npy and EMPAD .raw."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import FRAME_DTYPES
from crewe.errors import FormatError
from crewe.io.sources import FrameSource, as_scan

__all__ = ["ArraySource", "NpyFile", "is_npy"]

#: Frames are handed out in blocks of about so many bytes: large enough to share out, small enough for a progress bar.
BLOCK_BYTES = 1 << 25


class ArraySource(FrameSource):
    """Frames (n, ky, kx) that lie in memory or in a mapped file; either byte order, any stride."""

    def __init__(
        self,
        frames: NDArray[Any],
        *,
        scan: tuple[int, int] | None = None,
        skip: int = 0,
        flyback: int = 0,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if frames.dtype.newbyteorder("=") not in FRAME_DTYPES:
            raise TypeError(f"frames: dtype uint8, uint16, uint32 or float32 wanted, {frames.dtype} came")
        if frames.ndim not in (3, 4) or 0 in frames.shape:
            raise ValueError(f"frames: shape (sy, sx, ky, kx) or (n, ky, kx) wanted, {frames.shape} came")
        if scan is None:
            scan = (frames.shape[0], frames.shape[1]) if frames.ndim == 4 else (1, frames.shape[0])
        self._frames = frames.reshape(-1, *frames.shape[-2:]) if frames.ndim == 4 else frames
        self.scan = as_scan(scan)
        self.detector = (frames.shape[-2], frames.shape[-1])
        self.dtype = frames.dtype.newbyteorder("=")
        self.metadata = metadata or {}
        self.skip, self.flyback = skip, flyback

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> NDArray[Any]:
        return np.array(self._frames[index], dtype=self.dtype)

    def raw_blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        step = max(1, BLOCK_BYTES // self._frames[0].nbytes)
        for first in range(0, len(self), step):
            yield first, self._frames[first : first + step]


def is_npy(path: Path, head: bytes) -> bool:
    return head.startswith(b"\x93NUMPY")


class NpyFile(ArraySource):
    """A .npy file of frames (sy, sx, ky, kx) or (n, ky, kx), or a single frame (ky, kx); mapped, not read."""

    def __init__(self, path: Path, **options: Any) -> None:
        try:
            frames = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise FormatError(f"{path}: {error} (at byte 0)", 0) from error
        super().__init__(frames[np.newaxis] if frames.ndim == 2 else frames, **options)
