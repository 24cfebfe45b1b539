"""Single-sideband ptychography: the phase of a weak object from the patterns of a scan."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_frames, as_number, as_pair, as_positive, as_threads
from crewe._device import DeviceView
from crewe.imaging import _cuda
from crewe.optics import Aberrations, as_aberrations, wavelength

__all__ = ["ssb"]


def ssb(
    frames: NDArray[Any],
    *,
    energy: float,
    semiangle: float,
    step: float,
    angle_per_pixel: float,
    rotation: float = 0.0,
    transpose: bool = False,
    center: tuple[float, float] | None = None,
    aberrations: Aberrations | None = None,
    wiener: float | None = None,
    threads: int = 0,
) -> NDArray[np.complex64]:
    """Phase of a weak object where the bright disc overlaps with its diffracted copies.

    φ(Q) = −i Σ_k W·G / (I₀ Σ_k W·Γ): G(k, Q) is the scan's Fourier transform at the detector pixel k, Γ(k, Q) =
    ψ*(k)ψ(k − Q) − ψ(k)ψ*(k + Q) what a phase of 1 rad makes of the lens ψ = A·exp(−iχ), and W = Γ* where only one of
    the two sidebands lies. Each W is taken less its mean: an empty beam gives nothing.

    Parameters
    ----------
    frames : ndarray (sy, sx, ky, kx), uint8, uint16, uint32 or float32
        Diffraction patterns, counts or any unit; they are read where they lie.
    energy : float
        Of the beam [eV].
    semiangle : float
        Of the bright disc [mrad].
    step : float
        Distance of probe positions [Å], the same in y and x.
    angle_per_pixel : float
        Scattering angle that a detector pixel spans [mrad].
    rotation : float
        Angle that brings the centre of mass into the scan's axes [rad], as `rotate` and `fit_rotation` have it.
    transpose : bool
        Exchange y and x of the detector first, as in `rotate`.
    center : (float, float), optional
        Centre of the bright disc (y, x) [detector pixels]; default: of the array, ((ky-1)/2, (kx-1)/2).
    aberrations : Aberrations, optional
        Of the probe, azimuths in the detector's axes; they are taken out. Default: none.
    wiener : float, optional
        None: every frequency at full strength, but those whose double overlap has less than a tenth of the pixels of
        the largest one are left out: phases in rad, for high dose. A number ε: matched filter, W = Γ* everywhere,
        damped by (1 + ε)·g/(g + ε·max g) with g = Σ W·Γ: for low dose; 1 is a good start, 0.1 keeps the scale within
        20 %.
    threads : int
        0: all cores. The result has the same bits for every number.

    Returns
    -------
    ndarray (sy, sx) complex64
        exp(i·phase), modulus 1: atoms have a positive phase, its mean is 0. Frequencies from near 0 up to twice the
        semiangle are seen; scans that are too small to hold one of them, and empty patterns, give 1.

    Raises
    ------
    TypeError
        `frames` isn't an array of a detector's dtype, or `aberrations` isn't `Aberrations`.
    ValueError
        Wrong shape, numbers that aren't positive or finite, NaN in the disc, a disc of less than four pixels.

    Notes
    -----
    The scan's Fourier transform takes it as periodic: positions within about a probe's width of the edges see those
    opposite. Detector pixels outside of the disc aren't read; where the disc has a radius of more than 16 pixels they
    are joined.

    References
    ----------
    Rodenburg, McCallum, Nellist, Ultramicroscopy 48 (1993) 304; Yang et al., Nat. Commun. 7 (2016) 12532.

    Examples
    --------
    >>> import numpy as np
    >>> frames = np.random.default_rng(0).poisson(9, (8, 8, 16, 16)).astype(np.uint8)
    >>> wave = ssb(frames, energy=300e3, semiangle=20.0, step=0.25, angle_per_pixel=4.0)
    >>> wave.shape, wave.dtype, bool(np.allclose(abs(wave), 1))
    ((8, 8), dtype('complex64'), True)
    """
    frames = as_frames(frames, gpu=True)
    if frames.ndim != 4 or 0 in frames.shape:
        raise ValueError(f"frames: shape (sy, sx, ky, kx) wanted, {frames.shape} came")
    optics = as_optics(energy, semiangle, step, angle_per_pixel, aberrations, wiener)
    ky, kx = frames.shape[2:]
    middle = ((ky - 1) / 2, (kx - 1) / 2) if center is None else as_pair(center, "center")
    turn, threads = (as_number(rotation, "rotation", unit="rad"), bool(transpose)), as_threads(threads)
    wave: NDArray[np.complex64]
    if isinstance(frames, DeviceView):
        wave = _cuda.ssb(frames, optics, middle, *turn, threads)
        return wave
    phase = np.empty(frames.shape[:2], np.float32)
    _core.ssb(frames, optics, middle, *turn, phase, threads=threads)
    wave = np.exp(1j * phase).astype(np.complex64)
    return wave


def as_optics(
    energy: float,
    semiangle: float,
    step: float,
    angle_per_pixel: float,
    aberrations: Aberrations | None,
    wiener: float | None,
) -> tuple[float, float, float, float, float, list[tuple[int, int, float, float]]]:
    """What the core takes, checked."""
    wavelength(energy)
    return (
        float(energy),
        as_positive(semiangle, "semiangle", "mrad"),
        as_positive(step, "step", "Å"),
        as_positive(angle_per_pixel, "angle_per_pixel", "mrad"),
        0.0 if wiener is None else as_positive(wiener, "wiener"),
        as_aberrations(aberrations)._terms(),
    )
