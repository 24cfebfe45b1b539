"""Atoms that move: frozen phonons (Einstein model) and the static Debye–Waller factor."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import Seed, as_int, as_reals, as_seed

__all__ = ["DebyeWaller", "FrozenPhonons", "per_atom"]


def _amplitudes(sigma: Any) -> Any:
    """Amplitudes [Å]: a number, element → number, or an array with one number per atom; not negative, finite."""
    if isinstance(sigma, Mapping):
        return {str(symbol): float(_amplitudes(value)) for symbol, value in sigma.items()}
    array = as_reals(sigma, "sigma")
    if array.ndim > 1 or (array < 0).any():
        raise ValueError(f"sigma: finite numbers >= 0 [Å] wanted, {sigma!r} came")
    return float(array) if array.ndim == 0 else array


def per_atom(sigma: Any, symbols: list[str]) -> NDArray[np.float64]:
    """Amplitude of each atom [Å]."""
    if isinstance(sigma, Mapping):
        missing = sorted(set(symbols) - set(sigma))
        if missing:
            raise ValueError(f"sigma: amplitudes of all elements wanted, {', '.join(missing)} missing")
        return np.array([sigma[symbol] for symbol in symbols])
    if np.ndim(sigma) == 1 and len(sigma) != len(symbols):
        raise ValueError(f"sigma: one amplitude per atom ({len(symbols)}) wanted, {len(sigma)} came")
    return np.broadcast_to(np.asarray(sigma, float), len(symbols))


class FrozenPhonons:
    """Independent Gaussian displacements of all atoms along x, y and z (Einstein model).

    The displacements of a configuration depend on the seed and its number only (Philox, keyed with both). An atom stays
    in the slice of its place at rest.

    Parameters
    ----------
    configurations : int
        Number of configurations, at least 1.
    sigma : float, mapping or array_like
        One-dimensional rms displacement [Å]: for all, per element ({"Sr": 0.08, ...}) or per atom. B = 8π²σ².
    seed : int or numpy.random.Generator
        Where the randomness starts.

    Raises
    ------
    ValueError
        No configuration, a negative amplitude or one that isn't finite.

    References
    ----------
    R. F. Loane, P. Xu, J. Silcox, Acta Cryst. A47 (1991) 267.

    Examples
    --------
    >>> phonons = FrozenPhonons(8, {"Si": 0.078}, seed=1)
    >>> phonons.configurations
    8
    """

    def __init__(self, configurations: int, sigma: Any, *, seed: Seed) -> None:
        self.configurations = as_int(configurations, "configurations", 1)
        self.sigma, self.seed = _amplitudes(sigma), as_seed(seed)

    def displacements(self, configuration: int, symbols: list[str]) -> NDArray[np.float64]:
        """Displacements (atoms, 3) as (x, y, z) [Å] of one configuration."""
        key = np.array([self.seed, configuration], np.uint64)
        normal = np.random.Generator(np.random.Philox(key=key)).standard_normal((len(symbols), 3))
        return np.asarray(per_atom(self.sigma, symbols)[:, None] * normal)


class DebyeWaller:
    """Static smearing: the scattering factors are multiplied by exp(−2π²σ²g²) = exp(−Bg²/4).

    The coherent wave of the mean crystal; what is scattered diffusely is missing (no absorption is put in its place).

    Parameters
    ----------
    sigma : float or mapping
        One-dimensional rms displacement [Å], for all or per element.

    Raises
    ------
    ValueError
        A negative amplitude or one that isn't finite.

    Examples
    --------
    >>> DebyeWaller({"Si": 0.078}).sigma
    {'Si': 0.078}
    """

    def __init__(self, sigma: Any) -> None:
        self.sigma = _amplitudes(sigma)
        if np.ndim(self.sigma) == 1:
            raise ValueError("sigma: a number [Å] or a mapping element → number wanted, an array came")
