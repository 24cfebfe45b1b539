"""Electron scattering factors of neutral atoms, Z = 1 … 103: the published tables and their formulas."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._array import as_choice, as_reals

__all__ = ["POTENTIAL_CONSTANT", "elements", "scattering_factor", "table"]

#: C0 = h²/(2π·m0·e) [V·Å²]: Fourier transform of an atom's projected potential = C0·f_e (CODATA 2018).
POTENTIAL_CONSTANT = 6.62607015e-34**2 / (2 * np.pi * 9.1093837015e-31 * 1.602176634e-19) * 1e20

PARAMETRIZATIONS = ("lobato2014", "kirkland")


def table(parametrization: str) -> dict[str, dict[str, Any]]:
    """Parameters of every element: symbol → Z and the lists that the formula names."""
    return _read(as_choice(parametrization, "parametrization", PARAMETRIZATIONS))


@cache
def _read(parametrization: str) -> dict[str, dict[str, Any]]:
    text = files("crewe.sim").joinpath(f"{parametrization}.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)["elements"]
    return found


@cache
def elements() -> dict[int, str]:
    """Atomic number → symbol, of the elements that the tables have."""
    return {entry["Z"]: symbol for symbol, entry in table("lobato2014").items()}


def scattering_factor(symbol: str, g: ArrayLike, *, parametrization: str = "lobato2014") -> NDArray[np.float64]:
    """Electron scattering factor f_e of a neutral atom [Å], first Born approximation, without relativistic mass.

    Parameters
    ----------
    symbol : str
        The element, H … Lr.
    g : array_like
        Scattering vector g = 1/d = 2·sin θ/λ [1/Å].
    parametrization : str
        "lobato2014": f_e = Σ a(2 + bg²)/(1 + bg²)². "kirkland": f_e = Σ a/(g² + b) + Σ c·exp(−dg²).

    Returns
    -------
    ndarray
        f_e [Å] in double, of the shape of `g`.

    Raises
    ------
    ValueError
        An element that the table doesn't have, or a parametrization that isn't known.

    References
    ----------
    I. Lobato and D. Van Dyck, Acta Cryst. A70 (2014) 636, as published; E. J. Kirkland, Advanced Computing in Electron
    Microscopy, 2nd ed. (2010), App. C.

    Examples
    --------
    >>> round(float(scattering_factor("Si", 0.0)), 4)
    5.836
    """
    entries = table(parametrization)
    if not isinstance(symbol, str) or symbol not in entries:
        raise ValueError(f"symbol: an element of the table {parametrization} (H to Lr) wanted, {symbol!r} came")
    entry, g2 = entries[symbol], as_reals(g, "g") ** 2
    total = np.zeros(g2.shape)
    if parametrization == "kirkland":
        for a, b in zip(entry["a"], entry["b"], strict=True):
            total += a / (g2 + b)
        for c, d in zip(entry["c"], entry["d"], strict=True):
            total += c * np.exp(-d * g2)
        return total
    for a, b in zip(entry["a"], entry["b"], strict=True):
        bg2 = b * g2
        total += a * (2 + bg2) / (1 + bg2) ** 2
    return total
