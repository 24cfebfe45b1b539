"""What was counted, put back: the definition, and the heights of columns that a network got wrong."""

import math

import numpy as np
import pytest

from crewe import noise
from crewe.restore.electrons import put_back

SLOW, WINDOW = 3.0, 6.0


def blur(image, sigma):
    return noise.gaussian_blur(np.asarray(image, np.float32), sigma=sigma).astype(np.float64)


def columns(heights, n=96, sigma=3.0):
    y, x = np.mgrid[:n, :n]
    places = [(12 + 18 * j, 12 + 18 * i) for j in range(5) for i in range(5)]
    parts = zip(heights, places, strict=True)
    return sum(h * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * sigma**2)) for h, (cy, cx) in parts), places


def added(left, explained):
    out = np.zeros(left.shape, np.float32)
    put_back(out, left.astype(np.float32), explained.astype(np.float32), slow=SLOW, window=WINDOW, threads=1)
    return out


def test_is_the_definition():
    rng = np.random.default_rng(0)
    s, left = columns(np.ones(25))[0], rng.normal(0, 0.1, (96, 96))
    d = s - blur(s, WINDOW)
    k = blur((left - blur(left, WINDOW)) * d, WINDOW)
    k /= blur(d**2, WINDOW) + blur(left**2, WINDOW) / (4 * math.pi * WINDOW**2)
    np.testing.assert_allclose(added(left, s), blur(left, SLOW) + k * d - blur(k * d, SLOW), atol=1e-5)


def test_without_a_window_only_what_is_slow_comes_back():
    left, out = np.random.default_rng(1).normal(size=(40, 50)).astype(np.float32), np.zeros((40, 50), np.float32)
    put_back(out, left, left, slow=SLOW, window=0, threads=1)
    np.testing.assert_allclose(out, blur(left, SLOW), atol=1e-6)


def test_heights_of_columns_come_back():
    """Every column restored as high as the mean: what is put back halves the error that the slow part alone leaves."""
    heights = np.random.default_rng(2).uniform(0.5, 1.5, 25)
    truth, places = columns(heights)
    explained, _ = columns(np.ones(25))
    left = truth - explained

    def wrong(image):
        return np.mean([abs(image[place] - truth[place]) for place in places])

    before, slow, both = (wrong(explained + add) for add in (0, blur(left, SLOW), added(left, explained)))
    assert slow < 0.7 * before
    assert both < 0.5 * slow


def test_noise_gives_no_contrast():
    """Where contrast can't be told from noise, nothing is added but the slow part."""
    rng = np.random.default_rng(3)
    explained, _ = columns(1e-3 * np.ones(25))
    left = rng.normal(size=(96, 96))
    assert (added(left, explained) - blur(left, SLOW)).std() < 1e-3 * left.std()


def test_the_restored_image_may_be_what_explains():
    s, left = columns(np.ones(25))[0].astype(np.float32), np.full((96, 96), 0.1, np.float32)
    left[40:50] *= 3
    out = s.copy()
    put_back(out, left, out, slow=SLOW, window=WINDOW, threads=1)
    np.testing.assert_allclose(out, s + added(left, s), atol=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scale(scale):
    rng = np.random.default_rng(4)
    s, left = columns(np.ones(25))[0], rng.normal(0, 0.1, (96, 96))
    np.testing.assert_allclose(added(scale * left, scale * s), scale * added(left, s), rtol=1e-3, atol=1e-4 * scale)


def test_nothing_left_changes_nothing():
    assert not added(np.zeros((30, 30)), np.zeros((30, 30))).any()
