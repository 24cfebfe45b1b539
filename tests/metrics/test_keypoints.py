"""SIFT difference: what OpenCV's descriptors, asked in the right way, say."""

import builtins

import numpy as np
import pytest

from crewe import metrics
from metrics.common import crystal, noisy

cv2 = pytest.importorskip("cv2")


def test_it_is_the_mean_distance_of_descriptors():
    a = crystal()
    b = noisy(a, 2)
    keypoints = metrics.Keypoints(a)
    assert len(keypoints.places) > 100
    assert keypoints.places.min() >= -0.5
    assert (keypoints.places <= np.array(a.shape) - 0.5).all()
    distances = keypoints.distances(b)
    assert distances.shape == (len(keypoints.places),)
    assert 0 <= distances.min() <= distances.max() <= 1
    assert metrics.sift(a, b) == keypoints.difference(b) == distances.mean()


def test_the_reference_is_looked_at_once():
    a = crystal(2)
    stack = np.stack([noisy(a, 5), np.roll(a, 9, 0), a, 3 * a + 1])
    assert metrics.sift(a, stack).tolist() == [metrics.sift(a, image) for image in stack]
    assert metrics.sift(a, stack)[2] == 0
    assert metrics.sift(a, stack)[3] < 0.01


def test_blank_images():
    a = crystal(2)
    flat = np.full_like(a, 0.7)
    assert metrics.sift(a, flat) == metrics.sift(flat, a) == 1
    assert metrics.sift(flat, flat) == metrics.sift(flat, 0 * a) == 0
    assert len(metrics.Keypoints(flat).distances(a)) == 0


def test_grows_with_noise():
    a = crystal()
    found = metrics.sift(a, np.stack([noisy(a, electrons) for electrons in (1000, 100, 10, 1)]))
    assert all(np.diff(found) > 0)
    assert found[0] < 0.05


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_give_the_same_bits_and_leave_opencv_alone(threads):
    a = crystal()
    before = cv2.getNumThreads()
    assert metrics.sift(a, noisy(a, 3), threads=threads) == metrics.sift(a, noisy(a, 3), threads=0)
    assert cv2.getNumThreads() == before


def test_without_opencv_the_extra_is_named(monkeypatch):
    plain = builtins.__import__

    def refuse(name, *rest, **more):
        if name == "cv2":
            raise ImportError(name)
        return plain(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"crewe\[metrics\]"):
        metrics.sift(crystal(1), crystal(1))
