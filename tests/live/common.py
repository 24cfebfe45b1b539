"""What the tests of sessions share: made patterns, and their images by the batch functions."""

import numpy as np

from crewe import imaging
from crewe.live import ICOM, CenterOfMass, ElectricField, RiCOM, Session, Sum, VirtualDetector

#: Where sessions sum frames; test modules set it by the fixture `device`.
PLACE = {"device": "cpu"}

SCAN, DETECTOR, CENTER = (9, 11), (18, 16), (8.2, 7.7)


def images():
    return {
        "ricom": RiCOM(kernel=7),
        "band": RiCOM(kernel=9, low=0.05, high=0.3),
        "ring": VirtualDetector(inner=3.0, outer=7.5),
        "all": VirtualDetector(),
        "com": CenterOfMass(),
        "icom": ICOM(high_pass=0.05),
        "field": ElectricField(energy=200e3, angle_per_pixel=0.3),
        "sum": Sum(),
    }


def patterns(scan=SCAN, detector=DETECTOR, dtype=np.uint16, seed=0):
    """A noisy disc that moves about with the probe, (sy, sx, ky, kx)."""
    rng = np.random.default_rng(seed)
    y, x = np.ogrid[: detector[0], : detector[1]]
    cy, cx = (rng.normal((k - 1) / 2, k / 10, (*scan, 1, 1)) for k in detector)
    disc = (y - cy) ** 2 + (x - cx) ** 2 < (min(detector) / 4) ** 2
    return rng.poisson(6.0 * disc + 0.1).astype(dtype)


def flat(frames):
    return frames.reshape(-1, *frames.shape[2:])


def events_of(frames, seed=0):
    """The counts of frames as events: position, y, x; in any order, or as they were scanned where `seed` is None."""
    counts = flat(frames)
    where = np.repeat(np.argwhere(counts), counts[counts > 0].astype(np.int64), axis=0)
    where = where if seed is None else np.random.default_rng(seed).permutation(where)
    return tuple(np.ascontiguousarray(c) for c in where.T)


def batch(frames, center=CENTER, rotation=0.0, transpose=False):
    """The same images by the pure functions."""
    com = imaging.com(frames, center=center)
    if rotation or transpose:
        com = imaging.rotate(com, rotation, transpose=transpose)
    return {
        **of_com(com),
        "ring": imaging.virtual_image(frames, inner=3.0, outer=7.5, center=center),
        "all": imaging.virtual_image(frames),
        "sum": frames.sum((0, 1), dtype=np.float64).astype(np.float32),
    }


def of_com(com):
    """The images that are made of a centre-of-mass map."""
    return {
        "com": com,
        "ricom": imaging.ricom(com, kernel=7),
        "band": imaging.ricom(com, kernel=9, low=0.05, high=0.3),
        "icom": imaging.icom(com, high_pass=0.05),
        "field": imaging.electric_field(com, energy=200e3, angle_per_pixel=0.3),
    }


def session_for(frames, **options):
    options = {"images": images(), "center": CENTER, "threads": 1, **PLACE, **options}
    return Session(scan=frames.shape[:2], detector=frames.shape[2:], **options)


def assert_bits(session, want, names=None):
    for name in names or want:
        assert np.array_equal(session[name], want[name]), f"{name}: {np.abs(session[name] - want[name]).max()}"


def assert_close(session, want, names=None, tolerance=1e-5):
    for name in names or want:
        scale = max(np.abs(want[name]).max(), 1e-30)
        assert np.abs(session[name] - want[name]).max() <= tolerance * scale, name
