"""Single electrons summed on a GPU against the plain definition; the CPU's tests are in tests/imaging."""

import numpy as np
import pytest

from crewe._device import extension
from crewe.io import EVENT
from reference.event_moments import add_events


def make_events(rng, n, positions, shape, order):
    events = np.zeros(n, EVENT)
    events["position"] = rng.integers(0, positions, n)
    events["y"], events["x"] = rng.integers(0, shape[0], n), rng.integers(0, shape[1], n)
    return np.sort(events, order="position") if order == "sorted" else events


def reduce(events, positions, shape, size, **options):
    reducer = extension().Events(shape, positions, **options)
    for start in range(0, len(events), size):
        reducer.add(events[start : start + size])
    *sums, pattern = reducer.sums()
    return *sums, pattern.reshape(shape)


@pytest.mark.parametrize("order", ["sorted", "random"])
@pytest.mark.parametrize(("shape", "positions"), [((256, 256), 40), ((31, 700), 5000), ((1, 1), 1)])
def test_moments_of_events(gpu, order, shape, positions):
    events = make_events(np.random.default_rng(1), 5000, positions, shape, order)
    moments, _, _, pattern = reduce(events, positions, shape, 1777)
    want = add_events(events, positions, shape)
    np.testing.assert_array_equal(moments, want[0])
    np.testing.assert_array_equal(pattern, want[3])


@pytest.mark.parametrize("order", ["sorted", "random"])
@pytest.mark.parametrize("weighted", [False, True])
def test_detectors_masks_gain_and_rings(gpu, order, weighted):
    rng, shape, positions = np.random.default_rng(2), (40, 50), 300
    events = make_events(rng, 4000, positions, shape, order)
    options = {
        "detectors": [(rng.random(shape) < 0.5).astype(np.float32) for _ in range(3)],
        "weights": (rng.random(shape) < 0.7).astype(np.float32),
        "dead_pixels": (rng.random(shape) < 0.1).astype(np.uint8),
        "rings": rng.choice(np.array([0, 1, 2, 9, 255], np.uint8), shape),
    }
    if weighted:
        options["gain"] = rng.uniform(0.5, 2, shape).astype(np.float32)
    got, want = reduce(events, positions, shape, 700, **options), add_events(events, positions, shape, **options)
    tolerance = 1e-6 if weighted else 0
    for name, a, b in zip(("moments", "detectors", "profiles", "pattern"), got, want, strict=False):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize(("field", "value"), [("position", 10), ("y", 32), ("x", 30)])
def test_events_beyond_the_scan_or_the_detector(gpu, field, value):
    events = np.zeros(20, EVENT)
    reducer = extension().Events((32, 30), 10)
    reducer.add(events)
    events[field][7] = value
    with pytest.raises(IndexError, match="event 7 lies beyond"):
        reducer.add(events)
    assert reducer.sums()[0][0, 0] == 20, "nothing is added"
