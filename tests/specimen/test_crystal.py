"""Space groups against what is known of them, crystals against their groups, amorphous matter against its distance."""

import numpy as np
import pytest

from crewe import _core
from crewe.specimen import crystal, elements, symmetry
from reference import specimen as reference

# Order of the operations of one cell of the standard settings: International Tables for Crystallography A, chosen at
# least once per crystal system and lattice.
# fmt: off
ORDERS = {
    1: 1, 2: 2, 3: 2, 5: 4, 14: 4, 15: 8, 19: 4, 22: 16, 43: 16, 62: 8, 70: 32, 74: 16, 88: 16, 96: 8, 122: 16, 141:
    32, 142: 32, 146: 9, 148: 18, 152: 6, 160: 18, 167: 36, 178: 12, 186: 12, 194: 24, 198: 12, 205: 24, 213: 24,
    216: 96, 220: 48, 221: 48, 225: 192, 227: 192, 228: 192, 230: 96,
}
# fmt: on


def as_set(rotations, moves):
    return {(*r.ravel().tolist(), *t.tolist()) for r, t in zip(rotations, moves, strict=True)}


@pytest.mark.parametrize(("group", "order"), ORDERS.items())
def test_orders(group, order):
    assert len(symmetry.operations(symmetry.settings_of(group)[0])[0]) == order


def test_all_settings_are_groups():
    """530 settings; each set of operations holds its products; 4425 operations in the standard settings."""
    count = total = 0
    for number in range(1, 231):
        for k, symbol in enumerate(symmetry.settings_of(number)):
            rotations, moves = symmetry.operations(symbol)
            count += 1
            total += len(rotations) if k == 0 else 0
            known = as_set(rotations, moves)
            assert len(known) == len(rotations)
            assert (np.abs(np.rint(np.linalg.det(rotations))) == 1).all()
            pick = np.random.default_rng(number).integers(0, len(rotations), (6, 2))
            for i, j in pick:
                product = rotations[i] @ rotations[j]
                move = (rotations[i] @ moves[j] + moves[i]) % symmetry.UNIT
                assert (*product.ravel().tolist(), *move.tolist()) in known, symbol
    assert count == 530
    assert total == 4425


@pytest.mark.parametrize("group", [2, 14, 62, 88, 148, 166, 194, 205, 225, 227, 230])
def test_operations_are_those_of_ase(group):
    spacegroup = pytest.importorskip("ase.spacegroup")
    theirs = spacegroup.Spacegroup(group, setting=1)
    want = {
        (*np.rint(r).astype(int).ravel().tolist(), *(np.rint(t * symmetry.UNIT).astype(int) % symmetry.UNIT).tolist())
        for r, t in theirs.get_symop()
    }
    assert want in [as_set(*symmetry.operations(symbol)) for symbol in symmetry.settings_of(group)]


def test_unknown_groups_and_symbols():
    for number in (0, 231, -1):
        with pytest.raises(ValueError, match="a space group"):
            symmetry.settings_of(number)
    with pytest.raises(ValueError, match="Hall symbol"):
        symmetry.operations("P 5z")


@pytest.mark.parametrize("seed", range(60))
def test_crystals_obey_their_group(seed):
    made = crystal.random_crystal(np.random.default_rng(seed))
    rotations, moves = symmetry.operations(made.symbol)
    metric = made.cell @ made.cell.T
    for rotation in rotations:
        assert np.allclose(rotation.T @ metric @ rotation, metric, atol=1e-6 * metric.max()), "the cell's own symmetry"
    for place, number in zip(made.motif[:: max(len(made.motif) // 7, 1)], made.numbers[:: max(len(made.motif) // 7, 1)],
                             strict=True):  # fmt: skip
        for image in np.mod(place @ rotations.transpose(0, 2, 1) + moves / symmetry.UNIT, 1):
            step = made.motif[made.numbers == number] - image
            assert np.abs(step - np.rint(step)).max(axis=1).min() < 1e-5, "every image is an atom"
    shifts = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    block = (made.motif[:60, None] + shifts).reshape(-1, 3) @ made.cell
    assert reference.shortest(block[:1500]) > made.distance - 1e-6
    assert 1 <= made.numbers.min() <= made.numbers.max() <= elements.LAST


def test_fill_is_every_atom_in_the_box():
    generator = np.random.default_rng(1)
    cell = generator.normal(0, 3, (3, 3)) + 4 * np.eye(3)
    motif = generator.random((5, 3))
    low, high = np.array([-3.0, 2.0, 0.0]), np.array([9.0, 12.5, 7.0])
    positions, member = _core.specimen_fill(cell.ravel().tolist(), motif, low.tolist(), high.tolist(), 10**6)
    steps = np.stack(np.meshgrid(*[np.arange(-25, 26)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    want = [(steps + f) @ cell for f in motif]
    want = [w[((w >= low) & (w < high)).all(axis=1)] for w in want]
    assert np.array_equal(np.bincount(member, minlength=5), [len(w) for w in want])
    for k, w in enumerate(want):
        got = positions[member == k]
        assert np.allclose(got[np.lexsort(got.T)], w[np.lexsort(w.T)])
    with pytest.raises(ValueError, match="more atoms"):
        _core.specimen_fill(cell.ravel().tolist(), motif, low.tolist(), high.tolist(), 3)
    with pytest.raises(ValueError, match="independent"):
        _core.specimen_fill([1.0] * 9, motif, low.tolist(), high.tolist(), 3)


def test_nearest_is_the_shortest_of_all():
    generator = np.random.default_rng(2)
    cell = np.array([[4.0, 0.0, 0.0], [2.1, 3.9, 0.0], [-1.5, 1.2, 5.0]])
    differences = generator.uniform(-3, 3, (50, 3))
    shortest, squares = _core.specimen_nearest(differences, (cell @ cell.T).ravel().tolist())
    steps = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    lengths = np.linalg.norm((differences[:, None] + steps) @ cell, axis=2)
    assert np.allclose(np.sqrt(squares), lengths.min(axis=1))
    assert np.allclose(shortest, differences + steps[lengths.argmin(axis=1)])
    with pytest.raises(ValueError, match="differences"):
        _core.specimen_nearest(differences[:, :2].copy(), [1.0] * 9)


def test_amorphous_matter_keeps_its_distance():
    places = _core.specimen_amorphous(12.0, 1.5, 200, 3)
    assert len(places) == 200
    shifts = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    block = 12.0 * (places[:, None] + shifts).reshape(-1, 3)
    block = block[(np.abs(block - 6) < 8).all(axis=1)]
    assert reference.shortest(block) >= 1.5
    full = _core.specimen_amorphous(12.0, 3.0, 10**6, 3)
    assert 0.2 < len(full) * np.pi / 6 * 3.0**3 / 12.0**3 < 0.4, "random addition ends at 38 % of the volume"


def test_radii_and_weights():
    radii = elements.radii()
    assert radii.shape == elements.WEIGHTS.shape == (103,)
    assert (np.diff(elements.WEIGHTS) > -3).all()
    assert 0.3 < radii.min() < radii.max() < 2
    assert radii[54] > radii[53], "caesium is larger than xenon"
