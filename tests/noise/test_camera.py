"""What cameras do, single pixels and post-processing, against tests/reference/noise.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import noise
from reference import noise as reference


def picture(shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 9, shape).astype(np.float32)


@pytest.mark.parametrize(("a", "b", "c"), [(0.5, 0.3, 0.8), (1.2, 0.6, 0.4), (1.0, 0.2, 0.2)])
@pytest.mark.parametrize("shape", [(40, 57), (1, 64), (33, 1), (8, 8)])
def test_mtf(a, b, c, shape):
    image = picture(shape)
    reach = 60
    padded = np.pad(image.astype(float), 200, mode="reflect")
    want = reference.mtf(padded, a, b, c, reach)[200:-200, 200:-200]
    assert np.allclose(noise.mtf(image, a=a, b=b, c=c), want, atol=2e-2)  # sinc tails of the border at Nyquist
    inside = noise.mtf(np.full(shape, 3.0, np.float32), a=a, b=b, c=c)
    assert np.allclose(inside, 3, rtol=1e-5)


@given(st.integers(2, 40), st.integers(2, 40), st.integers(0, 2**63))
def test_flicker(ny, nx, seed):
    image = picture((ny, nx))
    white = reference.normals(seed, "flicker", ny * nx)
    want = image + reference.flicker((ny, nx), 0.7, white)
    assert np.allclose(noise.flicker(image, sigma=0.7, seed=seed), want, atol=1e-4)


def test_gain_dark_and_thermal_numbers():
    image = picture((31, 47))
    n = {s: reference.normals(6, s, image.size).reshape(image.shape) for s in ("fixed_pattern", "thermal", "dark_map")}
    assert np.allclose(
        noise.fixed_pattern(image, sigma=0.03, sensor=6), image * (1 + 0.03 * n["fixed_pattern"]), atol=1e-5
    )
    assert np.allclose(noise.thermal(image, sigma=1.5, seed=6), image + 1.5 * n["thermal"], atol=1e-5)
    variance = np.log1p(0.25)
    dark = np.exp(np.log(4.0) - variance / 2 + np.sqrt(variance) * n["dark_map"])
    u = reference.uniforms(2, "dark_shot", image.size, picture=6).reshape(image.shape)
    got = noise.dark_current(np.zeros_like(image), mean=4.0, std=2.0, sensor=6, seed=2)
    few = dark < 9.9  # larger means are counted another way
    assert few.mean() > 0.9
    assert np.mean((got != reference.poisson(dark, u))[few]) < 1e-3
    assert np.array_equal(noise.dark_current(image, mean=0.0, std=0.0, seed=2), image)


def test_reset_is_one_number_per_row():
    image = picture((50, 20))
    u = reference.sequence(4, "reset", 100)
    rows = 0.6 * np.sqrt(-2 * np.log(u[::2])) * np.cos(2 * np.pi * u[1::2])
    assert np.allclose(noise.reset(image, sigma=0.6, seed=4), image + rows[:, None], atol=1e-5)


@pytest.mark.parametrize("q", [0.0, 0.31, 0.5, 0.97, 0.9999, 1.0])
@pytest.mark.parametrize("kind", ["normal", "counts", "constant", "one"])
def test_clip_at_a_quantile(q, kind):
    rng = np.random.default_rng(1)
    image = {
        "normal": rng.normal(0, 3, (57, 91)),
        "counts": rng.poisson(3.0, (57, 91)),
        "constant": np.full((9, 9), -2.5),
        "one": np.full((1, 1), 4.0),
    }[kind].astype(np.float32)
    top = np.quantile(image.astype(float), q)
    assert np.allclose(noise.clip(image, quantile=q), np.minimum(image, top), atol=1e-6)


@given(st.integers(1, 16), st.floats(0.1, 100), st.floats(-5, 5))
def test_quantise(bits, full_scale, offset):
    image = np.random.default_rng(2).normal(full_scale / 2, full_scale / 2, (20, 20)).astype(np.float32)
    got = noise.quantise(image, bits=bits, full_scale=full_scale, offset=offset)
    step = full_scale / (2**bits - 1)
    assert np.abs(got - reference.quantise(image, bits, full_scale, offset)).max() <= step * 1.001 + 1e-4
    assert np.unique(got).size <= 2**bits


def test_walks_stay_inside_and_are_drawn_once():
    out = noise.black_pixels(np.ones((3, 4), np.float32), count=200, steps=50, level=(0.5, 0.5), seed=1)
    assert (out < 1).all()
    single = noise.zingers(np.ones((1, 1), np.float32), count=1, steps=9, gain=(2.0, 2.0), seed=1)
    assert single[0, 0] == 2, "a walk that stays on one pixel changes it once"
    for function, options in [(noise.black_pixels, {"level": (0.0, 2.0)}), (noise.zingers, {"gain": (0.5, 2.0)})]:
        with pytest.raises(ValueError, match=next(iter(options))):
            function(np.ones((3, 4), np.float32), count=1, seed=1, **options)


@pytest.mark.parametrize("sigma", [0.0, 0.2, 0.7, 3.0])
def test_blur_has_the_variance_asked_for(sigma):
    spot = np.zeros((51, 51), np.float32)
    spot[25, 25] = 1
    out = noise.gaussian_blur(spot, sigma=sigma).astype(float)
    i = np.arange(51) - 25
    assert out.sum() == pytest.approx(1, abs=1e-5)
    assert (out.sum(axis=0) * i**2).sum() == pytest.approx(sigma**2, abs=1e-3)
    assert np.allclose(out, out.T, atol=1e-7)


def test_interpolate_turns_about_the_centre():
    image = picture((9, 9))
    assert np.allclose(noise.interpolate(image, matrix=[[0, 1], [-1, 0]]), np.rot90(image, 1), atol=1e-5)
    with pytest.raises(ValueError, match="matrix"):
        noise.interpolate(image, matrix=[1, 2])


def test_crop_and_annotate():
    image = picture((20, 30))
    for box in [(0, 0, 21, 30), (5, 5, 5, 9), (-1, 0, 5, 5), (1, 2, 3)]:
        with pytest.raises(ValueError, match="box"):
            noise.crop(image, box=box)
    for kind in ("bar", "box", "arrow", "text"):
        drawn = noise.annotate(image, kind=kind, at=(3, 4), size=(10, 12), value=20.0)
        assert set(np.unique(drawn[drawn != image])) == {np.float32(20)}
        outside = noise.annotate(image, kind=kind, at=(300, 400), size=(10, 12), value=20.0)
        assert kind == "box" or np.array_equal(outside, image)
    with pytest.raises(ValueError, match="kind"):
        noise.annotate(image, kind="star", at=(0, 0), size=(1, 1), value=1.0)
