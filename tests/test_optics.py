"""crewe.optics: constants of CODATA, the phase against its formula, its gradient against differences."""

import numpy as np
import pytest

from crewe.optics import Aberrations, interaction, scherzer, wavelength

NAMES = [f"C{n}{m}" for n in range(1, 6) for m in range((n + 1) % 2, n + 2, 2)]


@pytest.mark.parametrize(
    ("energy", "length", "sigma"),
    [(80e3, 0.0417572, 1.0087066e-3), (200e3, 0.0250793, 7.28840e-4), (300e3, 0.0196875, 6.526161e-4)],
)
def test_constants(energy, length, sigma):
    assert wavelength(energy) == pytest.approx(length, rel=2e-6)
    assert interaction(energy) == pytest.approx(sigma, rel=2e-6)


@pytest.mark.parametrize("energy", [0.0, -80e3, np.nan, np.inf, 300.0])
def test_energy_in_electron_volts(energy):
    with pytest.raises(ValueError, match="energy"):
        wavelength(energy)


def test_kilovolts_are_recognised():
    with pytest.raises(ValueError, match="300000"):
        interaction(300)


@pytest.mark.parametrize("name", NAMES)
def test_chi(name):
    n, m = int(name[1]), int(name[2])
    terms = {name: 12.5} | ({f"phi{n}{m}": 0.3} if m else {})
    alpha, phi = np.meshgrid(np.linspace(0, 0.03, 5), np.linspace(-3, 3, 7))
    want = 2 * np.pi / wavelength(1e5) * alpha ** (n + 1) / (n + 1) * 12.5 * np.cos(m * (phi - (0.3 if m else 0)))
    np.testing.assert_allclose(Aberrations(**terms).chi(alpha, phi, energy=1e5), want, rtol=1e-12, atol=1e-15)


def test_gradient_is_the_derivative_of_chi():
    rng = np.random.default_rng(1)
    terms = {name: rng.normal() * 10 * 50 ** (int(name[1]) - 1) for name in NAMES}
    terms |= {f"phi{name[1:]}": rng.normal() for name in NAMES if name[2] != "0"}
    aberrations = Aberrations(**terms)
    alpha, phi, step = rng.uniform(5e-3, 30e-3, 40), rng.uniform(-3, 3, 40), 1e-7

    def chi(a, p):
        return aberrations.chi(a, p, energy=2e5)

    radial = (chi(alpha + step, phi) - chi(alpha - step, phi)) / (2 * step)
    azimuthal = (chi(alpha, phi + step) - chi(alpha, phi - step)) / (2 * step) / alpha
    np.testing.assert_allclose(aberrations.gradient(alpha, phi, energy=2e5), [radial, azimuthal], rtol=1e-5, atol=1e-2)


def test_scherzer():
    lens = scherzer(1e7, 200e3)
    assert lens.C30 == 1e7
    assert lens.defocus == pytest.approx(np.sqrt(4 / 3 * 1e7 * wavelength(200e3)))
    with pytest.raises(ValueError, match="Cs"):
        scherzer(-1.0, 200e3)


@pytest.mark.parametrize("wrong", [{"C11": 1.0}, {"phi10": 1.0}, {"C67": 1.0}, {"C10": np.nan}, {"phi12": "x"}])
def test_wrong_coefficients_are_refused(wrong):
    with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
        Aberrations(**wrong)
