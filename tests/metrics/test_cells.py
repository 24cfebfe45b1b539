"""Unit cells, precipitates and their sizes."""

import numpy as np
import pytest

from crewe import metrics
from metrics.common import crystal, noisy


def with_precipitate(cells, cell, inside):
    a = crystal(cells, cell)
    b, other = a.copy(), crystal(1, cell, seed=5)
    for y, x in np.argwhere(inside):
        b[y * cell : (y + 1) * cell, x * cell : (x + 1) * cell] = other[::-1, ::-1]
    return a, b


@pytest.mark.parametrize("cell", [24, 32.5, (20.0, 33.25)])
def test_unit_cell_finds_the_period(cell):
    height, width = cell if isinstance(cell, tuple) else (cell, cell)
    y, x = np.mgrid[:150, :170]
    image = sum(np.cos(2 * np.pi * (k * y / height + p)) for k, p in ((1, 0.1), (2, 0.2), (3, 0.6)))
    image = image * (2 + np.cos(2 * np.pi * x / width) + np.cos(4 * np.pi * x / width + 1))
    found = metrics.unit_cell((image - image.min()).astype(np.float32))
    assert found == pytest.approx((height, width), abs=0.1)


def test_unit_cell_says_that_there_is_none():
    with pytest.raises(ValueError, match="no period along y"):
        metrics.unit_cell(np.random.default_rng(0).random((64, 64), np.float32))
    with pytest.raises(ValueError, match="no period"):
        metrics.unit_cell(np.ones((64, 64), np.float32))


@pytest.mark.parametrize("metric", ["sift", "mse", "ssim", "cw_ssim"])
def test_the_precipitate_stands_out(metric):
    if metric == "sift":
        pytest.importorskip("cv2")
    inside = np.zeros((7, 7), bool)
    inside[2:5, 3:5] = True
    a, b = with_precipitate(7, 32, inside)
    found = metrics.unit_cell_map(a, b, metric=metric)  # the cell found by itself
    assert found.shape == (7, 7)
    far = np.ones_like(inside)
    far[1:6, 2:6] = False
    assert found[inside].min() > 2 * found[far].max()
    assert np.array_equal(found, metrics.unit_cell_map(a, b, metric=metric, cell=32))


def test_maps_are_means_over_cells():
    a = crystal(3)
    b = noisy(a, 3)
    whole = metrics.ssim_map(a, b)
    found = metrics.unit_cell_map(a, b, cell=(32, 40.5), metric="ssim")
    assert found.shape == (3, 2)
    assert found[1, 1] == pytest.approx(whole[32:64, 40:81].mean(dtype=float), abs=1e-6)
    mse = metrics.unit_cell_map(a, b, cell=(32, 40.5), metric="mse")
    assert mse[2, 0] == pytest.approx(metrics.mse(a[64:, :40], b[64:, :40]), abs=1e-9)


@pytest.mark.parametrize("metric", ["sift", "mse", "ssim", "cw_ssim"])
def test_many_images_are_one_by_one(metric):
    if metric == "sift":
        pytest.importorskip("cv2")
    a = crystal(2)
    stack = np.stack([noisy(a, 2), noisy(a, 9)])
    found = metrics.unit_cell_map(a, stack[:, None], cell=32, metric=metric)
    assert found.shape == (2, 1, 2, 2)
    assert np.array_equal(found[1, 0], metrics.unit_cell_map(a, stack[1], cell=32, metric=metric))


def test_cells_without_keypoints_are_not_known():
    pytest.importorskip("cv2")
    a = crystal(4)
    a[:64] = a.mean()
    found = metrics.unit_cell_map(a, noisy(a, 5), cell=16)
    assert np.isnan(found).any()
    assert np.isfinite(found[5:]).any()
    assert metrics.precipitate_size(found, cell=16, threshold=-1.0) > 0


def test_black_cells():
    a = crystal(2)
    b = a.copy()
    b[:32, :32] = 0
    assert metrics.unit_cell_map(a, b, cell=32, metric="mse").tolist() == [[1, 0], [0, 0]]
    assert metrics.unit_cell_map(b, b, cell=32, metric="mse").tolist() == [[0, 0], [0, 0]]


def test_size_with_the_threshold_of_a_dose():
    """A threshold fitted to a known precipitate finds the size of another in noise that blurs both."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:16, :16] - 7.5

    def noisy_map(diameter, shape=()):
        inside = np.hypot(y, x) < diameter / 2
        return inside, np.where(inside, 0.4, 0.1) + rng.normal(0, 0.05, (*shape, 16, 16))

    known, maps = noisy_map(8, (5,))
    threshold = metrics.fit_threshold(maps, known, background=0.1)
    assert threshold == pytest.approx(0.15, abs=0.06)
    inside, found = noisy_map(11)
    size = metrics.precipitate_size(found, cell=5.29, threshold=threshold, background=0.1)
    assert size == pytest.approx(2 * np.sqrt(inside.sum() / np.pi) * 5.29, abs=5.29)


def test_cells_that_are_not_square():
    assert metrics.precipitate_size([[1.0, 0.0]], cell=(2, 3)) == pytest.approx(2 * np.sqrt(6 / np.pi))


def test_wrong_arguments_are_named():
    a = crystal(2)
    for wrong in (0, -3, 0.5, 65, np.nan, (32, 32, 32), (32, 70)):
        with pytest.raises(ValueError, match="cell"):
            metrics.unit_cell_map(a, a, cell=wrong, metric="mse")
    with pytest.raises(ValueError, match="psychic"):
        metrics.unit_cell_map(a, a, cell=32, metric="psychic")
    with pytest.raises(ValueError, match="image: images of shape"):
        metrics.unit_cell_map(a, a[:32], cell=32)
    with pytest.raises(ValueError, match=r"image: pixels >= 0"):
        metrics.unit_cell_map(a, -a, cell=32, metric="mse")
    for name, wrong in (("map", [1.0]), ("cell", None), ("threshold", None), ("background", None)):
        given = {"map": [[1.0]], "cell": 1, "threshold": 0.1, "background": 0.0}
        given[name] = wrong if wrong is not None else (0 if name == "cell" else np.nan)
        with pytest.raises(ValueError, match=name):
            metrics.precipitate_size(given.pop("map"), **given)
    with pytest.raises(ValueError, match="inside"):
        metrics.fit_threshold([[0.1, 0.2]], [[True, True]])
    with pytest.raises(ValueError, match="shapes"):
        metrics.fit_threshold([[0.1, 0.2]], [[True], [False]])
    with pytest.raises(ValueError, match="NaN"):
        metrics.fit_threshold([[0.1, np.nan]], [[True, False]])
