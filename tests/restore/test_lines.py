"""The shift of every scan line, found from a raw and a restored image."""

import numpy as np
import pytest

from crewe import models, noise
from crewe.restore import restore, scan_shifts

INNER = slice(8, -8)
SMEAR = {"alpha": 2.5, "beta": 0.8, "gamma": 9.0, "theta": 1.2}


def specimen(shape=(128, 160)):
    """Two kinds of columns of σ = 2 pixels, none where lines could hide."""
    y, x = np.indices(shape)
    v, u = 2 * np.pi * (y + 0.3 * x) / 19, 2 * np.pi * (x - 0.2 * y) / 18
    a = np.exp(2 * (np.cos(v) + np.cos(u) - 2))
    b = np.exp(2 * (np.cos(v + np.pi) + np.cos(u + 2.6) - 2))
    return (0.05 + a + 0.5 * b).astype(np.float32)


def recorded(electrons, sigma=(0.3, 0.7), **stages):
    return noise.stem(
        specimen(),
        pixel_size=1.0,
        electrons_per_pixel=electrons,
        seed=3,
        jitter={"sigma": sigma, "phi": 0.5},
        detector={"width": 0.2},
        **stages,
    )


def residual(found, true):
    return (found - true)[INNER].std(axis=0)


def test_against_the_undistorted_image():
    scan = recorded(300.0)
    assert residual(scan_shifts(scan.image, specimen()), scan.shifts).max() < 0.1
    assert scan.shifts.std(axis=0).min() > 0.25


def test_the_smear_of_the_readout_is_no_shift():
    scan = recorded(300.0, fast_scan=SMEAR)
    found = scan_shifts(scan.image, specimen())
    assert residual(found, scan.shifts).max() < 0.15
    assert abs(found[:, 1].mean()) < 1e-9


def test_follows_gain_and_is_the_same_for_every_number_of_threads():
    scan = recorded(30.0)
    one = scan_shifts(scan.image, specimen(), threads=1)
    np.testing.assert_array_equal(scan_shifts(scan.image, specimen(), threads=2), one)
    scaled = scan_shifts(300 * scan.image, 300 * specimen())
    np.testing.assert_allclose(scaled[INNER], one[INNER], atol=1e-3)


def test_puts_4d_data_back():
    """Spectra recorded with the image lie nearer to the undistorted ones once they are put back."""
    truth = np.stack([specimen(), specimen()[::-1]], axis=-1)
    scan = recorded(300.0, sigma=(0.0, 0.8))
    parts = (np.ascontiguousarray(part) for part in np.moveaxis(truth, -1, 0))
    data = np.stack([noise.jitter(part, sigma=(0.0, 0.8), phi=0.5, seed=3)[0] for part in parts], axis=-1)
    back = noise.unshift(data, scan_shifts(scan.image, specimen()))

    def error(a):
        return np.sqrt(np.mean((a - truth)[INNER, INNER] ** 2))

    assert error(back) < 0.3 * error(data)


@pytest.mark.parametrize("electrons", [100.0, 1000.0])
def test_from_the_restored_image(electrons):
    pytest.importorskip("onnxruntime")
    scan = recorded(electrons, fast_scan=SMEAR)
    found = scan_shifts(scan.image, restore(scan.image, model=models.load("stem-hr", threads=1)))
    assert residual(found, scan.shifts).max() < 0.3


def test_nothing_to_hold_on_to():
    image = np.random.default_rng(0).poisson(3, (40, 60))
    np.testing.assert_array_equal(scan_shifts(image, np.full((40, 60), 3.0)), 0)
    np.testing.assert_array_equal(scan_shifts(image[:, :8], image[:, :8]), 0)


def test_bad_input():
    image = specimen()
    with pytest.raises(ValueError, match="restored"):
        scan_shifts(image, image[1:])
    with pytest.raises(ValueError, match="raw"):
        scan_shifts(image[0], image)
    with pytest.raises(TypeError, match="raw"):
        scan_shifts(image.astype(complex), image)
    image[3, 4] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        scan_shifts(specimen(), image)


@pytest.mark.parametrize("columns", [32, 35, 36])
def test_images_hardly_wider_than_the_kernel(columns):
    image = np.random.default_rng(0).random((24, columns)).astype(np.float32)
    assert np.isfinite(scan_shifts(image, image)).all()
