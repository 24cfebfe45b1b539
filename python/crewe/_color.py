"""Numbers → colours, for `crewe.io.save` (.png) and `crewe.plot`: NumPy alone.

Images are grey, from the 0.1 % darkest to the 0.1 % brightest pixels. Vector maps are drawn with the colour wheel of
DPC images: the hue is the direction (red: right, then counter-clockwise on the screen: yellow, green, cyan, blue,
magenta), the value is the length.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["legend", "limits", "picture", "wheel"]

_CUT = 0.1  # per cent of the pixels at either end


def limits(image: NDArray[Any]) -> tuple[float, float]:
    """The values drawn black and white; what isn't finite doesn't count."""
    finite = image[np.isfinite(image)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(finite, [_CUT, 100 - _CUT]))
    if low < high:
        return low, high
    low, high = float(finite.min()), float(finite.max())  # a few bright pixels on nothing
    return (low, high) if low < high else (low, low + 1.0)


def wheel(vectors: NDArray[Any], *, largest: float | None = None) -> NDArray[np.uint8]:
    """The colour wheel: vectors (..., 2) as (y, x) → (..., 3) uint8, red, green, blue.

    `largest` is the length drawn at full value; default: the length that 99.9 % of the vectors don't reach.
    """
    y, x = (np.nan_to_num(vectors[..., k].astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0) for k in (0, 1))
    length = np.hypot(y, x)
    if largest is None:
        largest = float(np.percentile(length, 100 - _CUT)) if length.size else 0.0
        largest = largest or float(length.max(initial=0.0))
    value = np.minimum(length / largest, 1.0) if largest > 0 else np.zeros_like(length)
    hue = np.arctan2(-y, x) * (3 / np.pi)  # sextants; y points down on the screen
    k = (np.array([5.0, 3.0, 1.0]) + hue[..., None]) % 6
    rgb: NDArray[np.uint8] = np.rint(255 * value[..., None] * (1 - np.clip(np.minimum(k, 4 - k), 0, 1))).astype(
        np.uint8
    )
    return rgb


def legend(size: int) -> NDArray[np.uint8]:
    """The colour wheel itself, (size, size, 3): each direction in its colour, full value at the rim."""
    middle = (size - 1) / 2
    vectors = np.moveaxis(np.mgrid[:size, :size] - middle, 0, -1)
    colours = wheel(vectors, largest=max(middle, 0.5))
    colours[np.hypot(vectors[..., 0], vectors[..., 1]) > middle + 0.5] = 0
    return colours


def picture(image: NDArray[Any]) -> NDArray[np.uint8]:
    """An image (y, x) → grey (y, x) uint8; complex: its phase; a vector map (y, x, 2) → (y, x, 3) uint8."""
    if image.ndim == 3 and image.shape[-1] == 2:
        return wheel(image)
    if image.ndim != 2:
        raise ValueError(f"image: shape (y, x) or (y, x, 2) wanted, {image.shape} came")
    values = np.angle(image) if np.iscomplexobj(image) else image.astype(np.float64)
    low, high = limits(values)
    scaled = np.nan_to_num((values - low) / (high - low), nan=0.0, posinf=1.0, neginf=0.0)
    return np.rint(255 * np.clip(scaled, 0, 1)).astype(np.uint8)
