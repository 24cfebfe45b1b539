"""Rendering against the sum over atoms, specimens, and pairs."""

import doctest
import importlib
import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from crewe import _core, specimen
from reference import specimen as reference

MODULES = ["draw", "images", "symmetry"]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(f"crewe.specimen.{name}")).failed == 0


# Radii [pixels]: one by one; Fourier at half a pixel and at one; a disc too sharp for the grid beside a soft one.
CASES = {
    "small": (300, [(0.7, 0.0, 0.5, 6.0, 0.6)]),
    "few": (9, [(0.7, 0.6, 0.5, 6.0, 4.0)]),
    "smooth": (4000, [(0.7, 0.0, 0.5, 4.0, 4.5), (1.0, 0.0, 0.9, 5.0, 6.0), (0.5, 0.0, 0.0, 4.0, 3.0)]),
    "sharp": (4000, [(0.7, 0.0, 0.9, 16.0, 3.0), (0.4, 0.0, 0.9, 4.0, 7.0)]),
    "mixed": (4000, [(0.7, 0.0, 0.9, 9.0, 0.5), (0.4, 0.3, 0.9, 4.0, 2.4)]),
}


@pytest.mark.parametrize("case", CASES)
def test_render(case):
    count, profiles = CASES[case]
    generator = np.random.default_rng(3)
    shape = (70, 91)
    places = generator.uniform(-10, 100, (count, 2))
    kind = generator.integers(0, len(profiles), count).astype(np.uint32)
    out = np.empty(shape, np.float32)
    _core.specimen_render(places, kind, np.array(profiles), out, threads=1)
    want = reference.render(places, kind, profiles, shape)
    far = np.ones(shape, bool)
    if case in ("few", "mixed"):  # the cusp of the exponential is averaged over the pixel
        y, x = np.mgrid[: shape[0], : shape[1]]
        for py, px in places:
            far &= np.hypot(y - py, x - px) > 1.5
    limit = 0.01 if case == "mixed" else 3e-3
    assert np.abs(out - want)[far | (case == "mixed")].max() < limit * want.max()
    for threads in (2, 3):
        again = np.empty_like(out)
        _core.specimen_render(places, kind, np.array(profiles), again, threads=threads)
        assert np.array_equal(again, out)


def test_render_refuses():
    atom = SimpleNamespace(numbers=[14], positions=[[1.0, 1.0, 0.0]])
    good = {14: (1.0, 0.0, 0.0, 4.0, 0.5)}
    for options in (
        {"model": {}},
        {"model": {14: (1.0, 0.0, 0.0, 4.0, 0.0)}},
        {"model": {14: (np.nan, 0.0, 0.0, 4.0, 0.5)}},
        {"shape": (0, 5)},
        {"pixel_size": -1.0},
    ):
        with pytest.raises(ValueError, match=next(iter(options))):
            specimen.render(atom, **{"shape": (4, 5), "pixel_size": 0.3, "model": good, **options})
    wrong = SimpleNamespace(numbers=[14], positions=[[np.nan, 0.0, 0.0]])
    with pytest.raises(ValueError, match="finite"):
        specimen.render(wrong, shape=(4, 5), pixel_size=0.3, model=good)


@pytest.mark.parametrize("count", [2, 17])
def test_voronoi(count):
    seeds = np.random.default_rng(count).uniform(0, 50, (count, 2))
    nearest, gap = np.empty((40, 61), np.int32), np.empty((40, 61), np.float32)
    _core.specimen_voronoi(seeds, nearest, gap)
    want, far = reference.voronoi(seeds, (40, 61))
    assert np.mean(nearest == want) > 0.999
    assert np.allclose(gap, far, atol=1e-3)


def test_blobs_are_turned_ellipses():
    image = np.zeros((50, 60), np.float32)
    angle, ry, rx = 0.5, 6.0, 3.0
    c, s = np.cos(angle), np.sin(angle)
    form = (c**2 / ry**2 + s**2 / rx**2, c * s * (1 / ry**2 - 1 / rx**2), s**2 / ry**2 + c**2 / rx**2)
    blob = np.array([[22.3, 31.7, *form, 2.0]])
    _core.specimen_blobs(blob, np.zeros(1, np.uint32), np.array([[1.0, 0.0, 0.0, 4.0, 1.0]]), image)
    dy, dx = np.mgrid[:50, :60] - np.array([22.3, 31.7])[:, None, None]
    u, v = c * dy + s * dx, c * dx - s * dy
    assert np.allclose(image, 2 * np.exp(-((u / ry) ** 2 + (v / rx) ** 2) / 2), atol=3e-3)


@pytest.mark.parametrize("kind", ["high", "low"])
@pytest.mark.parametrize(("shape", "pixel_size"), [((64, 40), 0.1), ((17, 90), 0.9), ((128, 128), 0.03)])
def test_specimens(kind, shape, pixel_size):
    for seed in range(4):
        made = specimen.random_specimen(kind, shape=shape, pixel_size=pixel_size, seed=seed)
        assert made.image.dtype == np.float32
        assert made.image.shape == shape
        assert made.image.min() >= 0
        assert made.image.max() == 1
        assert 0.0099 < made.image.std(dtype=float) / made.image.mean(dtype=float) < 0.3501
        again = specimen.random_specimen(kind, shape=shape, pixel_size=pixel_size, seed=seed, threads=1)
        assert np.array_equal(again.image, made.image)


@pytest.mark.parametrize("mode", specimen.MODES)
def test_pairs_do_not_depend_on_batch_and_threads(mode):
    one = specimen.pairs(mode, shape=(32, 48), batch=1, seed=5, threads=1)
    four = next(specimen.pairs(mode, shape=(32, 48), batch=4, seed=5, threads=3))
    for k, (x, y) in enumerate(itertools.islice(one, 4)):
        assert np.array_equal(x[0], four[0][k])
        assert np.array_equal(y[0], four[1][k])


def test_pairs_refuse_before_they_start():
    for mode, options in [
        ("stem", {}),
        ("stem-hr", {"batch": 0}),
        ("stem-hr", {"shape": (3,)}),
        ("stem-hr", {"shape": (1, 64)}),
        ("tem-lr", {"seed": -1}),
    ]:
        with pytest.raises(ValueError, match="wanted"):
            specimen.pairs(mode, **{"shape": (16, 16), "batch": 1, "seed": 1, **options})
