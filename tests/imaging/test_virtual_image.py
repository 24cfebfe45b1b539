from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import imaging
from reference import imaging as reference
from strategies import frame_arrays

NATIVE = ("u1", "u2", "u4", "f4")
RADII = st.one_of(st.integers(0, 40).map(float), st.floats(0, 40))


@pytest.fixture(scope="module", name="virtual_image")
def virtual_image_there(device):
    return device.run(imaging.virtual_image)


@given(frame_arrays(NATIVE), RADII, RADII, st.tuples(st.floats(-5, 60), st.floats(-5, 60)))
def test_against_reference(virtual_image, frames, inner, width, center):
    if inner + width <= inner:
        return
    weights = reference.ring(frames.shape[1:], inner, inner + width, center)
    got = virtual_image(frames, inner=inner, outer=inner + width, center=center)
    assert got.dtype == np.float32
    want = reference.virtual_image(frames, weights).astype(np.float32)
    np.testing.assert_array_equal(got, want)  # counts below 2^53: exact before they are rounded


@given(frame_arrays(NATIVE), st.integers(0, 99))
def test_mask(virtual_image, frames, seed):
    mask = np.random.default_rng(seed).normal(size=frames.shape[1:]).astype(np.float32)
    tolerance = 1e-6 * reference.virtual_image(frames, np.abs(mask)).max(initial=1)
    np.testing.assert_allclose(virtual_image(frames, mask=mask), reference.virtual_image(frames, mask), atol=tolerance)


@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize("shape", [(1, 5), (64, 515), (31, 17), (3, 9000), (1, 1)])
def test_detector_shapes(virtual_image, dtype, shape):
    frames = np.random.default_rng(0).integers(0, 200, (2, 3, *shape)).astype(dtype)
    np.testing.assert_array_equal(virtual_image(frames), frames.sum((2, 3), dtype=np.float64))


def test_rings_add_up_to_the_whole(virtual_image):
    frames = np.random.default_rng(1).poisson(3, (4, 5, 50, 61)).astype(np.uint16)
    edges, center = [0.0, 1.0, 7.5, 20.0, 33.0, None], (20.3, 31.9)
    parts = [virtual_image(frames, inner=a, outer=b, center=center) for a, b in pairwise(edges)]
    np.testing.assert_array_equal(sum(parts), virtual_image(frames))


def test_radii_are_half_open(virtual_image):
    frame = np.zeros((21, 21), np.uint8)
    frame[13, 14] = 1  # 3-4-5: exactly 5 pixels from the centre (10, 10)
    assert virtual_image(frame, inner=5.0) == 1
    assert virtual_image(frame, outer=5.0) == 0


def test_full_scale_does_not_overflow(virtual_image):
    for dtype in ("u1", "u2", "u4"):
        frames = np.full((2, 300, 300), np.iinfo(dtype).max, dtype)
        np.testing.assert_array_equal(virtual_image(frames), frames.sum((1, 2), dtype=np.float64).astype(np.float32))


def test_numbers_that_are_not_finite(virtual_image):
    frames = np.ones((5, 9, 9), np.float32)
    frames[3, 0, 0] = np.nan
    with pytest.raises(ValueError, match=r"\[3\]"):
        virtual_image(frames, outer=2.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(inner=-1.0), "inner, outer"),
        (dict(inner=5.0, outer=5.0), "inner, outer"),
        (dict(inner=np.nan), "inner: a finite"),
        (dict(inner=1.0, mask=np.ones((9, 9))), "mask: either"),
        (dict(mask=np.ones((9, 8))), "mask: shape"),
        (dict(center=(1.0,)), "center"),
    ],
)
def test_wrong_arguments(virtual_image, wrong, message):
    with pytest.raises(ValueError, match=message):
        virtual_image(np.ones((2, 9, 9), np.uint8), **wrong)
