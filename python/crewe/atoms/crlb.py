"""How well columns can be known at all: the Cramér-Rao lower bound of counted electrons."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_positive, as_shape, as_threads
from crewe.atoms.columns import Columns, rows_of

__all__ = ["Bound", "crlb", "scs_variance"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bound:
    """Least standard deviations of unbiased estimates.

    Attributes
    ----------
    positions : ndarray (n, 2)
        (y, x) [pixel].
    heights : ndarray (n,)
        [intensity].
    widths : ndarray (n,)
        [Å].
    scs : ndarray (n,)
        [intensity·Å²].
    covariance : ndarray (n, 4, 4)
        Of (y, x, height, width): blocks of the inverse of the Fisher information of all parameters.

    Examples
    --------
    >>> bound = crlb(Columns([[9.0, 9.0]], [50.0], 2.0), shape=(19, 19), dose=1.0)
    >>> bound.positions.round(2).tolist(), bound.covariance.shape
    ([[0.06, 0.06]], (1, 4, 4))
    """

    positions: Floats
    heights: Floats
    widths: Floats
    scs: Floats
    covariance: Floats


def crlb(columns: Columns, *, shape: tuple[int, int], dose: float, pixel_size: float = 1.0, threads: int = 0) -> Bound:
    """Least standard deviations that any unbiased fit of counted electrons can reach (Cramér-Rao lower bound).

    Pixels hold Poisson numbers with mean f·dose·pixel_size². The bound is for the parameters that `columns` says were
    free, all of them estimated together: the inverse of the full Fisher matrix, neighbours and background included.
    A lone column without background: positions width/√N, SCS SCS/√N with N electrons in the column.

    Parameters
    ----------
    columns : Columns
        Of `fit`, or made by hand.
    shape : (int, int)
        Pixels of the image (y, x).
    dose : float
        Electrons per intensity and Å²: expected electrons of a pixel = intensity·dose·pixel_size², > 0.
    pixel_size : float
        [Å], as in `fit`.
    threads : int
        0: all cores.

    Returns
    -------
    Bound

    Raises
    ------
    ValueError
        A dose or pixel size that isn't > 0, columns whose image is negative somewhere.

    References
    ----------
    Van Aert et al., Ultramicroscopy 109 (2009) 1236; Friedrich's thesis, eqs. 2.25-2.29.

    Examples
    --------
    >>> lone = Columns([[20.0, 20.0]], [50.0], 3.0, 1e-6)
    >>> bound = crlb(lone, shape=(41, 41), dose=1.0)
    >>> electrons = lone.scs[0]
    >>> bool(abs(bound.positions[0, 0] / (3.0 / electrons**0.5) - 1) < 1e-4)
    True
    """
    shape = as_shape(shape)
    pixel_size, dose = as_positive(pixel_size, "pixel_size", "Å"), as_positive(dose, "dose")
    threads = as_threads(threads)
    if not isinstance(columns, Columns):
        raise TypeError(f"columns: crewe.atoms.Columns wanted, {type(columns).__name__} came")
    covariance = np.empty((len(columns), 4, 4))
    if len(columns):
        _core.atoms_bound(
            rows_of(columns, pixel_size),
            columns.background,
            shape,
            width=columns.width,
            background_free=columns.background_free,
            out=covariance,
            threads=threads,
        )
    scale = np.array([1, 1, 1, pixel_size])
    covariance *= scale[:, None] * scale / (dose * pixel_size**2)
    deviations = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    return Bound(
        positions=deviations[:, :2],
        heights=deviations[:, 2],
        widths=deviations[:, 3],
        scs=np.sqrt(scs_variance(columns, covariance)),
        covariance=covariance,
    )


def scs_variance(columns: Columns, covariance: Floats) -> Floats:
    """Variance of 2π·height·width² (n,) from the covariance (n, 4, 4), to first order."""
    slope = 2 * np.pi * np.stack([columns.widths**2, 2 * columns.heights * columns.widths], axis=1)
    with np.errstate(invalid="ignore"):
        variance: Floats = np.einsum("ni,nij,nj->n", slope, covariance[:, 2:, 2:], slope)
    return variance
