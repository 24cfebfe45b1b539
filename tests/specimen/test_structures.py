"""Real structures: their atoms in a frame, and multislice images of them as the truth of pairs."""

import doctest

import numpy as np
import pytest

from crewe import noise, specimen
from crewe.specimen import structures

ase = pytest.importorskip("ase")


def test_examples():
    assert doctest.testmod(structures).failed == 0


@pytest.mark.parametrize("name", [*structures.PROTOTYPES, "SrTiO3", "Au", "Fe", "Si", "Mg"])
def test_named_structures_have_distances_of_bonds(name):
    cell = specimen.structure(name)
    distances = cell.repeat(2).get_all_distances()
    assert 1.8 < distances[distances > 0].min() < 3.8


def test_unknown_names(tmp_path):
    with pytest.raises(ValueError, match="SrTiO3"):
        specimen.structure("Unobtainium")
    with pytest.raises(FileNotFoundError):
        specimen.structure(tmp_path / "none.cif")
    (tmp_path / "junk.cif").write_text("no crystal")
    with pytest.raises(ValueError, match="junk"):
        specimen.structure(tmp_path / "junk.cif")
    with pytest.raises(ValueError, match="crystals"):
        specimen.multislice([])


def test_a_file_fills_the_frame(tmp_path):
    specimen.structure("SrTiO3").write(tmp_path / "sto.cif")
    atoms = specimen.place(tmp_path / "sto.cif", shape=(40, 60), pixel_size=0.4, thickness=19.52, rotation=0.3)
    low, high = atoms.positions[:, :2].min(axis=0), atoms.positions[:, :2].max(axis=0)
    assert np.all(low < -3)
    assert np.all(high > [24 + 3, 16 + 3])
    assert len(atoms.numbers) == pytest.approx(5 * 34 * 26 * 5 / 3.905**2, rel=0.05)
    image = specimen.render(
        atoms, shape=(40, 60), pixel_size=0.4, model={z: (1.0, 0.0, 0.0, 4.0, 0.5) for z in (8, 22, 38)}
    )
    assert image.min() >= 0
    assert image.std() > 0.1 * image.mean()


def test_multislice_images_have_the_period_of_the_crystal():
    truth = specimen.multislice(["Cu"], thickness=8.0, pixel_sizes=(0.1, 0.1), threads=1)
    for mode in ("stem-hr", "tem-hr"):
        image, pixel_size = truth(np.random.default_rng(2), mode, (128, 128))
        assert pixel_size == 0.1
        assert image.max() == 1
        assert image.min() >= 0
        power = np.abs(np.fft.fft2((image - image.mean()) * np.outer(np.hanning(128), np.hanning(128)))) ** 2
        y, x = np.unravel_index(power.argmax(), power.shape)
        frequency = np.hypot(np.fft.fftfreq(128, 0.1)[y], np.fft.fftfreq(128, 0.1)[x])
        orders = [np.hypot(h, k) / 3.61 for h in range(0, 5, 2) for k in range(0, 5, 2) if h or k]
        assert np.abs(np.array(orders) - frequency).min() < 0.06, f"a {frequency} 1/Å wave is none of the crystal's"


def test_pairs_of_multislice_images():
    truth = specimen.multislice(["Cu", "Fe"], thickness=6.0, threads=1)
    one, two = (
        next(specimen.pairs("tem-hr", shape=(48, 64), batch=3, seed=1, truth=truth, threads=threads))
        for threads in (1, 3)
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert one[1].shape == (3, 48, 64)
    assert not np.array_equal(one[1], next(specimen.pairs("tem-hr", shape=(48, 64), batch=3, seed=1))[1])
    image = truth(np.random.default_rng(1), "stem-hr", (32, 32))[0]
    assert noise.stem(image, pixel_size=0.2, electrons_per_pixel=5.0, seed=1).image.shape == (32, 32)
