import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.strain import displacement, lattice
from reference.strain import deformed, square_lattice

HEXAGONAL = np.array([[12.0, 0.0], [6.0, 6.0 * np.sqrt(3)]])


def is_basis_of(found, true, tolerance=0.02):
    m = np.asarray(true) @ np.linalg.inv(found)
    return np.abs(m - np.rint(m)).max() < tolerance and abs(abs(np.linalg.det(np.rint(m))) - 1) < 1e-6


def rows_and_columns(ny, nx):
    return np.stack(np.meshgrid(np.arange(ny), np.arange(nx), indexing="ij"), -1).reshape(-1, 2)


def turned(basis, angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(basis, float) @ np.array([[c, s], [-s, c]])


@settings(max_examples=40)
@given(
    st.floats(0, np.pi), st.floats(0.6, 1.6), st.floats(np.deg2rad(55), np.deg2rad(90)), st.floats(0, 0.04),
    st.floats(0, 0.2), st.integers(0, 999),
)  # fmt: skip
def test_any_lattice_with_vacancies_and_noise(angle, ratio, between, jitter, vacancies, seed):
    rng = np.random.default_rng(seed)
    true = turned([[15.0, 0.0], [15 * ratio * np.cos(between), 15 * ratio * np.sin(between)]], angle)
    indices = rows_and_columns(14, 17)
    indices = indices[rng.random(len(indices)) >= vacancies]
    points = indices @ true + (300, 200) + rng.normal(0, jitter * 15, indices.shape)
    rng.shuffle(points)
    found = lattice(points)
    assert is_basis_of(found.basis, true)
    assert found.belongs.mean() > 0.98
    assert len(found.motif) == 1
    left = (points - found.origin - found.indices @ found.basis)[found.belongs]
    assert np.sqrt((left**2).mean()) <= 1.1 * jitter * 15 + 1e-6
    assert found.indices[found.belongs].min() == 0


def test_strain_that_adds_up_to_more_than_a_cell():
    points = rows_and_columns(60, 60) @ np.diag([10.0, 10.0])
    points[:, 0] += 0.5 * 0.06 / 590 * points[:, 0] ** 2 - 0.03 * points[:, 0]  # −3 % … +3 %
    _, _, indices = lattice(points)
    assert np.array_equal(indices, rows_and_columns(60, 60))


def test_columns_of_one_kind_in_a_hexagonal_lattice():
    found = lattice(square_lattice((160, 170), turned(HEXAGONAL, 0.3)))
    assert is_basis_of(found.basis, turned(HEXAGONAL, 0.3), 1e-6)
    assert np.allclose(np.hypot(*found.basis.T), 12, atol=1e-6)


@pytest.mark.parametrize("second", [(1 / 3, 1 / 3), (0.5, 0.5), (0.18, 0.0), (0.4, 0.25)])
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_two_columns_per_cell(second, noise):
    """A second one at (½, ½) is the same lattice with half the cell; elsewhere there are two sites."""
    rng = np.random.default_rng(1)
    basis = HEXAGONAL * 1.7 if second == (1 / 3, 1 / 3) else np.array([[21.0, 1.0], [-1.5, 23.0]])
    cells = rows_and_columns(11, 12)
    points = np.concatenate([cells @ basis, (cells + second) @ basis])
    points += rng.normal(0, noise, points.shape)
    found = lattice(points)
    assert found.belongs.all()
    if second == (0.5, 0.5):
        assert len(found.motif) == 1
        assert is_basis_of(found.basis, np.array([[0.5, 0.5], [-0.5, 0.5]]) @ basis)
        return
    assert is_basis_of(found.basis, basis)
    assert np.bincount(found.sites).tolist() == [132, 132]
    away = found.motif[1] @ np.linalg.inv(basis)
    same = [np.abs(w - np.rint(w)).max() < 0.02 for w in (away - second, away + second)]
    assert any(same), f"{second} or its opposite wanted, {away} came"
    left = points - found.origin - found.motif[found.sites] - found.indices @ found.basis
    assert np.sqrt((left**2).mean()) <= 1.1 * noise + 1e-9
    shift = displacement(points, found.basis, found.indices, sites=found.sites)
    assert np.allclose(shift, left - 0, atol=1e-9)


def test_strangers_and_doubles_do_not_belong():
    points = rows_and_columns(12, 12) @ np.diag([10.0, 11.0])
    strangers = np.array([[54.5, 60.2], [25.0, 27.0], [400.0, 400.0], [30.2, 33.1]])  # the last doubles a column
    found = lattice(np.concatenate([points, strangers]))
    assert found.belongs[:144].sum() == 143 + found.belongs[36]
    assert found.belongs[144:147].sum() == 0
    assert found.belongs.sum() == 144
    assert is_basis_of(found.basis, np.diag([10.0, 11.0]), 1e-3)


def test_of_two_grains_the_larger_is_indexed():
    left = square_lattice((200, 200), turned(np.diag([11.0, 11.0]), 0.1))
    right = square_lattice((200, 200), turned(np.diag([11.0, 11.0]), 0.5))
    points = np.concatenate([left[left[:, 1] < 130], right[right[:, 1] > 138]])
    found = lattice(points)
    assert is_basis_of(found.basis, turned(np.diag([11.0, 11.0]), 0.1))
    assert found.belongs[points[:, 1] < 130].mean() > 0.99


def test_three_columns_make_a_lattice():
    basis, origin, indices = lattice([[0.0, 0.0], [10.0, 1.0], [1.0, 12.0]])
    assert np.allclose(origin + indices @ basis, [[0, 0], [10, 1], [1, 12]])


def test_displacement_of_a_known_field():
    points = square_lattice((200, 240), np.diag([12.0, 14.0]))
    seen, _ = deformed(points, (200, 240))
    found = lattice(seen)
    u = displacement(seen, found.basis, found.indices)
    assert np.allclose(u.mean(0), 0, atol=1e-9)
    want = displacement(seen, np.diag([12.0, 14.0]), np.rint((points - points.min(0)) / (12, 14)))
    assert np.allclose(want, (seen - points) - (seen - points).mean(0), atol=1e-9)
    assert np.abs(u - want).max() < 3.0, "the mean lattice takes up the mean strain"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (np.zeros((2, 2)), "at least 3"), (np.zeros((9, 3)), r"\(n, 2\)"), (np.full((9, 2), np.nan), r"\[0, 0\]"),
        (np.zeros((9, 2)), "one line"), (np.stack([np.arange(9.0), 2 * np.arange(9.0)], 1), "one line"),
        (np.random.default_rng(0).random((400, 2)) * 300, "on a lattice"),
    ],
)  # fmt: skip
def test_no_lattice(bad, words):
    with pytest.raises(ValueError, match=words):
        lattice(bad)


def test_displacement_refuses_what_does_not_fit():
    points, basis, indices = np.zeros((3, 2)), np.eye(2), np.zeros((3, 2), int)
    for bad, words in [
        ((points[0], basis, indices), "positions"), ((points, basis[0], indices), "basis"),
        ((points, basis, indices[:2]), "indices"), ((points * np.nan, basis, indices), "finite"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=words):
            displacement(*bad)
    with pytest.raises(ValueError, match="sites"):
        displacement(points, basis, indices, sites=[0, 1])
