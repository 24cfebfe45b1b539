"""Rendering on a GPU: the bits of the host where it adds atoms one by one too, its accuracy elsewhere."""

from types import SimpleNamespace

import numpy as np
import pytest

from crewe import DeviceError, specimen

MODEL = {8: (0.7, 0.0, 0.3, 6.0, 0.4), 38: (1.0, 0.5, 0.6, 12.0, 0.7)}


def atoms_in(size, count, seed=0):
    generator = np.random.default_rng(seed)
    positions = generator.uniform(-2, size + 2, (count, 3))
    return SimpleNamespace(numbers=generator.choice([8, 38], count), positions=positions)


@pytest.mark.parametrize("shape", [(1, 1), (33, 70), (64, 45)])
def test_few_atoms_have_the_bits_of_the_host(gpu, shape):
    few = atoms_in(16.0, 9)
    arguments = {"shape": shape, "pixel_size": 0.25, "model": MODEL}
    want = specimen.render(few, **arguments)
    assert want.max() > 0.5 or shape == (1, 1)
    assert np.array_equal(gpu.get(specimen.render(few, **arguments, device="cuda")), want)


def test_many_atoms_agree_with_the_transform_of_the_host(gpu):
    many = atoms_in(24.0, 900, 1)
    arguments = {
        "shape": (48, 48),
        "pixel_size": 0.5,
        "model": {z: (h1, 0.0, 0.0, n, 1.5) for z, (h1, _, _, n, _) in MODEL.items()},
    }
    want = specimen.render(many, **arguments)
    got = gpu.get(specimen.render(many, **arguments, device="cuda"))
    assert np.abs(got - want).max() < 5e-3 * want.max()


def test_no_atoms(gpu):
    none = SimpleNamespace(numbers=np.zeros(0, int), positions=np.zeros((0, 3)))
    assert not gpu.get(specimen.render(none, shape=(5, 6), pixel_size=1.0, model=MODEL, device="cuda")).any()


@pytest.mark.parametrize("mode", ["stem-lr", "tem-hr"])
def test_pairs_for_training(gpu, mode):
    here, there = (
        next(specimen.pairs(mode, shape=(24, 32), batch=3, seed=2, device=device)) for device in ("cpu", "cuda")
    )
    assert np.array_equal(here[1], there[1])
    assert np.median(np.abs(here[0] - there[0])) <= 1e-5


def test_places_that_are_none():
    one = SimpleNamespace(numbers=[8], positions=[[0.0, 0.0, 0.0]])
    with pytest.raises(ValueError, match="device"):
        specimen.render(one, shape=(3, 3), pixel_size=1.0, model=MODEL, device="gpu")
    with pytest.raises(DeviceError):
        specimen.render(one, shape=(3, 3), pixel_size=1.0, model=MODEL, device="cuda:99")
