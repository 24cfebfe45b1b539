"""Single electrons summed in blocks against the plain definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe._core import EventReducer
from crewe.io import EVENT
from reference.event_moments import add_events


def make_events(rng, n, positions, shape, order):
    events = np.zeros(n, EVENT)
    events["position"] = rng.integers(0, positions, n)
    events["y"], events["x"] = rng.integers(0, shape[0], n), rng.integers(0, shape[1], n)
    if order == "sorted":
        events = np.sort(events, order="position")
    elif order == "nearly":
        events = events[np.argsort(events["position"] + rng.uniform(0, 3, n))]
    return events


def reduce(events, positions, shape, sizes=(100000,), **options):
    reducer = EventReducer(*shape, positions, **options)
    rings = options.get("rings")
    n_rings = 0 if rings is None else 1 + max((int(ring) for ring in np.unique(rings) if ring != 255), default=-1)
    moments, sums = np.zeros((positions, 3)), np.zeros((positions, len(options.get("detectors", []))))
    profiles, pattern = np.zeros((positions, n_rings), np.float32), np.zeros(shape)
    start, k, touched = 0, 0, []
    while start < len(events):
        block = events[start : start + sizes[k % len(sizes)]]
        touched.append(
            reducer.add(block, moments=moments, detectors=sums, profiles=profiles if n_rings else None, pattern=pattern)
        )
        start, k = start + len(block), k + 1
    return moments, sums, profiles, pattern, touched


@pytest.mark.parametrize("order", ["sorted", "nearly", "random"])
@pytest.mark.parametrize("shape", [(256, 256), (512, 512), (31, 700), (1, 65536), (3, 1)])
@pytest.mark.parametrize("positions", [1, 60, 5000, 300000])
def test_moments_of_events(order, shape, positions):
    events = make_events(np.random.default_rng(1), 50000, positions, shape, order)
    moments, _, _, pattern, touched = reduce(events, positions, shape)
    want = add_events(events, positions, shape)
    np.testing.assert_array_equal(moments, want[0])
    np.testing.assert_array_equal(pattern, want[3])
    np.testing.assert_array_equal(touched[0], np.unique(events["position"]))


@pytest.mark.parametrize("k", [0, 1, 3, 4, 5, 7, 8, 11])
@pytest.mark.parametrize("order", ["sorted", "random"])
def test_detectors_masks_and_rings(k, order):
    rng, shape, positions = np.random.default_rng(2), (40, 50), 3000
    events = make_events(rng, 40000, positions, shape, order)
    options = {
        "detectors": [(rng.random(shape) < 0.5).astype(np.float32) for _ in range(k)],
        "weights": (rng.random(shape) < 0.7).astype(np.float32),
        "dead_pixels": (rng.random(shape) < 0.1).astype(np.uint8),
        "rings": rng.choice(np.array([0, 1, 2, 9, 255], np.uint8), shape),
    }
    got, want = reduce(events, positions, shape, (7000,), **options), add_events(events, positions, shape, **options)
    for name, a, b in zip(("moments", "detectors", "profiles", "pattern"), got, want, strict=False):
        np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.mark.parametrize("order", ["sorted", "random"])
def test_any_weights_and_gain(order):
    rng, shape, positions = np.random.default_rng(3), (20, 30), 500
    events = make_events(rng, 20000, positions, shape, order)
    options = {
        "detectors": [rng.normal(size=shape).astype(np.float32) for _ in range(2)],
        "weights": rng.random(shape).astype(np.float32),
        "gain": rng.uniform(0.5, 2, shape).astype(np.float32),
        "dead_pixels": (rng.random(shape) < 0.1).astype(np.uint8),
    }
    got, want = reduce(events, positions, shape, (333,), **options), add_events(events, positions, shape, **options)
    for name, a, b in zip(("moments", "detectors", "profiles", "pattern"), got, want, strict=False):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-9, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(1, 9000), min_size=1, max_size=5),
    st.sampled_from([1, 100, 2047, 2048, 2049, 70000]),
    st.sampled_from(["sorted", "nearly", "random"]),
)
def test_any_split_gives_the_same_bits(seed, sizes, positions, order):
    rng, shape = np.random.default_rng(seed), (64, 100)
    events = make_events(rng, 20000, positions, shape, order)
    options = {"detectors": [(rng.random(shape) < 0.5).astype(np.float32)], "dead_pixels": (rng.random(shape) < 0.1)}
    whole, parts = (
        reduce(events, positions, shape, **options),
        reduce(events, positions, shape, tuple(sizes), **options),
    )
    for a, b in zip(whole[:4], parts[:4], strict=True):
        np.testing.assert_array_equal(a, b)
    for touched in parts[4]:
        assert (np.diff(touched.astype(np.int64)) > 0).all(), "ascending, each once"
    np.testing.assert_array_equal(np.unique(np.concatenate(parts[4])), whole[4][0])


def test_no_overflow_on_one_pixel():
    events = np.zeros(300000, EVENT)
    events["y"], events["x"] = 511, 511
    moments, sums, *_ = reduce(events, 4, (512, 512), detectors=[np.ones((512, 512), np.float32)])
    np.testing.assert_array_equal(moments[0], [300000, 300000 * 511, 300000 * 511])
    assert sums[0, 0] == 300000


@pytest.mark.parametrize(("field", "value"), [("position", 10), ("y", 32), ("x", 30)])
def test_events_beyond_the_scan_or_the_detector(field, value):
    events = np.zeros(20, EVENT)
    events[field][7] = value
    moments = np.zeros((10, 3))
    with pytest.raises(IndexError, match="event 7"):
        EventReducer(32, 30, 10).add(events, moments=moments)
    assert not moments.any(), "nothing is added"
