"""Slabs: the density and the neighbours of the crystal, at right angles, with the zone axis along the beam."""

import numpy as np
import pytest

from crewe import sim

ase = pytest.importorskip("ase")


def shortest(atoms):
    """Distances to the nearest neighbour."""
    distances = atoms.get_all_distances(mic=True)
    np.fill_diagonal(distances, np.inf)
    return distances.min(axis=1)


@pytest.mark.parametrize("zone", [(0, 0, 1), (1, 1, 0), (1, 1, 1), (1, 1, 2), (2, 1, 0)])
def test_silicon(zone):
    from ase.build import bulk

    crystal = bulk("Si", cubic=True)
    atoms = sim.slab(crystal, zone=zone, thickness=15.0)
    assert len(atoms) / atoms.get_volume() == pytest.approx(8 / crystal.get_volume(), rel=1e-6)
    np.testing.assert_allclose(shortest(atoms), 5.43 * np.sqrt(3) / 4, rtol=1e-6)
    assert np.abs(np.array(atoms.cell) - np.diag(np.diag(atoms.cell))).max() == 0
    period = 5.43 * np.linalg.norm(zone)
    assert atoms.cell[2, 2] % period == pytest.approx(0, abs=1e-6) or atoms.cell[2, 2] == pytest.approx(period)
    sim.Potential(atoms, sampling=0.2)


@pytest.mark.parametrize("zone", [(0, 0, 1), (1, 0, 0), (1, 1, 0)])
def test_hexagonal(zone):
    from ase.build import bulk

    crystal = bulk("Mg", "hcp", a=3.2, c=5.2)
    atoms = sim.slab(crystal, zone=zone, thickness=10.0)
    assert len(atoms) / atoms.get_volume() == pytest.approx(2 / crystal.get_volume(), rel=1e-6)
    np.testing.assert_allclose(shortest(atoms), shortest(crystal.repeat(3)).min(), rtol=1e-6)


def test_size_and_thickness():
    from ase.build import bulk

    atoms = sim.slab(bulk("Cu", cubic=True, a=3.6), thickness=18.5, size=(8.0, 3.0))
    np.testing.assert_allclose(atoms.cell.lengths(), [3.6, 10.8, 18.0])


def test_rotation():
    """A turned box: the same atoms, turned about the beam."""
    from ase.build import bulk

    crystal = bulk("Cu", cubic=True, a=3.6)
    atoms = sim.slab(crystal, thickness=7.2, size=30.0, rotation=0.3)
    np.testing.assert_allclose(atoms.cell.lengths(), [30, 30, 7.2])
    assert len(atoms) == pytest.approx(30 * 30 * 7.2 * 4 / 3.6**3, rel=0.05)
    c, s = np.cos(-0.3), np.sin(-0.3)
    back = atoms.positions @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    parts = back / 1.8
    np.testing.assert_allclose(parts, np.round(parts), atol=1e-6)


def test_a_monoclinic_crystal_is_cut():
    crystal = ase.Atoms("C", positions=[(0, 0, 0)], cell=[[3, 0, 0], [0.4, 4, 0], [0, 0, 5]], pbc=True)
    with pytest.raises(ValueError, match="size"):
        sim.slab(crystal, thickness=10.0)
    atoms = sim.slab(crystal, thickness=10.0, size=60.0)
    assert len(atoms) == pytest.approx(60 * 60 * 10 / 60, rel=0.05)


def test_files_and_wrong_arguments(tmp_path):
    from ase.build import bulk

    crystal = bulk("Cu", cubic=True)
    crystal.write(tmp_path / "copper.cif")
    assert len(sim.slab(tmp_path / "copper.cif", thickness=3.61)) == 4
    for match, change in (("zone", {"zone": (0, 0, 0)}), ("thickness", {"thickness": 0}), ("size", {"size": -1})):
        with pytest.raises(ValueError, match=match):
            sim.slab(crystal, **({"thickness": 10.0} | change))
    with pytest.raises(TypeError, match="crystal"):
        sim.slab(3, thickness=1.0)
    with pytest.raises(FileNotFoundError):
        sim.slab(tmp_path / "none.cif", thickness=1.0)
    (tmp_path / "bad.cif").write_text("nothing")
    with pytest.raises(ValueError, match=r"bad\.cif"):
        sim.slab(tmp_path / "bad.cif", thickness=1.0)
