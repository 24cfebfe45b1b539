"""The shipped network behind `imaging.airpi`: it finds phases, and nothing where nothing is."""

import numpy as np
import pytest

from crewe import models
from crewe.imaging import airpi, com, icom
from crewe.optics import wavelength

pytest.importorskip("onnxruntime")

ENERGY, SEMIANGLE, STEP, EDGE = 300e3, 20.0, 0.22, 14.0
OPTICS = {"energy": ENERGY, "semiangle": SEMIANGLE, "step": STEP, "angle_per_pixel": 1e3 * wavelength(ENERGY) / EDGE}
FINE = 192  # pixels of 14/128 Å, half a step wide: the object repeats after 21 Å
SHAPE = 14, 18


def probe():
    """(128, 128), its middle at [64, 64], Σ|ψ|² = 1."""
    k = np.fft.fftfreq(128, EDGE / 128)
    disc = np.hypot(k[:, None], k[None, :]) <= SEMIANGLE * 1e-3 / wavelength(ENERGY)
    return np.fft.fftshift(np.fft.ifft2(disc)) * 128 / np.sqrt(disc.sum())


def atoms():
    """Phase [rad] of columns 2.4 Å apart, every third one twice as heavy."""
    place, edge = np.arange(FINE) * EDGE / 128, FINE * EDGE / 128
    columns = np.arange(9) * edge / 9
    away = np.abs(place[None] - columns[:, None])
    bumps = np.exp(-(np.minimum(away, edge - away) ** 2) / (2 * 0.2**2))  # (column, pixel)
    heavy = np.add.outer(np.arange(9), np.arange(9)) % 3 == 0
    return np.einsum("ij,iy,jx->yx", np.where(heavy, 1.0, 0.5), bumps, bumps)


def scan(phase, dose=None, seed=0):
    """Patterns (*SHAPE, 64, 64), of one electron or of `dose` [e/Å²], and the phase at the positions."""
    wave, frames, truth = probe(), np.empty((*SHAPE, 64, 64)), np.empty(SHAPE)
    for i, j in np.ndindex(*SHAPE):
        y, x = 2 * i, 2 * j  # a step is two pixels, nearly: 0.219 Å
        window = np.roll(phase, (64 - y, 64 - x), (0, 1))[:128, :128]
        far = np.fft.fftshift(np.fft.fft2(wave * np.exp(1j * window))) / 128
        frames[i, j], truth[i, j] = np.abs(far[32:96, 32:96]) ** 2, phase[y, x]
    if dose is None:
        return frames.astype(np.float32), truth
    return np.random.default_rng(seed).poisson(frames * dose * STEP**2).astype(np.uint16), truth


def phase_of(frames):
    return np.angle(airpi(frames, center=(32.0, 32.0), **OPTICS))[3:-3, 3:-3]


def correlation(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


def test_it_is_in_the_package():
    assert "imaging-airpi" in models.list()


@pytest.mark.parametrize(("dose", "floor"), [(None, 0.95), (5000, 0.85), (500, 0.5)])
def test_finds_the_phase_of_columns(dose, floor):
    frames, truth = scan(atoms(), dose)
    found = phase_of(frames)
    assert correlation(found, truth[3:-3, 3:-3]) >= floor
    if dose is None:
        assert 0.5 <= np.polyfit(truth[3:-3, 3:-3].ravel(), found.ravel(), 1)[0] <= 1.5, "rad"


def test_sees_through_noise_better_than_a_direct_method():
    frames, truth = scan(atoms(), 2000, seed=1)
    direct = icom(com(frames, center=(32.0, 32.0)))[3:-3, 3:-3]
    inner = truth[3:-3, 3:-3]
    assert correlation(phase_of(frames), inner) > correlation(direct, inner)


@pytest.mark.parametrize("dose", [None, 1e5, 5000, 500])
def test_dreams_of_nothing_in_a_vacuum(dose):
    frames, _ = scan(np.zeros((FINE, FINE)), dose)
    assert phase_of(frames).std() < 0.02


def test_dreams_of_no_atoms_in_noise():
    """A detector that counts evenly everywhere, whatever the probe does: columns have five times as much."""
    frames = np.random.default_rng(0).poisson(0.05, (*SHAPE, 64, 64)).astype(np.uint16)
    assert phase_of(frames).std() < 0.2
