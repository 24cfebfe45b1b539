"""Columns found by the network: any scale, any size of image, nothing where nothing is."""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from crewe import atoms
from crewe.atoms import atomid
from crewe.atoms.views import views


def lattice(shape, spacing, *, turn=0.1, seed=0):
    """A turned square lattice, its points moved a little."""
    rng = np.random.default_rng(seed)
    n = int(np.hypot(*shape) / spacing) + 1
    steps = np.stack(np.meshgrid(np.arange(-n, n), np.arange(-n, n), indexing="ij"), -1).reshape(-1, 2)
    c, s = np.cos(turn), np.sin(turn)
    points = spacing * steps @ np.array([[c, s], [-s, c]]) + np.array(shape) / 2
    points += rng.normal(0, 0.02 * spacing, points.shape)
    return points[((points > 0) & (points < np.array(shape) - 1)).all(axis=1)]


def picture(shape, points, width, background=0.0):
    y, x = np.indices(shape)
    image = np.full(shape, background)
    for py, px in points:
        image += np.exp(-((y - py) ** 2 + (x - px) ** 2) / (2 * width**2))
    return image


def recorded(spacing, *, shape=(256, 240), electrons=200.0, seed=0):
    """A lattice of that many electrons per column on a tenth of its peak, and its points."""
    points = lattice(shape, spacing, seed=seed)
    image = picture(shape, points, 0.17 * spacing, background=0.1)
    scale = electrons / (2 * np.pi * (0.17 * spacing) ** 2)
    return np.random.default_rng(seed).poisson(image * scale).astype(np.float32), points


def inner(points, shape, margin):
    return points[((points > margin) & (points < np.array(shape) - 1 - margin)).all(axis=1)]


@pytest.mark.parametrize("spacing", [6.5, 10.0, 17.0, 31.0])
def test_any_spacing(spacing):
    image, points = recorded(spacing)
    found = atoms.find(image)
    assert found.dtype == np.float64
    assert (np.lexsort((found[:, 1], found[:, 0])) == np.arange(len(found))).all()
    result = atoms.score(*(inner(p, image.shape, spacing / 2) for p in (found, points)), tolerance=0.3 * spacing)
    assert result.f1 > 0.97
    near = np.hypot(*(points[:, None] - found).transpose(2, 0, 1)).min(axis=1)
    assert np.median(near) < 0.06 * spacing


def test_spacing_and_map():
    image, _ = recorded(22.0)
    found = atoms.propose(image, model="atomid")
    assert found.spacing == pytest.approx(22, rel=0.2)
    assert found.step == pytest.approx(found.spacing / 10)
    assert found.confidence.shape == tuple(round(n / found.step) for n in image.shape)
    assert 0 <= found.confidence.min() <= found.confidence.max() <= 1
    sure = found.again(threshold=0.6)
    assert sure.spacing == found.spacing
    assert 0 < len(sure.positions) <= len(found.positions)
    np.testing.assert_array_equal(found.columns(), atoms.find(image))


@pytest.mark.parametrize("change", [lambda a: 300 * a, lambda a: a + 5000])
def test_gain_and_offset_do_not_matter(change):
    image, _ = recorded(15.0, electrons=500)
    np.testing.assert_allclose(atoms.find(change(image)), atoms.find(image), atol=0.05)


def test_blocks_leave_no_seams(monkeypatch):
    image, _ = recorded(12.0, shape=(300, 330))
    whole = atoms.propose(image)
    monkeypatch.setattr(atomid, "_BLOCK", 96)
    parts = atoms.propose(image)
    assert np.abs(parts.confidence - whole.confidence).max() < 0.02
    np.testing.assert_allclose(parts.columns(), whole.columns(), atol=0.05)


#: Columns that may be found where there are none, per (spacing found)² of area: a lattice has 1 or more.
DREAMT = 0.05


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["faint", "strong", "read", "ramp"])
def test_nothing_is_dreamt_in_noise(kind, seed):
    rng, shape = np.random.default_rng(seed), (384, 400)
    ramp = np.linspace(2, 20, 400) * np.ones((384, 1))
    image = {
        "faint": lambda: rng.poisson(0.05, shape),
        "strong": lambda: rng.poisson(30, shape),
        "read": lambda: rng.normal(0, 1, shape),
        "ramp": lambda: rng.poisson(ramp),
    }[kind]().astype(np.float32)
    found = atoms.propose(image)
    assert len(found.columns()) * found.spacing**2 < DREAMT * image.size


@pytest.mark.parametrize("seed", range(3))
def test_a_single_atom_stays_alone(seed):
    place = np.array([120.3, 141.8])
    image = np.random.default_rng(seed).poisson(3 * picture((256, 256), [place], 3.5) + 0.3).astype(np.float32)
    found = atoms.find(image)
    assert len(found) == 1
    assert np.abs(found[0] - place).max() < 1.5


def test_what_the_filter_does_not_see_is_erased():
    """Single atoms on a texture; the map of the network has them, one that isn't there, and one beside an atom."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:128, :128]

    def hills(places, sigma):
        return sum(np.exp(-((y - j) ** 2 + (x - i) ** 2) / (2 * sigma**2)) for j, i in places).astype(np.float32)

    true = [(30, 30), (30, 60), (64, 90), (100, 40)]
    image = (hills(true, 2.5) + 0.1 * rng.normal(size=(128, 128))).astype(np.float32)
    seen = views(image)
    assert not seen.lattice
    confidence = hills([*true, (100, 100), (64, 97)], 1.7)
    wanted = np.where(np.hypot(y - 100, x - 100) < 5, 0, confidence)
    wanted[(np.hypot(y - 64, x - 97) <= 4) & (np.hypot(y - 64, x - 90) > 4)] = 0
    atomid._erase_unseen(confidence, 1.0, seen)
    np.testing.assert_allclose(confidence, wanted, atol=0.07)


def test_input():
    for constant in (np.full((64, 70), 7, np.float32), np.ones((1, 1), np.float32)):
        assert atoms.find(constant).shape == (0, 2)
    assert atoms.find(np.array([[0.0, 1.0]], np.float32)).shape[1] == 2
    image, _ = recorded(12.0, shape=(40, 200))
    assert len(atoms.find(image)) > 10
    image[3, 4] = np.nan
    with pytest.raises(ValueError, match="finite"):
        atoms.find(image)
