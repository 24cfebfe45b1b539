"""What a camera does to an image of electrons: sharpness, sensor pattern, dark current, readout."""

import math

import numpy as np

from crewe import _core
from crewe._array import Seed, as_number, as_seed, as_threads
from crewe.noise._checks import Image, as_image, given_back, kernels, room_for

__all__ = ["dark_current", "fixed_pattern", "flicker", "mtf", "reset", "thermal"]


def mtf(image: Image, *, a: float, b: float, c: float, threads: int = 0, out: Image | None = None) -> Image:
    """The modulation transfer of a camera with square pixels.

    [a·exp(−g²/2b²) + (1 − a)·exp(−g²/2c²)]·sinc(u/2)·sinc(v/2), sinc(t) = sin(πt)/(πt), g² = u² + v²; u, v = 1 at the
    Nyquist frequency. Beyond its border the image goes on as in a mirror.

    Parameters
    ----------
    image : ndarray (y, x) float32
        Any scale.
    a, b, c : float
        Weight of the first Gaussian and the widths of both [Nyquist frequency]. Positive and decreasing for 0 < a <=
        1, and for a > 1 where b·√((a − 1)/a) <= c <= b.
    threads, out
        As in `shot`.

    Returns
    -------
    ndarray (y, x) float32

    Raises
    ------
    ValueError
        A curve that isn't positive and decreasing; widths <= 0.001.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 27-29.

    Examples
    --------
    >>> import numpy as np
    >>> wave = np.tile(np.array([0, 1], np.float32), (8, 16))
    >>> float(np.ptp(mtf(wave, a=1.0, b=0.5, c=0.5)[4])).__round__(3)
    0.086
    """
    image = as_image(image, out=out)
    a = as_number(a, "a", 0, above=True)
    b, c = as_number(b, "b", 1e-3), as_number(c, "c", 1e-3)
    if a > 1 and not b * math.sqrt((a - 1) / a) <= c <= b:
        raise ValueError(
            f"a, b, c: a positive, decreasing curve wanted; for a = {a:g} > 1 that is "
            f"{b * math.sqrt((a - 1) / a):.4g} <= c <= {b:g}, c = {c:g} came"
        )
    out = room_for(image, out)
    kernels(image).noise_mtf(image, out, a=a, b=b, c=c, threads=as_threads(threads))
    return given_back(out)


def fixed_pattern(image: Image, *, sigma: float, sensor: int = 0, threads: int = 0, out: Image | None = None) -> Image:
    """Pixels of unequal gain: x·(1 + N(0, sigma²)), one map for one sensor.

    Parameters
    ----------
    image : ndarray (y, x) float32
    sigma : float
        Standard deviation of the gain, >= 0.
    sensor : int
        Which camera: the same number and shape give the same map.
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
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eq. 31.

    Examples
    --------
    >>> import numpy as np
    >>> flat = np.ones((200, 200), np.float32)
    >>> round(float(fixed_pattern(flat, sigma=0.02, sensor=3).std()), 3)
    0.02
    """
    image = as_image(image, out=out)
    sigma = as_number(sigma, "sigma", 0)
    out = room_for(image, out)
    kernels(image).noise_fixed_pattern(
        image, out, sigma=sigma, sensor=as_seed(sensor, "sensor"), threads=as_threads(threads)
    )
    return given_back(out)


def dark_current(
    image: Image,
    *,
    mean: float,
    std: float,
    hot: float = 0.0,
    sensor: int = 0,
    seed: Seed,
    threads: int = 0,
    out: Image | None = None,
) -> Image:
    """Electrons that the sensor makes itself: image + Poisson(D), D a log-normal map of the sensor.

    Parameters
    ----------
    image : ndarray (y, x) float32
        [electrons/pixel]
    mean, std : float
        Of the map D [electrons/pixel] (not of its logarithm), >= 0.
    hot : float
        Part of the pixels that have U(mean + 5·std, mean + 8·std) more, 0..1.
    sensor : int
        Which camera: the same number and shape give the same map.
    seed, threads, out
        As in `shot`: the counts of one frame.

    Returns
    -------
    ndarray (y, x) float32

    Raises
    ------
    TypeError, ValueError
        As in `shot`; a number out of its range.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 32-33.

    Examples
    --------
    >>> import numpy as np
    >>> frame = dark_current(np.zeros((200, 200), np.float32), mean=5.0, std=1.0, seed=1)
    >>> round(float(frame.mean()), 1)
    5.0
    """
    image = as_image(image, out=out)
    mean, std, hot = as_number(mean, "mean", 0), as_number(std, "std", 0), as_number(hot, "hot", 0, 1)
    key, cores = as_seed(sensor, "sensor"), as_threads(threads)
    out = room_for(image, out)
    if not isinstance(image, np.ndarray):
        frame = {"mean": mean, "std": std, "hot": hot, "sensor": key, "seed": as_seed(seed)}
        kernels(image).noise_dark_current(image, out, **frame, threads=cores)
        return given_back(out)
    dark = np.zeros_like(image)
    _core.noise_dark_map(dark, mean=mean, std=std, hot=hot, sensor=key, threads=cores)
    _core.noise_dark_shot(image, dark, out, seed=as_seed(seed), picture=key & 0xFFFFFFFF, threads=cores)
    return given_back(out)


def thermal(image: Image, *, sigma: float, seed: Seed, threads: int = 0, out: Image | None = None) -> Image:
    """White readout noise: x + N(0, sigma²) on every pixel.

    Parameters
    ----------
    image : ndarray (y, x) float32
    sigma : float
        [electrons], >= 0.
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
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eq. 34.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(thermal(np.zeros((200, 200), np.float32), sigma=1.5, seed=1).std()), 1)
    1.5
    """
    image = as_image(image, out=out)
    sigma = as_number(sigma, "sigma", 0)
    out = room_for(image, out)
    kernels(image).noise_thermal(image, out, sigma=sigma, seed=as_seed(seed), threads=as_threads(threads))
    return given_back(out)


def flicker(image: Image, *, sigma: float, seed: Seed, threads: int = 0, out: Image | None = None) -> Image:
    """Noise whose amplitude falls as 1/f (power 1/f²): white noise filtered in Fourier space, of standard deviation
    sigma.

    Parameters
    ----------
    image : ndarray (y, x) float32
    sigma : float
        Standard deviation over the image [electrons], >= 0; the mean stays.
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
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eq. 35.

    Examples
    --------
    >>> import numpy as np
    >>> x = flicker(np.zeros((64, 64), np.float32), sigma=2.0, seed=1)
    >>> round(float(x.std()), 3)
    2.0
    """
    image = as_image(image, out=out)
    sigma = as_number(sigma, "sigma", 0)
    out = room_for(image, out)
    kernels(image).noise_flicker(image, out, sigma=sigma, seed=as_seed(seed), threads=as_threads(threads))
    return given_back(out)


def reset(image: Image, *, sigma: float, seed: Seed, threads: int = 0, out: Image | None = None) -> Image:
    """Reset noise: one number N(0, sigma²) for every row.

    Parameters
    ----------
    image : ndarray (y, x) float32
    sigma : float
        [electrons], >= 0.
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
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eq. 36.

    Examples
    --------
    >>> import numpy as np
    >>> x = reset(np.zeros((3, 5), np.float32), sigma=1.0, seed=1)
    >>> bool((x == x[:, :1]).all())
    True
    """
    image = as_image(image, out=out)
    sigma = as_number(sigma, "sigma", 0)
    out = room_for(image, out)
    kernels(image).noise_reset(image, out, sigma=sigma, seed=as_seed(seed), threads=as_threads(threads))
    return given_back(out)
