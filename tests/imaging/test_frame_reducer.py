"""The core's FrameReducer: all sums in one pass, both byte orders, dead pixels, dark, gain and profiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import _core
from reference import imaging as reference
from strategies import frame_arrays


def reduce(frames, *, threads=1, **options):
    """moments (n, 3), sums (n, k), profiles (n, j) of frames (n, ky, kx)."""
    reducer = _core.FrameReducer(frames.shape[1:], **options)
    n = len(frames)
    moments, profiles = np.empty((n, 3)), np.empty((n, reducer.rings), np.float32)
    sums = np.empty((n, len(options.get("detectors", ()))))
    reducer.reduce(frames, moments=moments, sums=sums, profiles=profiles, threads=threads)
    return moments, sums, profiles


def masks(shape, count, rng):
    """Annuli, a half, a corner pixel, random ones, all: weights of 0 and 1."""
    some = [
        reference.ring(shape, 2, 11),
        np.arange(shape[1]) >= np.full((shape[0], 1), shape[1] // 2),
        np.arange(np.prod(shape)).reshape(shape) == np.prod(shape) - 1,
        rng.random(shape) < 0.3,
        np.ones(shape),
    ]
    return [np.ascontiguousarray(mask, np.float32) for mask in some[:count]]


@given(frame_arrays(), st.integers(0, 5), st.booleans(), st.sampled_from([0, 0.01, 0.3]), st.integers(0, 99))
def test_exact_sums(frames, count, ring_weights, dead, seed):
    """Annular COM, several detectors and a mask of dead pixels at once: to the last count below 2^53."""
    rng, shape = np.random.default_rng(seed), frames.shape[1:]
    detectors = masks(shape, count, rng)
    weights = masks(shape, 1, rng)[0] if ring_weights else None
    dead = (rng.random(shape) < dead).astype(np.uint8)
    alive = np.where(dead, 0, frames)
    moments, sums, _ = reduce(frames, weights=weights, detectors=detectors, dead_pixels=dead)
    np.testing.assert_array_equal(moments, reference.moments(alive, weights))
    for k, detector in enumerate(detectors):
        np.testing.assert_array_equal(sums[:, k], reference.virtual_image(alive, detector))


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<u4", ">u4"])
@pytest.mark.parametrize("shape", [(300, 256), (3, 4200), (2, 9000), (700, 40), (5, 31)])
@pytest.mark.parametrize("dead", [0, 3, 1000])
def test_full_scale(dtype, shape, dead):
    """The largest counts there are, on detectors wider and higher than what is summed at a time."""
    largest = np.iinfo(dtype).max
    frames = np.full((2, *shape), largest, dtype)
    frames[1] = np.random.default_rng(0).integers(0, largest, shape, endpoint=True)
    alive = np.ones(shape, bool)
    alive.flat[np.random.default_rng(1).integers(0, alive.size, dead)] = False
    detectors = [np.ones(shape, np.float32), np.ascontiguousarray(alive[::-1], np.float32)]
    moments, sums, _ = reduce(frames, detectors=detectors, dead_pixels=(~alive).astype(np.uint8))
    for i, frame in enumerate(frames.astype(object) * alive):
        y, x = (int((frame * place).sum()) for place in np.mgrid[: shape[0], : shape[1]])
        assert moments[i].tolist() == [float(int(frame.sum())), float(y), float(x)]
        assert sums[i].tolist() == [float(int((frame * detector.astype(int)).sum())) for detector in detectors]


@given(frame_arrays(largest=50), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 99))
def test_dark_gain_and_weights(frames, with_dark, with_gain, with_weights, seed):
    rng, shape = np.random.default_rng(seed), frames.shape[1:]
    dark = rng.random(shape).astype(np.float32) if with_dark else None
    gain = rng.uniform(0.8, 1.2, shape).astype(np.float32) if with_gain else None
    weights = rng.normal(size=shape).astype(np.float32) if with_weights else None
    detectors = [rng.normal(size=shape).astype(np.float32), *masks(shape, 1, rng)]
    dead = (rng.random(shape) < 0.05).astype(np.uint8)
    true = frames.astype(np.float64)
    true = (true - (0 if dark is None else dark)) * (1 if gain is None else gain) * (dead == 0)
    moments, sums, _ = reduce(frames, dark=dark, gain=gain, weights=weights, detectors=detectors, dead_pixels=dead)
    scale = np.abs(true).sum((1, 2)).max(initial=1) * (3 if with_weights else 1)
    np.testing.assert_allclose(moments, reference.moments(true, weights), atol=1e-12 * scale * max(shape))
    for k, detector in enumerate(detectors):
        np.testing.assert_allclose(sums[:, k], reference.virtual_image(true, detector), atol=1e-11 * scale)


@given(frame_arrays(), st.integers(1, 64), st.tuples(st.floats(-9, 60), st.floats(-9, 60)), st.booleans())
def test_profiles(frames, rings, center, some_dead):
    shape = frames.shape[1:]
    index = reference.rings(shape, rings, center)
    dead = (np.random.default_rng(0).random(shape) < 0.1 * some_dead).astype(np.uint8)
    _, sums, profiles = reduce(frames, rings=index, dead_pixels=dead, detectors=[np.ones(shape, np.float32)])
    alive = np.where(dead, 0, frames)
    for j in range(profiles.shape[1]):
        want = reference.virtual_image(alive, index == j)
        np.testing.assert_array_equal(profiles[:, j], want.astype(np.float32))
    np.testing.assert_allclose(profiles.sum(1, dtype=np.float64), sums[:, 0], rtol=1e-5)


def test_pixels_of_no_ring():
    frames = np.random.default_rng(0).poisson(3, (4, 33, 70)).astype(np.uint16)
    index = np.where(np.arange(70) < 40, 255, np.arange(70) // 30).astype(np.uint8)
    index = np.ascontiguousarray(np.broadcast_to(index, (33, 70)))
    _, _, profiles = reduce(frames, rings=index)
    assert profiles.shape == (4, 3)
    np.testing.assert_array_equal(profiles, np.stack([frames[:, index == j].sum(1) for j in range(3)], -1))


def test_dead_pixels_may_hold_anything():
    """What the detector doesn't measure isn't looked at, in the frames and in dark and gain."""
    rng = np.random.default_rng(1)
    frames = rng.random((3, 40, 50)).astype(np.float32)
    dead = (rng.random((40, 50)) < 0.1).astype(np.uint8)
    bad = frames.copy()
    bad[:, dead == 1] = np.nan
    dark, gain = np.where(dead, np.inf, 0.25).astype(np.float32), np.where(dead, np.nan, 2.0).astype(np.float32)
    for options in ({}, {"dark": dark, "gain": gain}):
        got = reduce(bad, dead_pixels=dead, detectors=[np.ones((40, 50), np.float32)], **options)
        want = reduce(np.where(dead, 0, frames), dead_pixels=dead, detectors=[np.ones((40, 50), np.float32)], **options)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_array_equal(a, b)


def test_byte_orders_agree():
    frames = np.random.default_rng(2).integers(0, 2**16, (6, 64, 100)).astype("<u2")
    ring = [np.ascontiguousarray(reference.ring((64, 100), 5, 30), np.float32)]
    for a, b in zip(reduce(frames, detectors=ring), reduce(frames.astype(">u2"), detectors=ring), strict=True):
        np.testing.assert_array_equal(a, b)


def test_frames_at_any_address():
    """Merlin frames lie behind text headers: nothing is aligned."""
    counts = np.random.default_rng(3).integers(0, 2**16, (5, 64, 96)).astype(">u2")
    buffer = np.zeros((5, 64 * 96 * 2 + 77), np.uint8)
    buffer[:, 77:] = counts.view(np.uint8).reshape(5, -1)
    frames = np.ndarray((5, 64, 96), ">u2", buffer, 77, (buffer.strides[0], 192, 2))
    np.testing.assert_array_equal(reduce(frames)[0], reduce(counts)[0])


@pytest.mark.parametrize("threads", [1, 2, 0])
def test_only_what_is_asked_for(threads):
    frames = np.random.default_rng(4).poisson(3, (40, 33, 40)).astype(np.uint8)
    reducer = _core.FrameReducer((33, 40), detectors=[np.ones((33, 40), np.float32)])
    com = np.empty((40, 2), np.float32)
    reducer.reduce(frames, com=com, cy=1.0, cx=2.0, threads=threads)
    np.testing.assert_allclose(com, reference.com(frames, (1.0, 2.0)), rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": np.ones((3, 3), np.float32)}, "weights: 1320 pixels wanted, 9 came"),
        ({"detectors": [np.full((33, 40), np.inf, np.float32)]}, "detector: finite"),
        ({"dark": np.full((33, 40), np.nan, np.float32)}, "dark: finite"),
        ({"gain": np.ones(7, np.float32)}, "gain: 1320"),
        ({"rings": np.ones(7, np.uint8)}, "rings: 1320"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        _core.FrameReducer((33, 40), **options)


def test_wrong_calls():
    reducer = _core.FrameReducer((33, 40))
    with pytest.raises(ValueError, match=r"frames: \(33, 40\) pixels wanted, \(33, 41\) came"):
        reducer.reduce(np.zeros((2, 33, 41), np.uint8))
    with pytest.raises(ValueError, match=r"com: a contiguous array \(2, 2\) wanted"):
        reducer.reduce(np.zeros((2, 33, 40), np.uint8), com=np.zeros((3, 2), np.float32))
    with pytest.raises(TypeError):
        reducer.reduce(np.zeros((2, 33, 40), np.uint8), com=np.zeros((2, 2)))
    with pytest.raises(TypeError, match="frames: dtype"):
        reducer.reduce(np.zeros((2, 33, 40), np.int16))
