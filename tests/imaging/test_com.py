import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import imaging
from levels import at_all_levels
from reference import imaging as reference
from strategies import frame_arrays

NATIVE = ("u1", "u2", "u4", "f4")


def poisson(shape, dtype=np.uint16, mean=2.0, seed=0):
    return np.random.default_rng(seed).poisson(mean, shape).astype(dtype)


@pytest.fixture(scope="module", name="com")
def com_there(device):
    return device.run(imaging.com)


@given(frame_arrays(NATIVE))
def test_against_reference(com, frames):
    got = com(frames)
    assert got.dtype == np.float32
    assert got.shape == (len(frames), 2)
    np.testing.assert_allclose(got, reference.com(frames), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize("shape", [(1, 5), (64, 515), (31, 17), (256, 256), (3, 9000), (1, 1)])
def test_detector_shapes(com, dtype, shape):
    frames = poisson((2, 3, *shape), dtype)
    np.testing.assert_allclose(com(frames), reference.com(frames), rtol=1e-6, atol=1e-5)


@given(frame_arrays(NATIVE, largest=40), st.integers(0, 99), st.booleans())
def test_mask(com, frames, seed, binary):
    rng = np.random.default_rng(seed)
    mask = rng.integers(0, 2, frames.shape[1:]) if binary else rng.uniform(0.1, 1, frames.shape[1:])
    mask = mask.astype(np.float32)
    want = reference.com(frames, (3.0, -1.5), mask)
    np.testing.assert_allclose(com(frames, center=(3.0, -1.5), mask=mask), want, rtol=1e-6, atol=2e-5)


def test_one_electron_is_where_it_is(com):
    frames = np.eye(35, dtype=np.uint8).reshape(35, 5, 7)
    want = np.stack([np.arange(35) // 7, np.arange(35) % 7], -1)
    np.testing.assert_array_equal(com(frames, center=(0, 0)), want)


def test_integers_are_summed_exactly(com):
    """Counts near full scale: the float32 nearest to the exact quotient."""
    frames = np.random.default_rng(3).integers(2**16 - 300, 2**16, (4, 256, 256)).astype(np.uint16)
    n = frames.sum((1, 2), dtype=np.int64)
    y = (frames.sum(2, dtype=np.int64) * np.arange(256)).sum(1)
    x = (frames.sum(1, dtype=np.int64) * np.arange(256)).sum(1)
    want = np.stack([y / n - 127.5, x / n - 127.5], -1).astype(np.float32)
    np.testing.assert_array_equal(com(frames), want)
    np.testing.assert_array_equal(com(frames.astype(np.uint32)), want)


def test_moments_are_linear(com):
    """n·com of a sum of frames is the sum of n·com."""
    a, b = poisson((2, 5, 48, 70)).astype(np.uint16)
    n = [frames.sum((1, 2))[:, None] for frames in (a, b, a + b)]
    parts = n[0] * com(a).astype(float) + n[1] * com(b).astype(float)
    np.testing.assert_allclose(n[2] * com(a + b).astype(float), parts, atol=1e-2)


def test_translation_moves_it(com):
    frames = np.zeros((1, 64, 64), np.uint16)
    frames[0, 20:40, 22:37] = poisson((20, 15))
    moved = np.roll(frames, (5, -7), (1, 2))
    np.testing.assert_allclose(com(moved) - com(frames), [[5, -7]], atol=1e-5)


def test_leading_axes(com):
    frames = poisson((3, 4, 5, 33, 40))
    got = com(frames)
    assert got.shape == (3, 4, 5, 2)
    np.testing.assert_array_equal(com(frames[1, 2, 3]), got[1, 2, 3])
    np.testing.assert_array_equal(com(frames[:, ::2, ::-1]), got[:, ::2, ::-1])
    np.testing.assert_array_equal(com(frames.transpose(2, 0, 1, 3, 4)), got.transpose(2, 0, 1, 3))
    assert com(frames[:0]).shape == (0, 4, 5, 2)


def test_a_broadcast_frame(com):
    frame = poisson((33, 40))
    np.testing.assert_array_equal(com(np.broadcast_to(frame, (6, 33, 40))), np.tile(com(frame), (6, 1)))


def all_bits(threads):
    """A digest of com over all dtypes, with and without masks."""
    digest = hashlib.sha256()
    rng = np.random.default_rng(5)
    for dtype in NATIVE:
        for shape in ((9, 256, 256), (40, 37, 75), (5, 7, 9)):
            frames = (rng.random(shape) * 200).astype(dtype)
            ring = reference.ring(shape[1:], 3, 20)
            for mask in (None, ring, rng.random(shape[1:])):
                digest.update(imaging.com(frames, mask=mask, threads=threads).tobytes())
    return digest.hexdigest()


def test_threads_give_the_same_bits():
    assert len({all_bits(threads) for threads in (1, 2, 3, 0)}) == 1


def test_levels_give_the_same_bits():
    at_all_levels(f"import runpy; print(runpy.run_path({__file__!r})['all_bits'](1))")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(0, 0), (39, 74), (20, 33)])
def test_numbers_that_are_not_finite(com, bad, place):
    frames = poisson((2, 8, 40, 75), np.float32)
    frames[(1, 3, *place)] = bad
    frames[(1, 6, *place)] = bad
    for options in ({}, {"mask": np.zeros((40, 75))}, {"threads": 1}):
        with pytest.raises(ValueError, match=r"frames: finite numbers wanted.*\[1, 3\]"):
            com(frames, **options)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(mask=np.ones((3, 3))), r"mask: shape \(33, 40\) wanted, \(3, 3\) came"),
        (dict(mask=np.full((33, 40), np.nan)), "mask: finite"),
        (dict(center=(np.nan, 3)), "center: a finite"),
        (dict(center=3.0), r"center: two numbers \(y, x\) wanted"),
        (dict(threads=-1), "threads: 0"),
    ],
)
def test_wrong_arguments(com, wrong, message):
    with pytest.raises(ValueError, match=message):
        com(poisson((2, 33, 40)), **wrong)


def test_wrong_frames(com):
    frames = poisson((2, 33, 40))
    for wrong in (frames.astype(float), frames.astype(np.int16), frames.astype(">u2"), frames > 1, frames.tolist()):
        with pytest.raises(TypeError, match="frames: "):
            com(wrong)
    with pytest.raises(ValueError, match=r"frames: shape \(\.\.\., ky, kx\) wanted, \(40,\) came"):
        com(frames[0, 0])
    with pytest.raises(TypeError, match="threads: an int wanted"):
        com(frames, threads=1.5)
    with pytest.raises(ValueError, match="frames"):
        com(frames[..., :0])
