import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import atoms
from reference import atoms as reference


def squares(centres, side):
    centres = np.asarray(centres, float)
    return np.concatenate([centres - side / 2, centres + side / 2], axis=1)


@given(seed=st.integers(0, 2**32 - 1), iou=st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0]), extent=st.floats(1, 300))
def test_as_defined(seed, iou, extent):
    """Boxes of sizes over five octaves, ties among the scores."""
    rng = np.random.default_rng(seed)
    corner = rng.uniform(-extent, extent, (120, 2))
    boxes = np.concatenate([corner, corner + 2.0 ** rng.uniform(-1, 4, (120, 2))], axis=1)
    scores = rng.integers(0, 9, 120) / 8 - 0.5
    assert atoms.nms(boxes, scores, iou=iou).tolist() == reference.nms(boxes, scores, iou)


@pytest.mark.parametrize("crowding", [0.3, 3.0, 40.0])
@pytest.mark.parametrize("iou", [0.0, 0.3, 0.7])
def test_equal_squares_scattered_and_crowded(crowding, iou):
    """Far from the origin too, where coordinates are rounded: they share what their numbers say."""
    rng = np.random.default_rng(0)
    centres, scores = rng.uniform(0, np.sqrt(300 / crowding), (300, 2)), rng.random(300)
    for boxes in (squares(centres, 1), squares(centres + 2.0**40, 1)):
        assert atoms.nms(boxes, scores, iou=iou).tolist() == reference.nms(boxes, scores, iou)


def test_sizes_apart_by_orders_of_magnitude():
    """One box of 1e6 among boxes of 1e-3 overlaps them all, and none by much."""
    boxes = np.concatenate([[[0, 0, 1e6, 1e6]], squares(np.random.default_rng(0).uniform(0, 1e6, (999, 2)), 1e-3)])
    scores = np.arange(1000.0)
    assert len(atoms.nms(boxes, scores, iou=0.1)) == 1000
    assert atoms.nms(boxes, scores, iou=0.0).tolist() == reference.nms(boxes, scores, 0.0)


def test_far_away_and_without_area():
    boxes = np.array([[1e300, 1e300, 1e300, 1e300], [3, 4, 3, 9], [3, 4, 3, 9], [1e18, 0, 1e18 + 256, 256]])
    assert atoms.nms(boxes, np.arange(4.0)).tolist() == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("step", "kept"), [((0.5384, 0), 1), ((0.5386, 0), 2), ((0.3205, 0.3205), 1), ((0.3207,) * 2, 2)]
)
def test_the_limit_of_equal_squares(step, kept):
    assert atoms.nms(squares([(0, 0), step], 1), [1.0, 0.5]).size == kept


def test_a_box_stays_at_the_limit():
    boxes = [[0, 0, 2, 1], [0, 0, 1, 1]]
    assert atoms.nms(boxes, [2, 1], iou=0.5).tolist() == [0, 1]
    assert atoms.nms(boxes, [2, 1], iou=0.4999).tolist() == [0]


def test_minus_zero_is_zero():
    assert atoms.nms(squares([(5, 0), (0, 0)], 1), [0.0, -0.0]).tolist() == [1, 0]


def test_dense_lattice_of_many():
    rng = np.random.default_rng(0)
    boxes, scores = squares(rng.uniform(0, 300, (20000, 2)), 7), rng.random(20000)
    kept = atoms.nms(boxes, scores)
    centres = (boxes[kept, :2] + boxes[kept, 2:]) / 2
    dy, dx = (np.abs(c[:, None] - c[None]) for c in centres.T)
    both = np.clip(7 - dy, 0, None) * np.clip(7 - dx, 0, None)
    np.fill_diagonal(both, 0)
    assert (both / (98 - both)).max() <= 0.3
    assert (np.diff(scores[kept]) < 0).all()


@pytest.mark.parametrize(
    ("boxes", "scores", "error", "words"),
    [
        (np.zeros((2, 3)), [1, 2], ValueError, r"boxes: shape \(n, 4\)"),
        (np.zeros((2, 4)), [1], ValueError, "scores: shape"),
        ([[2, 0, 1, 1]], [1], ValueError, "y0 <= y1"),
        ([[0, 0, np.nan, 1]], [1], ValueError, r"finite numbers wanted.*\[0, 2\]"),
        ([[0, 0, 1, 1]], [1j], TypeError, "scores: real numbers"),
    ],
)
def test_what_is_refused(boxes, scores, error, words):
    with pytest.raises(error, match=words):
        atoms.nms(boxes, scores)
