"""Stages and chains give on a GPU what they give on the host: the same bits, but for Fourier transforms."""

import numpy as np
import pytest

from crewe import cuda, noise

SMEAR = {"alpha": 2.0, "beta": 0.8, "gamma": 9.0, "theta": 1.0}
#: Stages with the bits of the host; those of `ROUNDED` but for the last bit of a logarithm or a cosine.
ROUNDED = ("reset", "jitter", "jitter along x")
SAME = {
    "shot": lambda x: noise.shot(x, seed=3),
    "shot, bright": lambda x: noise.shot(x, seed=2**64 - 1),
    "pmt": lambda x: noise.pmt(x, width=0.3, pedestal=0.1, seed=3),
    "pmt without pedestal": lambda x: noise.pmt(x, width=0.0, pedestal=0.4, seed=3),
    "fixed_pattern": lambda x: noise.fixed_pattern(x, sigma=0.1, sensor=4),
    "dark_current": lambda x: noise.dark_current(x, mean=3.0, std=1.0, hot=0.05, sensor=2, seed=1),
    "no dark current": lambda x: noise.dark_current(x, mean=0.0, std=1.0, seed=1),
    "thermal": lambda x: noise.thermal(x, sigma=1.5, seed=6),
    "reset": lambda x: noise.reset(x, sigma=1.5, seed=6),
    "jitter": lambda x: noise.jitter(x, sigma=0.7, phi=0.4, seed=1)[0],
    "jitter along x": lambda x: noise.jitter(x, sigma=(0.0, 0.7), phi=0.4, seed=1)[0],
    "fast_scan": lambda x: noise.fast_scan(x, **SMEAR),
    "slow detector": lambda x: noise.fast_scan(x, alpha=12.0),
    "row_lines": lambda x: noise.row_lines(x, count=5, length=(0.2, 0.9), seed=3),
    "black_pixels": lambda x: noise.black_pixels(x, count=30, steps=9, seed=3),
    "zingers": lambda x: noise.zingers(x, count=30, steps=9, seed=3),
    "clip": lambda x: noise.clip(x, maximum=7.0),
    "clip at a quantile": lambda x: noise.clip(x, quantile=0.93),
    "quantise": lambda x: noise.quantise(x, bits=5, full_scale=30.0, offset=0.7),
    "gaussian_blur": lambda x: noise.gaussian_blur(x, sigma=1.3),
    "interpolate": lambda x: noise.interpolate(x, matrix=[[0.9, 0.1], [-0.1, 1.1]]),
}


def picture(shape=(37, 53), bright=60.0, seed=0):
    return np.random.default_rng(seed).uniform(0, bright, shape).astype(np.float32)


def assert_same(got, want, *, exact):
    if exact:
        assert np.array_equal(got, want)
    else:
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max())


def few_differ(got, want):
    """Where a mean differs in its last bit one count in many does."""
    return np.mean(np.abs(got - want) > 1e-4 * np.abs(want).max()) < 2e-3


@pytest.mark.parametrize("stage", SAME)
def test_stages_have_the_bits_of_the_host(gpu, stage):
    image = picture(bright=1e5 if "bright" in stage else 60.0)
    want, got = SAME[stage](image), gpu.get(SAME[stage](gpu.put(image)))
    assert got.dtype == np.float32
    assert_same(got, want, exact=stage not in ROUNDED)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (3, 1025), (64, 64)])
def test_shapes(gpu, shape):
    image = picture(shape)
    for stage in ("shot", "pmt", "jitter", "fast_scan", "clip at a quantile", "interpolate", "zingers"):
        assert_same(gpu.get(SAME[stage](gpu.put(image))), SAME[stage](image), exact=stage not in ROUNDED)


@pytest.mark.parametrize("shape", [(37, 53), (16, 40)])
def test_stages_that_go_through_fourier_space(gpu, shape):
    image = picture(shape)
    for stage in (
        lambda x: noise.mtf(x, a=0.6, b=0.3, c=0.8),
        lambda x: noise.flicker(x, sigma=2.0, seed=3),
        lambda x: noise.flicker(x, sigma=0.0, seed=3),
    ):
        assert np.allclose(gpu.get(stage(gpu.put(image))), stage(image), rtol=0, atol=3e-5 * image.max())


def test_results_in_given_arrays(gpu):
    image = picture()
    there, out = gpu.put(image), gpu.put(np.zeros_like(image))
    assert noise.shot(there, seed=3, out=out) is out
    assert np.array_equal(gpu.get(out), noise.shot(image, seed=3))
    for name, stage in {
        "fast_scan": SMEAR,
        "thermal": {"sigma": 1.0, "seed": 2},
        "row_lines": {"count": 3, "seed": 1},
    }.items():
        want = getattr(noise, name)(gpu.get(there), **stage)
        assert np.array_equal(gpu.get(getattr(noise, name)(there, **stage, out=there)), want)
    with pytest.raises(ValueError, match="out"):
        noise.jitter(there, sigma=0.1, seed=1, out=there)
    with pytest.raises(ValueError, match="out"):
        noise.shot(there, seed=1, out=gpu.put(picture((3, 4))))


def test_unshift(gpu):
    generator = np.random.default_rng(2)
    shifts = generator.normal(0, 0.6, (21, 2))
    for data in (picture((21, 34)), generator.random((21, 9, 2, 3), np.float32)):
        want = noise.unshift(data, shifts)
        assert np.array_equal(gpu.get(noise.unshift(gpu.put(data), shifts)), want)
        assert np.array_equal(gpu.get(noise.unshift(gpu.put(data), gpu.put(shifts))), want)


def test_what_is_refused(gpu):
    image = picture((5, 6))
    for wrong, error in ((image.astype(float), TypeError), (image[0], ValueError), (image - 100, ValueError)):
        with pytest.raises(error, match="image"):
            noise.shot(gpu.put(wrong), seed=1)
    image[3, 4] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        noise.thermal(gpu.put(image), sigma=1.0, seed=1)
    with pytest.raises(TypeError, match="GPU"):
        noise.crop(gpu.put(picture()), box=(0, 0, 2, 2))
    with pytest.raises(ValueError, match="mean"):
        noise.stem(gpu.put(np.zeros((4, 4), np.float32)), pixel_size=1.0, electrons_per_pixel=1.0, seed=1)
    with pytest.raises(TypeError, match="depth"):
        noise.sem(gpu.put(picture()), pixel_size=1.0, electrons_per_pixel=1.0, seed=1, detector={"depth": 3})


FULL = {
    "jitter": {"sigma": 0.1, "phi": 0.3}, "detector": {"width": 0.2, "pedestal": 0.1}, "fast_scan": SMEAR,
    "row_lines": {"count": 2}, "black": {"count": 3}, "zingers": {"count": 2}, "clip": {"quantile": 0.99}, "bits": 8,
}  # fmt: skip
CAMERA = {
    "fixed_pattern": {"sigma": 0.01}, "dark_current": {"mean": 2.0, "std": 0.5, "hot": 0.01}, "thermal": {"sigma": 1.0},
    "reset": {"sigma": 0.5}, "black": {"count": 4, "steps": 6}, "zingers": {"count": 2}, "clip": {"maximum": 70.0},
}  # fmt: skip


@pytest.mark.parametrize("images", [picture(), picture((3, 20, 33))], ids=["one", "a stack"])
@pytest.mark.parametrize(
    "options", [FULL, {}, {"bits": 4}, {"jitter": FULL["jitter"]}], ids=["all", "none", "bits", "jitter"]
)
def test_scan_chain(gpu, images, options):
    arguments = {"pixel_size": 0.2, "electrons_per_pixel": 7.0, "seed": 2**64 - 2, **options}
    want, got = noise.stem(images, **arguments), noise.stem(gpu.put(images), **arguments)
    assert isinstance(got.shifts, cuda.Array)
    np.testing.assert_allclose(gpu.get(got.shifts), want.shifts, rtol=0, atol=1e-12)
    if "jitter" not in options:
        assert np.array_equal(gpu.get(got.image), want.image)
    assert few_differ(gpu.get(got.image), want.image)
    assert got.settings == want.settings


@pytest.mark.parametrize("images", [picture(), picture((3, 20, 33))], ids=["one", "a stack"])
def test_camera_chain(gpu, images):
    arguments = {"electrons_per_pixel": 30.0, "seed": 5, "sensor": 2}
    want = noise.tem(images, **arguments, **CAMERA)
    got = noise.tem(gpu.put(images), **arguments, **CAMERA)
    assert_same(gpu.get(got.image), want.image, exact=False)
    assert not gpu.get(got.shifts).any()
    soft = {"mtf": {"a": 0.6, "b": 0.4, "c": 0.8}, "flicker": {"sigma": 0.5}}
    want, got = noise.tem(images, **arguments, **soft), noise.tem(gpu.put(images), **arguments, **soft)
    assert few_differ(gpu.get(got.image), want.image)


@pytest.mark.parametrize("kind", ["stem", "sem", "tem"])
def test_random_settings(gpu, kind):
    image = picture((16, 24), 1.0)
    extra = {} if kind == "tem" else {"pixel_size": 0.4}
    for seed in range(4):
        settings = noise.random_settings(kind, seed=seed)
        result = getattr(noise, kind)(gpu.put(image), seed=seed, **extra, **settings)
        want = getattr(noise, kind)(image, seed=seed, **extra, **settings).image
        got = gpu.get(result.image)
        assert np.isfinite(got).all()
        assert np.median(np.abs(got - want)) <= 1e-5 * np.abs(want).max()
