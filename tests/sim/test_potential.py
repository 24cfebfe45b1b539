"""Projected potentials against the sum over atoms, written out; the tables; what belongs into which slice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe import sim
from crewe.sim.scattering import POTENTIAL_CONSTANT, elements, scattering_factor, table
from reference import sim as reference

Atoms = pytest.importorskip("ase").Atoms


def difference(got, want):
    return np.linalg.norm(np.asarray(got, complex) - want) / np.linalg.norm(want)


def crystal(seed=0, count=6, cell=(5.0, 7.0, 6.0), symbols=("Si", "O", "Au")):
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.arange(3) / 3,) * 3, indexing="ij"), -1).reshape(-1, 3)
    places = (rng.permutation(grid)[:count] + rng.uniform(0, 0.1, (count, 3))) * cell
    return Atoms([symbols[i % len(symbols)] for i in range(count)], positions=places, cell=cell, pbc=True)


def test_every_digit_of_the_lobato_table():
    """2π²·a0·Σa/b = Z."""
    for symbol, entry in table("lobato2014").items():
        charge = 2 * np.pi**2 * 0.529177210903 * sum(a / b for a, b in zip(entry["a"], entry["b"], strict=True))
        assert charge == pytest.approx(entry["Z"], rel=5e-10), symbol
    assert sorted(elements()) == list(range(1, 104))


def test_both_tables_mean_the_same_atoms():
    g = np.linspace(0, 2, 9)
    for symbol, entry in table("kirkland").items():
        assert entry["Z"] == table("lobato2014")[symbol]["Z"]
        lobato, kirkland = (scattering_factor(symbol, g, parametrization=p) for p in ("lobato2014", "kirkland"))
        apart = np.abs(lobato / kirkland - 1)
        assert apart[2:].max() < 0.04, symbol
        assert apart[0] < 0.15, symbol


@pytest.mark.parametrize("parametrization", ["lobato2014", "kirkland"])
@pytest.mark.parametrize("gpts", [(48, 64), (45, 63), (64, 45), (44, 52), (34, 31)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-13), (np.float32, 1e-6)])
@pytest.mark.filterwarnings("ignore:gpts")
def test_slices_are_the_sum_over_atoms(parametrization, gpts, dtype, tolerance):
    atoms = crystal()
    potential = sim.Potential(atoms, gpts=gpts, slice_thickness=2.0, parametrization=parametrization, dtype=dtype)
    slice_of = np.floor(atoms.positions[:, 2] / 2).astype(int)
    entries = table(parametrization)
    want = reference.slices(
        entries, potential.symbols, atoms.positions, slice_of, 3, gpts, (7.0, 5.0), POTENTIAL_CONSTANT
    )
    got = potential.slices()
    assert got.dtype == dtype
    assert difference(got, want) < tolerance


@given(y=st.floats(-20, 20), x=st.floats(-20, 20))
@settings(max_examples=30, deadline=None)
def test_an_atom_moves_by_the_shift_theorem(y, x):
    """Parts of a pixel, and whole cells, count exactly."""
    n, size = 24, 4.0
    potential = sim.Potential(Atoms("C", positions=[(x, y, 1.0)], cell=[size, size, 2.0]), gpts=n, dtype=np.float64)
    still = sim.Potential(Atoms("C", positions=[(0, 0, 1.0)], cell=[size, size, 2.0]), gpts=n, dtype=np.float64)
    k = np.fft.fftfreq(n, size / n)
    shift = np.exp(-2j * np.pi * (k[:, None] * y + k * x))
    want = np.fft.ifft2(np.fft.fft2(still.slices()[0]) * shift).real
    np.testing.assert_allclose(potential.slices()[0], want, atol=1e-9 * want.max())


def test_mean_is_the_forward_scattering_factor():
    potential = sim.Potential(crystal(), gpts=(60, 40), dtype=np.float64)
    total = sum(float(scattering_factor(s, 0.0)) for s in potential.symbols)
    mean = potential.slices().mean(axis=(1, 2)).sum()
    assert mean == pytest.approx(POTENTIAL_CONSTANT * total / 35, rel=1e-12)


@pytest.mark.parametrize(
    ("z", "wanted"), [(0.0, 0), (1.9, 0), (2.0, 1), (2.0 - 1e-12, 1), (7.9, 3), (8.0, 0), (-0.5, 3), (-1e-12, 0)]
)
def test_slice_of_an_atom(z, wanted):
    slices = sim.Potential(Atoms("C", positions=[(1, 2, z)], cell=[4, 4, 8]), gpts=16).slices()
    assert np.flatnonzero(np.abs(slices).max(axis=(1, 2)) > 1e-6).tolist() == [wanted]


def test_listed_slices():
    atoms = Atoms("CC", positions=[(1, 2, 0.9), (2, 2, 1.1)], cell=[4, 4, 8])
    potential = sim.Potential(atoms, gpts=16, slice_thickness=[1.0, 3.0, 4.0])
    assert potential.thickness == (1.0, 3.0, 4.0)
    filled = np.abs(potential.slices()).max(axis=(1, 2)) > 1e-6
    assert filled.tolist() == [True, True, False]
    with pytest.raises(ValueError, match="slice_thickness"):
        sim.Potential(atoms, gpts=16, slice_thickness=[1.0, 3.0])


def test_repeated_cells_reuse_their_slices():
    atoms = crystal(count=9)
    single, repeated = (sim.Potential(a, gpts=32, slice_thickness=1.5) for a in (atoms, atoms.repeat((1, 1, 5))))
    assert repeated.layers().count == len(single)
    np.testing.assert_array_equal(repeated.slices(), np.tile(single.slices(), (5, 1, 1)))
    given_slices = sim.Potential.from_array(repeated.slices(), sampling=0.2, slice_thickness=1.5)
    assert given_slices.layers().count == len(single)
    np.testing.assert_array_equal(given_slices.slices(), repeated.slices())


def test_many_atoms_in_a_slice():
    """More than the matrix product takes at a time."""
    rng = np.random.default_rng(3)
    side = np.arange(18)
    places = np.stack(np.meshgrid(side, side, [0.5], indexing="ij"), -1).reshape(-1, 3) + rng.uniform(0, 0.4, (324, 3))
    potential = sim.Potential(Atoms("C324", positions=places, cell=[18, 18, 1]), gpts=40, dtype=np.float64)
    entries, symbols = table("lobato2014"), ["C"] * 324
    want = reference.slices(entries, symbols, places, np.zeros(324, int), 1, (40, 40), (18.0, 18.0), POTENTIAL_CONSTANT)
    assert difference(potential.slices(), want) < 1e-12


def test_debye_waller_factor():
    atoms = Atoms("Si", positions=[(0, 0, 1)], cell=[4, 4, 2])
    still, smeared = (sim.Potential(atoms, gpts=32, dtype=np.float64, thermal=t) for t in (None, sim.DebyeWaller(0.1)))
    k = np.fft.fftfreq(32, 4 / 32)
    g2 = k[:, None] ** 2 + k**2
    want = np.fft.fft2(still.slices()[0]) * np.exp(-2 * np.pi**2 * 0.01 * g2)
    np.testing.assert_allclose(np.fft.fft2(smeared.slices()[0]), want, atol=1e-9 * np.abs(want).max())


def test_frozen_phonons():
    atoms = crystal(count=9).repeat((3, 3, 3))
    phonons = sim.FrozenPhonons(4, {"Si": 0.05, "O": 0.1, "Au": 0.2}, seed=7)
    symbols = atoms.get_chemical_symbols()
    moves = np.stack([phonons.displacements(c, symbols) for c in range(4)])
    for symbol, sigma in phonons.sigma.items():
        of_it = moves[:, np.array(symbols) == symbol]
        assert of_it.std() == pytest.approx(sigma, rel=0.1)
        assert abs(of_it.mean()) < 0.15 * sigma
    again = sim.FrozenPhonons(9, phonons.sigma, seed=7)
    np.testing.assert_array_equal(again.displacements(2, symbols), moves[2])
    assert not np.array_equal(moves[0], moves[1])
    potential = sim.Potential(atoms, gpts=30, slice_thickness=3.0, thermal=phonons)
    slices = potential.slices()
    assert slices.shape == (4, 6, 30, 30)
    own = sim.Potential(atoms, gpts=30, slice_thickness=3.0, thermal=atoms.positions + moves)
    hopped = np.floor((atoms.positions + moves)[..., 2] / 3) != np.floor(atoms.positions[:, 2] / 3)
    if not hopped[0].any():
        np.testing.assert_allclose(own.slices()[0], slices[0], atol=1e-4 * slices.max())


def test_phonons_per_atom_and_bad_amplitudes():
    atoms = crystal()
    still = sim.Potential(atoms, gpts=32, slice_thickness=2.0).slices()
    moved = sim.Potential(atoms, gpts=32, slice_thickness=2.0, thermal=sim.FrozenPhonons(1, np.zeros(6), seed=0))
    np.testing.assert_array_equal(moved.slices()[0], still)
    with pytest.raises(ValueError, match="one amplitude per atom"):
        sim.Potential(atoms, gpts=32, thermal=sim.FrozenPhonons(1, np.zeros(5), seed=0))
    with pytest.raises(ValueError, match="Au, O"):
        sim.Potential(atoms, gpts=32, thermal=sim.DebyeWaller({"Si": 0.1}))
    for wrong in ({"configurations": 0}, {"sigma": -0.1}, {"sigma": np.nan}, {"seed": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            sim.FrozenPhonons(**({"configurations": 1, "sigma": 0.1, "seed": 0} | wrong))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_don_t_matter(dtype):
    potential = sim.Potential(crystal(count=20), gpts=(50, 36), slice_thickness=1.0, dtype=dtype)
    np.testing.assert_array_equal(potential.slices(threads=1), potential.slices(threads=3))


def test_overlapping_atoms_are_named():
    for places in ([(1, 1, 1), (1.1, 1, 1)], [(0.0, 1, 1), (3.95, 1, 1)], [(1, 1, 0.02), (1, 1, 3.98)]):
        with pytest.raises(ValueError, match=r"(?s)overlap.*Å apart"):
            sim.Potential(Atoms("CO", positions=places, cell=[4, 4, 4]), gpts=32)
    sim.Potential(Atoms("CO", positions=[(1, 1, 1), (2.1, 1, 1)], cell=[4, 4, 4]), gpts=32)


def test_slow_grids_bring_a_warning():
    atoms = Atoms("C", positions=[(1, 1, 1)], cell=[4, 4, 4])
    with pytest.warns(UserWarning, match=r"\(98, 105\)"):
        sim.Potential(atoms, gpts=(97, 101))


@pytest.mark.parametrize(
    ("match", "options"),
    [
        ("gpts", {"gpts": 0}),
        ("gpts", {"gpts": 1}),
        ("gpts", {"gpts": 32.5}),
        ("gpts", {"gpts": 10**6}),
        ("either", {}),
        ("either", {"gpts": 32, "sampling": 0.1}),
        ("sampling", {"sampling": 0}),
        ("sampling", {"sampling": 1e-9}),
        ("slice_thickness", {"gpts": 32, "slice_thickness": -1}),
        ("parametrization", {"gpts": 32, "parametrization": "peng"}),
        ("thermal", {"gpts": 32, "thermal": np.zeros((1, 2, 3))}),
        ("thermal", {"gpts": 32, "thermal": np.full((1, 1, 3), np.nan)}),
    ],
)
def test_wrong_arguments_are_named(match, options):
    with pytest.raises(ValueError, match=match):
        sim.Potential(Atoms("C", positions=[(1, 1, 1)], cell=[4, 4, 4]), **options)


def test_what_isn_t_a_crystal():
    with pytest.raises(TypeError, match="atoms"):
        sim.Potential("SrTiO3", gpts=32)
    with pytest.raises(ValueError, match="cell"):
        sim.Potential(Atoms("C", positions=[(1, 1, 1)]), gpts=32)
    with pytest.raises(ValueError, match="orthogonal"):
        sim.Potential(Atoms("C", cell=[[4, 0, 0], [1, 4, 0], [0, 0, 4]]), gpts=32)
    with pytest.raises(ValueError, match="Rf"):
        sim.Potential(Atoms("Rf", cell=[4, 4, 4]), gpts=32)
    with pytest.raises(TypeError, match="dtype"):
        sim.Potential(Atoms("C", cell=[4, 4, 4]), gpts=32, dtype=np.int32)


def test_an_empty_cell_is_vacuum():
    assert not sim.Potential(Atoms(cell=[4, 4, 4]), gpts=32).slices().any()


@pytest.mark.filterwarnings("ignore:gpts")
def test_sampling_chooses_a_fast_grid():
    atoms = Atoms("C", positions=[(1, 1, 1)], cell=[6.7, 8.0, 4])
    assert sim.Potential(atoms, sampling=0.1).shape == (80, 67)
    assert sim.Potential(atoms, sampling=0.0999).shape == (81, 70)
