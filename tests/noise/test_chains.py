"""The chains are their stages, one after the other, with random settings that run."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

from crewe import noise

MODULES = [f"crewe.noise.{m.name}" for m in pkgutil.iter_modules(noise.__path__) if not m.name.startswith("_")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def picture(shape=(90, 130)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (0.02 + np.exp(-((y % 15 - 7) ** 2 + (x % 15 - 7) ** 2) / 8)).astype(np.float32)


def test_stem_is_its_stages():
    image, electrons, seed = picture(), 7.0, 3
    smear = {"alpha": 2.0, "beta": 0.8, "gamma": 9.0, "theta": 1.0}
    result = noise.stem(
        image, pixel_size=0.2, electrons_per_pixel=electrons, seed=seed, jitter={"sigma": 0.1, "phi": 0.3},
        detector={"width": 0.2, "pedestal": 0.1}, fast_scan=smear, row_lines={"count": 2}, black={"count": 3},
        zingers={"count": 2}, clip={"quantile": 0.99},
    )  # fmt: skip
    scale = np.float32(electrons / image.mean(dtype=float))
    x, shifts = noise.jitter(image * scale, sigma=0.1, phi=0.3, pixel_size=0.2, seed=seed)
    x = noise.shot(np.maximum(x, 0), seed=seed)
    x = noise.pmt(x, width=0.2, pedestal=0.1, seed=seed)
    x = noise.fast_scan(x, **smear)
    x = noise.row_lines(x, count=2, seed=seed)
    x = noise.black_pixels(x, count=3, seed=seed)
    x = noise.zingers(x, count=2, seed=seed)
    x = noise.clip(x, quantile=0.99)
    assert np.array_equal(result.shifts, shifts)
    assert np.allclose(result.image, x / scale, rtol=1e-5, atol=1e-6)


def test_tem_is_its_stages():
    image, electrons = picture(), 30.0
    result = noise.tem(
        image, electrons_per_pixel=electrons, seed=1, sensor=2, mtf={"a": 0.6, "b": 0.4, "c": 0.8},
        fixed_pattern={"sigma": 0.01}, dark_current={"mean": 2.0, "std": 0.5}, thermal={"sigma": 1.0},
        flicker={"sigma": 0.5}, reset={"sigma": 0.5}, black={"count": 4, "steps": 6}, zingers={"count": 2},
    )  # fmt: skip
    scale = np.float32(electrons / image.mean(dtype=float))
    x = noise.mtf(image * scale, a=0.6, b=0.4, c=0.8)
    x = noise.shot(np.maximum(x, 0), seed=1)
    x = noise.fixed_pattern(x, sigma=0.01, sensor=2)
    x = noise.dark_current(x, mean=2.0, std=0.5, sensor=2, seed=1)
    for stage, sigma in ((noise.thermal, 1.0), (noise.flicker, 0.5), (noise.reset, 0.5)):
        x = stage(x, sigma=sigma, seed=1)
    x = noise.zingers(noise.black_pixels(x, count=4, steps=6, seed=2), count=2, seed=1)
    assert np.allclose(result.image, x / scale, rtol=1e-5, atol=1e-6)
    assert not result.shifts.any()


@pytest.mark.parametrize("kind", ["stem", "tem"])
def test_images_of_a_stack_are_made_as_if_alone(kind):
    images = np.stack([picture((20, 30)), 3 * picture((20, 30))])
    settings = noise.random_settings(kind, seed=3) | ({} if kind == "tem" else {"pixel_size": 0.4})
    result = getattr(noise, kind)(images, seed=2**64 - 1, **settings)
    for k, seed in enumerate((2**64 - 1, 0)):
        alone = getattr(noise, kind)(images[k], seed=seed, **settings)
        assert np.array_equal(result.image[k], alone.image)
        assert np.array_equal(result.shifts[k], alone.shifts)
    assert np.array_equal(getattr(noise, kind)(images, **result.settings).image, result.image)


@pytest.mark.parametrize("kind", ["stem", "sem", "tem"])
def test_random_settings_run_and_reproduce(kind):
    image = picture((40, 50))
    extra = {} if kind == "tem" else {"pixel_size": 0.4}
    for seed in range(25):
        result = getattr(noise, kind)(image, seed=seed, **extra, **noise.random_settings(kind, seed=seed))
        assert np.isfinite(result.image).all()
        assert np.array_equal(getattr(noise, kind)(image, **result.settings).image, result.image)


def test_chains_refuse():
    image = picture()
    for options in ({"jitter": 3}, {"detector": {"depth": 1}}, {"bits": 8.0}, {"pixel_size": "small"}):
        with pytest.raises(TypeError):
            noise.stem(image, **{"pixel_size": 0.2, "electrons_per_pixel": 5.0, "seed": 1, **options})
    with pytest.raises(TypeError):
        noise.sem(image, pixel_size=1.0, electrons_per_pixel=5.0, seed=1, black={"count": 1})
    with pytest.raises(ValueError, match="seed"):
        noise.shot(image, seed=-1)
