"""PRISM against the multislice of each probe: the same without interpolation, close with it."""

import numpy as np
import pytest

from crewe import sim

OPTICS = {"energy": 200e3, "semiangle": 20.0}
LENS = sim.Aberrations(C10=-20.0, C12=10.0, phi12=0.3)
PLACES = np.array([[0.0, 0.0], [2.2, 3.1], [7.0, 12.9]])


def a_potential(dtype=np.float32, configurations=None, cells=2):
    ase = pytest.importorskip("ase")
    unit = ase.Atoms("SrTiO", positions=[(1, 1, 1), (3, 1.5, 2.5), (2.2, 4, 3.5)], cell=[5, 6, 4])
    thermal = None if configurations is None else sim.FrozenPhonons(configurations, 0.08, seed=1)
    return sim.Potential(unit.repeat((cells, cells, 3)), gpts=(64 * cells, 60 * cells), dtype=dtype, thermal=thermal)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-5)])
@pytest.mark.parametrize("configurations", [None, 2])
def test_without_interpolation_it_is_the_multislice(dtype, tolerance, configurations):
    potential = a_potential(dtype, configurations, cells=1)
    prism = sim.Prism(potential, **OPTICS)
    got = prism.cbed(PLACES, aberrations=LENS)
    want = sim.cbed(potential, positions=PLACES, aberrations=LENS, **OPTICS)
    assert got.dtype == dtype
    assert np.linalg.norm(got - want) < tolerance * np.linalg.norm(want)
    rings = {"bf": (0, 10), "adf": (30, 70)}
    images = prism.stem(scan=(2, 3), detectors=rings, aberrations=LENS)
    full = sim.stem(potential, scan=(2, 3), detectors=rings, aberrations=LENS, **OPTICS)
    for name in rings:
        np.testing.assert_allclose(images[name], full[name], rtol=10 * tolerance)


def test_interpolation_is_close():
    potential = a_potential(cells=4)
    prism = sim.Prism(potential, interpolation=2, **OPTICS)
    assert prism.shape == (128, 120)
    rings = {"bf": (0, 10), "adf": (30, 70)}
    positions = np.stack(np.meshgrid(np.arange(3) * 2.0, np.arange(3) * 1.7, indexing="ij"), -1)
    images = prism.stem(positions=positions, detectors=rings)
    full = sim.stem(potential, positions=positions, detectors=rings, **OPTICS)
    for name in rings:
        assert np.corrcoef(images[name].ravel(), full[name].ravel())[0, 1] > 0.99
        np.testing.assert_allclose(images[name], full[name], atol=0.05 * full[name].max())


def test_a_probe_is_the_same_alone_and_among_others():
    prism = sim.Prism(a_potential(np.float64, cells=2), interpolation=2, **OPTICS)
    places = np.random.default_rng(0).uniform(-5, 20, (8, 2))
    together = prism.cbed(places)
    for place, pattern in zip(places, together, strict=True):
        np.testing.assert_allclose(prism.cbed(place), pattern, rtol=0, atol=1e-14)


def test_a_smaller_aperture():
    potential = a_potential(np.float64, cells=1)
    got = sim.Prism(potential, **OPTICS).cbed(PLACES[1], semiangle=12.0)
    want = sim.cbed(potential, positions=PLACES[1], energy=200e3, semiangle=12.0)
    assert np.linalg.norm(got - want) < 1e-12


def test_wrong_arguments_are_named():
    potential = a_potential(cells=1)
    for wrong in (0, 7):
        with pytest.raises(ValueError, match="interpolation"):
            sim.Prism(potential, interpolation=wrong, **OPTICS)
    with pytest.raises(ValueError, match="semiangle"):
        sim.Prism(potential, energy=200e3, semiangle=500.0)
    with pytest.raises(ValueError, match="semiangle"):
        sim.Prism(potential, **OPTICS).cbed(PLACES, semiangle=21.0)
    with pytest.raises(MemoryError, match="interpolation="):
        sim.Prism(potential, memory=10_000, **OPTICS)
