"""The definitions of crewe.imaging in plain float64."""

import numpy as np

__all__ = ["com", "joined", "moments", "ring", "virtual_image"]


def ring(shape, inner=0.0, outer=np.inf, center=None):
    """inner <= distance of the pixel's centre < outer, (ky, kx) bool."""
    cy, cx = ((shape[0] - 1) / 2, (shape[1] - 1) / 2) if center is None else center
    y, x = np.ogrid[: shape[0], : shape[1]]
    squared = (y - cy) ** 2 + (x - cx) ** 2
    return (squared >= inner**2) & (squared < outer**2)


def rings(shape, count, center):
    """`count` rings of one width about `center`, the last one with the farthest pixel: the ring of each, uint8."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    distance = np.hypot(y - center[0], x - center[1])
    width = max(distance.max() / count, 1e-12)
    return np.minimum(distance / width, count - 1).astype(np.uint8)


def moments(frames, weights=None):
    """Σ w·I, Σ y·w·I, Σ x·w·I: (..., 3)."""
    ky, kx = frames.shape[-2:]
    weighted = frames.astype(np.float64) * (1 if weights is None else np.asarray(weights, np.float64))
    rows, columns = weighted.sum(-1), weighted.sum(-2)
    return np.stack([rows.sum(-1), rows @ np.arange(ky), columns @ np.arange(kx)], -1)


def com(frames, center=None, mask=None):
    """Yu et al. (2022), eqs. 3.1 and 3.2: Σ k·w·I / Σ w·I − center, (..., 2); without counts (0, 0)."""
    ky, kx = frames.shape[-2:]
    cy, cx = ((ky - 1) / 2, (kx - 1) / 2) if center is None else center
    n, y, x = np.moveaxis(moments(frames, mask), -1, 0)
    safe = np.where(n == 0, 1, n)
    return np.where((n == 0)[..., None], 0, np.stack([y / safe - cy, x / safe - cx], -1))


def virtual_image(frames, weights):
    """Σ w·I, (...)."""
    return (frames.astype(np.float64) * np.asarray(weights, np.float64)).sum((-2, -1))


def joined(frames, join, corner, shape):
    """Sums of join × join detector pixels from a corner (y, x) on: (n, *shape)."""
    (top, left), (rows, columns) = corner, shape
    part = frames[:, top : top + rows * join, left : left + columns * join].astype(np.float64)
    return part.reshape(len(frames), rows, join, columns, join).sum((2, 4))
