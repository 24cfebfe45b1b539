"""Images that the tests of the metrics share."""

import numpy as np


def crystal(cells=4, cell=32, seed=0):
    """A made-up crystal: `cells` × `cells` unit cells of a few columns, float32, 0.1 to about 2."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:cell, :cell] / cell
    image = np.full((cell, cell), 0.1)
    for cy, cx, height in [(0.1, 0.1, 1.5), (0.6, 0.6, 1.5), *rng.uniform(0.2, 0.9, (3, 3))]:
        dy, dx = (np.abs((d + 0.5) % 1 - 0.5) for d in (y - cy, x - cx))
        image += height * np.exp(-(dy**2 + dx**2) / 0.008)
    return np.tile(image, (cells, cells)).astype(np.float32)


def noisy(image, electrons, seed=0):
    """Counting noise at a mean of `electrons` per pixel."""
    return np.random.default_rng(seed).poisson(image / image.mean() * electrons).astype(np.float32)
