"""Jitter and the way back, the smear of a fast scan, switched lines."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import noise
from reference import noise as reference


def picture(shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 9, shape).astype(np.float32)


@given(st.integers(1, 30), st.integers(1, 40), st.floats(0, 3), st.floats(0, 0.95), st.integers(0, 2**40))
def test_jitter(ny, nx, sigma, phi, seed):
    image = picture((ny, nx), seed)
    moved, shifts = noise.jitter(image, sigma=(sigma, sigma / 2), phi=(phi, 0.0), seed=seed)
    for axis, (s, p) in enumerate([(sigma, phi), (sigma / 2, 0.0)]):
        assert np.allclose(shifts[:, axis], reference.jitter_series(s, p, ny, seed, axis), rtol=1e-12, atol=1e-12)
    assert np.allclose(moved, reference.shift_lines(image, shifts), atol=2e-3)


def test_jitter_by_whole_pixels_moves_whole_pixels():
    image = picture((20, 30))
    shifts = np.tile([2.0, -3.0], (20, 1))
    back = noise.unshift(image, shifts * [0, 1])
    assert np.array_equal(back[:, :-3], image[:, 3:])


@given(st.integers(3, 25), st.integers(1, 20), st.integers(0, 2**32))
def test_unshift_keeps_straight_lines(ny, nx, seed):
    """A specimen that is linear in y is restored whatever the shifts: the spline's null space."""
    shifts = np.random.default_rng(seed).normal(0, 0.6, (ny, 2)) * [1, 0]
    y = np.arange(ny)[:, None] + shifts[:, :1]
    data = np.broadcast_to(3 - 0.5 * y, (ny, nx)).astype(np.float32)
    want = np.broadcast_to(3 - 0.5 * np.arange(ny)[:, None], (ny, nx))
    assert np.allclose(noise.unshift(data, shifts), want, atol=1e-3 * ny)


def test_unshift_of_many_channels_is_unshift_of_each():
    data = np.random.default_rng(1).random((12, 15, 5, 9)).astype(np.float32)
    shifts = np.random.default_rng(2).normal(0, 0.5, (12, 2))
    whole = noise.unshift(data, shifts)
    for place in [(0, 0), (4, 8), (2, 3)]:
        each = noise.unshift(np.ascontiguousarray(data[..., place[0], place[1]]), shifts)
        assert np.allclose(whole[..., place[0], place[1]], each, atol=1e-6)
    assert np.array_equal(noise.unshift(data[::-1], shifts), noise.unshift(data[::-1].copy(), shifts))


def test_unshift_refuses():
    data = np.ones((4, 5), np.float32)
    for wrong in (np.zeros((5, 2)), np.zeros(4), np.full((4, 2), np.nan), np.full((4, 2), 1e9)):
        with pytest.raises(ValueError, match="shifts"):
            noise.unshift(data, wrong)
    with pytest.raises(TypeError, match="float32"):
        noise.unshift(data.astype(float), np.zeros((4, 2)))
    with pytest.raises(ValueError, match="data"):
        noise.unshift(np.ones(4, np.float32), np.zeros((4, 2)))


@pytest.mark.parametrize(
    "options",
    [
        {"alpha": 0.4},
        {"alpha": 6.0},
        {"beta": 1.5, "gamma": 9.0, "theta": 0.8},
        {"alpha": 2.5, "beta": 0.4, "gamma": 20.0, "theta": 1.5},
    ],
)
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (5, 300)])
def test_fast_scan(options, shape):
    image = picture(shape)
    got, want = noise.fast_scan(image, **options), reference.fast_scan(image, **options)
    assert np.allclose(got, want, atol=0.02)  # 0.2 % of the Lorentzian are cut


def test_fast_scan_refuses_half_an_oscillator():
    image = picture((4, 4))
    for options in ({"beta": 1.0}, {"beta": 1.0, "gamma": 5.0}, {"gamma": 5.0, "theta": 1.0}):
        with pytest.raises(ValueError, match="belong together"):
            noise.fast_scan(image, **options)
    with pytest.raises(ValueError, match="positive sum"):
        noise.fast_scan(image, beta=1.0, gamma=5.0, theta=math.pi)


def test_row_lines_take_their_mean():
    image = picture((30, 100))
    out = noise.row_lines(image, count=1, length=(0.2, 0.2), factor=(2.0, 2.0), seed=5)
    row = np.flatnonzero((out != image).any(axis=1))
    where = np.flatnonzero(out[row[0]] != image[row[0]])
    assert row.size == 1
    assert where.size == 20
    assert np.ptp(where) == 19
    assert np.allclose(out[row[0], where], 2 * image[row[0], where].mean(), rtol=1e-5)
    for options in ({"length": (0.5, 0.2)}, {"length": (0.0, 1.5)}, {"factor": (-1.0, 1.0)}):
        with pytest.raises(ValueError, match=next(iter(options))):
            noise.row_lines(image, count=1, seed=1, **options)
