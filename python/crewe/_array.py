"""Checks at the door: every public function looks at its arguments once, with a message that helps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._device import on_device, view

__all__ = [
    "FRAME_DTYPES",
    "as_com",
    "as_finite",
    "as_frames",
    "as_image",
    "as_odd",
    "as_pair",
    "as_points",
    "as_shape",
    "as_threads",
    "as_vectors",
    "as_weights",
]

#: Detector pixels as they come.
FRAME_DTYPES = (np.dtype("u1"), np.dtype("u2"), np.dtype("u4"), np.dtype("f4"))


def as_frames(frames: Any, *, gpu: bool = False) -> Any:
    """Frames (..., ky, kx) of a detector's dtype, native byte order; never a copy. `gpu`: also a view of some there."""
    if gpu and on_device(frames):
        frames = view(frames, "frames")
    elif not isinstance(frames, np.ndarray):
        raise TypeError(f"frames: a NumPy array wanted, {type(frames).__name__} came")
    if frames.dtype not in FRAME_DTYPES or not frames.dtype.isnative:
        raise TypeError(
            f"frames: dtype uint8, uint16, uint32 or float32 (native byte order) wanted, {frames.dtype!r} came"
        )
    if frames.ndim < 2 or 0 in frames.shape[-2:]:
        raise ValueError(f"frames: shape (..., ky, kx) wanted, {frames.shape} came")
    return frames


def as_com(com: Any) -> NDArray[np.float32]:
    """A centre-of-mass map (sy, sx, 2) float32, finite."""
    if not isinstance(com, np.ndarray) or com.dtype != np.float32 or not com.dtype.isnative:
        what = repr(com.dtype) if isinstance(com, np.ndarray) else type(com).__name__
        raise TypeError(f"com: a float32 array wanted, {what} came")
    if com.ndim != 3 or com.shape[2] != 2 or 0 in com.shape:
        raise ValueError(f"com: shape (sy, sx, 2) wanted, {com.shape} came")
    if not np.isfinite(com).all():
        raise ValueError(
            f"com: finite numbers wanted, NaN or infinity came at {np.argwhere(~np.isfinite(com))[0].tolist()}"
        )
    return com


def as_image(image: Any, name: str = "image") -> NDArray[np.float32]:
    """An image (y, x) float32, finite; C-contiguous (a strided view is copied)."""
    if not isinstance(image, np.ndarray) or image.dtype != np.float32 or not image.dtype.isnative:
        what = repr(image.dtype) if isinstance(image, np.ndarray) else type(image).__name__
        raise TypeError(f"{name}: a float32 array wanted, {what} came")
    if image.ndim != 2 or 0 in image.shape:
        raise ValueError(f"{name}: shape (y, x) wanted, {image.shape} came")
    if not np.isfinite(image).all():
        place = np.argwhere(~np.isfinite(image))[0].tolist()
        raise ValueError(f"{name}: finite numbers wanted, NaN or infinity came at {place}")
    return np.ascontiguousarray(image)


def as_points(points: Any, name: str = "positions") -> NDArray[np.float64]:
    """Points (n, 2), finite, as float64."""
    array = np.asarray(points)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}: real numbers wanted, dtype {array.dtype} came")
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name}: shape (n, 2) wanted, {array.shape} came")
    if not np.isfinite(array).all():
        place = np.argwhere(~np.isfinite(array))[0].tolist()
        raise ValueError(f"{name}: finite numbers wanted, NaN or infinity came at {place}")
    return array.astype(np.float64, copy=False)


def as_pair(value: Any, name: str) -> tuple[float, float]:
    """Two finite numbers (y, x)."""
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray) or len(value) != 2:
        raise ValueError(f"{name}: two numbers (y, x) wanted, {value!r} came")
    y, x = float(value[0]), float(value[1])
    if not (np.isfinite(y) and np.isfinite(x)):
        raise ValueError(f"{name}: finite numbers (y, x) wanted, {value!r} came")
    return y, x


def as_threads(threads: Any) -> int:
    """A number of threads; 0 = all cores."""
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer):
        raise TypeError(f"threads: an int wanted, {type(threads).__name__} came")
    if threads < 0:
        raise ValueError(f"threads: 0 (all cores) or more wanted, {threads} came")
    return int(threads)


def as_weights(weights: Any, shape: tuple[int, int], name: str) -> NDArray[np.float32]:
    """Weights (ky, kx) per detector pixel, finite."""
    array = np.ascontiguousarray(weights, dtype=np.float32)
    if array.shape != shape:
        raise ValueError(f"{name}: shape {shape} wanted, {array.shape} came")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: finite numbers wanted, NaN or infinity came")
    return array


def as_finite(value: Any, name: str) -> float:
    """One finite number."""
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(f"{name}: a finite number wanted, {value!r} came")
    return number


def as_odd(value: Any, name: str) -> int:
    """An odd, positive int."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: an int wanted, {type(value).__name__} came")
    if value < 1 or value % 2 == 0:
        raise ValueError(f"{name}: an odd number of 1 or more wanted, {value} came")
    return int(value)


def as_shape(value: Any, name: str = "shape") -> tuple[int, int]:
    """Two positive ints (y, x)."""
    if (
        not isinstance(value, Sequence)
        or len(value) != 2
        or not all(isinstance(n, int | np.integer) and n > 0 for n in value)
    ):
        raise ValueError(f"{name}: two positive ints (y, x) wanted, {value!r} came")
    return int(value[0]), int(value[1])


def as_vectors(vectors: Any, name: str) -> NDArray[Any]:
    """Vectors (..., 2) float32 or float64, NaN and all."""
    if not isinstance(vectors, np.ndarray) or vectors.dtype.kind != "f" or vectors.dtype.itemsize not in (4, 8):
        what = repr(vectors.dtype) if isinstance(vectors, np.ndarray) else type(vectors).__name__
        raise TypeError(f"{name}: an array of float32 or float64 wanted, {what} came")
    if vectors.ndim == 0 or vectors.shape[-1] != 2:
        raise ValueError(f"{name}: shape (..., 2) wanted, {vectors.shape} came")
    return vectors
