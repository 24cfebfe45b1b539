"""Checks at the door: every public function looks at its arguments once, with a message that helps.

A wrong type is a TypeError, a wrong shape or value a ValueError. Messages name the argument, what is wanted and what
came.
"""

import math
import os
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from crewe._device import on_device, view

__all__ = [
    "FRAME_DTYPES",
    "MOST",
    "Seed",
    "as_band",
    "as_choice",
    "as_com",
    "as_frames",
    "as_image",
    "as_int",
    "as_number",
    "as_odd",
    "as_pair",
    "as_points",
    "as_positive",
    "as_reals",
    "as_rng",
    "as_seed",
    "as_shape",
    "as_threads",
    "as_typed",
    "as_vectors",
    "as_weights",
    "check_finite",
    "cores",
]

#: Detector pixels as they come.
FRAME_DTYPES = (np.dtype("u1"), np.dtype("u2"), np.dtype("u4"), np.dtype("f4"))

#: Where randomness starts.
Seed = int | np.random.Generator

MOST = 2**31 - 1  # of an int that counts something


# ------------------------------------------------------------------------------------------------------------- numbers
def as_number(
    value: Any,
    name: str,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: bool = False,
    below: bool = False,
    unit: str = "",
) -> float:
    """A finite number in low..high; without `low` itself where `above`, without `high` where `below`."""
    if not _is_a(Real, value):
        raise TypeError(f"{name}: a number{unit and f' [{unit}]'} wanted, {_what(value)} came")
    try:
        number = float(value)
    except OverflowError:  # an int beyond all floats
        number = math.inf
    fits = (low < number if above else low <= number) and (number < high if below else number <= high)
    if not (math.isfinite(number) and fits):
        least = "" if low == -math.inf else f" {'>' if above else '>='} {low:g}"
        most = "" if high == math.inf else f"{' and' if least else ''} {'<' if below else '<='} {high:g}"
        raise ValueError(f"{name}: a finite number{least}{most}{unit and f' [{unit}]'} wanted, {value!r} came")
    return number


def as_positive(value: Any, name: str, unit: str = "") -> float:
    """A finite number > 0."""
    return as_number(value, name, 0, above=True, unit=unit)


def as_band(low: Any, high: Any, names: tuple[str, str], unit: str) -> tuple[float, float]:
    """0 <= low < high; no high, or infinity: no upper limit."""
    least = 0.0 if low is None else as_number(low, names[0], unit=unit)
    endless = high is None or (_is_a(Real, high) and high == math.inf)
    most = math.inf if endless else as_number(high, names[1], unit=unit)
    if not 0 <= least < most:
        raise ValueError(f"{', '.join(names)}: 0 <= {names[0]} < {names[1]} wanted [{unit}], {low} and {high} came")
    return least, most


def as_int(value: Any, name: str, low: int = 0, high: int = MOST) -> int:
    """A whole number in low..high."""
    if not _is_a(Integral, value):
        raise TypeError(f"{name}: an int wanted, {_what(value)} came")
    if not low <= value <= high:
        raise ValueError(f"{name}: {low}{' or more' if high == MOST else f'..{high}'} wanted, {value} came")
    return int(value)


def as_odd(value: Any, name: str) -> int:
    """An odd, positive int."""
    number = as_int(value, name, -MOST)
    if number < 1 or number % 2 == 0:
        raise ValueError(f"{name}: an odd number of 1 or more wanted, {value} came")
    return number


def as_threads(threads: Any) -> int:
    """A number of threads; 0 = all cores."""
    return as_int(threads, "threads")


def cores(threads: int) -> int:
    """How many threads that are: for 0, one for each core that this process may use."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return threads or there or 1


def as_seed(seed: Any, name: str = "seed") -> int:
    """A 64-bit key: an int >= 0 is its own, a generator draws one (and moves on)."""
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(0, 2**63, dtype=np.int64))
    if not _is_a(Integral, seed):
        raise TypeError(f"{name}: an int or a numpy.random.Generator wanted, {_what(seed)} came")
    if not 0 <= seed < 2**64:
        raise ValueError(f"{name}: 0 <= {name} < 2**64 wanted, {seed} came")
    return int(seed)


def as_rng(seed: Any) -> np.random.Generator:
    """The generator that was given, or the one of an int."""
    return seed if isinstance(seed, np.random.Generator) else np.random.default_rng(as_seed(seed))


def as_choice(value: Any, name: str, known: Iterable[str]) -> str:
    """One of some words."""
    words = tuple(known)
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{name}: one of {', '.join(map(repr, words))} wanted, {value!r} came")
    return value


def as_pair(value: Any, name: str) -> tuple[float, float]:
    """Two finite numbers (y, x)."""
    if not _is_row(value, 2):
        raise ValueError(f"{name}: two numbers (y, x) wanted, {value!r} came")
    return as_number(value[0], name), as_number(value[1], name)


def as_shape(value: Any, name: str = "shape", least: int = 1) -> tuple[int, int]:
    """Two whole numbers (y, x)."""
    if not _is_row(value, 2) or not all(_is_a(Integral, n) and least <= n <= MOST for n in value):
        raise ValueError(f"{name}: two whole numbers (y, x) of {least} or more wanted, {value!r} came")
    return int(value[0]), int(value[1])


def _is_a(kind: Any, value: Any) -> bool:
    """Whether a number is a `Real` or an `Integral`; arrays (), as files give them, count as what they hold."""
    inner = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    return isinstance(inner, kind) and not isinstance(inner, bool)


def _is_row(value: Any, length: int) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes) and len(value) == length


def _what(value: Any) -> str:
    """What came, in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} {value.shape}"
    return "None" if value is None else f"{type(value).__name__} {value!r:.40}"


# -------------------------------------------------------------------------------------------------------------- arrays
def as_typed(array: Any, name: str, *dtypes: DTypeLike) -> NDArray[Any]:
    """A NumPy array of one of these dtypes in native byte order; never a copy."""
    if not isinstance(array, np.ndarray) or array.dtype not in dtypes or not array.dtype.isnative:
        what = f"dtype {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
        *others, last = (np.dtype(dtype).name for dtype in dtypes)
        wanted = f"{', '.join(others)} or {last}" if others else last
        raise TypeError(f"{name}: a NumPy array of dtype {wanted} (native byte order) wanted, {what} came")
    return array


def check_finite(array: NDArray[Any], name: str) -> None:
    """No NaN and no infinity; says where the first one is."""
    finite = np.isfinite(array)
    if not finite.all():
        place = np.argwhere(~finite)[0].tolist()
        raise ValueError(f"{name}: finite numbers wanted, NaN or infinity came at {place}")


def as_reals(values: Any, name: str, *, finite: bool = True) -> NDArray[np.float64]:
    """Real numbers of any array-like as float64; text, complex numbers and objects are refused."""
    try:
        array = np.asarray(values)
    except ValueError:  # rows of unequal lengths
        raise ValueError(f"{name}: an array of numbers wanted, {_what(values)} came") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name}: real numbers wanted, {_what(values)} came")
    if finite:
        check_finite(array, name)
    return array.astype(np.float64, copy=False)


def as_points(points: Any, name: str = "positions") -> NDArray[np.float64]:
    """Points (n, 2), finite, as float64; an empty list is no points."""
    array = as_reals(points, name)
    if array.shape == (0,):
        array = array.reshape(0, 2)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name}: shape (n, 2) as (y, x) wanted, {array.shape} came")
    return array


def as_weights(weights: Any, shape: tuple[int, int], name: str) -> NDArray[np.float32]:
    """Weights (ky, kx) per detector pixel, finite."""
    array = as_reals(weights, name)
    if array.shape != shape:
        raise ValueError(f"{name}: shape {shape} wanted, {array.shape} came")
    return np.ascontiguousarray(array, dtype=np.float32)


def as_frames(frames: Any, *, gpu: bool = False) -> Any:
    """Frames (..., ky, kx) of a detector's dtype, native byte order; never a copy. `gpu`: also a view of some there."""
    if gpu and on_device(frames):
        frames = view(frames, "frames")
        if frames.dtype not in FRAME_DTYPES:
            raise TypeError(f"frames: dtype uint8, uint16, uint32 or float32 wanted, {frames.dtype!r} came")
    else:
        as_typed(frames, "frames", *FRAME_DTYPES)
    if frames.ndim < 2 or 0 in frames.shape[-2:]:
        raise ValueError(f"frames: shape (..., ky, kx) wanted, {frames.shape} came")
    return frames


def as_com(com: Any) -> NDArray[np.float32]:
    """A centre-of-mass map (sy, sx, 2) float32, finite."""
    as_typed(com, "com", np.float32)
    if com.ndim != 3 or com.shape[2] != 2 or 0 in com.shape:
        raise ValueError(f"com: shape (sy, sx, 2) wanted, {com.shape} came")
    check_finite(com, "com")
    return com  # type: ignore[no-any-return]


def as_vectors(vectors: Any, name: str) -> NDArray[Any]:
    """Vectors (..., 2) float32 or float64, NaN and all."""
    as_typed(vectors, name, np.float32, np.float64)
    if vectors.ndim == 0 or vectors.shape[-1] != 2:
        raise ValueError(f"{name}: shape (..., 2) wanted, {vectors.shape} came")
    return vectors  # type: ignore[no-any-return]


def as_image(image: Any, name: str = "image", dtypes: Sequence[DTypeLike] = (np.float32,)) -> NDArray[Any]:
    """An image (y, x), finite; C-contiguous (a strided view is copied)."""
    as_typed(image, name, *dtypes)
    if image.ndim != 2 or 0 in image.shape:
        raise ValueError(f"{name}: shape (y, x) wanted, {image.shape} came")
    check_finite(image, name)
    return np.ascontiguousarray(image)
