import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.imaging import fit_rotation, rotate
from crewe.imaging import rotation as module
from reference import fields as reference

ANGLES = st.floats(-np.pi, np.pi)


def angle_between(a, b):
    return abs((a - b + np.pi) % (2 * np.pi) - np.pi)


def noisy(field, level, rng, dtype=np.float32):
    truth = reference.gradient(field)
    return (truth + rng.normal(0, level * truth.std(), truth.shape)).astype(dtype)


@given(ANGLES, ANGLES, st.booleans())
def test_rotate(angle, other, transpose):
    com = np.random.default_rng(1).normal(size=(3, 4, 2))
    turned = rotate(com, angle, transpose=transpose)
    np.testing.assert_allclose(turned, reference.rotate(com, angle, transpose), atol=1e-12)
    np.testing.assert_allclose(rotate(rotate(com, angle), other), rotate(com, angle + other), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), np.linalg.norm(com, axis=-1), atol=1e-12)
    back = rotate(reference.turned(com, angle, transpose), angle, transpose=transpose)
    np.testing.assert_allclose(back, com, atol=1e-12)


def test_rotate_keeps_the_dtype_and_the_shape():
    for dtype in (np.float32, np.float64):
        for shape in ((2,), (5, 2), (3, 4, 2), (0, 2)):
            assert rotate(np.ones(shape, dtype), 0.3).dtype == dtype
            assert rotate(np.ones(shape, dtype), 0.3).shape == shape
    com = np.random.default_rng(2).normal(size=(6, 7, 2)).astype(np.float32)
    np.testing.assert_array_equal(rotate(com, 0), com)
    np.testing.assert_array_equal(rotate(com, 0, transpose=True), com[..., ::-1])


# ----------------------------------------------------------------------------------------------------------- finding it
@given(
    st.tuples(st.integers(24, 90), st.integers(24, 90)),
    ANGLES,
    st.booleans(),
    st.sampled_from([0.0, 0.1, 0.3, 1.0]),
    st.floats(0.3, 1.5),
    st.floats(2, 4),
    st.integers(0, 2**32 - 1),
)
def test_finds_angle_hand_and_sign(shape, angle, transpose, level, cover, width, seed):
    atoms = max(4, round(cover * shape[0] * shape[1] / (2 * np.pi * width**2)))
    field = reference.potential(shape, seed, atoms=atoms, width=width)
    com = noisy(field, level, np.random.default_rng(seed))
    found, flipped = fit_rotation(reference.turned(com, angle, transpose))
    assert flipped is transpose
    assert angle_between(found, angle) < 0.01 + 0.15 * level
    assert -np.pi <= found < np.pi


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_a_part_of_a_specimen(transpose, seed):
    """Nothing periodic about it: atoms are cut by the edges, and the mean of the map isn't zero."""
    whole = reference.potential((150, 160), seed, atoms=60)
    com = noisy(whole, 0.2, np.random.default_rng(seed))[40:105, 30:90] + np.float32(0.3)
    angle = -2.5 + seed
    found, flipped = fit_rotation(reference.turned(com, angle, transpose))
    assert flipped is transpose
    assert angle_between(found, angle) < 0.05


def lattice(shape, kind, constant, width, turn):
    """Columns on a square, hexagonal or perovskite lattice."""
    basis = {"perovskite": [(0, 0, 1.0), (0.5, 0.5, 0.6), (0.5, 0, 0.15), (0, 0.5, 0.15)]}.get(kind, [(0, 0, 1.0)])
    cell = constant * np.array([[1, 0], [0.5, 3**0.5 / 2]] if kind == "hexagonal" else [[1, 0], [0, 1]])
    cell = cell @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    y, x = np.mgrid[: shape[0], : shape[1]]
    field = np.zeros(shape)
    for i, j in np.ndindex(41, 41):
        for a, b, height in basis:
            py, px = np.array([i - 20 + a, j - 20 + b]) @ cell + np.array(shape) / 2
            if -20 < py < shape[0] + 20 and -20 < px < shape[1] + 20:
                field += height * np.exp(-((y - py) ** 2 + (x - px) ** 2) / (2 * width**2))
    return field


@pytest.mark.parametrize("kind", ["square", "hexagonal", "perovskite"])
@pytest.mark.parametrize(("constant", "width"), [(12, 2.0), (16, 3.0)])
@pytest.mark.parametrize("transpose", [False, True])
def test_crystals(kind, constant, width, transpose):
    field = lattice((60, 70), kind, constant, width, 0.2)
    com = np.stack(np.gradient(field), -1)
    rng = np.random.default_rng(3)
    com = (com + rng.normal(0, 0.3 * com.std(), com.shape)).astype(np.float32)
    for angle in (-2.0, 0.4):
        found, flipped = fit_rotation(reference.turned(com, angle, transpose))
        assert flipped is transpose
        assert angle_between(found, angle) < 0.05


def test_large_scans_in_tiles(monkeypatch):
    com = noisy(reference.potential((130, 150), 4, atoms=60), 0.3, np.random.default_rng(4))
    whole = fit_rotation(reference.turned(com, 0.7, True))
    monkeypatch.setattr(module, "_TILE", 48)
    tiled = fit_rotation(reference.turned(com, 0.7, True))
    assert tiled[1] is whole[1] is True
    assert angle_between(tiled[0], whole[0]) < 0.02


@pytest.mark.parametrize("shape", [(2, 2), (2, 50), (50, 2), (3, 3)])
def test_small_and_empty_maps(shape):
    for com in (np.zeros((*shape, 2), np.float32), np.random.default_rng(5).normal(size=(*shape, 2))):
        angle, transpose = fit_rotation(com)
        assert -np.pi <= angle < np.pi
        assert isinstance(transpose, bool)


def test_wrong_input():
    com = np.zeros((8, 8, 2), np.float32)
    for function in (lambda c: rotate(c, 0.1), fit_rotation):
        for wrong in (com.astype(np.int32), com.astype(np.float16), com.tolist(), com.astype(complex)):
            with pytest.raises(TypeError, match=r"com: .* float32 or float64"):
                function(wrong)
        with pytest.raises(ValueError, match="com: shape"):
            function(np.zeros((8, 8, 3)))
    for angle in (np.nan, np.inf):
        with pytest.raises(ValueError, match="angle"):
            rotate(com, angle)
    for shape in ((8, 2), (1, 8, 2), (2, 8, 8, 2)):
        with pytest.raises(ValueError, match="com: shape"):
            fit_rotation(np.zeros(shape))
    com[2, 3, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fit_rotation(com)
