import numpy as np
import pytest

from crewe import _core, atoms
from crewe.atoms.views import views
from levels import at_all_levels


def lattice(shape=(150, 180), spacing=12.0, *, turn=6.0, jitter=0.5, margin=8, seed=0):
    """A turned square lattice, its points moved a little."""
    rng = np.random.default_rng(seed)
    n = int(np.hypot(*shape) / spacing) + 1
    steps = np.stack(np.meshgrid(np.arange(-n, n), np.arange(-n, n), indexing="ij"), -1).reshape(-1, 2)
    c, s = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    points = spacing * steps @ np.array([[c, s], [-s, c]]) + np.array(shape) / 2 + rng.normal(0, jitter, steps.shape)
    return points[((points > margin) & (points < np.array(shape) - 1 - margin)).all(axis=1)]


def picture(shape, points, width, heights=1.0, background=0.0):
    y, x = np.indices(shape)
    image = np.full(shape, background)
    for (py, px), height in zip(points, np.broadcast_to(heights, len(points)), strict=True):
        image += height * np.exp(-((y - py) ** 2 + (x - px) ** 2) / (2 * width**2))
    return image.astype(np.float32)


def counted(image, electrons, seed=0):
    return np.random.default_rng(seed).poisson(image * electrons).astype(np.float32)


def f1(found, truth, tolerance=3.0):
    return atoms.score(found, truth, tolerance=tolerance).f1


@pytest.mark.parametrize("spacing", [6.0, 9.0, 15.0, 25.0, 41.0])
@pytest.mark.parametrize("electrons", [0.3, 30.0])
def test_any_spacing_at_any_dose(spacing, electrons):
    """Electrons per pixel at a column's middle fall with the area of a column: the same number in each."""
    shape = (max(120, int(8 * spacing)),) * 2
    points = lattice(shape, spacing, jitter=0.03 * spacing, margin=-spacing)
    image = picture(shape, points, 0.2 * spacing, background=0.1)
    found = atoms.find(counted(image, electrons * (12 / spacing) ** 2), model="log")
    inside = [p[((p > spacing) & (p < shape[0] - spacing)).all(axis=1)] for p in (found, points)]
    assert f1(*inside, 0.3 * spacing) > (0.9 if electrons < 1 else 0.97)


def test_two_spacings():
    """Dumbbells, 7 px apart, every 24 px."""
    middles = np.stack(np.meshgrid(np.arange(16, 190, 24.0), np.arange(16, 230, 24.0), indexing="ij"), -1).reshape(
        -1, 2
    )
    half = np.array([0, 3.5])
    points = np.concatenate([middles - half, middles + half])
    found = atoms.find(counted(picture((200, 240), points, 1.9, background=0.1), 100), model="log")
    assert f1(found, points, 2.0) > 0.99


@pytest.mark.parametrize(("kind", "most"), [("slope", 0), ("step", 40)])
def test_what_rises_and_falls_alike_is_no_column(kind, most):
    """A slope's edges, a noisy step: without a look at the valleys over 200 are marked on either."""
    y, x = np.mgrid[:256, :256] / 256
    image = x + y if kind == "slope" else np.random.default_rng(0).poisson(np.where(x > 0.5, 50, 5))
    assert len(atoms.find(image.astype(np.float32), model="log")) <= most


def test_single_bright_atoms_on_a_rough_support():
    rng = np.random.default_rng(3)
    points = rng.uniform(12, 244, (30, 2))
    points = points[[k for k, p in enumerate(points) if (np.hypot(*(points[:k] - p).T) > 12).all()]]
    rough = np.fft.irfft2(
        np.fft.rfft2(rng.normal(0, 1, (256, 256))) * np.exp(-(np.fft.rfftfreq(256) ** 2) * 3000), (256, 256)
    )
    image = picture((256, 256), points, 2.5, 1.0, 0.6) + 0.1 * rough / rough.std()
    assert f1(atoms.find(counted(np.clip(image, 0, None).astype(np.float32), 40), model="log"), points) > 0.9


@pytest.mark.parametrize("place", [(20.3, 31.6), (0.0, 30.0), (63.2, 0.4)])
def test_one_atom(place):
    found = atoms.find(picture((64, 60), [place], 3.0), model="log")
    assert len(found) == 1
    assert np.abs(found[0] - np.minimum(place, (63, 59))).max() < 0.75


def test_hot_pixels_are_no_columns():
    points = lattice()
    image = counted(picture((150, 180), points, 2.6, background=0.2), 50)
    image.ravel()[np.random.default_rng(1).integers(0, image.size, 8)] = 1e6
    found = atoms.find(image, model="log")
    assert f1(found, points) > 0.97


def test_noise_has_no_columns():
    assert sum(len(atoms.find(counted(np.ones((256, 256)), 5, seed), model="log")) for seed in range(5)) <= 10


def test_vacuum_beside_a_crystal_stays_empty():
    points = lattice((200, 200), 11.0)
    points = points[points[:, 1] < 90]
    found = atoms.find(counted(picture((200, 200), points, 2.4, background=0.02), 20), model="log")
    assert f1(found, points) > 0.97
    assert (found[:, 1] > 105).sum() <= 2


def test_sub_pixel():
    points = lattice(jitter=0.6)
    found = atoms.find(picture((150, 180), points, 2.6, background=0.3), model="log")
    pairs = atoms.score(found, points, tolerance=3.0).matches
    error = found[pairs[:, 0]] - points[pairs[:, 1]]
    assert len(pairs) == len(points) == len(found)
    assert np.median(np.hypot(*error.T)) < 0.12
    assert np.abs(error.mean(axis=0)).max() < 0.02


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (2, 3), (5, 5), (17, 1)])
def test_tiny_images(shape):
    rng = np.random.default_rng(0)
    found = atoms.find(rng.random(shape).astype(np.float32), model="log")
    assert found.ndim == 2
    assert found.shape[1] == 2
    assert ((found > -1) & (found < shape)).all()


@pytest.mark.parametrize("value", [0.0, 7.0, -1e30])
def test_a_constant_image_has_none(value):
    assert atoms.find(np.full((40, 50), value, np.float32), model="log").shape == (0, 2)


def test_gain_and_offset_change_nothing():
    image = counted(picture((150, 180), lattice(), 2.6, background=0.3), 50)
    found = atoms.find(image, model="log")
    for other in (image * 1000, image + 3000):
        again = atoms.find(other, model="log")
        assert again.shape == found.shape
        assert np.abs(again - found).max() < 0.02


def test_the_same_bits_for_every_number_of_threads_and_level():
    image = counted(picture((150, 180), lattice(), 2.6, background=0.3), 5)
    maps = []
    for threads in (1, 2, 3):
        out = np.empty_like(image)
        _core.atoms_log_map(image, out, np.empty_like(image), threads=threads)
        maps.append(out)
    assert all((m == maps[0]).all() for m in maps)
    code = (
        "import sys, numpy as np; from crewe import _core\n"
        "image = np.frombuffer(sys.stdin.buffer.read(), np.float32).reshape(150, 180); out = np.empty_like(image)\n"
        "_core.atoms_log_map(image, out, out.copy()); sys.stdout.buffer.write(out.tobytes())"
    )
    assert at_all_levels(code, image.tobytes()) == maps[0].tobytes()


def test_a_map_is_cut_again():
    image = counted(picture((150, 180), lattice(), 2.6, background=0.3), 50)
    first = atoms.propose(image, model="log")
    assert (first.columns() == atoms.find(image, model="log")).all()
    assert first.spacing == pytest.approx(12, abs=0.6)
    assert np.allclose(first.boxes[:, 2:] - first.boxes[:, :2], first.spacing)
    higher = first.again(threshold=1.0)
    assert (higher.scores > 1).all()
    assert 0 < len(higher.scores) < len(first.scores)
    assert (higher.columns() == atoms.find(image, model="log", threshold=1.0)).all()
    assert len(first.again(window=40).scores) < len(first.scores) / 3
    assert first.again().confidence is first.confidence


def test_peaks_of_a_plateau_come_once():
    flat = np.zeros((9, 9), np.float32)
    flat[3:6, 3:6] = 1
    assert len(_core.atoms_peaks(flat, reach=1, lower=0.5)) == 1


def test_what_is_refused():
    image = picture((40, 40), [(20, 20)], 3.0)
    with pytest.raises(ValueError, match="model"):
        atoms.find(image, model="nobody")
    with pytest.raises(ValueError, match="threshold"):
        atoms.find(image, model="log", threshold=-0.1)
    with pytest.raises(ValueError, match="window"):
        atoms.find(image, model="log", window=0)
    with pytest.raises(TypeError, match="window"):
        atoms.find(image, model="log", window=2.5)
    with pytest.raises(TypeError, match="float32"):
        atoms.find(image.astype(float), model="log")
    broken = image.copy()
    broken[3, 4] = np.nan
    with pytest.raises(ValueError, match=r"image: finite.*\[3, 4\]"):
        atoms.find(broken, model="log")


@pytest.mark.parametrize("peak", [20.0, 200.0, 2000.0])
@pytest.mark.parametrize("sigma", [20.0, 40.0, 80.0])
def test_a_bright_blob_of_counted_electrons_is_no_lattice(peak, sigma):
    y, x = np.ogrid[:256, :256]
    blob = peak * np.exp(-((y - 128) ** 2 + (x - 128) ** 2) / (2 * sigma**2))
    for seed in range(3):
        image = np.random.default_rng(seed).poisson(blob).astype(np.float32)
        assert not views(image).lattice
        assert len(atoms.find(image, model="log")) < 60
