"""The Cramér-Rao bound: the inverse of the dense Fisher matrix, and the closed forms of a lone column."""

import numpy as np
import pytest

from crewe.atoms import Columns, crlb
from reference import columns as reference


def lattice(n, width, seed=0):
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(n), np.arange(n + 1), indexing="ij"), -1).reshape(-1, 2) * 7.5 + 6
    rows = np.zeros((len(grid), 6))
    rows[:, :2] = grid + rng.normal(0, 0.4, grid.shape)
    rows[:, 2] = rng.uniform(5, 30, len(grid))
    rows[:, 3] = 2.4 if width == "shared" else rng.uniform(2, 2.8, len(grid))
    if width == "elliptic":
        rows[:, 4:] = rng.uniform(-0.3, 0.3, grid.shape)
    return rows


def columns_of(rows, background, width, free=True):
    return Columns(*np.split(rows[:, :4], [2, 3], 1)[:1], rows[:, 2], rows[:, 3], background, width=width,
                   background_free=free, ellipticity=rows[:, 4:])  # fmt: skip


@pytest.mark.parametrize("width", ["shared", "free", "elliptic"])
@pytest.mark.parametrize(("background", "free"), [(2.5, True), (2.5, False), (1e-3, True), (1e-7, True)])
def test_inverse_of_the_full_matrix(width, background, free):
    rows = lattice(4, width)
    shape = (36, 43)
    got = crlb(columns_of(rows, background, width, free), shape=shape, dose=1.0)
    matrix = reference.information(shape, rows, background, width, free)
    want = reference.covariance_blocks(np.linalg.inv(matrix), len(rows), width)
    assert np.abs(got.positions / np.sqrt(want[:, [0, 1], [0, 1]]) - 1).max() < 1e-6
    assert np.abs(got.heights / np.sqrt(want[:, 2, 2]) - 1).max() < 1e-6
    assert np.abs(got.widths / np.sqrt(want[:, 3, 3]) - 1).max() < 1e-6
    slope = 2 * np.pi * np.stack([rows[:, 3] ** 2, 2 * rows[:, 2] * rows[:, 3]], 1)
    scs = np.sqrt(np.einsum("ni,nij,nj->n", slope, want[:, 2:, 2:], slope))
    assert np.abs(got.scs / scs - 1).max() < 1e-6


def test_a_lone_column():
    """sd(y) = sd(x) = ρ/√N, sd(ρ) = ρ/(2√N), sd(η) = η√(2/N), cov(η, ρ) = −ηρ/(2N), sd(SCS) = SCS/√N."""
    eta, rho = 55.0, 4.1
    n = 2 * np.pi * eta * rho**2
    got = crlb(Columns([[35.1, 34.9]], [eta], rho, background_free=False), shape=(71, 71), dose=1.0)
    assert got.positions == pytest.approx(rho / np.sqrt(n), rel=1e-6)
    assert got.widths == pytest.approx(rho / (2 * np.sqrt(n)), rel=1e-6)
    assert got.heights == pytest.approx(eta * np.sqrt(2 / n), rel=1e-6)
    assert got.covariance[0, 2, 3] == pytest.approx(-eta * rho / (2 * n), rel=1e-6)
    assert got.scs == pytest.approx(n / np.sqrt(n), rel=1e-6)


def test_a_column_on_a_bright_background():
    """sd(x) = √(2ζ/π)/η, whatever the width."""
    for rho in (2.5, 4.0):
        got = crlb(Columns([[40.0, 40.0]], [1.0], rho, 1e4), shape=(81, 81), dose=1.0)
        assert got.positions == pytest.approx(np.sqrt(2e4 / np.pi), rel=1e-3)


def test_electrons_are_intensity_times_dose_times_area():
    rows = lattice(3, "free")
    one = crlb(columns_of(rows, 2.0, "free"), shape=(30, 36), dose=1.0)
    rows[:, 2] /= 50
    rows[:, 3] *= 0.2
    small = crlb(columns_of(rows, 2.0 / 50, "free"), shape=(30, 36), dose=50 / 0.04, pixel_size=0.2)
    assert np.allclose(small.positions, one.positions, rtol=1e-12)
    assert np.allclose(50 * small.heights, one.heights, rtol=1e-12)
    assert np.allclose(small.widths, 0.2 * one.widths, rtol=1e-12)
    assert np.allclose(50 * small.scs, 0.04 * one.scs, rtol=1e-12)


def test_bad_input():
    columns = Columns([[5.0, 5.0]], [3.0], 2.0, 1.0)
    for options in ({"dose": 0.0}, {"dose": np.nan}, {"dose": 1.0, "pixel_size": -1.0}, {"dose": 1.0, "shape": (4,)}):
        with pytest.raises(ValueError, match=next(name for name in ("pixel_size", "shape", "dose") if name in options)):
            crlb(columns, **{"shape": (11, 11), **options})
    with pytest.raises(ValueError, match="electrons >= 0"):
        crlb(Columns([[5.0, 5.0]], [-3.0], 2.0, 1.0), shape=(11, 11), dose=1.0)
    none = crlb(Columns([], [], []), shape=(11, 11), dose=1.0)
    assert none.positions.shape == (0, 2)
    assert none.scs.shape == (0,)
