"""Normalised mean squared error, PSNR, cross-correlation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from crewe import metrics
from metrics.common import crystal, noisy
from reference import metrics as reference

images = npst.arrays(
    np.float32, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.floats(0, 1000, width=32)
)


@given(images, st.integers(0, 2**32 - 1))
def test_mse_is_its_definition(a, seed):
    b = np.random.default_rng(seed).random(a.shape, np.float32)
    assert metrics.mse(a, b) == pytest.approx(reference.mse(a, b), abs=1e-9)
    assert metrics.mse(a, b) == metrics.mse(b, a)
    assert metrics.mse(a, a) == pytest.approx(0, abs=1e-15)


def test_mse_sees_small_differences():
    a = crystal()
    b = a * (1 + np.float32(1e-4) * np.random.default_rng(0).normal(size=a.shape).astype(np.float32))
    assert metrics.mse(a, b) == pytest.approx(reference.mse(a, b), rel=1e-5)


def test_black_is_the_largest_difference():
    a = crystal()
    black = np.zeros_like(a)
    assert metrics.mse(a, black) == metrics.mse(black, a) == 1
    assert metrics.mse(black, black) == 0


def test_many_images_are_one_by_one():
    a = crystal(2)
    stack = np.stack([[noisy(a, e, seed) for seed in range(3)] for e in (1, 10)])
    for metric in (metrics.mse, metrics.psnr, metrics.cross_correlation):
        found = metric(a, stack)
        assert found.shape == (2, 3)
        assert found.dtype == np.float64
        assert found[1, 2] == metric(a, stack[1, 2])
        assert isinstance(metric(a, stack[0, 0]), float)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_give_the_same_bits(threads):
    a, b = np.random.default_rng(1).random((2, 301, 407), np.float32)
    for metric in (metrics.mse, metrics.psnr, metrics.cross_correlation):
        assert metric(a, b, threads=threads) == metric(a, b, threads=0)


@given(images, st.integers(0, 2**32 - 1))
def test_psnr_and_cross_correlation_are_their_definitions(a, seed):
    b = a + np.random.default_rng(seed).normal(0, 1, a.shape).astype(np.float32)
    if a.max() > 0.01:
        assert metrics.psnr(a, b) == pytest.approx(reference.psnr(a, b), abs=1e-3)
        assert metrics.psnr(a, b, peak=2.0) == pytest.approx(reference.psnr(a, b, 2.0), abs=1e-3)
    if a.std() > 0.01 and b.std() > 0.01:
        assert metrics.cross_correlation(a, b) == pytest.approx(reference.cross_correlation(a, b), abs=1e-6)


def test_psnr_of_equal_images_is_infinite():
    a = crystal(1) + 100
    assert metrics.psnr(a, a) == np.inf


def test_cross_correlation_of_flat_images():
    flat, a = np.ones((8, 9), np.float32), np.random.default_rng(0).random((8, 9), np.float32)
    assert metrics.cross_correlation(flat, a) == metrics.cross_correlation(a, flat) == 0
    assert metrics.cross_correlation(flat, 2 * flat) == 1


@pytest.mark.parametrize("metric", [metrics.mse, metrics.ssim, metrics.cw_ssim, metrics.sift, metrics.psnr])
def test_wrong_images_are_named(metric):
    a = crystal(2)
    with pytest.raises(TypeError, match="dtype float64"):
        metric(a, a.astype(float))
    with pytest.raises(TypeError, match="list"):
        metric(a, a.tolist())
    for wrong in (a[:50], a[0], np.zeros((0, 64, 64), np.float32)):
        with pytest.raises(ValueError, match="wanted"):
            metric(a, wrong)
    for pixel in (np.nan, np.inf, -np.inf):
        b = a.copy()
        b[3, 5] = pixel
        for one, two in ((a, b), (b, a)):
            with pytest.raises(ValueError, match=r"\[3, 5\]"):
                metric(one, two)


def test_negative_pixels_are_refused():
    a = crystal(1)
    b = a.copy()
    b[7, 2] = -0.5
    for one, two, name in ((a, b, "b"), (b, a, "a")):
        with pytest.raises(ValueError, match=rf"{name}: pixels >= 0 wanted, -0.5 came at \[7, 2\]"):
            metrics.mse(one, two)
    with pytest.raises(ValueError, match="peak"):
        metrics.psnr(-a, a)
