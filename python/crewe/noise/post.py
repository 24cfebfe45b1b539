"""What people do to images afterwards: blur, turn, cut, annotate."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crewe._array import MOST, as_choice, as_int, as_number, as_reals, as_threads
from crewe.noise._checks import Image, as_image, copied, given_back, kernels, room_for

__all__ = ["annotate", "crop", "gaussian_blur", "interpolate"]


def gaussian_blur(image: Image, *, sigma: float, threads: int = 0) -> Image:
    """Convolution with the discrete Gaussian, whose variance is sigma² on the pixel grid for every sigma.

    Parameters
    ----------
    image : ndarray (y, x) float32
        Beyond its border it goes on as in a mirror.
    sigma : float
        [pixels], 0..1000.
    threads : int
        0: all cores.

    Returns
    -------
    ndarray (y, x) float32

    Raises
    ------
    TypeError, ValueError
        No float32 image, or an argument out of its range.

    References
    ----------
    Lindeberg, IEEE Trans. Pattern Anal. Mach. Intell. 12 (1990) 234.

    Examples
    --------
    >>> import numpy as np
    >>> spot = np.zeros((9, 9), np.float32)
    >>> spot[4, 4] = 1
    >>> gaussian_blur(spot, sigma=0.5).sum(axis=0)[3:6].round(3)
    array([0.098, 0.791, 0.098], dtype=float32)
    """
    image = as_image(image)
    sigma = as_number(sigma, "sigma", 0, 1000)
    out = room_for(image, None)
    kernels(image).noise_gaussian_blur(image, out, sigma=sigma, threads=as_threads(threads))
    return given_back(out)


def interpolate(image: Image, *, matrix: ArrayLike, threads: int = 0) -> Image:
    """A linear map about the centre: out(p) = image(c + matrix·(p − c)), by cubic convolution.

    Parameters
    ----------
    image : ndarray (y, x) float32
        Beyond its border it goes on as in a mirror.
    matrix : array_like (2, 2)
        Acts on (y, x); 1/1.1 on the diagonal magnifies by 1.1.
    threads : int
        0: all cores.

    Returns
    -------
    ndarray (y, x) float32

    Raises
    ------
    TypeError, ValueError
        No float32 image, or an argument out of its range.

    References
    ----------
    Keys, IEEE Trans. Acoust. Speech Signal Process. 29 (1981) 1153 (a = −1/2).

    Examples
    --------
    >>> import numpy as np
    >>> interpolate(np.array([[1, 2], [3, 4]], np.float32), matrix=[[0, 1], [1, 0]])
    array([[1., 3.],
           [2., 4.]], dtype=float32)
    """
    image = as_image(image)
    values = as_reals(matrix, "matrix")
    if values.shape != (2, 2) or np.abs(values).max() > 1e3:
        raise ValueError(f"matrix: numbers up to 1000 of shape (2, 2) wanted, {matrix!r} came")
    out = room_for(image, None)
    kernels(image).noise_interpolate(image, out, matrix=values.ravel().tolist(), threads=as_threads(threads))
    return given_back(out)


def crop(image: Image, *, box: Sequence[int], fill: float | str = "median", threads: int = 0) -> Image:
    """Everything outside of a box gets one value.

    Parameters
    ----------
    image : ndarray (y, x) float32
    box : (int, int, int, int)
        y0, x0, y1, x1 [pixels]: rows y0 ... y1 − 1 and columns x0 ... x1 − 1 stay.
    fill : float or "median"
        The value; the image's median.
    threads : int
        As in the other stages.

    Returns
    -------
    ndarray (y, x) float32

    Raises
    ------
    TypeError, ValueError
        No float32 image, or an argument out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> crop(np.ones((2, 4), np.float32), box=(0, 1, 2, 3), fill=0)
    array([[0., 1., 1., 0.],
           [0., 1., 1., 0.]], dtype=float32)
    """
    image = as_image(image, host=True)
    as_threads(threads)
    ny, nx = image.shape
    y0, x0, y1, x1 = _whole(box, "box", ("y0", "x0", "y1", "x1"))
    if not (0 <= y0 < y1 <= ny and 0 <= x0 < x1 <= nx):
        raise ValueError(f"box: (y0, x0, y1, x1) within the image {image.shape} wanted, {tuple(box)} came")
    if isinstance(fill, str):
        if fill != "median":
            raise ValueError(f"fill: a number or 'median' wanted, {fill!r} came")
        value = float(np.median(image))
    else:
        value = as_number(fill, "fill")
    out = np.full_like(image, value)
    out[y0:y1, x0:x1] = image[y0:y1, x0:x1]
    return out


#: Characters of 3 × 5 pixels, one row after the other, one octal digit per row.
_FONT = {
    "0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717", "6": "74757", "7": "71244",
    "8": "75757", "9": "75717", "A": "25755", "n": "06555", "m": "05775", "u": "05557", "k": "45655", "V": "55552",
    "x": "05225", ".": "00002", " ": "00000", "-": "00700", "e": "02743", "p": "06564", "K": "55655", "M": "57755",
}  # fmt: skip


def annotate(
    image: Image,
    *,
    kind: str,
    at: Sequence[int],
    size: Sequence[int],
    value: float,
    text: str = "2 nm",
    out: Image | None = None,
) -> Image:
    """Draw what people leave in images: a scale bar, a box, an arrow or a label.

    Parameters
    ----------
    image : ndarray (y, x) float32
    kind : "bar", "box", "arrow" or "text"
    at : (int, int)
        Upper left corner (y, x) [pixels]; the tail of an arrow.
    size : (int, int)
        Height and width [pixels]; an arrow's tip is at + size (may be negative); a text's height (5 pixels are one
        size).
    value : float
        On the scale of `image`.
    text : str
        For kind "text": digits, "." and the letters of units (n, m, u, A, k, V, x, e, p).
    out : ndarray (y, x) float32, optional
        Where the result goes; may be `image`.

    Returns
    -------
    ndarray (y, x) float32
        What lies outside of the image is left out.

    Raises
    ------
    TypeError, ValueError
        No float32 image, or an argument out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> int(annotate(np.zeros((16, 32), np.float32), kind="bar", at=(12, 4), size=(2, 20), value=1.0).sum())
    40
    """
    image = as_image(image, host=True)
    value = as_number(value, "value")
    y, x = _whole(at, "at", ("y", "x"))
    height, width = _whole(size, "size", ("height", "width"))
    as_choice(kind, "kind", ("bar", "box", "arrow", "text"))
    if not isinstance(text, str):
        raise TypeError(f"text: a str wanted, {type(text).__name__} came")
    mask = np.zeros(image.shape, bool)
    if kind == "bar":
        mask[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = True
    elif kind == "box":
        for thick in range(2):
            rows = np.clip(np.array([y + thick, y + height - 1 - thick]), 0, image.shape[0] - 1)
            columns = np.clip(np.array([x + thick, x + width - 1 - thick]), 0, image.shape[1] - 1)
            mask[rows, columns[0] : columns[1] + 1] = True
            mask[rows[0] : rows[1] + 1, columns] = True
    elif kind == "arrow":
        _line(mask, y, x, y + height, x + width)
        for turn in (2.6, -2.6):  # the barbs, 149 degrees from the shaft
            barb = 0.25 * np.array(
                [np.cos(turn) * height + np.sin(turn) * width, np.cos(turn) * width - np.sin(turn) * height]
            )
            _line(mask, y + height, x + width, y + height + round(barb[0]), x + width + round(barb[1]))
    else:
        _write(mask, y, x, max(height // 5, 1), text)
    out = copied(image, out)
    out[mask] = value
    return out


def _whole(values: Any, name: str, parts: tuple[str, ...]) -> list[int]:
    """So many whole numbers, of any sign."""
    if not isinstance(values, Sequence | np.ndarray) or isinstance(values, str) or len(values) != len(parts):
        raise ValueError(f"{name}: whole numbers ({', '.join(parts)}) wanted, {values!r} came")
    return [as_int(value, name, -MOST) for value in values]


def _line(mask: Any, y0: int, x0: int, y1: int, x1: int) -> None:
    steps = 2 * max(abs(y1 - y0), abs(x1 - x0)) + 1
    y = np.rint(np.linspace(y0, y1, steps)).astype(int)
    x = np.rint(np.linspace(x0, x1, steps)).astype(int)
    for dy, dx in ((0, 0), (0, 1), (1, 0)):
        inside = (y + dy >= 0) & (y + dy < mask.shape[0]) & (x + dx >= 0) & (x + dx < mask.shape[1])
        mask[y[inside] + dy, x[inside] + dx] = True


def _write(mask: Any, y: int, x: int, scale: int, text: str) -> None:
    for k, character in enumerate(text):
        if character not in _FONT:
            raise ValueError(f"text: the characters {''.join(_FONT)!r} wanted, {character!r} came")
        glyph = np.array([[int(row) >> bit & 1 for bit in (2, 1, 0)] for row in _FONT[character]], bool)
        glyph = glyph.repeat(scale, axis=0).repeat(scale, axis=1)
        rows = y + np.arange(glyph.shape[0])[:, None]
        columns = x + 4 * scale * k + np.arange(glyph.shape[1])[None]
        inside = glyph & (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
        place = np.nonzero(inside)
        mask[rows[place[0], 0], columns[0, place[1]]] = True
