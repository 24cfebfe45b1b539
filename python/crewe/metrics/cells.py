"""Differences unit cell by unit cell, and the size of what differs."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._array import as_choice, as_number, as_reals, as_threads
from crewe.metrics._checks import Image, as_cell, as_image, as_images, as_map, refuse
from crewe.metrics.keypoints import Keypoints
from crewe.metrics.structure import cw_ssim_map, ssim_map

__all__ = ["fit_threshold", "precipitate_size", "unit_cell", "unit_cell_map"]

Cells = NDArray[np.float64]
#: Edge of a unit cell, or height and width.
Cell = float | tuple[float, float]
Compare = Callable[[Image], Cells]


def unit_cell(reference: Image) -> tuple[float, float]:
    """Height and width of the unit cell of a crystal whose axes run along the image's, from its autocorrelation.

    Parameters
    ----------
    reference : ndarray (y, x) float32
        At least two cells high and wide.

    Returns
    -------
    (float, float)
        (y, x) [pixels].

    Raises
    ------
    TypeError, ValueError
        No image; no period along an axis.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.indices((100, 90))
    >>> dots = (np.cos(2 * np.pi * y / 12.5) + np.cos(2 * np.pi * x / 18)).astype(np.float32)
    >>> [round(size, 1) for size in unit_cell(dots)]
    [12.5, 18.0]
    """
    image = as_image(reference, "reference")
    centred = image - image.mean(dtype=np.float64)
    return _period(centred, 0), _period(centred, 1)


def _period(image: NDArray[np.float64], axis: int) -> float:
    """The first lag at which an image repeats itself along an axis as it does best; its multiples make it finer."""
    n = image.shape[axis]
    spectrum = np.fft.rfft(image, 2 * n, axis=axis)
    products = np.fft.irfft((np.abs(spectrum) ** 2).sum(axis=1 - axis), 2 * n)[:n]
    power = np.cumsum((image**2).sum(axis=1 - axis))
    lags = np.arange(n // 2 + 1)
    scale = np.sqrt(power[n - 1 - lags] * (power[-1] - np.concatenate([[0.0], power])[lags]))
    likeness = np.divide(products[lags], scale, out=np.zeros(len(lags)), where=scale > 0)
    peaks = 1 + np.flatnonzero((likeness[1:-1] >= likeness[:-2]) & (likeness[1:-1] > likeness[2:]))
    best = likeness[peaks].max(initial=0.0)
    if best < 0.3:
        raise ValueError(f"cell: the reference has no period along {'yx'[axis]}; give the cell in pixels")
    period = float(peaks[likeness[peaks] > 0.9 * best][0])
    for multiple in range(1, n):
        near = round(multiple * period)
        if near + 2 >= len(lags):
            break
        near += int(np.argmax(likeness[near - 1 : near + 2])) - 1
        left, middle, right = likeness[near - 1 : near + 2]
        bend = left - 2 * middle + right
        period = float(near + (0.5 * (left - right) / bend if bend < 0 else 0.0)) / multiple
    return period


def unit_cell_map(
    reference: Image, image: Image, *, cell: Cell | None = None, metric: str = "sift", threads: int = 0
) -> Cells:
    """The difference of two images in every unit cell.

    Parameters
    ----------
    reference : ndarray (y, x) float32
    image : ndarray (..., y, x) float32
        One image or many: the reference is looked at once.
    cell : float or (float, float), optional
        Height and width of a unit cell (y, x) [pixels]; cells begin at the first pixel, those cut by the edge are left
        out. Default: `unit_cell` of the reference.
    metric : str
        "sift": the mean over the keypoints in the cell (NaN where there are none); "ssim", "cw_ssim": the mean of the
        map; "mse": of the cell's pixels alone.
    threads : int
        0: all cores.

    Returns
    -------
    ndarray (..., cells along y, cells along x) float64

    Raises
    ------
    ImportError
        "sift" without OpenCV.
    TypeError, ValueError
        As in the metric; a cell below a pixel or beyond the image; an unknown metric.

    References
    ----------
    Ederer, Löffler, Ultramicroscopy 240 (2022) 113578, section 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.tile(np.eye(8, dtype=np.float32), (3, 4))
    >>> b = a.copy()
    >>> b[8:16, :8] = a[:8, :8][::-1]
    >>> unit_cell_map(a, b, cell=8, metric="mse")
    array([[0., 0., 0., 0.],
           [1., 0., 0., 0.],
           [0., 0., 0., 0.]])
    """
    as_choice(metric, "metric", _MAPS)
    threads = as_threads(threads)
    a = as_image(reference, "reference")
    stack = as_images(image, a, "image")
    shape = (a.shape[0], a.shape[1])
    size = as_cell(unit_cell(a) if cell is None else cell, shape)
    edges = [_edges(n, c) for n, c in zip(shape, size, strict=True)]
    compare = _MAPS[metric](a, edges, threads)
    maps = np.stack([compare(b) for b in stack])
    return maps.reshape(image.shape[:-2] + maps.shape[1:])


def _edges(n: int, cell: float) -> NDArray[Any]:
    """Where cells begin and end, in whole pixels; the last may lack half a pixel."""
    return np.asarray(np.minimum(np.rint(np.arange(int((n + 0.5) / cell) + 1) * cell).astype(int), n))


def _sums(pixels: NDArray[Any], edges: list[NDArray[Any]]) -> Cells:
    """Sums over the cells between the edges."""
    inside = pixels[: edges[0][-1], : edges[1][-1]].astype(np.float64)
    return np.asarray(np.add.reduceat(np.add.reduceat(inside, edges[0][:-1], axis=0), edges[1][:-1], axis=1))


def _mse_cells(a: Image, edges: list[NDArray[Any]], threads: int) -> Compare:
    if a.min() < 0:
        refuse(a, "reference")
    x = a.astype(np.float64)
    aa = _sums(x * x, edges)

    def compare(b: Image) -> Cells:
        if b.min() < 0:
            refuse(b, "image")
        y = b.astype(np.float64)
        ab, bb = _sums(x * y, edges), _sums(y * y, edges)
        both = (aa > 0) & (bb > 0)
        likeness = ab / np.sqrt(np.where(both, aa * bb, 1.0))
        return np.asarray(np.where(both, np.clip(1 - likeness, 0, 1), aa != bb), dtype=np.float64)

    return compare


def _sift_cells(a: Image, edges: list[NDArray[Any]], threads: int) -> Compare:
    keypoints = Keypoints(a, threads=threads)
    shape = (len(edges[0]) - 1, len(edges[1]) - 1)
    y, x = (np.searchsorted(edges[k], keypoints.places[:, k] + 0.5, side="right") - 1 for k in (0, 1))
    inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
    place = (y * shape[1] + x)[inside]
    count = np.bincount(place, minlength=shape[0] * shape[1])

    def compare(b: Image) -> Cells:
        total = np.bincount(place, keypoints.distances(b)[inside], minlength=len(count))
        return np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(shape)

    return compare


def _mean_cells(metric: Callable[..., Image]) -> Callable[[Image, list[NDArray[Any]], int], Compare]:
    def cells(a: Image, edges: list[NDArray[Any]], threads: int) -> Compare:
        area = np.outer(np.diff(edges[0]), np.diff(edges[1]))
        return lambda b: np.asarray(_sums(metric(a, b, threads=threads), edges) / area)

    return cells


_MAPS = {
    "sift": _sift_cells,
    "mse": _mse_cells,
    "ssim": _mean_cells(ssim_map),
    "cw_ssim": _mean_cells(cw_ssim_map),
}


def precipitate_size(map: ArrayLike, *, cell: Cell, threshold: float = 0.18, background: float = 0.0) -> float:
    """Diameter of the circle that is as large as all unit cells above threshold + background: 2 √(N·area/π).

    Parameters
    ----------
    map : array (y, x)
        Differences by unit cell, as from `unit_cell_map`; NaN cells don't count.
    cell : float or (float, float)
        Size of a unit cell (y, x); its unit is that of the result.
    threshold : float
        0.18: the general one of the paper. `fit_threshold` gives the one for a dose.
    background : float
        What noise alone makes of the difference at this dose: the mean map of a noisy image without precipitate.

    Returns
    -------
    float
        0 where no cell lies above.

    Raises
    ------
    ValueError
        No map, a cell that isn't positive, numbers that aren't finite.

    References
    ----------
    Ederer, Löffler, Ultramicroscopy 240 (2022) 113578, section 3.3.

    Examples
    --------
    >>> round(precipitate_size([[0.1, 0.5], [0.1, 0.5]], cell=5.29, background=0.05), 3)
    8.442
    """
    cells = as_map(map, "map")
    area = math.prod(as_cell(cell, (math.inf, math.inf), least=0.0))
    least = as_number(threshold, "threshold") + as_number(background, "background")
    return float(2 * math.sqrt(np.count_nonzero(cells > least) * area / math.pi))


def fit_threshold(maps: ArrayLike, inside: ArrayLike, *, background: float = 0.0) -> float:
    """The threshold for `precipitate_size` that finds as many cells as a known precipitate has.

    The threshold that suits a dose is found on simulated images of that dose, and used on recorded ones: the
    dose-dependent threshold of the paper's Fig. 5.

    Parameters
    ----------
    maps : array (y, x) or (n, y, x)
        Differences by unit cell of images of the known precipitate: the more noise is drawn, the better.
    inside : array (y, x) bool
        Its cells.
    background : float
        As in `precipitate_size`.

    Returns
    -------
    float
        Halfway between the differences of the last cell that must count and of the first that must not.

    Raises
    ------
    ValueError
        Other shapes; a mask that is full or empty.

    Examples
    --------
    >>> fit_threshold([[0.1, 0.5], [0.3, 0.4]], [[False, True], [False, True]], background=0.05)
    0.3
    """
    mask = np.asarray(inside, bool)
    stack = as_reals(maps, "maps", finite=False)
    if mask.ndim != 2 or stack.shape[-2:] != mask.shape or stack.ndim not in (2, 3):
        raise ValueError(f"maps, inside: shapes (n, y, x) and (y, x) wanted, {stack.shape} and {mask.shape} came")
    if mask.all() or not mask.any():
        raise ValueError("inside: cells of the precipitate and cells outside wanted")
    values = np.sort(np.where(np.isfinite(stack), stack, -np.inf), axis=None)[::-1]
    count = stack.size // mask.size * int(mask.sum())
    if not np.isfinite(values[count]):
        raise ValueError("maps: too many cells without a difference (NaN)")
    return float((values[count - 1] + values[count]) / 2) - as_number(background, "background")
