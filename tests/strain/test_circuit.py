import numpy as np
import pytest

from crewe.strain import burgers

A = 10.0


def edge_dislocation(b=1.0, nu=0.3, turn=0.0, noise=0.0):
    """A square crystal with an edge dislocation of Burgers vector b·A along x in its middle (isotropic elasticity)."""
    y, x = ((np.mgrid[-15:16, -15:16].reshape(2, -1)) + 0.5) * A
    r2 = x**2 + y**2
    ux = b * A / (2 * np.pi) * (np.arctan2(y, x) + x * y / (2 * (1 - nu) * r2))
    uy = -b * A / (8 * np.pi * (1 - nu)) * ((1 - 2 * nu) * np.log(r2) + (x**2 - y**2) / r2)
    points = np.stack([y + uy, x + ux], 1)[np.sqrt(r2) > A]
    c, s = np.cos(turn), np.sin(turn)
    rotation = np.array([[c, s], [-s, c]])
    return points @ rotation + np.random.default_rng(0).normal(0, noise, points.shape), rotation


@pytest.mark.parametrize("b", [1, -1, 2])
@pytest.mark.parametrize("turn", [0.0, 0.4])
@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_an_edge_dislocation(b, turn, noise):
    points, rotation = edge_dislocation(b, turn=turn, noise=noise)
    want = np.array([0.0, b * A]) @ rotation
    basis = A * rotation
    for radius in (35.0, 60.0):
        assert np.allclose(burgers(points, (0.0, 0.0), radius=radius, basis=basis), want, atol=1e-9)
    found = burgers(points, (0.0, 0.0), radius=60.0)
    assert np.hypot(*(found - want)) < 0.12 * A, "with the basis that the columns tell"
    assert np.allclose(burgers(points, (70.0, 70.0), basis=basis), 0)


def test_a_vacancy_has_none():
    points = np.mgrid[:15, :15].reshape(2, -1).T * A
    assert np.allclose(burgers(np.delete(points, 112, axis=0), (70.0, 70.0)), 0)


def test_no_circuit():
    points = np.mgrid[:15, :15].reshape(2, -1).T * A
    for around in ((0.0, 0.0), (500.0, 500.0)):
        with pytest.raises(ValueError, match="no closed circuit"):
            burgers(points, around)
    with pytest.raises(ValueError, match="radius"):
        burgers(points, (70.0, 70.0), radius=3.0)
    with pytest.raises(ValueError, match="around"):
        burgers(points, (70.0, np.nan))
