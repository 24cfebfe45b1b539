"""Electron optics that the modules share: wavelength, interaction constant, aberrations."""

from dataclasses import dataclass, fields
from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import as_number, as_positive, as_reals

__all__ = ["Aberrations", "interaction", "scherzer", "wavelength"]

# CODATA 2018: h [J·s], c [m/s], e [C], m0 [kg].
_H, _C, _E, _M0 = 6.62607015e-34, 299792458.0, 1.602176634e-19, 9.1093837015e-31


def _energy(energy: float) -> float:
    """A kinetic energy [eV] that an electron microscope has."""
    value = as_positive(energy, "energy", "eV")
    if value < 1e3:
        raise ValueError(f"energy: eV wanted, {energy!r} came; {value:g} kV are energy={value * 1e3:g}")
    return value


def wavelength(energy: float) -> float:
    """Relativistic wavelength of an electron [Å].

    Parameters
    ----------
    energy : float
        Kinetic energy [eV].

    Returns
    -------
    float
        λ = hc/√(eE(2m₀c² + eE)) [Å].

    Raises
    ------
    ValueError
        An energy that isn't a positive number, or below 1 keV (kV given for eV).

    Examples
    --------
    >>> round(wavelength(300e3), 7)
    0.0196875
    """
    work = _E * _energy(energy)
    return _H * _C / sqrt(work * (2 * _M0 * _C * _C + work)) * 1e10


def interaction(energy: float) -> float:
    """Interaction constant σ [rad/(V·Å)]: phase of an electron per projected potential.

    Parameters
    ----------
    energy : float
        Kinetic energy [eV].

    Returns
    -------
    float
        σ = 2πγm₀eλ/h² [rad/(V·Å)].

    Raises
    ------
    ValueError
        As for `wavelength`.

    References
    ----------
    E. J. Kirkland, Advanced Computing in Electron Microscopy, 2nd ed. (2010), eq. 5.6.

    Examples
    --------
    >>> round(interaction(300e3) * 1e3, 5)
    0.65262
    """
    gamma = 1 + _E * _energy(energy) / (_M0 * _C * _C)
    return 2 * pi * gamma * _M0 * _E * wavelength(energy) * 1e-10 / _H**2 * 1e-10


@dataclass(frozen=True, kw_only=True)
class Aberrations:
    """Coefficients of the phase that a lens adds [Å] and their azimuths [rad].

    χ(α, φ) = (2π/λ) Σ αⁿ⁺¹/(n + 1)·C_nm·cos(m(φ − φ_nm)), φ from x towards y; waves are multiplied by exp(−iχ).

    Parameters
    ----------
    C10, C12, ..., C56 : float
        Coefficients [Å]; C10 = −defocus (underfocus: C10 < 0), C30 = the spherical aberration Cs.
    phi12, ..., phi56 : float
        Azimuths [rad].

    Raises
    ------
    TypeError
        A coefficient that doesn't exist.
    ValueError
        A number that isn't finite.

    Examples
    --------
    >>> Aberrations(C10=-50.0, C30=1e5).defocus
    50.0
    """

    C10: float = 0.0
    C12: float = 0.0
    phi12: float = 0.0
    C21: float = 0.0
    phi21: float = 0.0
    C23: float = 0.0
    phi23: float = 0.0
    C30: float = 0.0
    C32: float = 0.0
    phi32: float = 0.0
    C34: float = 0.0
    phi34: float = 0.0
    C41: float = 0.0
    phi41: float = 0.0
    C43: float = 0.0
    phi43: float = 0.0
    C45: float = 0.0
    phi45: float = 0.0
    C50: float = 0.0
    C52: float = 0.0
    phi52: float = 0.0
    C54: float = 0.0
    phi54: float = 0.0
    C56: float = 0.0
    phi56: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            as_number(getattr(self, field.name), field.name, unit="rad" if field.name.startswith("phi") else "Å")

    @property
    def defocus(self) -> float:
        """−C10 [Å]; positive: underfocus."""
        return -self.C10

    def _terms(self) -> list[tuple[int, int, float, float]]:
        """(n, m, C, φ) of the coefficients that aren't zero."""
        names = [field.name for field in fields(self) if field.name.startswith("C")]
        found = [
            (int(name[1]), int(name[2]), getattr(self, name), getattr(self, f"phi{name[1:]}", 0.0)) for name in names
        ]
        return [(n, m, float(c), float(phi)) for n, m, c, phi in found if c != 0]

    def chi(self, alpha: Any, phi: Any, *, energy: float) -> NDArray[np.float64]:
        """Phase χ [rad].

        Parameters
        ----------
        alpha, phi : array_like
            Angle to the axis [rad] and azimuth [rad] from x towards y.
        energy : float
            Energy of the electrons [eV].

        Returns
        -------
        ndarray
            χ, of the common shape of `alpha` and `phi`.

        Examples
        --------
        >>> round(float(Aberrations(C10=100.0).chi(10e-3, 0.0, energy=300e3)), 4)
        1.5957
        """
        alpha, phi = np.broadcast_arrays(as_reals(alpha, "alpha"), as_reals(phi, "phi"))
        total = np.zeros(alpha.shape)
        for n, m, c, azimuth in self._terms():
            total += alpha ** (n + 1) / (n + 1) * c * (np.cos(m * (phi - azimuth)) if m else 1.0)
        return total * (2 * pi / wavelength(energy))

    def gradient(self, alpha: Any, phi: Any, *, energy: float) -> NDArray[np.float64]:
        """Gradient of χ with the angle: ∂χ/∂α and (1/α)·∂χ/∂φ [rad per rad], shape (2, ...).

        Parameters
        ----------
        alpha, phi : array_like
            Angle to the axis [rad] and azimuth [rad].
        energy : float
            Energy of the electrons [eV].

        Returns
        -------
        ndarray
            The radial and the azimuthal component.

        Examples
        --------
        >>> Aberrations(C10=100.0).gradient(10e-3, 0.0, energy=300e3).round(2).tolist()
        [319.15, 0.0]
        """
        alpha, phi = np.broadcast_arrays(as_reals(alpha, "alpha"), as_reals(phi, "phi"))
        total = np.zeros((2, *alpha.shape))
        for n, m, c, azimuth in self._terms():
            total[0] += alpha**n * c * np.cos(m * (phi - azimuth))
            total[1] -= alpha**n * c * m / (n + 1) * np.sin(m * (phi - azimuth))
        return total * (2 * pi / wavelength(energy))


def scherzer(Cs: float, energy: float) -> Aberrations:
    """The aberrations of a microscope in Scherzer focus: C30 = Cs, C10 = −√(4/3·Cs·λ).

    Parameters
    ----------
    Cs : float
        Spherical aberration [Å] (1 mm = 1e7 Å), positive.
    energy : float
        Energy of the electrons [eV].

    Returns
    -------
    Aberrations
        C10 and C30.

    Raises
    ------
    ValueError
        A Cs that isn't positive.

    References
    ----------
    O. Scherzer, J. Appl. Phys. 20 (1949) 20; extended focus with the factor 4/3.

    Examples
    --------
    >>> round(scherzer(1e7, 200e3).defocus)
    578
    """
    value = as_positive(Cs, "Cs", "Å")
    return Aberrations(C10=-sqrt(4 / 3 * value * wavelength(energy)), C30=value)


def as_aberrations(aberrations: Any) -> Aberrations:
    """Aberrations, or none."""
    if aberrations is not None and not isinstance(aberrations, Aberrations):
        raise TypeError(f"aberrations: crewe.optics.Aberrations wanted, {type(aberrations).__name__} came")
    return aberrations or Aberrations()
