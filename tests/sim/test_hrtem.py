"""Images through the objective lens against the definition; the ways of partial coherence against each other."""

import numpy as np
import pytest

from crewe import sim

ENERGY = 80e3
LENS = sim.Aberrations(C10=-80.0, C30=2e5)


def a_wave(shape=(48, 60), strength=0.02, seed=0):
    """A weak phase object, band-limited."""
    rng = np.random.default_rng(seed)
    k = np.hypot(np.fft.fftfreq(shape[0], 0.15)[:, None], np.fft.fftfreq(shape[1], 0.15))
    phase = np.fft.ifft2(np.fft.fft2(rng.normal(size=shape)) * (k < 0.5)).real
    return np.exp(1j * strength * phase)


def by_hand(wave, aperture, focal_spread=0.0, angular_spread=0.0, lens=LENS):
    lam = sim.wavelength(ENERGY)
    ky, kx = np.fft.fftfreq(wave.shape[0], 0.15)[:, None], np.fft.fftfreq(wave.shape[1], 0.15)
    alpha = lam * np.hypot(ky, kx)
    chi = 2 * np.pi / lam * (lens.C10 * alpha**2 / 2 + lens.C30 * alpha**4 / 4)
    slope = 2 * np.pi / lam * (lens.C10 * alpha + lens.C30 * alpha**3)
    temporal = np.exp(-((np.pi * focal_spread * alpha**2 / (2 * lam)) ** 2))
    spatial = np.exp(-((angular_spread / 2) ** 2) * slope**2)
    opening = alpha <= aperture
    return np.abs(np.fft.ifft2(opening * np.exp(-1j * chi) * temporal * spatial * np.fft.fft2(wave))) ** 2


@pytest.mark.parametrize("spreads", [(0.0, 0.0), (35.0, 0.0), (0.0, 0.4), (35.0, 0.4)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.complex128, 1e-12), (np.complex64, 2e-6)])
def test_envelopes(spreads, dtype, tolerance):
    options = {"energy": ENERGY, "aberrations": LENS, "aperture": 20.0, "soft": False, "sampling": 0.15}
    wave = a_wave().astype(dtype)
    image = sim.hrtem(wave, focal_spread=spreads[0], angular_spread=spreads[1], **options)
    assert image.dtype == (np.float32 if dtype == np.complex64 else np.float64)
    np.testing.assert_allclose(image, by_hand(wave, 20e-3, spreads[0], spreads[1] * 1e-3), atol=tolerance)
    coherent = sim.hrtem(wave, focal_spread=spreads[0], mode="coherent", **options)
    np.testing.assert_allclose(coherent, by_hand(wave, 20e-3), atol=tolerance)


def test_explicit_focus_is_a_mean_over_focus():
    wave = a_wave(strength=0.5)
    options = {"energy": ENERGY, "aperture": 20.0, "soft": False, "sampling": 0.15}
    image = sim.hrtem(wave, aberrations=LENS, focal_spread=35.0, mode="explicit", **options)
    focus = np.linspace(-150, 150, 301)
    weight = np.exp(-((focus / 35.0) ** 2))
    want = sum(
        w * by_hand(wave, 20e-3, lens=sim.Aberrations(C10=LENS.C10 + f, C30=LENS.C30))
        for w, f in zip(weight / weight.sum(), focus, strict=True)
    )
    np.testing.assert_allclose(image, want, atol=1e-9)


@pytest.mark.parametrize("spreads", [(25.0, 0.0), (0.0, 0.3)])
def test_both_ways_agree_for_a_weak_object(spreads):
    """Linear imaging: the envelope is the exact mean."""
    wave = a_wave(strength=1e-4)
    options = {"energy": ENERGY, "aberrations": LENS, "sampling": 0.15, "aperture": 25.0, "soft": False}
    spread = {"focal_spread": spreads[0], "angular_spread": spreads[1]}
    envelope, explicit = (sim.hrtem(wave, mode=mode, **spread, **options) for mode in ("envelope", "explicit"))
    contrast = np.linalg.norm(envelope - envelope.mean())
    assert np.linalg.norm(explicit - envelope) < 0.01 * contrast


def test_a_potential_is_its_exit_waves():
    ase = pytest.importorskip("ase")
    atoms = ase.Atoms("SrTi", positions=[(1, 1, 1), (3, 3.5, 2.5)], cell=[5, 6, 4])
    potential = sim.Potential(atoms, gpts=(60, 50), thermal=sim.FrozenPhonons(3, 0.1, seed=0))
    options = {"energy": ENERGY, "aberrations": LENS, "aperture": 30.0, "focal_spread": 20.0}
    waves = sim.exit_wave(potential, energy=ENERGY)
    each = sim.hrtem(waves, sampling=potential.sampling, **options)
    np.testing.assert_allclose(sim.hrtem(potential, **options), each.mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("match", "change"),
    [
        ("mode", {"mode": "quick"}),
        ("focal_spread", {"focal_spread": -1}),
        ("angular_spread", {"angular_spread": np.nan}),
        ("sampling", {"sampling": None}),
        ("aperture.*band limit", {"aperture": 150.0}),
        ("aperture", {"aperture": 0}),
        ("energy", {"energy": 80}),
    ],
)
def test_wrong_arguments_are_named(match, change):
    with pytest.raises(ValueError, match=match):
        sim.hrtem(a_wave(), **({"energy": ENERGY, "sampling": 0.15} | change))


def test_wrong_waves_are_refused():
    with pytest.raises(TypeError, match="complex64"):
        sim.hrtem(np.ones((20, 20)), energy=ENERGY, sampling=0.1)
    with pytest.raises(ValueError, match="finite"):
        sim.hrtem(np.full((20, 20), np.nan + 0j), energy=ENERGY, sampling=0.1)


def test_camera():
    wave, options = a_wave(strength=0.3), {"energy": ENERGY, "aberrations": LENS, "sampling": 0.15}
    sharp = sim.hrtem(wave, **options)
    np.testing.assert_allclose(sim.hrtem(wave, mtf=np.ones_like, **options), sharp, atol=1e-12)
    image = sim.hrtem(wave, mtf=lambda q: np.exp(-q), **options)
    ky, kx = np.fft.fftfreq(48)[:, None], np.fft.fftfreq(60)
    want = np.fft.ifft2(np.fft.fft2(sharp) * np.exp(-2 * np.hypot(ky, kx))).real
    np.testing.assert_allclose(image, want, atol=1e-12)
    with pytest.raises(ValueError, match="mtf"):
        sim.hrtem(wave, mtf=lambda q: 1.0, **options)
