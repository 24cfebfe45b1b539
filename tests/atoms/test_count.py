"""Atoms per column: mixtures, libraries, series."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.atoms import count, count_series
from crewe.atoms.mixture import grow, posterior


def columns(seed=0, n=300, most=6, spread=0.07):
    rng = np.random.default_rng(seed)
    atoms = rng.integers(1, most + 1, n)
    return atoms, 0.8 * atoms + 0.02 * atoms**2 + rng.normal(0, spread, n)


@pytest.mark.parametrize("components", [6, None])
def test_a_mixture(components):
    atoms, scs = columns()
    got = count(scs, components=components)
    assert (got.counts == atoms).mean() > 0.99
    assert got.probabilities.shape == (300, 6)
    assert np.allclose(got.probabilities.sum(axis=1), 1)
    assert (np.diff(got.mixture.means) > 0).all()
    assert got.mixture.width == pytest.approx(0.07, rel=0.15)
    assert len(got.criterion) == len(got.bic) == (components or 30)


def test_criteria_by_their_definition():
    _, scs = columns(1, n=80, most=3)
    got = count(scs, components=3)
    m = got.mixture
    p = m.proportions * np.exp(-0.5 * ((scs[:, None] - m.means) / m.width) ** 2) / (m.width * np.sqrt(2 * np.pi))
    likelihood = np.log(p.sum(axis=1)).sum()
    p /= p.sum(axis=1, keepdims=True)
    assert m.log_likelihood == pytest.approx(likelihood, abs=1e-4)
    assert got.bic[-1] == pytest.approx(-2 * likelihood + 6 * np.log(80), abs=1e-3)
    assert got.criterion[-1] - got.bic[-1] == pytest.approx(-2 * np.sum(p * np.log(p + 1e-300)), abs=1e-3)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 60), gain=st.floats(1e-6, 1e6))
def test_units_and_order_play_no_part(seed, n, gain):
    rng = np.random.default_rng(seed)
    scs = rng.integers(1, 4, n) + rng.normal(0, 0.02, n)
    order = rng.permutation(n)
    k = min(3, n)
    one, other = count(scs, components=k), count(gain * scs[order], components=k)
    assert np.allclose(one.probabilities[order], other.probabilities, atol=1e-5)


def test_likelihood_grows_with_the_components():
    _, scs = columns(2, n=120)
    likelihoods = [mixture.log_likelihood for mixture in grow(scs, 12)]
    assert (np.diff(likelihoods) > -1e-3).all()


def test_posterior_of_far_values():
    mixture = grow(np.array([1.0, 1.1, 2.0, 2.1]), 2)[-1]
    assert np.allclose(posterior(np.array([-1e6, 1e6]), mixture), [[1, 0], [0, 1]])


def test_a_library():
    library = np.cumsum(np.linspace(1.0, 0.6, 12))
    rng = np.random.default_rng(3)
    atoms = rng.integers(1, 11, 500)
    got = count(library[atoms - 1] + rng.normal(0, 0.08, 500), library=library)
    assert (got.counts == atoms).mean() > 0.99
    assert np.array_equal(got.probabilities.argmax(axis=1) + 1, got.counts)
    assert got.probabilities.shape == (500, 12)
    assert got.mixture.width == pytest.approx(0.08, rel=0.1)


def test_many_columns():
    atoms, scs = columns(4, n=5000)
    assert (count(scs, components=6).counts == atoms).mean() > 0.99


def test_equal_and_few_columns():
    assert count(np.full(9, 2.0)).counts.tolist() == [1] * 9
    assert count([3.0]).counts.tolist() == [1]
    assert count([1.0, 1.0, 5.0], components=3).probabilities.shape == (3, 3)


def test_bad_input():
    scs = np.arange(1.0, 20.0)
    for bad in (scs * np.nan, scs[:, None], scs[:0]):
        with pytest.raises(ValueError, match="scs"):
            count(bad)
    for bad in (scs, scs[None] * np.nan, scs[None, :0]):
        with pytest.raises(ValueError, match="scs"):
            count_series(bad)
    for components in (0, -2, 400):
        with pytest.raises(ValueError, match="components"):
            count(scs, components=components)
    with pytest.raises(TypeError, match="components"):
        count(scs, components=2.0)
    for library in ([], [2.0, 1.0], [1.0, np.nan], [[1.0]]):
        with pytest.raises(ValueError, match="library"):
            count(scs, library=library)
    with pytest.raises(ValueError, match="components"):
        count(scs, library=[1.0, 2.0], components=2)


def series(seed=0, frames=20, n=80, spread=0.5):
    """Columns that gain or lose an atom with a probability of 5 % per frame; noise half a step wide."""
    rng = np.random.default_rng(seed)
    atoms = np.empty((frames, n), int)
    atoms[0] = rng.integers(1, 6, n)
    for t in range(1, frames):
        atoms[t] = np.clip(atoms[t - 1] + rng.choice([-1, 0, 1], n, p=[0.025, 0.95, 0.025]), 1, 5)
    return atoms, 2.0 * atoms + rng.normal(0, 2.0 * spread, atoms.shape)


@pytest.mark.parametrize("options", [{"library": 2.0 * np.arange(1, 6)}, {"components": 5}])
def test_time_helps(options):
    atoms, scs = series(spread=0.35)
    alone = (count(scs.ravel(), **options).counts == atoms.ravel()).mean()
    got = count_series(scs, **options)
    together = (got.counts == atoms).mean()
    assert together > 0.93 > 0.9 > alone
    assert np.allclose(got.probabilities.sum(axis=2), 1)
    assert np.allclose(got.transitions.sum(axis=1), 1)
    assert np.diag(got.transitions).min() > 0.85


def test_passes_are_the_sum_over_all_paths():
    """Three frames, two states: every path by hand."""
    import itertools

    from crewe.atoms.series import _passes

    rng = np.random.default_rng(1)
    emission, start = rng.uniform(0.1, 1, (3, 1, 2)), np.array([0.3, 0.7])
    transitions = np.array([[0.8, 0.2], [0.4, 0.6]])
    weight, moved = np.zeros((3, 2)), np.zeros((2, 2))
    for path in itertools.product((0, 1), repeat=3):
        p = start[path[0]] * transitions[path[0], path[1]] * transitions[path[1], path[2]]
        p *= np.prod([emission[t, 0, path[t]] for t in range(3)])
        for t in range(3):
            weight[t, path[t]] += p
        for t in range(2):
            moved[path[t], path[t + 1]] += p
    total = weight[0].sum()
    p, m, likelihood = _passes(emission, start, transitions)
    assert np.allclose(p[:, 0], weight / total)
    assert np.allclose(m, moved / total)
    assert likelihood == pytest.approx(np.log(total))
