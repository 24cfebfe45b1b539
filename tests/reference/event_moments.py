"""The sums that single electrons give, one event after the other."""

import numpy as np


def add_events(events, positions, shape, *, weights=None, detectors=(), rings=None, gain=None, dead_pixels=None):
    """Moments (positions, 3), detector sums (positions, k), profiles (positions, rings), pattern (ny, nx), float64."""
    one = np.ones(shape)
    alive = one if dead_pixels is None else 1.0 * (np.asarray(dead_pixels) == 0)
    g = alive * (one if gain is None else gain)
    w = g * (one if weights is None else weights)
    p, y, x = (events[name].astype(np.int64) for name in ("position", "y", "x"))
    moments = np.stack(
        [np.bincount(p, w[y, x] * factor, minlength=positions) for factor in (np.ones(len(p)), y, x)], axis=1
    )
    sums = np.zeros((positions, len(detectors)))
    for k, mask in enumerate(detectors):
        np.add.at(sums[:, k], p, (g * mask)[y, x])
    n_rings = 0 if rings is None else 1 + max((int(ring) for ring in np.unique(rings) if ring != 255), default=-1)
    profiles = np.zeros((positions, n_rings))
    if rings is not None:
        inside = rings[y, x] != 255
        np.add.at(profiles, (p[inside], rings[y, x][inside]), g[y, x][inside])
    pattern = np.zeros(shape)
    np.add.at(pattern, (y, x), g[y, x])
    return moments, sums, profiles, pattern
