"""Counting noise: single electrons, and the pulses they give in a photomultiplier."""

import math

from crewe._array import Seed, as_number, as_seed, as_threads
from crewe.noise._checks import Image, as_image, given_back, kernels, room_for

__all__ = ["pmt", "pmt_width", "shot"]


def shot(image: Image, *, seed: Seed, threads: int = 0, out: Image | None = None) -> Image:
    """Electrons counted where their mean number is `image`: Poisson(image), exact for every mean.

    Parameters
    ----------
    image : ndarray (y, x) float32
        Mean number of electrons [electrons/pixel], >= 0.
    seed : int or numpy.random.Generator
        The same seed gives the same counts, whatever the number of threads.
    threads : int
        0: all cores.
    out : ndarray (y, x) float32, optional
        Where the result goes; may be `image`.

    Returns
    -------
    ndarray (y, x) float32
        Whole numbers (exact up to 2**24).

    Raises
    ------
    TypeError
        `image` is no float32 array, `seed` neither int nor generator.
    ValueError
        A negative mean, NaN or infinity.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eq. 30; Giles, ACM Trans. Math. Softw. 42 (2016) 7.

    Examples
    --------
    >>> import numpy as np
    >>> counts = shot(np.full((100, 100), 4.0, np.float32), seed=1)
    >>> 3.9 < counts.mean() < 4.1 and 3.8 < counts.var() < 4.2
    np.True_
    """
    image = as_image(image, positive=True)
    out = room_for(image, out)
    kernels(image).noise_shot(image, out, seed=as_seed(seed), threads=as_threads(threads))
    return given_back(out)


def pmt(
    image: Image, *, width: float, pedestal: float = 0.0, seed: Seed, threads: int = 0, out: Image | None = None
) -> Image:
    """Pulse heights of counted electrons: n → n + N(0, width²·n) + N(0, pedestal²).

    Each electron gives a pulse of relative width `width`; n of them add up, so that the peaks of the histogram stand
    at whole numbers and widen as √n.

    Parameters
    ----------
    image : ndarray (y, x) float32
        Counts [electrons/pixel].
    width : float
        Relative standard deviation of one electron's pulse (see `pmt_width`), >= 0.
    pedestal : float
        Standard deviation of the electronics [electrons], >= 0.
    seed, threads, out
        As in `shot`.

    Returns
    -------
    ndarray (y, x) float32
        [electrons/pixel]; may be negative.

    Raises
    ------
    ValueError
        A negative width, NaN or infinity.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 43-46; Friedrich's thesis, fig. 2.3.

    Examples
    --------
    >>> import numpy as np
    >>> x = pmt(np.full((200, 200), 4.0, np.float32), width=0.25, seed=1)
    >>> round(float(x.std()), 1)
    0.5
    """
    image = as_image(image, out=out)
    width, pedestal = as_number(width, "width", 0), as_number(pedestal, "pedestal", 0)
    out = room_for(image, out)
    kernels(image).noise_pmt(
        image, out, width=width, pedestal=pedestal, seed=as_seed(seed), threads=as_threads(threads)
    )
    return given_back(out)


def pmt_width(*, photons: float, efficiency: float = 0.25, gain: float = 4.0) -> float:
    """Relative width of the pulse of one electron behind a scintillator and a photomultiplier.

    √((1 − η + 1/(δ − 1))/(m·η) + 1/m): loss at the photocathode, spread of the first dynodes, Poisson light.

    Parameters
    ----------
    photons : float
        m: photons that reach the photocathode per electron, > 0 (about one per kV of the beam).
    efficiency : float
        η: photoelectrons per photon, 0 < η <= 1.
    gain : float
        δ: electrons per electron at a dynode, > 1.

    Returns
    -------
    float
        Standard deviation over mean.

    Raises
    ------
    ValueError
        A number out of its range.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eq. 44, divided by the mean pulse.

    Examples
    --------
    >>> round(pmt_width(photons=100), 3)
    0.231
    """
    photons = as_number(photons, "photons", 0, above=True)
    efficiency = as_number(efficiency, "efficiency", 0, 1, above=True)
    gain = as_number(gain, "gain", 1, above=True)
    return math.sqrt((1 - efficiency + 1 / (gain - 1)) / (photons * efficiency) + 1 / photons)
