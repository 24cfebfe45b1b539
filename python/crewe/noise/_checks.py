"""Checks of the arguments that the stages share, and the kernels for images on the host and on a GPU."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_number, as_typed, check_finite
from crewe._device import DeviceView, extension, on_device, view
from crewe.noise._cuda import Chain

__all__ = [
    "Image",
    "as_image",
    "as_range",
    "as_two",
    "copied",
    "given_back",
    "kernels",
    "room_apart",
    "room_for",
    "zeros_beside",
]

Image = NDArray[np.float32]


def kernels(image: Any) -> Any:
    """The stages where an image lies: `crewe._core`, or `crewe._cuda` with the same names and arguments.

    A chain on a GPU notes them down.
    """
    if isinstance(image, Chain):
        return image
    return extension() if isinstance(image, DeviceView) else _core


def given_back(out: Any) -> NDArray[Any]:
    """What the caller gets: the array itself."""
    array: NDArray[Any] = out.owner if isinstance(out, DeviceView) else out
    return array


def as_image(
    image: Any, name: str = "image", *, positive: bool = False, out: Any = None, stack: bool = False, host: bool = False
) -> Any:
    """An image (y, x) float32, finite; C-contiguous (a strided view is copied). On a GPU: looked at, never copied.

    An image that is changed in place (`out` is the image) was looked at when it came: its numbers aren't checked again,
    unless they must be `positive`. `stack`: (n, y, x) will do too; `host`: a NumPy array only.
    """
    if isinstance(image, Chain):
        return image
    if on_device(image):
        if host:
            raise TypeError(f"{name}: a NumPy array wanted; this isn't done on a GPU")
        return _on_device(image, name, positive=positive, out=out, stack=stack)
    as_typed(image, name, np.float32)
    _check_shape(image.shape, name, stack)
    dense: Image = np.ascontiguousarray(image)
    if out is image and not positive:
        return dense
    low, _, _, finite = _core.noise_statistics(dense.reshape(-1, dense.shape[-1]))
    if not finite:
        check_finite(dense, name)
    if positive and low < 0:
        place = np.argwhere(dense < 0)[0].tolist()
        raise ValueError(f"{name}: numbers >= 0 wanted, {dense[tuple(place)]} came at {place}")
    return dense


def _check_shape(shape: tuple[int, ...], name: str, stack: bool) -> None:
    if (len(shape) != 2 and not (stack and len(shape) == 3)) or 0 in shape:
        raise ValueError(f"{name}: shape (y, x){' or (n, y, x)' if stack else ''} wanted, {shape} came")


def _on_device(image: Any, name: str, *, positive: bool, out: Any, stack: bool) -> DeviceView:
    """The same for an image on a GPU."""
    given = view(image, name)
    if given.dtype != np.float32:
        raise TypeError(f"{name}: dtype float32 wanted, {given.dtype} came")
    _check_shape(given.shape, name, stack)
    given = given.reshape(*given.shape)
    if out is image and not positive:
        return given
    low, _, _, finite = extension().noise_statistics(given)
    if not finite:
        raise ValueError(f"{name}: finite numbers wanted, NaN or infinity came")
    if positive and low < 0:
        raise ValueError(f"{name}: numbers >= 0 wanted, {low} came")
    return given


def room_for(image: Any, out: Any) -> Any:
    """`out`, or a new array for an image."""
    if isinstance(image, Chain):
        return image
    if isinstance(image, DeviceView):
        if out is None:
            return image.empty(image.shape, np.float32)
        room = view(out, "out")
        if room.shape != image.shape or room.dtype != np.float32:
            raise ValueError(f"out: float32 of shape {image.shape} wanted, {room.dtype} {room.shape} came")
        return room.reshape(*room.shape)
    if out is None:
        return np.empty(image.shape, np.float32)
    as_typed(out, "out", np.float32)
    if out.shape != image.shape or not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError(f"out: a writeable C-contiguous array of shape {image.shape} wanted")
    return out


def copied(image: Any, out: Any) -> Any:
    """`room_for` an image, with the image in it."""
    out = room_for(image, out)
    if isinstance(image, Chain):
        return out
    if isinstance(image, DeviceView):
        if out.pointer != image.pointer:
            extension().copy(image, out)
    elif out is not image:
        out[...] = image
    return out


def room_apart(image: Any, out: Any) -> Any:
    """`room_for` an image, in other memory than its own."""
    room = room_for(image, out)
    shared = room.pointer == image.pointer if isinstance(image, DeviceView) else np.may_share_memory(image, room)
    if shared and not isinstance(image, Chain):
        raise ValueError("out: an array that shares no memory with image wanted")
    return room


def zeros_beside(image: Any, shape: tuple[int, ...]) -> Any:
    """float64 numbers where an image lies: zeros, unset on a GPU."""
    return image.empty(shape, np.float64) if isinstance(image, DeviceView) else np.zeros(shape)


def as_range(value: Any, name: str, low: float = 0.0, high: float = math.inf) -> tuple[float, float]:
    """(from, to) within low..high, from <= to."""
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray) or len(value) != 2:
        raise ValueError(f"{name}: two numbers (from, to) wanted, {value!r} came")
    first, last = (as_number(v, name, low, high) for v in value)
    if first > last:
        raise ValueError(f"{name}: from <= to wanted, {value!r} came")
    return first, last


def as_two(
    value: Any, name: str, low: float = -math.inf, high: float = math.inf, *, below: bool = False
) -> tuple[float, float]:
    """A number for both directions, or (y, x)."""
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        if len(value) != 2:
            raise ValueError(f"{name}: a number or (y, x) wanted, {value!r} came")
        y, x = (as_number(v, name, low, high, below=below) for v in value)
        return y, x
    number = as_number(value, name, low, high, below=below)
    return number, number
