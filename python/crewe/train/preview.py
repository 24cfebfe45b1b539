"""Contact sheets: pairs of a mode, to be looked at before anything is trained on them."""

import numpy as np
from numpy.typing import NDArray

from crewe import specimen
from crewe._color import picture

__all__ = ["sheet"]

_GAP = 4  # [pixels]


def sheet(
    mode: str, *, shape: tuple[int, int] = (256, 256), rows: int = 4, columns: int = 3, seed: int = 0, threads: int = 0
) -> NDArray[np.uint8]:
    """Pairs side by side, distorted left and undistorted right, each grey from its darkest to its brightest pixels.

    Parameters
    ----------
    mode : str
        As in `crewe.specimen.pairs`.
    shape : (int, int)
        Of an image (y, x) [pixels].
    rows, columns : int
        Pairs on the sheet.
    seed, threads
        As in `crewe.specimen.pairs`.

    Returns
    -------
    ndarray (height, width) uint8

    Examples
    --------
    >>> sheet("sem-lr", shape=(32, 32), rows=1, columns=1).shape
    (40, 76)
    """
    if rows < 1 or columns < 1:
        raise ValueError(f"rows, columns: numbers > 0 wanted, {rows}, {columns} came")
    stream = specimen.pairs(mode, shape=shape, batch=rows * columns, seed=seed, threads=threads)
    distorted, undistorted = next(stream)
    ny, nx = distorted.shape[1:]
    canvas = np.full((rows * (ny + _GAP) + _GAP, columns * (2 * nx + 2 * _GAP) + _GAP), 255, np.uint8)
    for k in range(rows * columns):
        y = _GAP + (k // columns) * (ny + _GAP)
        x = _GAP + (k % columns) * (2 * nx + 2 * _GAP)
        canvas[y : y + ny, x : x + nx] = picture(distorted[k])
        canvas[y : y + ny, x + nx + _GAP : x + 2 * nx + _GAP] = picture(undistorted[k])
    return canvas
