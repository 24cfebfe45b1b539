"""Checks of the arguments that the metrics share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_number, as_reals, as_typed, check_finite

__all__ = ["Image", "as_cell", "as_image", "as_images", "as_map", "refuse", "unstack"]

Image = NDArray[np.float32]


def as_image(image: Any, name: str, *, check: bool = True) -> Image:
    """An image (y, x) float32, C-contiguous (a strided view is copied); `check`: finite."""
    dense = _as_floats(image, name)
    if dense.ndim != 2 or 0 in dense.shape:
        raise ValueError(f"{name}: an image (y, x) wanted, shape {dense.shape} came")
    if check and not np.isfinite(_core.metrics_sums(dense, dense)[0]).all():
        refuse(dense, name)
    return dense


def as_images(images: Any, like: Image, name: str, *, check: bool = True) -> Image:
    """Images (..., y, x) of the shape of `like` as a stack (n, y, x); `check`: finite."""
    dense = _as_floats(images, name)
    if dense.ndim < 2 or dense.shape[-2:] != like.shape or 0 in dense.shape:
        raise ValueError(f"{name}: images of shape (..., {like.shape[0]}, {like.shape[1]}) wanted, {dense.shape} came")
    stack = dense.reshape(-1, *like.shape)
    if check:
        for image in stack:
            as_image(image, name)
    return stack


def unstack(values: NDArray[np.float64], images: NDArray[Any]) -> Any:
    """A float for one image, an array (...) for images (..., y, x)."""
    return float(values[0]) if images.ndim == 2 else values.reshape(images.shape[:-2])


def _as_floats(images: Any, name: str) -> Image:
    return np.ascontiguousarray(as_typed(images, name, np.float32))


def refuse(image: Image, name: str) -> None:
    """Say where an image isn't finite, or negative."""
    check_finite(image, name)
    place = np.argwhere(image < 0)[0].tolist()
    raise ValueError(f"{name}: pixels >= 0 wanted, {image[tuple(place)]} came at {place}")


def as_cell(cell: Any, most: tuple[float, float], *, least: float = 1.0) -> tuple[float, float]:
    """The height and width of a unit cell: one number or (y, x), positive, `least` to `most`."""
    pair = tuple(cell) if isinstance(cell, Sequence | np.ndarray) and not isinstance(cell, str) else (cell, cell)
    if len(pair) != 2:
        raise ValueError(f"cell: a number or (y, x) wanted, {cell!r} came")
    y, x = (as_number(value, "cell") for value in pair)
    if not (least <= y <= most[0] and least <= x <= most[1] and min(y, x) > 0):
        within = f"{least:g} to {most[0]:g} x {most[1]:g} pixels" if least else "finite numbers > 0"
        raise ValueError(f"cell: {within} wanted, {cell!r} came")
    return y, x


def as_map(cells: Any, name: str) -> NDArray[np.float64]:
    """A map (y, x) of real numbers; NaN: not known."""
    array = as_reals(cells, name, finite=False)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{name}: a map (y, x) wanted, shape {array.shape} came")
    return array
