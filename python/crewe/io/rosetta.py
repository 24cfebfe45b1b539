"""All other formats, by RosettaSciIO: blo, dm3/dm4, hspy, zspy, mrc, tif, ..., read a block at a time where it can."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import FRAME_DTYPES, as_int, as_shape
from crewe.errors import FormatError
from crewe.io.arrays import ArraySource
from crewe.io.sources import FrameSource

__all__ = ["RosettaFile", "open_by_rosetta"]

#: Readers that would take any file of their extension and make something of it.
UNFIT = ("Image", "numpy", "QuantumDetector", "JobinYvon", "Impulse", "Protochips")


def open_by_rosetta(
    path: Path, *, scan: tuple[int, int] | None = None, skip: int = 0, flyback: int = 0, dtype: Any = None
) -> FrameSource:
    """A file that only RosettaSciIO knows.

    Parameters
    ----------
    path : path
    scan, skip, flyback
        As of `crewe.io.arrays.ArraySource`.
    dtype : dtype, optional
        Cast the pixels to uint8, uint16, uint32 or float32; default: only what is of these types already is taken.

    Raises
    ------
    ImportError
        RosettaSciIO isn't installed.
    FormatError
        It knows no such format, or can't read this file.
    """
    try:
        from rsciio import IO_PLUGINS
    except ImportError:
        raise ImportError(
            f"{path}: crewe reads Merlin, Timepix3, Advacam, EMPAD and NumPy files itself and all others with "
            "RosettaSciIO: pip install 'crewe[io]'"
        ) from None
    options = {"scan": scan, "skip": skip, "flyback": flyback}
    suffix = path.suffix.lower().lstrip(".")
    plugins = [
        plugin
        for plugin in IO_PLUGINS
        if plugin["name"] not in UNFIT and suffix in [known.lower() for known in plugin["file_extensions"]]
    ]
    if not plugins and path.is_dir():
        raise FormatError(f"{path}: a file wanted, a folder came (at byte 0)", 0)
    if not plugins:
        raise FormatError(f"{path}: no known format (at byte 0); RosettaSciIO has no reader for '.{suffix}' either", 0)
    refusals = []
    for plugin in plugins:
        try:
            signals = _read(importlib.import_module(plugin["api"]), path)
        except Exception as error:  # a reader may raise anything on a file that isn't its own
            refusals.append(f"{plugin['name']}: {type(error).__name__}: {error}")
            continue
        return _source(path, signals, None if dtype is None else np.dtype(dtype), options)
    raise FormatError(f"{path}: RosettaSciIO can't read it (at byte 0): {'; '.join(refusals)}", 0)


def _read(reader: Any, path: Path) -> list[dict[str, Any]]:
    """The signals of a file, lazily where the reader and the file allow it."""
    try:
        signals: list[dict[str, Any]] = reader.file_reader(str(path), lazy=True)
    except Exception:  # files without chunks, readers that know no lazy way: each says so differently
        signals = reader.file_reader(str(path))
    return signals


def _source(
    path: Path, signals: list[dict[str, Any]], dtype: np.dtype[Any] | None, options: dict[str, Any]
) -> FrameSource:
    """The largest data set of a file whose last two axes can be a detector."""
    arrays = [signal["data"] for signal in signals]
    fit = [signal for signal in signals if _holds_frames(signal["data"])]
    if not fit:
        came = ", ".join(f"{array.dtype} {array.shape}" for array in arrays) or "nothing"
        raise ValueError(f"{path}: numbers (sy, sx, ky, kx) or (n, ky, kx) wanted, {came} came")
    signal = max(fit, key=lambda one: (one["data"].ndim, one["data"].size))
    data, metadata = signal["data"], {**signal.get("metadata", {}), "original": signal.get("original_metadata", {})}
    wanted = dtype or data.dtype
    if wanted.newbyteorder("=") not in FRAME_DTYPES:
        raise TypeError(
            f"{path}: pixels of uint8, uint16, uint32 or float32 wanted, {wanted} came"
            + ("" if dtype is not None else "; dtype='float32' casts them")
        )
    if data.ndim == 2:
        data = data[np.newaxis]
    if isinstance(data, np.ndarray) and data.dtype == wanted:
        return ArraySource(data, metadata=metadata, **options)
    return RosettaFile(path, data, wanted.newbyteorder("="), metadata=metadata, **options)


def _holds_frames(data: Any) -> bool:
    return 2 <= data.ndim <= 4 and 0 not in data.shape and data.dtype.kind in "uif"


class RosettaFile(FrameSource):
    """A dask array (sy, sx, ky, kx) or (n, ky, kx) that is computed a block of its first axis at a time."""

    def __init__(
        self,
        path: Path,
        data: Any,
        dtype: np.dtype[Any],
        *,
        metadata: dict[str, Any],
        scan: tuple[int, int] | None = None,
        skip: int = 0,
        flyback: int = 0,
    ) -> None:
        self._path, self._data = path, data
        self.dtype = dtype
        self.metadata = metadata
        self.detector = (int(data.shape[-2]), int(data.shape[-1]))
        if scan is None:
            scan = data.shape[:2] if data.ndim == 4 else (1, data.shape[0])
        self.scan = as_shape(scan, "scan")
        self.skip, self.flyback = as_int(skip, "skip"), as_int(flyback, "flyback")

    def __len__(self) -> int:
        return int(np.prod(self._data.shape[:-2]))

    def __getitem__(self, index: int) -> NDArray[Any]:
        place = np.unravel_index(range(len(self))[index], self._data.shape[:-2])
        return np.array(self._data[place], dtype=self.dtype)

    def raw_blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        chunks = getattr(self._data, "chunks", ((1,) * len(self._data),))[0]
        start = first = 0
        for rows in chunks:
            try:
                block = np.asarray(self._data[start : start + rows]).reshape(-1, *self.detector)
            except (ValueError, OSError) as error:  # the reader meets the end of a cut file only here
                size = self._path.stat().st_size
                raise FormatError(f"{self._path}: {error}, after {first} frames (at byte {size})", size) from error
            yield first, block.astype(self.dtype, copy=False)
            start, first = start + rows, first + len(block)
