"""Integration over the whole scan (iCOM, iDPC), and the projected electric field."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe import _core
from crewe._array import (
    FRAME_DTYPES,
    as_com,
    as_number,
    as_positive,
    as_reals,
    as_threads,
    as_typed,
    check_finite,
)
from crewe._device import on_device
from crewe.imaging import _cuda
from crewe.optics import interaction, wavelength

__all__ = ["electric_field", "icom", "idpc"]


def icom(
    com: NDArray[np.float32], *, step: float = 1.0, high_pass: float = 0.0, threads: int = 0
) -> NDArray[np.float32]:
    """Integrate a centre-of-mass map by Fourier transform: φ(Q) = step·[Q·F{com}](Q) / (2πi|Q|²).

    The scan counts as periodic: what differs between opposite edges shows as a slow background, which `high_pass` or
    `ricom` takes out.

    Parameters
    ----------
    com : ndarray (sy, sx, 2) float32
        Centre of mass (y, x) per probe position, for example [detector pixels] or [1/Å].
    step : float
        Distance of probe positions, for example [Å]; with `com` in [1/Å], 2π times the result is the phase [rad].
    high_pass : float
        Frequencies |Q| below it are set to zero [cycles/pixel].
    threads : int
        0: all cores. The result has the same bits for every number.

    Returns
    -------
    ndarray (sy, sx) float32
        The image [unit of com × unit of step], mean 0, atoms bright.

    Raises
    ------
    TypeError
        `com` isn't float32.
    ValueError
        Wrong shape, NaN, or a negative `high_pass`.

    References
    ----------
    Lazić, Bosch, Lazar, Ultramicroscopy 160 (2016) 265, eq. 20; Yu et al., Microsc. Microanal. 28 (2022) 1526, eq. 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(8)
    >>> com = np.zeros((2, 8, 2), np.float32)
    >>> com[..., 1] = -2 * np.pi / 8 * np.sin(2 * np.pi * x / 8)  # the slope of cos(2πx/8)
    >>> np.allclose(icom(com), np.cos(2 * np.pi * x / 8), atol=1e-6)
    True
    """
    length, least = as_number(step, "step"), as_number(high_pass, "high_pass", 0, unit="cycles/pixel")
    threads = as_threads(threads)
    if on_device(com):
        image: NDArray[np.float32] = _cuda.icom(com, length, least)
        return image
    com = as_com(com)
    out = np.empty(com.shape[:2], np.float32)
    _core.icom(com, length, least, out, threads=threads)
    return out


def idpc(
    segments: NDArray[Any],
    angles: ArrayLike,
    *,
    radius: float = 1.0,
    step: float = 1.0,
    high_pass: float = 0.0,
    threads: int = 0,
) -> NDArray[np.float32]:
    """Integrated differential phase contrast of a segmented detector: `icom` of what its sectors say of the COM.

    com ≈ radius · Σ_i s_i·(sin α_i, cos α_i) / Σ_i s_i: all electrons of a sector are counted at its mean direction and
    at one distance from the centre; positions without electrons give (0, 0), and the map's mean is taken out.

    Parameters
    ----------
    segments : ndarray (n, sy, sx), uint8, uint16, uint32 or float32
        Electrons per sector and probe position, n >= 3.
    angles : array_like (n,)
        Mean direction of each sector, from +x towards +y [rad].
    radius : float
        Distance from the centre at which the electrons count [the unit wanted of the COM: detector pixels, 1/Å, ...].
    step, high_pass, threads
        As in `icom`.

    Returns
    -------
    ndarray (sy, sx) float32
        The image [unit of radius × unit of step], mean 0, atoms bright.

    Raises
    ------
    TypeError
        `segments` is of another dtype.
    ValueError
        Wrong shapes, negative or non-finite numbers, or directions that all lie on one line.

    Notes
    -----
    **Scale.** A uniformly filled disc of radius R that is shifted as a whole changes the sectors at its edge alone: n
    equal sectors that reach beyond it then give the COM's size with ``radius = R·(π/n)/sin(π/n)`` (1.11 R for
    quadrants). In real patterns intensity moves within the disc as well, and the scale differs by factors of 1.6 to
    1.9: calibrate `radius` on a known specimen, or against `com` of a few recorded patterns, before reading numbers.

    References
    ----------
    Lazić, Bosch, Lazar, Ultramicroscopy 160 (2016) 265.

    Examples
    --------
    >>> import numpy as np
    >>> segments = np.full((4, 8, 8), 25.0, np.float32)
    >>> idpc(segments, np.pi / 4 + np.pi / 2 * np.arange(4)).any()
    np.False_
    """
    counts, directions = _segments(segments, angles)
    units = np.stack([np.sin(directions), np.cos(directions)], -1)
    total = counts.sum(0, dtype=np.float64)
    moment = np.tensordot(counts, units, axes=(0, 0))
    field = moment / np.where(total == 0, 1, total)[..., None] * as_number(radius, "radius")
    field -= field.mean((0, 1))
    return icom(field.astype(np.float32), step=step, high_pass=high_pass, threads=threads)


def electric_field(com: NDArray[np.float32], *, energy: float, angle_per_pixel: float) -> NDArray[np.float32]:
    """Projected electric field from the beam's deflection: −θ·pv/e.

    The beam is drawn to the atoms, the field points away from them.

    Parameters
    ----------
    com : ndarray (sy, sx, 2) float32
        Centre of mass (y, x) per probe position [detector pixels].
    energy : float
        Kinetic energy of the beam electrons [eV].
    angle_per_pixel : float
        Scattering angle that a detector pixel spans [mrad].

    Returns
    -------
    ndarray (sy, sx, 2) float32
        Field integrated along the beam, (y, x) [V].

    Raises
    ------
    TypeError
        `com` isn't float32.
    ValueError
        Wrong shape, NaN, an `angle_per_pixel` that isn't positive, or an `energy` that no microscope has (below 1 keV).

    References
    ----------
    Müller et al., Nat. Commun. 5 (2014) 5653, eq. 5.

    Examples
    --------
    >>> import numpy as np
    >>> com = np.array([[[0.0, 1.0]]], np.float32)
    >>> electric_field(com, energy=300e3, angle_per_pixel=0.01).round(2)
    array([[[-0.  , -4.89]]], dtype=float32)
    """
    com = as_com(com)
    angle = as_positive(angle_per_pixel, "angle_per_pixel", "mrad")
    volts = 2 * math.pi / (wavelength(energy) * interaction(energy))  # pv/e
    field: NDArray[np.float32] = com * np.float32(-angle * 1e-3 * volts)
    return field


def _segments(segments: Any, angles: Any) -> tuple[NDArray[Any], NDArray[np.float64]]:
    as_typed(segments, "segments", *FRAME_DTYPES)
    if segments.ndim != 3 or len(segments) < 3 or 0 in segments.shape:
        raise ValueError(f"segments: shape (n, sy, sx) with n >= 3 wanted, {segments.shape} came")
    check_finite(segments, "segments")
    if (segments < 0).any():
        raise ValueError(f"segments: numbers of 0 or more wanted, {segments.min()} came")
    directions = as_reals(angles, "angles")
    if directions.shape != segments.shape[:1]:
        raise ValueError(f"angles: shape {segments.shape[:1]} wanted, one per segment, {directions.shape} came")
    if np.ptp(np.cos(2 * directions)) < 1e-9 and np.ptp(np.sin(2 * directions)) < 1e-9:
        raise ValueError("angles: directions that don't all lie on one line wanted")
    return segments, directions
