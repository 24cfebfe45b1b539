"""Non-maximum suppression and summits on a GPU: the boxes and places of the host, in the same order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import _core, atoms
from crewe._device import extension, view


def on_both(gpu, boxes, scores, iou):
    want = atoms.nms(boxes, scores, iou=iou)
    got = gpu.get(atoms.nms(gpu.put(boxes), gpu.put(scores), iou=iou))
    assert got.dtype == np.int64
    assert np.array_equal(got, want)
    return want


def squares(generator, count, room, sides):
    middle = generator.uniform(0, room, (count, 2))
    half = generator.choice(sides, (count, 1)) / 2
    return np.concatenate([middle - half, middle + half], axis=1)


@pytest.mark.parametrize("iou", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("count", [1, 2, 127, 700])
def test_random_boxes(gpu, count, iou):
    generator = np.random.default_rng(count)
    boxes = squares(generator, count, 40.0, [1.0, 3.0, 9.0])
    kept = on_both(gpu, boxes, generator.random(count), iou)
    assert 0 < len(kept) <= count


def test_more_boxes_than_a_tile_of_the_sort(gpu):
    generator = np.random.default_rng(5)
    on_both(gpu, squares(generator, 2500, 150.0, [4.0]), generator.random(2500).round(2), 0.3)


def test_equal_scores_and_equal_boxes(gpu):
    generator = np.random.default_rng(1)
    boxes = squares(generator, 300, 12.0, [2.0]).round()
    on_both(gpu, boxes, np.ones(300), 0.2)
    on_both(gpu, np.concatenate([boxes, boxes]), np.tile([0.0, -0.0, 1.0], 200), 0.2)


def test_a_long_chain(gpu):
    """Every box overlaps the next and is better: each decides over its neighbour, one after the other."""
    place = np.arange(900) * 0.5
    boxes = np.stack([place * 0, place, place * 0 + 1, place + 1], axis=1)
    assert len(on_both(gpu, boxes, -place, 0.3)) == 450
    on_both(gpu, boxes, place, 0.3)


@given(st.integers(0, 60), st.integers(0, 999), st.sampled_from([0.0, 0.1, 0.5]))
def test_flat_and_large_boxes(gpu, count, seed, iou):
    generator = np.random.default_rng(seed)
    corner = generator.uniform(-5, 5, (count, 2))
    sides = generator.choice([0.0, 0.1, 1.0, 50.0], (count, 2))
    on_both(gpu, np.concatenate([corner, corner + sides], axis=1), generator.integers(0, 4, count).astype(float), iou)


def test_what_is_refused(gpu):
    boxes, scores = np.array([[0.0, 0, 1, 1], [0, 0, 2, 2]]), np.array([1.0, 2.0])
    for wrong in (np.array([[0.0, 0, 1, 1], [3, 0, 2, 2]]), np.array([[0.0, 0, 1, 1], [np.inf, 0, 2, 2]])):
        with pytest.raises(ValueError, match="at 1"):
            atoms.nms(gpu.put(wrong), gpu.put(scores))
    with pytest.raises(TypeError, match="float64"):
        atoms.nms(gpu.put(boxes.astype(np.float32)), gpu.put(scores))
    with pytest.raises(ValueError, match="one per box"):
        atoms.nms(gpu.put(boxes), gpu.put(scores[:1]))
    with pytest.raises(TypeError, match="scores"):
        atoms.nms(gpu.put(boxes), scores)


@pytest.mark.parametrize("reach", [1, 3])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (33, 70)])
def test_summits(gpu, shape, reach):
    map = np.random.default_rng(3).integers(0, 30, shape).astype(np.float32)  # many equal ones
    want = _core.atoms_peaks(map, reach=reach, lower=5.0)
    there = view(gpu.put(map), "map")
    found = extension().atoms_peaks(there, reach=reach, lower=5.0)
    out = there.empty((found.count, 3), np.float64)
    found.put(out)
    assert np.array_equal(gpu.get(out.owner), want)
