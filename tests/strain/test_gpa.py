import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.strain import gpa
from reference import strain as reference

G1, G2 = (0.09, 0.01), (-0.012, 0.1)


def fringes(shape, vectors, displacement=lambda y, x: (0, 0)):
    y, x = np.indices(shape).astype(float)
    uy, ux = displacement(y, x)
    return 2 + sum(np.cos(2 * np.pi * (gy * (y - uy) + gx * (x - ux))) for gy, gx in vectors)


@given(st.integers(40, 90), st.integers(40, 90), st.floats(0.02, 0.04), st.integers(0, 99))
def test_against_reference(ny, nx, sigma, seed):
    image = fringes((ny, nx), (G1, G2)) + np.random.default_rng(seed).normal(0, 0.05, (ny, nx))
    want = reference.gpa(image, G1, G2, sigma)
    found = gpa(image, G1, G2, sigma=sigma)
    assert np.quantile(np.abs(np.array(list(found)) - want), 0.9) < 3e-4, "but for the kernel beyond 4σ"
    short = gpa(image.astype(np.float32), G1, G2, sigma=sigma)
    assert short.eps_yy.dtype == np.float32
    assert np.quantile(np.abs(np.array(list(short)) - want), 0.9) < 3e-4


def test_a_smooth_field():
    shape = (400, 420)
    k = 2 * np.pi / 400

    def u(y, x):
        return 0.01 / k * np.sin(k * y) * np.cos(k * x), 0.02 / k * np.sin(k * x)

    y, x = np.indices(shape)
    want = [
        0.01 * np.cos(k * y) * np.cos(k * x), 0.02 * np.cos(k * x), -0.005 * np.sin(k * y) * np.sin(k * x),
        -0.005 * np.sin(k * y) * np.sin(k * x),
    ]  # fmt: skip
    found = gpa(fringes(shape, (G1, G2), u), G1, G2, sigma=0.02)
    for got, truth in zip(found, want, strict=True):
        assert np.abs(got - truth)[60:-60, 60:-60].max() < 2e-4


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_pixels_as_they_come(dtype):
    image = 60 * fringes((128, 100), (G1, G2))
    found = gpa(image.astype(dtype), G1, G2, sigma=0.02)
    assert found.omega.dtype == np.float32
    assert max(np.abs(np.median(f)) for f in found) < 1e-3


def test_eulerian_and_lagrangian():
    image = fringes((256, 256), ((0.1 / 1.02, 0.0), (0.0, 0.1)))
    found = gpa(image, (0.1, 0.0), (0.0, 0.1), sigma=0.015)
    centre = (slice(80, -80),) * 2
    assert abs(np.median(found.eps_yy[centre]) - (1 - 1 / 1.02)) < 1e-4
    assert abs(np.median(found.lagrangian().eps_yy[centre]) - 0.02) < 1e-4
    assert found.hydrostatic.shape == image.shape


def test_threads_give_the_same_bits():
    image = fringes((120, 96), (G1, G2)).astype(np.float32)
    one, two = (gpa(image, G1, G2, sigma=0.02, threads=n) for n in (1, 2))
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"g1": (0.0, 0.0)}, "g1"), ({"g2": (0.1, 0.6)}, "g2"), ({"g2": (0.18, 0.02)}, "directions"),
        ({"g1": (0.1, np.nan)}, "g1"), ({"g1": 0.1}, "g1"), ({"sigma": 0.0}, "sigma"), ({"sigma": np.inf}, "sigma"),
        ({"image": np.ones((64, 64, 2))}, "shape"), ({"image": np.ones((64, 2))}, "shape"),
        ({"image": np.full((64, 64), np.nan)}, "NaN"),
    ],
)  # fmt: skip
def test_bad_input(change, words):
    arguments = {"image": np.ones((64, 64)), "g1": G1, "g2": G2, "sigma": 0.02} | change
    with pytest.raises(ValueError, match=words):
        gpa(arguments.pop("image"), arguments.pop("g1"), arguments.pop("g2"), **arguments)


def test_not_an_image_of_real_numbers():
    for image in (np.ones((64, 64), complex), np.full((64, 64), "a")):
        with pytest.raises(TypeError, match="real"):
            gpa(image, G1, G2, sigma=0.02)
