"""The shift of every scan line, from a raw and a restored image.

Line j of the raw image is looked for in the restored one: (dy, dx) that minimise

    Σ_i (raw(j, i) − (h ∗ restored)(j + dy, i + dx))² / v + dy²/s_y² + dx²/s_x²

A network looks some ten columns far and leaves a part of the jitter, which would then be missing here. Where the
restored image repeats itself, it is first averaged over lattice vectors: other lines have other remains.

h is a kernel along the line, the same for all lines (the readout's smear, and the amplitude), fitted by least squares;
v the variance of what is left, s the spread of the shifts, both from the data. A common shift of all lines can't be
told from a kernel that lies off centre: the shifts' mean along x is set to zero.

Source: Friedrich's thesis, fig. 2.1; the estimator is ours.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_threads, check_finite

__all__ = ["NARROWEST", "estimate", "scan_shifts", "smeared"]

Image = NDArray[np.float32]
Floats = NDArray[np.float64]

REACH = (2.0, 3.0)  # (y, x): shifts that are looked for [pixels]
STEP = 0.5
LAGS = (-3, 12)  # of the kernel: the smear trails behind
NARROWEST = 32  # pixels of a line of which something is left beside the kernel
ROUNDS = 5
PAIRS = 8  # lattice vectors that are averaged over
ALIKE = 0.5  # correlation from which on a vector is one of the lattice
WINDOW, DIFFERENCE = 8, 0.2  # where the relative difference in a window is larger, a vector counts less
APART = 6  # lines: further than jitter remembers
EXPECTED = np.array([0.5, 1.0])  # spread of the shifts before it is known


def scan_shifts(raw: NDArray[Any], restored: NDArray[Any], *, threads: int = 0) -> Floats:
    """The shift of every scan line: the recorded pixel (j, i) holds the specimen at its place + shifts[j].

    `crewe.noise.unshift` with these puts the data of the same scan (spectra, 4D) back on the regular grid.

    Parameters
    ----------
    raw : ndarray (y, x)
        As recorded.
    restored : ndarray (y, x)
        What `restore` made of it.
    threads : int
        0: all cores.

    Returns
    -------
    ndarray (y, 2) float64
        (y, x) of every line [pixels], within ±2 and ±3. Lines without structure have (0, 0).

    Raises
    ------
    TypeError, ValueError
        No real numbers, shapes that differ or aren't (y, x), NaN or infinity.

    Examples
    --------
    >>> import crewe, numpy as np
    >>> y, x = np.indices((64, 64))
    >>> truth = (2 + np.cos(0.7 * x) + np.cos(0.5 * y + 0.2 * x)).astype(np.float32)
    >>> recorded, shifts = crewe.noise.jitter(truth, sigma=0.4, phi=0.3, seed=1)
    >>> found = crewe.restore.scan_shifts(recorded, truth)
    >>> float(np.abs(found - shifts)[8:-8].mean()) < 0.1
    True
    """
    raw, restored = (_image(a, name) for a, name in ((raw, "raw"), (restored, "restored")))
    if raw.shape != restored.shape:
        raise ValueError(f"restored: the shape of raw, {raw.shape}, wanted, {restored.shape} came")
    return estimate(raw, restored, as_threads(threads))[0]


def estimate(raw: Image, restored: Image, threads: int) -> tuple[Floats, Floats]:
    """Shifts (y, 2) of the lines, and their standard deviations as the noise would have it [pixels]."""
    offset, scale = float(restored.mean(dtype=np.float64)), float(restored.std(dtype=np.float64))
    if scale <= 1e-6 * abs(offset) or raw.shape[1] < NARROWEST:
        return np.zeros((len(raw), 2)), np.full((len(raw), 2), np.inf)
    truth = _steadied((restored - np.float32(offset)) / np.float32(scale), threads)
    lines = (raw - np.float32(offset)) / np.float32(scale)
    shifts, deviations, spread = np.zeros((len(raw), 2)), np.zeros((len(raw), 2)), EXPECTED
    for turn in range(ROUNDS):
        model = _smeared(truth, _kernel(lines, _moved(truth, shifts, threads)))
        noise = _noise(lines, model, shifts, threads)
        if turn == 0:
            shifts = _search(lines, model, noise, spread, threads)
        for _ in range(2):
            shifts, deviations = _refine(lines, model, shifts, noise, spread, threads)
        shifts[:, 1] -= shifts[:, 1].mean()
        # The most likely spread, given shifts that are known to within their deviations.
        spread = np.maximum(np.sqrt((shifts**2 + deviations**2).mean(axis=0)), 0.02)
    return shifts, deviations


def smeared(raw: Image, restored: Image) -> Image:
    """The restored image with the smear along the lines that the raw one has: h ∗ restored, Σh = 1."""
    offset, scale = float(restored.mean(dtype=np.float64)), float(restored.std(dtype=np.float64))
    if scale <= 1e-6 * abs(offset):
        return restored
    truth, lines = ((a - np.float32(offset)) / np.float32(scale) for a in (restored, raw))
    kernel = _kernel(lines, truth)
    total = float(kernel.sum())
    if not 0.5 < total < 2:  # there is hardly anything that could be smeared
        return restored
    return _smeared(truth, kernel / total) * np.float32(scale) + np.float32(offset)


def _noise(lines: Image, model: Image, shifts: Floats, threads: int) -> float:
    """Variance of what is left, as slow signals see it: times the sum of its autocorrelation along the line."""
    left = (lines - _moved(model, shifts, threads))[:, LAGS[1] : -LAGS[1]]
    width = left.shape[1]
    products = [float(np.vdot(left[:, u:], left[:, : width - u])) for u in range(min(LAGS[1], width))]
    return max((products[0] + 2 * max(sum(products[1:]), 0.0)) / left.size, 1e-6)


def _image(image: Any, name: str) -> Image:
    if not isinstance(image, np.ndarray) or image.dtype.kind not in "uif":
        what = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        raise TypeError(f"{name}: an array of real numbers wanted, {what} came")
    if image.ndim != 2 or 0 in image.shape:
        raise ValueError(f"{name}: shape (y, x) wanted, {image.shape} came")
    check_finite(image, name)
    return np.ascontiguousarray(image, dtype=np.float32)


def _moved(image: Image, shifts: Floats, threads: int) -> Image:
    """The image as recorded with these shifts of the lines."""
    out = np.empty_like(image)
    _core.noise_shift_lines(image, np.ascontiguousarray(shifts), out, threads=threads)
    return out


def _steadied(image: Image, threads: int) -> Image:
    """The image averaged with itself a few lattice vectors up and down, where there is a lattice.

    What the network leaves of the jitter of a line, it leaves in all columns of that line; some lines further it is
    another one. Vectors come in pairs, so that strain drops out.
    """
    total, weight = image.astype(np.float64), np.ones(image.shape)
    rows, columns = (np.arange(n) for n in image.shape)
    local = _around(image**2) + 1e-3
    for ty, tx in _vectors(image):
        for sign in (1, -1):
            dy, dx = sign * ty, sign * tx
            inside = np.outer(
                (rows + dy >= 0) & (rows + dy <= rows[-1]), (columns + dx >= 0) & (columns + dx <= columns[-1])
            )
            moved = _moved(image, np.tile([dy, dx], (len(image), 1)), threads)
            share = inside / (1 + (_around((moved - image) ** 2) / (DIFFERENCE * local)) ** 2)
            total += share * moved
            weight += share
    return (total / weight).astype(np.float32)


def _around(image: Image) -> Floats:
    """Means over windows of (2·`WINDOW` + 1)² pixels, mirrored at the border."""
    sums = np.pad(image, WINDOW, mode="symmetric").astype(np.float64)
    for axis in (0, 1):
        sums = np.cumsum(np.insert(sums, 0, 0, axis=axis), axis=axis)
        n, width = sums.shape[axis], 2 * WINDOW + 1
        sums = np.take(sums, range(width, n), axis=axis) - np.take(sums, range(n - width), axis=axis)
    means: Floats = sums / (2 * WINDOW + 1) ** 2
    return means


def _vectors(image: Image) -> Floats:
    """Up to `PAIRS` vectors (n, 2) downwards for which the image resembles itself, from its autocorrelation."""
    shape = [2 * n for n in image.shape]
    field, square, mask = (np.fft.rfft2(a, shape) for a in (image, image**2, np.ones_like(image)))
    power = np.fft.irfft2(np.abs(field) ** 2, shape)
    here = np.fft.irfft2(square.conj() * mask, shape)  # sums of squares over the overlap, here and there
    there = np.fft.irfft2(square * mask.conj(), shape)
    likeness = power / np.sqrt(np.maximum(here * there, 1e-6 * here[0, 0] ** 2))
    ny, nx = (n // 3 for n in image.shape)
    likeness = np.roll(likeness, nx, axis=1)[: ny + 1, : 2 * nx + 1]
    inner = likeness[1:-1, 1:-1]
    around = [
        likeness[1 + j : likeness.shape[0] - 1 + j, 1 + i : likeness.shape[1] - 1 + i]
        for j, i in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
    ]
    found = np.argwhere((inner > ALIKE) & np.logical_and.reduce([inner >= other for other in around])) + 1
    found = found[found[:, 0] >= APART]
    found = found[np.argsort(-likeness[tuple(found.T)], kind="stable")][:PAIRS]
    middle = likeness[tuple(found.T)]
    vectors = found.astype(np.float64)
    for axis, step in enumerate(([1, 0], [0, 1])):  # the vertex of a parabola through three points
        before, after = (likeness[tuple((found + sign * np.array(step)).T)] for sign in (-1, 1))
        vectors[:, axis] += 0.5 * (before - after) / np.minimum(before + after - 2 * middle, -1e-9)
    vectors[:, 1] -= nx
    return vectors


def _kernel(lines: Image, model: Image) -> Floats:
    """h of `LAGS` that makes lines out of the model, by least squares; held to a single peak by a weak ridge."""
    low, high = LAGS
    width = lines.shape[1]
    inner = slice(high, width + low)
    moved = np.stack([model[:, high - u : width + low - u].ravel() for u in range(low, high + 1)], axis=1)
    normal: Floats = (moved.T @ moved).astype(np.float64)
    normal[np.diag_indices(len(normal))] += 0.01 * np.trace(normal) / len(normal)
    right = (moved.T @ lines[:, inner].ravel()).astype(np.float64)
    return np.asarray(np.linalg.solve(normal, right), np.float64)


def _smeared(image: Image, kernel: Floats) -> Image:
    low, high = LAGS
    padded = np.pad(image, ((0, 0), (high, -low)), mode="reflect")
    width = image.shape[1]
    out = np.zeros_like(image)
    for u, weight in zip(range(low, high + 1), kernel, strict=True):
        out += np.float32(weight) * padded[:, high - u : high - u + width]
    return out


def _squares(lines: Image, model: Image, shifts: Floats, threads: int) -> Floats:
    inner = slice(LAGS[1], -LAGS[1])
    difference = (lines - _moved(model, shifts, threads))[:, inner]
    squares: Floats = np.einsum("ji,ji->j", difference, difference, dtype=np.float64)
    return squares


def _search(lines: Image, model: Image, noise: float, spread: Floats, threads: int) -> Floats:
    """The best of a grid of shifts for every line."""
    best, shifts = np.full(len(lines), np.inf), np.zeros((len(lines), 2))
    for dy in np.arange(-REACH[0], REACH[0] + STEP / 2, STEP):
        for dx in np.arange(-REACH[1], REACH[1] + STEP / 2, STEP):
            tried = np.tile([dy, dx], (len(lines), 1))
            cost = _squares(lines, model, tried, threads) / noise + (dy / spread[0]) ** 2 + (dx / spread[1]) ** 2
            better = cost < best
            best[better], shifts[better] = cost[better], (dy, dx)
    return shifts


def _refine(
    lines: Image, model: Image, shifts: Floats, noise: float, spread: Floats, threads: int
) -> tuple[Floats, Floats]:
    """One Gauss–Newton step for every line, at most half a pixel long; and standard deviations."""
    inner, h = slice(LAGS[1], -LAGS[1]), 0.05
    slopes = []
    for axis in (0, 1):
        by = h * np.eye(2)[axis]
        slopes.append((_moved(model, shifts + by, threads) - _moved(model, shifts - by, threads))[:, inner] / (2 * h))
    gradient = np.stack(slopes, axis=1).astype(np.float64)
    residual = (lines - _moved(model, shifts, threads))[:, inner]
    normal = np.einsum("jai,jbi->jab", gradient, gradient) / noise + np.diag(1 / spread**2)
    right = np.einsum("jai,ji->ja", gradient, residual) / noise - shifts / spread**2
    step = np.linalg.solve(normal, right[..., None])[..., 0]
    moved: Floats = np.clip(shifts + np.clip(step, -0.5, 0.5), [-REACH[0], -REACH[1]], REACH)
    variances = np.linalg.inv(normal)[:, [0, 1], [0, 1]]
    return moved, np.sqrt(variances)
