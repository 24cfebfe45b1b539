"""SSIM in disks and CW-SSIM, against their definitions."""

import numpy as np
import pytest

from crewe import metrics
from levels import at_all_levels
from metrics.common import crystal, noisy
from reference import metrics as reference

rng = np.random.default_rng(0)
#: Sizes with primes, below a vector, below a window, of more than one strip.
SHAPES = [(64, 64), (37, 41), (5, 300), (300, 5), (1, 7), (9, 130), (270, 20)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("radius", [1, 2, 5, 8, 13])
def test_ssim_is_its_definition(shape, radius):
    a = (0.5 + rng.random(shape)).astype(np.float32)
    b = (a + rng.random(shape)).astype(np.float32)
    found = metrics.ssim_map(a, b, radius=radius)
    assert found.dtype == np.float32
    assert np.allclose(found, reference.ssim_map(a, b, radius), atol=2e-5)
    assert metrics.ssim(a, b, radius=radius) == pytest.approx(found.mean(dtype=float), abs=1e-12)


def test_ssim_of_weak_contrast_on_a_bright_ground():
    a = (1000 + rng.random((60, 70))).astype(np.float32)
    b = (1000 + rng.random((60, 70))).astype(np.float32)
    assert metrics.ssim(a, b) == pytest.approx(reference.ssim_map(a, b).mean(), abs=1e-3)


def test_ssim_far_from_a_hot_pixel_does_not_see_it():
    a = crystal()
    b = a.copy()
    b[100, 100] = 1e6
    found = metrics.ssim_map(a / a.mean(), b / a.mean() - (b.mean() / a.mean() - 1) * (b > 1e5))
    assert np.isfinite(found).all()
    assert found.max() <= 1


@pytest.mark.parametrize("shape", [(64, 64), (37, 41), (20, 96), (100, 125)])
@pytest.mark.parametrize(("scales", "orientations"), [(4, 16), (1, 3), (3, 2), (5, 7)])
def test_cw_ssim_is_its_definition(shape, scales, orientations):
    a = rng.random(shape, np.float32)
    b = a + rng.random(shape, np.float32)
    found = metrics.cw_ssim_map(a, b, scales=scales, orientations=orientations)
    assert np.allclose(found, reference.cw_ssim_map(a, b, scales, orientations), atol=2e-5)
    assert metrics.cw_ssim(a, b, scales=scales, orientations=orientations) == pytest.approx(
        found.mean(dtype=float), abs=1e-12
    )


def test_bands_of_the_pyramid_fill_the_plane():
    """Between the residues the squares of all bands and of their mirror images add up to 4."""
    impulse = np.zeros((64, 64))
    impulse[0, 0] = 1
    power = sum(np.abs(np.fft.fft2(band)) ** 2 for band in reference.subbands(impulse, 4, 6))
    fy = 2 * np.fft.fftfreq(64)
    radius = np.hypot(fy[:, None], fy)
    middle = (radius > 2.0**-4) & (radius <= 0.5)
    mirrored = np.roll(power[::-1, ::-1], (1, 1), (0, 1))
    assert np.allclose((power + mirrored)[middle], 4)


@pytest.mark.parametrize("metric", [metrics.ssim, metrics.cw_ssim])
class TestBoth:
    def test_equal_images_and_symmetry(self, metric):
        a = crystal()
        for b in (noisy(a, 2), noisy(a, 0.05), np.roll(a, 7, 1), a[::-1].copy(), np.ones_like(a), np.zeros_like(a)):
            assert metric(b, b.copy()) == 0
            assert metric(a, b) == pytest.approx(metric(b, a), abs=1e-7)
            assert 0 < metric(a, b) <= 1

    def test_flat_images(self, metric):
        a = crystal(2)
        flat, black = np.ones_like(a), np.zeros_like(a)
        assert metric(flat, 3 * flat) == metric(black, black) == 0
        assert metric(a, flat) == metric(flat, a)
        assert metric(a, flat) > 0.4

    def test_many_images_are_one_by_one(self, metric):
        a = crystal(2)
        stack = np.stack([noisy(a, electrons) for electrons in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)] + [0 * a, a])
        found = metric(a, stack)
        assert found.tolist() == [metric(a, image) for image in stack]
        assert all(np.diff(found[:9]) < 0)
        assert metric(a, stack.reshape(11, 1, *a.shape)).shape == (11, 1)

    def test_strided_images(self, metric):
        a, b = rng.random((2, 60, 80), np.float32)
        assert metric(a[::2, 1::3], b[::2, 1::3]) == metric(a[::2, 1::3].copy(), b[::2, 1::3].copy())

    @pytest.mark.parametrize("threads", [1, 2, 5])
    def test_threads_give_the_same_bits(self, metric, threads):
        a, b = rng.random((2, 150, 300), np.float32)
        assert metric(a, b, threads=threads) == metric(a, b, threads=0)


LEVELS = """
import hashlib, sys
import numpy as np
from crewe import metrics
rng = np.random.default_rng(0)
a, b = (0.5 + rng.random((2, 75, 90))).astype(np.float32)
found = hashlib.sha256()
for part in (metrics.ssim_map(a, b), metrics.ssim_map(a, b, radius=3), metrics.cw_ssim_map(a, b), metrics.mse(a, b)):
    found.update(np.asarray(part).tobytes())
print(found.hexdigest())
"""


def test_levels_give_the_same_bits():
    at_all_levels(LEVELS)


def test_wrong_options_are_named():
    a = crystal(1)
    for wrong in ({"radius": 0}, {"radius": 33}):
        with pytest.raises(ValueError, match=r"radius: 1\.\.32"):
            metrics.ssim(a, a, **wrong)
    with pytest.raises(TypeError, match="radius"):
        metrics.ssim(a, a, radius=2.5)
    for wrong in ({"scales": 0}, {"scales": 9}, {"orientations": 1}, {"orientations": 65}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            metrics.cw_ssim(a, a, **wrong)
    with pytest.raises(ValueError, match="mean > 0"):
        metrics.ssim(a, -a)
