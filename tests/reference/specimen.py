"""Specimens by definition: radial profiles added up atom by atom, distances of all pairs, cells of the nearest seed."""

import numpy as np


def profile(t, h1, h2, h3, n):
    return h1 * np.exp(-(t**2) / 2) + h2 * np.exp(-t) + h3 / (1 + t ** (2 * n))


def render(places, kind, profiles, shape):
    """places (m, 2) (y, x) [pixels]; profiles (k, 5): h1, h2, h3, n, radius [pixels]."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for (py, px), k in zip(places, kind, strict=True):
        image += profile(np.hypot(y - py, x - px) / profiles[k][4], *profiles[k][:4])
    return image


def shortest(positions):
    """The smallest distance of any two places."""
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    return distance[np.triu_indices(len(positions), 1)].min()


def voronoi(seeds, shape):
    y, x = np.mgrid[: shape[0], : shape[1]]
    distance = np.hypot(y[..., None] - seeds[:, 0], x[..., None] - seeds[:, 1])
    ordered = np.sort(distance, axis=-1)
    return distance.argmin(axis=-1), ordered[..., 1] - ordered[..., 0] if len(seeds) > 1 else None
