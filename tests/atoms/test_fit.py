"""Fits of all columns at once: exact without noise, the least squares with it, the covariance of the full matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.atoms import Columns, fit
from levels import at_all_levels
from reference import columns as reference


def overlapping(seed, shape=(44, 52), spacing=9.0, width="shared"):
    """Columns (n, 6) on a jittered lattice; 2.6 pixels wide, 9 apart: half of a top is left in the middle of two."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.arange(5, k - 4, spacing) for k in shape), indexing="ij"), -1).reshape(-1, 2)
    columns = np.zeros((len(grid), 6))
    columns[:, :2] = grid + rng.normal(0, 0.5, grid.shape)
    columns[:, 2] = rng.uniform(40, 160, len(grid))
    columns[:, 3] = 2.6 * (1 if width == "shared" else rng.uniform(0.85, 1.15, len(grid)))
    if width == "elliptic":
        columns[:, 4:] = rng.uniform(-0.2, 0.2, (len(grid), 2))
    return columns, rng


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 6), ny=st.integers(1, 40), nx=st.integers(1, 40))
def test_images_are_their_definition(seed, n, ny, nx):
    rng = np.random.default_rng(seed)
    parts = rng.uniform(-3, (ny + 3, nx + 3), (n, 2)), rng.normal(0, 9, n), rng.uniform(0.5, 5, n)
    columns = Columns(*parts, 1.5, ellipticity=rng.uniform(-1, 1, (n, 2)))
    rows = np.concatenate([parts[0], np.stack(parts[1:], 1), columns.ellipticity], axis=1)
    assert np.allclose(columns.image((ny, nx)), reference.image((ny, nx), rows, 1.5), atol=1e-12)


def test_derivatives_of_the_reference():
    columns, _ = overlapping(0, (14, 14), width="elliptic")
    slopes = reference.derivatives((14, 14), columns)
    for p in range(6):
        step = np.zeros_like(columns)
        step[0, p] = 1e-5
        difference = reference.image((14, 14), columns + step, 0) - reference.image((14, 14), columns - step, 0)
        assert np.allclose(slopes[0, p], difference.ravel() / 2e-5, atol=1e-6)


@pytest.mark.parametrize("noise", ["white", "poisson"])
@pytest.mark.parametrize("width", ["shared", "free", "elliptic"])
@pytest.mark.parametrize("background", [0.0, 35.0])
def test_exact_without_noise(width, background, noise):
    columns, rng = overlapping(1, width=width)
    image = reference.image((44, 52), columns, background)
    starts = columns[:, :2] + rng.uniform(-0.5, 0.5, (len(columns), 2))
    got = fit(image, starts, width=width, background=background > 0, noise=noise)
    assert np.abs(got.positions - columns[:, :2]).max() < 1e-6
    assert np.abs(got.scs / (2 * np.pi * columns[:, 2] * columns[:, 3] ** 2) - 1).max() < 1e-6
    assert np.abs(got.ellipticity - columns[:, 4:]).max() < 1e-6
    assert abs(got.background - background) < 1e-5
    assert got.converged


@pytest.mark.parametrize("width", ["shared", "free", "elliptic"])
@pytest.mark.parametrize("background", [False, True])
def test_noise_least_squares_and_covariance(width, background):
    columns, rng = overlapping(2, (30, 33), width=width)
    image = reference.image((30, 33), columns, 20 * background) + rng.normal(0, 2, (30, 33))
    got = fit(image, columns[:, :2], width=width, background=background)
    want, level, squares = reference.least_squares(image, columns, 20 * background, width, background)
    assert got.residual == pytest.approx(squares, rel=1e-7)
    assert got.residual == pytest.approx(((image - got.image(image.shape)) ** 2).sum(), rel=1e-6)
    assert np.abs(got.positions - want[:, :2]).max() < 1e-3
    assert abs(got.background - level) < 1e-2
    expected = reference.covariance(image.shape, want, width, background, squares)
    scale = np.sqrt(np.einsum("nii->ni", expected))
    assert np.abs((got.covariance - expected) / (scale[:, :, None] * scale[:, None])).max() < 2e-3


def lone(seed):
    """Columns that overlap no other, and their Poisson image."""
    rng = np.random.default_rng(seed)
    columns = np.zeros((20, 6))
    columns[:, :2] = np.stack(np.meshgrid(9 + 17.0 * np.arange(4), 9 + 17.0 * np.arange(5), indexing="ij"), -1).reshape(
        -1, 2
    )
    columns[:, :2] += rng.normal(0, 0.5, (20, 2))
    columns[:, 2], columns[:, 3] = rng.uniform(20, 60, 20), 1.5
    image = rng.poisson(reference.image((69, 86), columns, 3)).astype(np.float32)
    return columns, image, columns[:, :2] + rng.normal(0, 0.5, (20, 2))


@pytest.mark.parametrize("width", ["shared", "free"])
def test_lone_columns_reach_the_least_squares(width):
    columns, image, starts = lone(0)
    got = fit(image, starts, width=width, threads=1)
    want, _, squares = reference.least_squares(image.astype(float), columns, 3, width, True)
    assert got.converged
    assert got.residual == pytest.approx(squares, rel=1e-7)
    assert np.abs(got.positions - want[:, :2]).max() < 1e-3
    assert np.array_equal(got.positions, fit(image, starts, width=width, threads=3).positions)


def test_free_widths_on_structured_ground():
    """Hills that no column explains, faint columns: the residual bends the objective more than the columns do."""
    columns, rng = overlapping(7, (100, 110), width="free")
    columns[::3, 2] = 4
    y, x = np.indices((100, 110))
    ground = 20 * np.sin(y / 7) * np.cos(x / 9) + 0.1 * y
    image = reference.image((100, 110), columns, 30) + ground + rng.normal(0, 1, (100, 110))
    got = fit(image, columns[:, :2], width="free")
    assert got.converged


def test_covariance_of_many_columns():
    """Enough columns for a dissection of several levels."""
    columns, rng = overlapping(3, (110, 130), 8.0)
    image = reference.image((110, 130), columns, 10) + rng.normal(0, 1, (110, 130))
    got = fit(image, columns[:, :2])
    rows = np.concatenate([got.positions, got.heights[:, None], got.widths[:, None], got.ellipticity], axis=1)
    expected = reference.covariance(image.shape, rows, "shared", True, got.residual)
    scale = np.sqrt(np.einsum("nii->ni", expected))
    assert np.abs((got.covariance - expected) / (scale[:, :, None] * scale[:, None])).max() < 1e-4


@pytest.mark.parametrize("columns", [[(9.3, 8.2)], [(9.3, 7.2), (9.9, 13.4)]])
def test_poisson_fits_reach_the_bound(columns):
    """The scatter is within 10 % of the bound; of 1,000 draws its own error is 2.2 %. Isolated and overlapping."""
    from crewe.atoms import crlb

    rng = np.random.default_rng(0)
    truth = Columns(columns, [90.0, 60.0][: len(columns)], 2.2, 4.0, width="free")
    shape = (19, 21) if len(columns) == 2 else (19, 17)
    clean = truth.image(shape)
    fits = [
        fit(rng.poisson(clean).astype(np.float32), truth.positions, width="free", noise="poisson", threads=1)
        for _ in range(1000)
    ]
    bound = crlb(truth, shape=shape, dose=1.0)
    for name in ("positions", "heights", "widths", "scs"):
        ratio = np.std([getattr(f, name) for f in fits], axis=0, ddof=1) / getattr(bound, name)
        assert ratio == pytest.approx(1, abs=0.1), name
    mean = np.mean([f.covariance for f in fits], axis=0)
    assert np.allclose(np.einsum("nii->ni", mean), np.einsum("nii->ni", bound.covariance), rtol=0.1)


def test_pixel_size_is_a_unit():
    columns, rng = overlapping(4)
    image = reference.image((44, 52), columns, 5) + rng.normal(0, 1, (44, 52))
    one, small = fit(image, columns[:, :2]), fit(image, columns[:, :2], pixel_size=0.2)
    assert np.array_equal(small.positions, one.positions)
    assert np.allclose(small.widths, 0.2 * one.widths, rtol=1e-14)
    assert np.allclose(small.scs, 0.04 * one.scs, rtol=1e-14)
    assert np.allclose(small.covariance[:, 3, :3], 0.2 * one.covariance[:, 3, :3], rtol=1e-12)


def test_the_order_of_starts_plays_no_part():
    columns, rng = overlapping(5)
    image = (reference.image((44, 52), columns, 5) + rng.normal(0, 1, (44, 52))).astype(np.float32)
    order = rng.permutation(len(columns))
    one, other = fit(image, columns[:, :2]), fit(image, columns[order, :2])
    assert np.array_equal(one.positions[order], other.positions)
    assert np.array_equal(one.covariance[order], other.covariance)


def test_threads_give_the_same_bits():
    columns, rng = overlapping(6, (120, 90), width="free")
    image = rng.poisson(reference.image((120, 90), columns, 5)).astype(np.float32)
    for noise in ("white", "poisson"):
        one = fit(image, columns[:, :2], width="free", noise=noise, threads=1)
        for threads in (2, 3, 0):
            other = fit(image, columns[:, :2], width="free", noise=noise, threads=threads)
            assert np.array_equal(one.positions, other.positions)
            assert np.array_equal(one.covariance, other.covariance)


def test_levels_give_the_same_bits():
    code = (
        "import sys, numpy as np; from crewe import atoms; rng = np.random.default_rng(0)\n"
        "p = np.stack(np.meshgrid(np.arange(6.0, 70, 8), np.arange(6.0, 60, 8), indexing='ij'), -1).reshape(-1, 2)\n"
        "c = atoms.Columns(p, rng.uniform(40, 90, len(p)), 2.3, 4.0, ellipticity=rng.uniform(-.1, .1, p.shape))\n"
        "z = rng.poisson(c.image((76, 66))).astype(np.float32)\n"
        "for noise in ('white', 'poisson'):\n"
        "    for width in ('shared', 'elliptic'):\n"
        "        f = atoms.fit(z, p, width=width, noise=noise)\n"
        "        sys.stdout.write(f.positions.tobytes().hex() + f.covariance.tobytes().hex())\n"
        "lone = atoms.Columns(p[::5], rng.uniform(40, 90, len(p[::5])), 1.5, 4.0)\n"
        "f = atoms.fit(rng.poisson(lone.image((76, 66))).astype(np.float32), p[::5] + 0.3, width='free')\n"
        "sys.stdout.write(f.positions.tobytes().hex())\n"
    )
    at_all_levels(code)


def test_columns_touching_the_border():
    truth = Columns([[0.3, 5.2], [9.6, 20.1], [19.4, 0.4], [15.0, 29.0]], [50, 60, 70, 80], 2.2, 5.0)
    got = fit(truth.image((20, 30)), np.round(truth.positions))
    assert np.abs(got.positions - truth.positions).max() < 1e-5
    assert np.allclose(got.heights, truth.heights, rtol=1e-5)


def test_dark_columns_have_negative_heights():
    truth = Columns([[9.2, 8.8], [9.0, 20.3]], [-30.0, -50.0], 2.5, 100.0)
    got = fit(truth.image((19, 30)), [[9, 9], [9, 20]])
    assert np.allclose(got.heights, truth.heights, rtol=1e-6)


def test_ellipses():
    """The long axis from x towards y."""
    c = np.hypot(1, 0.6)
    truth = Columns([[20.0, 21.0]], [50.0], 3.0, ellipticity=[[0.0, -0.6]], width="elliptic")
    assert truth.axes.ravel() == pytest.approx([3 * np.sqrt(c + 0.6), 3 / np.sqrt(c + 0.6)])
    assert truth.angles == pytest.approx([np.pi / 4])
    y, x = np.indices((41, 43)) - np.array([20.0, 21.0])[:, None, None]
    image = truth.image((41, 43))
    tilt = np.arctan2(2 * (image * y * x).sum(), (image * (x * x - y * y)).sum()) / 2
    assert tilt == pytest.approx(truth.angles[0])
    got = fit(image, [[20.3, 20.6]], width="elliptic", background=False)
    assert np.allclose(got.axes, truth.axes, rtol=1e-6)
    assert got.scs == pytest.approx(image.sum(), rel=1e-6)


def test_nothing_to_fit():
    image = np.full((8, 9), 3.0, np.float32)
    for none in (np.zeros((0, 2)), []):
        got = fit(image, none)
        assert got.positions.shape == (0, 2)
        assert got.covariance.shape == (0, 4, 4)
        assert got.background == pytest.approx(3)
        assert got.residual == pytest.approx(0, abs=1e-9)
    assert fit(image, [], background=False).residual == pytest.approx(9 * 72)


def test_images_without_columns():
    got = fit(np.full((20, 20), 7.0, np.float32), [[5, 5], [14, 13]])
    assert np.allclose(got.heights, 0, atol=1e-6)
    assert got.background == pytest.approx(7)
    assert np.isfinite(got.positions).all()
    blind = fit(np.zeros((12, 12), np.float32), [[5, 5]])
    assert blind.scs == pytest.approx(0)
    assert np.isinf(blind.covariance[:, [0, 1], [0, 1]]).all(), "a column of no height has no place"


def test_near_twins_stay_finite():
    truth = Columns([[10.0, 10.0]], [50.0], 2.5, 3.0)
    got = fit(truth.image((21, 21)), [[10.0, 9.9], [10.0, 10.1]])
    assert np.isfinite(got.positions).all()
    assert got.scs.sum() == pytest.approx(truth.scs[0], rel=1e-3)


@pytest.mark.parametrize(
    ("match", "change"),
    [
        ("image: shape", {"image": np.zeros(9, np.float32)}),
        ("image: finite", {"image": np.full((9, 9), np.nan, np.float32)}),
        ("image: counts", {"image": np.full((9, 9), -1, np.float32), "noise": "poisson"}),
        ("positions: shape", {"positions": [[1, 2, 3]]}),
        ("positions: .* in the image", {"positions": [[4.0, 9.0]]}),
        ("positions: finite", {"positions": [[np.nan, 1.0]]}),
        ("positions: one start per column", {"positions": [[4, 4], [2, 2], [4, 4]]}),
        ("positions: fewer parameters", {"positions": np.random.default_rng(0).uniform(0, 8, (40, 2))}),
        ("pixel_size", {"pixel_size": 0.0}),
        ("width", {"width": "wide"}),
        ("noise", {"noise": "loud"}),
        ("threads", {"threads": -1}),
    ],
)
def test_wrong_arguments_are_named(match, change):
    with pytest.raises(ValueError, match=match):
        fit(**{"image": np.ones((9, 9), np.float32), "positions": [[4, 4]], **change})


@pytest.mark.parametrize("image", [np.ones((9, 9), np.uint16), np.ones((9, 9), complex), [[1.0, 2.0]]])
def test_images_of_other_types_are_not_cast(image):
    with pytest.raises(TypeError, match="image"):
        fit(image, [[4, 4]])


@pytest.mark.parametrize(
    ("match", "parts"),
    [
        ("widths", ([[1, 2]], [3.0], [0.0])),
        ("heights", ([[1, 2]], [3.0, 4.0], 1.0)),
        ("positions", ([1, 2], [3.0], 1.0)),
        ("heights: finite", ([[1, 2]], [np.inf], 1.0)),
    ],
)
def test_columns_made_by_hand_are_checked(match, parts):
    with pytest.raises(ValueError, match=match):
        Columns(*parts)
