"""Counter-based numbers, Poisson counts and pulse heights against the definitions in tests/reference/noise.py."""

import hashlib
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import _core, noise
from levels import at_all_levels
from reference import noise as reference

# Random123's known answers for philox4x32 with 10 rounds (kat_vectors).
KNOWN = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_known_answers(counter, key, words):
    assert _core.philox4x32(counter, key) == words
    assert reference.philox(counter, key).tolist() == words


@given(
    st.integers(0, 2**64 - 1),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.floats(0, 9.99),
)
def test_small_means_are_inverted(seed, shape, top):
    """The same uniform numbers, the same counts: up to a draw within rounding of a step of the distribution."""
    mean = np.linspace(0, top, math.prod(shape), dtype=np.float32).reshape(shape)
    u = reference.uniforms(seed, "shot", mean.size).reshape(shape)
    counts = noise.shot(mean, seed=seed)
    assert np.count_nonzero(counts != reference.poisson(mean, u)) == 0


@pytest.mark.parametrize("mean", [10.0, 10.5, 13.0, 19.0, 33.0, 75.0, 240.0, 1500.0, 2e4])
@pytest.mark.parametrize("seed", [1, 2**64 - 1])
def test_large_means_are_quantiles(mean, seed):
    """The count is the Poisson quantile of the uniform number, to the last pixel."""
    counts = noise.shot(np.full((150, 333), mean, np.float32), seed=seed).ravel()
    u = reference.uniforms(seed, "shot", counts.size)
    assert np.count_nonzero(counts != reference.poisson_by_tails(float(np.float32(mean)), u)) == 0


def test_counts_grow_with_the_mean():
    """One uniform number for every mean: a brighter pixel never counts less, on either side of the switch either."""
    counts = [noise.shot(np.full((64, 64), mean, np.float32), seed=4) for mean in (1.0, 9.9999, 10.0001, 10.5, 40.0)]
    assert all((a <= b).all() for a, b in itertools.pairwise(counts))
    assert np.mean(counts[1] != counts[2]) < 1e-3


@pytest.mark.parametrize("mean", [0.02, 1.0, 5.5, 9.9, 10.1, 20.7, 150.0, 2e3, 3e5])
def test_counts_follow_the_poisson_law(mean):
    counts = noise.shot(np.full((512, 512), mean, np.float32), seed=2)
    mean = float(np.float32(mean))
    spread = 12 * math.sqrt(mean) + 20
    k = np.arange(max(0, int(mean - spread)), int(mean + spread) + 1)
    pmf = reference.poisson_pmf(mean, k)
    edges = np.unique(np.searchsorted(np.cumsum(pmf), np.linspace(0, 1, 201)[1:-1]))
    groups = np.searchsorted(edges, np.arange(k.size), side="left")
    expected = np.bincount(groups, pmf) * counts.size
    observed = np.bincount(groups[(counts.ravel() - k[0]).astype(int)], minlength=expected.size)
    keep = expected > 5
    chi2, free = ((observed - expected)[keep] ** 2 / expected[keep]).sum(), keep.sum() - 1
    assert chi2 < free + 5 * math.sqrt(2 * max(free, 1)) + 10


def test_large_means_mix_with_small_ones():
    """Each pixel has its own numbers: the neighbours' means don't matter, nor the batch in which a pixel is tried."""
    mixed = np.random.default_rng(1).choice(np.array([0.0, 3.0, 20.0, 30.0, 4000.0], np.float32), (61, 77))
    counts = noise.shot(mixed, seed=9)
    for value in np.unique(mixed):
        alone = noise.shot(np.full_like(mixed, value), seed=9)
        assert np.array_equal(counts[mixed == value], alone[mixed == value])
    part = noise.shot(mixed.ravel()[None, :3000].copy(), seed=9)
    assert np.array_equal(part[0], counts.ravel()[:3000])


@given(st.integers(0, 2**64 - 1), st.tuples(st.integers(1, 9), st.integers(1, 50)), st.floats(0, 2), st.floats(0, 2))
def test_pulse_heights(seed, shape, width, pedestal):
    counts = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    n = reference.normals(seed, "pmt", counts.size).reshape(shape)
    want = counts + np.sqrt(width**2 * counts + pedestal**2) * n
    got = noise.pmt(counts, width=width, pedestal=pedestal, seed=seed)
    assert np.allclose(got, want, rtol=3e-6, atol=3e-6 * (1 + np.abs(n) * (width + pedestal)).max() * counts.size**0.5)


def test_in_place():
    mean = np.random.default_rng(1).uniform(0, 60, (37, 53)).astype(np.float32)
    want = noise.shot(mean, seed=3)
    buffer = mean.copy()
    assert noise.shot(buffer, seed=3, out=buffer) is buffer
    assert np.array_equal(buffer, want)
    for wrong in (np.empty((37, 54), np.float32), np.empty((53, 37), np.float32).T):
        with pytest.raises(ValueError, match="out"):
            noise.shot(mean, seed=3, out=wrong)
    with pytest.raises(TypeError, match="out"):
        noise.shot(mean, seed=3, out=np.empty((37, 53)))


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_intensities_that_are_none(value):
    image = np.ones((5, 6), np.float32)
    image[3, 4] = value
    with pytest.raises(ValueError, match=r"\[3, 4\]"):
        noise.shot(image, seed=1)


def all_bits(threads=1):
    """A digest over all stages that draw or filter."""
    generator = np.random.default_rng(3)
    image = generator.uniform(0, 60, (123, 211)).astype(np.float32)
    shifts = generator.normal(0, 1, (123, 2))
    results = [
        noise.shot(image, seed=1, threads=threads),
        noise.shot(image * np.float32(100), seed=1, threads=threads),
        noise.pmt(image, width=0.3, pedestal=0.1, seed=1, threads=threads),
        noise.jitter(image, sigma=0.5, phi=0.4, seed=1, threads=threads)[0],
        noise.unshift(image, shifts, threads=threads),
        noise.fast_scan(image, alpha=2.0, beta=1.0, gamma=9.0, theta=1.0, threads=threads),
        noise.dark_current(image, mean=3.0, std=1.0, hot=0.01, seed=1, threads=threads),
        noise.fixed_pattern(image, sigma=0.1, threads=threads),
        noise.thermal(image, sigma=1.0, seed=1, threads=threads),
        noise.flicker(image, sigma=1.0, seed=1, threads=threads),
        noise.reset(image, sigma=1.0, seed=1, threads=threads),
        noise.mtf(image, a=0.6, b=0.3, c=0.8, threads=threads),
        noise.gaussian_blur(image, sigma=0.8, threads=threads),
        noise.interpolate(image, matrix=[[0.9, 0.1], [-0.1, 1.1]], threads=threads),
        noise.quantise(image, bits=8, full_scale=60.0, threads=threads),
    ]
    return [hashlib.sha256(result.tobytes()).hexdigest() for result in results]


def test_threads_give_the_same_bits():
    assert all_bits(1) == all_bits(2) == all_bits(3) == all_bits(0)


def test_levels_give_the_same_bits():
    at_all_levels(f"import runpy; print(runpy.run_path({__file__!r})['all_bits'](1))")
