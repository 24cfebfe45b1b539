import numpy as np
import pytest

from crewe import atoms


def particle(shape, drift, seed=0):
    """A round particle of a square lattice, 11 px wide, each column of its own height."""
    rng = np.random.default_rng(seed)
    steps = np.stack(np.meshgrid(np.arange(-5, 6), np.arange(-5, 6), indexing="ij"), -1).reshape(-1, 2)
    points = 11.0 * steps[np.hypot(*steps.T) < 4.6] + np.array(shape) / 2 + rng.normal(0, 0.2, (69, 2))
    y, x = np.indices(shape)
    image = np.full(shape, 0.3)
    for (py, px), height in zip(points + drift, rng.uniform(0.7, 1.3, len(points)), strict=True):
        image += height * np.exp(-((y - py) ** 2 + (x - px) ** 2) / (2 * 2.6**2))
    return points + drift, image


@pytest.mark.parametrize("drift", [(0.3, -0.7), (11.0, 0.2), (-9.6, 14.1)])
def test_drift_of_a_lattice_vector_is_no_standstill(drift):
    rng = np.random.default_rng(1)
    truths, clean = zip(*(particle((150, 160), np.array(d)) for d in [(0, 0), drift]), strict=True)
    images = [rng.poisson(dose * image).astype(np.float32) for dose, image in zip([50, 5], clean, strict=True)]
    for found, truth in zip(atoms.label(images), truths, strict=True):
        pairs = atoms.score(found, truth, tolerance=3.0).matches
        assert len(pairs) == len(truth) == len(found)
        assert np.abs(np.mean(found[pairs[:, 0]] - truth[pairs[:, 1]], axis=0)).max() < 0.15


def test_columns_that_drift_out_are_left_out():
    _, clean = particle((80, 160), np.zeros(2))
    images = np.stack([clean, np.roll(clean, 20, axis=0)]).astype(np.float32)
    first, second = atoms.label(images)
    assert len(second) < len(first)
    assert (second < (80, 160)).all()


def test_a_group_of_constant_images():
    assert [p.shape for p in atoms.label(np.ones((3, 40, 50), np.float32))] == [(0, 2)] * 3


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"\(n, y, x\)"):
        atoms.label(np.ones((4, 5), np.float32))
    with pytest.raises(ValueError, match="one shape"):
        atoms.label([np.ones((4, 5), np.float32), np.ones((5, 5), np.float32)])
    with pytest.raises(ValueError, match="none came"):
        atoms.label([])
    with pytest.raises(TypeError, match=r"images\[1\]"):
        atoms.label([np.ones((4, 5), np.float32), np.ones((4, 5))])
