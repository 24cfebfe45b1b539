import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import atoms
from reference import atoms as reference


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 40),
    m=st.integers(1, 40),
    tolerance=st.floats(0.1, 40),
    step=st.sampled_from([0.0, 1.0]),
)
def test_matches_are_the_best(seed, n, m, tolerance, step):
    """As many pairs and as short in all as an assignment of everything; with points on a grid, ties abound."""
    rng = np.random.default_rng(seed)
    found, truth = rng.uniform(0, 20, (n, 2)), rng.uniform(0, 20, (m, 2))
    if step:
        found, truth = np.round(found), np.round(truth)
    pairs = atoms.score(found, truth, tolerance=tolerance).matches
    best = reference.match(found, truth, tolerance)
    d = reference.distances(found, truth)
    assert len(pairs) == len(best)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)
    assert (np.diff(pairs[:, 0]) > 0).all()
    assert (d[tuple(pairs.T)] <= tolerance).all()
    assert d[tuple(pairs.T)].sum() == pytest.approx(d[tuple(best.T)].sum(), abs=1e-9)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 50), m=st.integers(1, 50))
def test_chamfer(seed, n, m):
    rng = np.random.default_rng(seed)
    found, truth = rng.uniform(0, 20, (n, 2)), rng.integers(0, 20, (m, 2))
    d = reference.distances(found, truth)
    assert atoms.score(found, truth, tolerance=1).chamfer == pytest.approx(d.min(1).mean() + d.min(0).mean())


def test_a_long_chain_is_turned_over():
    """Every found point is nearest to the true one that its neighbour needs."""
    n = 2000
    truth = np.stack([np.zeros(n), np.arange(n)], axis=1)
    found = truth + np.array([0, 0.55])
    found[-1] = (0, -0.4)  # only the first is within its reach
    result = atoms.score(found, truth, tolerance=0.6)
    assert len(result.matches) == n
    assert result.f1 == 1
    assert result.matches[-1].tolist() == [n - 1, 0]


def test_figures():
    result = atoms.score([[0, 0], [0, 10], [30, 30]], [[0, 1], [0, 11], [5, 5], [9, 9]], tolerance=2)
    assert (result.precision, result.recall, result.f1, result.jaccard) == (2 / 3, 2 / 4, 4 / 7, 2 / 5)
    assert result.f1 == pytest.approx(2 * result.jaccard / (1 + result.jaccard))


def test_nothing_found_or_nothing_there():
    none, some = np.zeros((0, 2)), np.ones((3, 2))
    for result in (atoms.score(none, some, tolerance=1), atoms.score(some, none, tolerance=1)):
        assert (result.f1, result.chamfer, result.matches.shape) == (0, np.inf, (0, 2))


@pytest.mark.parametrize("tolerance", [0, -1, np.nan, np.inf])
def test_tolerance(tolerance):
    with pytest.raises(ValueError, match="tolerance"):
        atoms.score(np.ones((1, 2)), np.ones((1, 2)), tolerance=tolerance)


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"truth: shape \(n, 2\)"):
        atoms.score(np.ones((1, 2)), np.ones(2), tolerance=1)
    with pytest.raises(ValueError, match="found: finite"):
        atoms.score([[1, np.nan]], np.ones((1, 2)), tolerance=1)
    with pytest.raises(TypeError, match="found: real"):
        atoms.score([["a", "b"]], np.ones((1, 2)), tolerance=1)
