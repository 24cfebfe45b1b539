import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.strain import Strain, from_positions, lattice
from reference.strain import deformed, gradient_at, square_lattice, strain_of

SQUARE = np.array([[14.0, 1.5], [-1.5, 14.0]])


@given(st.integers(0, 999), st.sampled_from([1.1, 1.5, 2.1]))
def test_against_reference(seed, reach):
    rng = np.random.default_rng(seed)
    basis = SQUARE + rng.normal(0, 0.5, (2, 2))
    points = square_lattice((100, 90), basis) + rng.normal(0, 0.3, (1, 2))
    points += rng.normal(0, 0.3, points.shape)
    found = from_positions(points, reference=basis, reach=reach)
    longest = np.hypot(*basis.T).max()
    for i in rng.choice(np.flatnonzero(np.isfinite(found.eps_yy)), 5, replace=False):
        want = strain_of(gradient_at(points, basis, i, reach * longest))
        np.testing.assert_allclose([f[i] for f in found], want, atol=1e-9)


def test_a_uniform_deformation_is_exact():
    f = np.array([[1.02, 0.01], [-0.005, 0.99]])
    points = square_lattice((150, 150), SQUARE)
    found = from_positions(points @ f.T, reference=SQUARE)
    want = strain_of(np.eye(2) - np.linalg.inv(f))
    for got, value in zip(found, want, strict=True):
        assert np.allclose(got, value, atol=1e-12)
    small = strain_of(f - np.eye(2))
    for got, value in zip(found.lagrangian(), small, strict=True):
        assert np.allclose(got, value, atol=1e-12)
    assert np.allclose(found.hydrostatic, (want[0] + want[1]) / 2)
    against_itself = from_positions(points @ f.T)
    assert max(np.abs(e).max() for e in against_itself) < 1e-9, "the mean lattice is the reference"


@pytest.mark.parametrize("basis", [SQUARE, np.array([[12.0, 0.0], [6.0, 6 * np.sqrt(3)]])])
def test_a_smooth_field(basis):
    shape = (512, 480)
    seen, gradient = deformed(square_lattice(shape, basis), shape)
    found = from_positions(seen, reference=basis)
    inside = ((seen > 20) & (seen < np.array(shape) - 20)).all(1)
    for got, want in zip(found, strain_of(gradient), strict=True):
        assert np.abs(got - want)[inside].max() < 2e-4


@pytest.mark.parametrize("reach", [1.1, 1.5])
def test_the_standard_errors_are_those_of_the_scatter(reach):
    rng = np.random.default_rng(5)
    ideal = square_lattice((260, 260), SQUARE)
    draws = [from_positions(ideal + rng.normal(0, 0.2, ideal.shape), reference=SQUARE, reach=reach) for _ in range(40)]
    for k in range(4):
        scatter = np.std([list(d)[k] for d in draws], axis=0, ddof=1)
        told = np.mean([list(d.errors)[k] for d in draws], axis=0)
        assert abs(np.nanmean(scatter / told) - 1) < 0.04
    given_it = from_positions(ideal, reference=SQUARE, reach=reach, precision=0.2)
    assert np.allclose(given_it.errors.eps_yy, draws[0].errors.eps_yy, rtol=0.1, equal_nan=True)


def test_two_columns_per_cell_are_compared_with_their_own_kind():
    basis = np.array([[20.0, 0.0], [10.0, 10 * np.sqrt(3)]])
    points = square_lattice((300, 300), basis)
    honeycomb = np.concatenate([points, points + basis.sum(0) / 3])
    f = np.array([[1.01, 0.0], [0.02, 1.0]])
    found = from_positions(honeycomb @ f.T, reference=basis)
    for got, want in zip(found, strain_of(np.eye(2) - np.linalg.inv(f)), strict=True):
        assert np.allclose(got[np.isfinite(got)], want, atol=1e-12)
    assert np.isfinite(found.eps_xx).mean() > 0.98


def test_a_region_as_reference():
    points = square_lattice((300, 300), SQUARE)
    points[:, 0] += 0.01 * np.maximum(points[:, 0] - 150, 0)
    calm = lattice(points[points[:, 0] < 140]).basis
    found = from_positions(points, reference=calm)
    assert np.allclose(found.eps_yy[points[:, 0] < 130], 0, atol=1e-9)
    assert np.allclose(found.eps_yy[points[:, 0] > 180], 1 - 1 / 1.01, atol=1e-9)


def test_a_lonely_column_has_no_strain():
    points = np.concatenate([square_lattice((100, 100), SQUARE), [[400.0, 400.0]]])
    found = from_positions(points)
    assert all(np.isnan(f[-1]) for f in [*found, *found.errors])
    assert all(np.isfinite(f[:-1]).mean() > 0.9 for f in found)


def test_a_perfect_lattice_of_three_has_unknown_errors():
    found = from_positions([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    assert abs(found.eps_yy[0]) < 1e-12
    assert np.isnan(found.errors.eps_yy[0])


def test_bad_input():
    points = square_lattice((100, 100), SQUARE)
    for bad, words in [
        ({"reach": 0.5}, "reach"), ({"reach": np.nan}, "reach"), ({"precision": 0.0}, "precision"),
        ({"reference": [1.0, 2.0]}, "reference"), ({"reference": [[1.0, 2.0], [2.0, 4.0]]}, "parallel"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=words):
            from_positions(points, **bad)
    with pytest.raises(ValueError, match="at least 3"):
        from_positions(points[:2])
    with pytest.raises(ValueError, match="one line"):
        from_positions(np.stack([np.arange(20.0), np.ones(20)], 1))


@given(st.lists(st.floats(-0.3, 0.3), min_size=4, max_size=4))
def test_definitions_turn_into_each_other(numbers):
    gradient = np.array(numbers).reshape(2, 2)
    strain = Strain.of_gradient(gradient)
    assert np.allclose(strain.gradient, gradient)
    f = np.eye(2) + strain.lagrangian().gradient
    assert np.allclose(np.eye(2) - np.linalg.inv(f), gradient, atol=1e-12)
