"""Real-time integrated centre of mass (riCOM): a small kernel instead of a Fourier transform, so that it runs live.

Equation numbers are those of the thesis chapter that became Yu et al., Microsc. Microanal. 28 (2022) 1526.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_band, as_com, as_number, as_odd, as_shape, as_threads
from crewe._device import on_device
from crewe.imaging import _cuda

__all__ = ["ricom", "ricom_kernel", "ricom_transfer"]


def ricom(
    com: NDArray[np.float32],
    *,
    kernel: int = 61,
    low: float | None = None,
    high: float | None = None,
    step: float = 1.0,
    threads: int = 0,
) -> NDArray[np.float32]:
    """Integrate a centre-of-mass map with a finite kernel: out(p) = step/(2π) Σ_r (p − r)·com(r)/|p − r|².

    The sum runs over the kernel's window; positions outside the scan contribute nothing. A live session gives the same
    bits when its positions come in order.

    Parameters
    ----------
    com : ndarray (sy, sx, 2) float32
        Centre of mass (y, x) per probe position, for example [detector pixels] or [1/Å].
    kernel : int
        Full width of the kernel, odd [pixels]. A small one emphasises detail and cuts low frequencies (below about 1
        per kernel width), one as large as the scan gives the iCOM image but for a constant.
    low, high : float, optional
        Band limits of the filter that is built into the kernel [cycles/pixel].
    step : float
        Distance of probe positions, for example [Å]; with `com` in [1/Å], 2π times the result is the phase [rad].
    threads : int
        0: all cores. The result has the same bits for every number.

    Returns
    -------
    ndarray (sy, sx) float32
        The image [unit of com × unit of step], atoms bright.

    Raises
    ------
    TypeError
        `com` isn't float32, `kernel` no int.
    ValueError
        Wrong shape, NaN, an even or non-positive `kernel`, or not ``0 <= low < high``.

    References
    ----------
    Yu et al., Microsc. Microanal. 28 (2022) 1526, eq. 3.4; filters: eqs. 3.8 and 3.9.

    Examples
    --------
    >>> import numpy as np
    >>> com = np.zeros((5, 5, 2), np.float32)
    >>> com[2, 2, 1] = 2 * np.pi  # one position, drawn to +x
    >>> ricom(com, kernel=3)[2]
    array([ 0., -1.,  0.,  1.,  0.], dtype=float32)
    """
    band = _band(kernel, low, high)
    scale, threads = np.float32(as_number(step, "step")), as_threads(threads)
    if on_device(com):
        image: NDArray[np.float32] = _cuda.ricom(com, *band, scale)
        return image
    com = as_com(com)
    shape = com.shape[:2]
    out = np.empty(shape, np.float32)
    _core.ricom(com, _core.RicomKernel(*band, shape), out, threads=threads)
    if scale != 1:
        out *= scale
    return out


def ricom_kernel(
    kernel: int, *, low: float | None = None, high: float | None = None, shape: tuple[int, int] | None = None
) -> NDArray[np.float32]:
    """The kernel of `ricom`: out(p) = Σ_r k(r − p)·com(r), with k(d) = −d/(2π|d|²) where no band is given.

    With a band, the kernel's Fourier transform on the frequencies of a scan is multiplied by the ring
    ``low <= |q| <= high``, and what lies in the window is kept: the cut-off becomes a slope, the gentler the smaller
    the kernel. Each component stays odd along its own axis and even along the other, to the bit.

    Parameters
    ----------
    kernel : int
        Full width n, odd [pixels].
    low, high : float, optional
        Band limits [cycles/pixel].
    shape : (int, int), optional
        Positions (sy, sx) of the scan on whose frequencies the filter is sampled; along an axis where the kernel is
        larger, and by default, it is sampled on the kernel's.

    Returns
    -------
    ndarray (2, n, n) float32
        Components (y, x), stored at d = r − p; the middle is d = 0.

    Raises
    ------
    TypeError
        `kernel` is no int.
    ValueError
        An even or non-positive `kernel`, not ``0 <= low < high``, or a wrong `shape`.

    References
    ----------
    Yu et al., Microsc. Microanal. 28 (2022) 1526, eqs. 3.4, 3.8 and 3.9.

    Examples
    --------
    >>> (ricom_kernel(3)[1] * 2 * np.pi).round(3)
    array([[ 0.5, -0. , -0.5],
           [ 1. , -0. , -1. ],
           [ 0.5, -0. , -0.5]], dtype=float32)
    """
    values: NDArray[np.float32] = _prepare(kernel, low, high, (1, 1) if shape is None else as_shape(shape)).values
    return values


def ricom_transfer(
    kernel: int, *, shape: tuple[int, int], low: float | None = None, high: float | None = None
) -> NDArray[np.float64]:
    """How strongly `ricom` passes each spatial frequency of the centre-of-mass map, averaged over directions.

    The mean over rings of |q̂·K(q)|, K the Fourier transform of the kernel's two components. An ideal integration (iCOM)
    has 1/(2π|q|); the object's own spectrum passes with 2π|q| times the weight.

    Parameters
    ----------
    kernel : int
        Full width n, odd [pixels].
    shape : (int, int)
        Positions (sy, sx) of the scan.
    low, high : float, optional
        Band limits [cycles/pixel], as in `ricom`.

    Returns
    -------
    ndarray (max(shape)//2 + 1,) float64
        Weight at k = 0, 1, 2, ... cycles per image, along the longer axis [pixels].

    Raises
    ------
    TypeError
        `kernel` is no int.
    ValueError
        An even or non-positive `kernel`, not ``0 <= low < high``, or a wrong `shape`.

    Notes
    -----
    Equation 3.7, N/(2πk)·[1 − cos((n − 1)/2·2πk/N)], approximates the kernel by a line. The transform of the square
    kernel has its peak at nearly the same frequency, 0.6 to 0.7 as high, and lies about 0.35 away in relative L2 norm.

    References
    ----------
    Yu et al., Microsc. Microanal. 28 (2022) 1526, eq. 3.7 and fig. 3.2.

    Examples
    --------
    >>> [int(ricom_transfer(n, shape=(500, 500)).argmax()) for n in (101, 41)]
    [4, 10]
    """
    sy, sx = shape = as_shape(shape)
    values = _prepare(kernel, low, high, shape).values
    half = values.shape[-1] // 2
    # Frequencies of the scan see the kernel wrapped onto it.
    wrapped = np.zeros((2, sy, sx))
    offsets = np.arange(-half, half + 1)
    for part, component in zip(wrapped, values, strict=True):
        np.add.at(part, ((offsets % sy)[:, None], offsets % sx), component)
    transform = np.fft.rfft2(wrapped)
    qy, qx = np.fft.fftfreq(sy)[:, None], np.fft.rfftfreq(sx)
    length = np.hypot(qy, qx)
    along = np.abs(qy * transform[0] + qx * transform[1]) / np.where(length == 0, 1, length)
    # The half plane that rfft2 leaves out has the same values.
    twice = np.where((np.arange(sx // 2 + 1) == 0) | (2 * np.arange(sx // 2 + 1) == sx), 1.0, 2.0)
    ring = np.round(length * max(shape)).astype(np.intp)
    weight = np.broadcast_to(twice, ring.shape).ravel()
    total = np.bincount(ring.ravel(), along.ravel() * weight)
    count = np.bincount(ring.ravel(), weight)
    mean: NDArray[np.float64] = (total / np.maximum(count, 1))[: max(shape) // 2 + 1]
    return mean


def _prepare(kernel: Any, low: float | None, high: float | None, shape: tuple[int, ...]) -> Any:
    return _core.RicomKernel(*_band(kernel, low, high), shape)


def _band(kernel: Any, low: float | None, high: float | None) -> tuple[int, float, float]:
    """Width and band limits, checked."""
    return as_odd(kernel, "kernel"), *as_band(low, high, ("low", "high"), "cycles/pixel")
