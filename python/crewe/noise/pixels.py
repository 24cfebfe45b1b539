"""Single pixels that went wrong, and the range of values that was kept."""

from collections.abc import Sequence

from crewe._array import Seed, as_int, as_number, as_seed, as_threads
from crewe.noise._checks import Image, as_image, as_range, copied, given_back, kernels, room_for

__all__ = ["black_pixels", "clip", "quantise", "zingers"]


def black_pixels(
    image: Image,
    *,
    count: int,
    steps: int = 0,
    level: Sequence[float] = (0.0, 0.4),
    seed: Seed,
    threads: int = 0,
    out: Image | None = None,
) -> Image:
    """Dead and dark pixels: x·S, S ~ U(level), on `count` random walks of 0 to `steps` steps to a neighbour.

    Parameters
    ----------
    image : ndarray (y, x) float32
    count : int
        Number of walks.
    steps : int
        Longest walk; 0: single pixels.
    level : (float, float)
        From, to: what is left of the value, 0..1; one level for a walk.
    seed, threads, out
        As in `shot`. The places depend on the seed and the shape alone.

    Returns
    -------
    ndarray (y, x) float32

    Raises
    ------
    TypeError, ValueError
        As in `shot`; a number out of its range.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 37 and 52.

    Examples
    --------
    >>> import numpy as np
    >>> int((black_pixels(np.ones((64, 64), np.float32), count=5, seed=1) < 1).sum())
    5
    """
    image = as_image(image, out=out)
    count, steps = as_int(count, "count", 0), as_int(steps, "steps", 0)
    level = as_range(level, "level", 0, 1)
    as_threads(threads)
    out = copied(image, out)
    kernels(out).noise_black_pixels(out, count=count, steps=steps, range=level, seed=as_seed(seed))
    return given_back(out)


def zingers(
    image: Image,
    *,
    count: int,
    steps: int = 0,
    gain: Sequence[float] = (3.0, 30.0),
    seed: Seed,
    threads: int = 0,
    out: Image | None = None,
) -> Image:
    """Bright spots of X-rays and cosmic rays: max(x·S, x + (S − 1)·mean(x)), S ~ U(gain), seen on dark ground too.

    Parameters
    ----------
    image : ndarray (y, x) float32
    count, steps
        Number of walks and the longest of them, as in `black_pixels`.
    gain : (float, float)
        From, to, >= 1; one number for a walk.
    seed, threads, out
        As in `shot`.

    Returns
    -------
    ndarray (y, x) float32

    Raises
    ------
    TypeError, ValueError
        As in `shot`; a number out of its range.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 38 and 53.

    Examples
    --------
    >>> import numpy as np
    >>> spots = zingers(np.ones((64, 64), np.float32), count=5, gain=(3.0, 3.0), seed=1)
    >>> int((spots == 3).sum())
    5
    """
    image = as_image(image, out=out)
    count, steps = as_int(count, "count", 0), as_int(steps, "steps", 0)
    gain = as_range(gain, "gain", 1)
    as_threads(threads)
    out = copied(image, out)
    kernels(out).noise_zingers(out, count=count, steps=steps, range=gain, seed=as_seed(seed))
    return given_back(out)


def clip(
    image: Image,
    *,
    maximum: float | None = None,
    quantile: float | None = None,
    threads: int = 0,
    out: Image | None = None,
) -> Image:
    """A detector at its upper end: min(x, maximum).

    Parameters
    ----------
    image : ndarray (y, x) float32
    maximum : float, optional
        On the scale of `image`.
    quantile : float, optional
        The maximum is the value below which this part of the pixels lies, 0..1. One of the two.
    threads, out
        As in `shot`.

    Returns
    -------
    ndarray (y, x) float32

    Raises
    ------
    TypeError, ValueError
        As in `shot`; a number out of its range.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 39 and 54.

    Examples
    --------
    >>> import numpy as np
    >>> clip(np.arange(4, dtype=np.float32).reshape(1, 4), maximum=1.5)
    array([[0. , 1. , 1.5, 1.5]], dtype=float32)
    """
    image = as_image(image, out=out)
    if (maximum is None) == (quantile is None):
        raise ValueError(f"one of maximum and quantile wanted, maximum={maximum!r}, quantile={quantile!r} came")
    if quantile is not None:
        top = kernels(image).noise_quantile(image, as_number(quantile, "quantile", 0, 1), threads=as_threads(threads))
    else:
        top = as_number(maximum, "maximum")
    out = room_for(image, out)
    kernels(image).noise_clip(image, out, maximum=top, threads=as_threads(threads))
    return given_back(out)


def quantise(
    image: Image, *, bits: int, full_scale: float, offset: float = 0.0, threads: int = 0, out: Image | None = None
) -> Image:
    """An analogue-to-digital converter: the nearest of 2**bits equal levels from −offset to full_scale − offset.

    Parameters
    ----------
    image : ndarray (y, x) float32
    bits : int
        1..16.
    full_scale : float
        Distance of the first and the last level, on the scale of `image`, > 0.
    offset : float
        How far below zero the first level lies, so that negative noise survives.
    threads, out
        As in `shot`.

    Returns
    -------
    ndarray (y, x) float32
        On the scale of `image`.

    Raises
    ------
    TypeError, ValueError
        As in `shot`; a number out of its range.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 40 and 55.

    Examples
    --------
    >>> import numpy as np
    >>> quantise(np.array([[-1.0, 0.4, 0.6, 9.0]], np.float32), bits=2, full_scale=3.0)
    array([[0., 0., 1., 3.]], dtype=float32)
    """
    image = as_image(image, out=out)
    bits = as_int(bits, "bits", 1, 16)
    full_scale = as_number(full_scale, "full_scale", 0, above=True)
    offset = as_number(offset, "offset")
    out = room_for(image, out)
    kernels(image).noise_quantise(
        image, out, bits=bits, full_scale=full_scale, offset=offset, threads=as_threads(threads)
    )
    return given_back(out)
