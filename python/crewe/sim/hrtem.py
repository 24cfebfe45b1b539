"""High-resolution images: the exit wave through the objective lens, with partial coherence."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crewe.optics import Aberrations, wavelength
from crewe.sim._check import as_aberrations, band_limit, check_angle, frequencies, numbers_yx
from crewe.sim._propagate import MEMORY, angles, aperture, phase_plate
from crewe.sim.potential import Potential
from crewe.sim.waves import exit_wave

__all__ = ["hrtem"]

Mode = Literal["coherent", "envelope", "explicit"]
Pair = tuple[float, float]


def hrtem(
    wave_or_potential: NDArray[Any] | Potential,
    *,
    energy: float,
    aberrations: Aberrations | None = None,
    aperture: float | None = None,
    focal_spread: float = 0.0,
    angular_spread: float = 0.0,
    mode: Mode = "envelope",
    soft: bool = True,
    sampling: Any = None,
    mtf: Callable[[NDArray[np.float64]], Any] | None = None,
    threads: int = 0,
    memory: int = MEMORY,
) -> NDArray[Any]:
    """High-resolution image of an exit wave, or of a specimen.

    Parameters
    ----------
    wave_or_potential : ndarray or Potential
        (..., ny, nx) complex exit waves with their `sampling`; or a potential, whose configurations are averaged.
    energy : float
        Energy of the electrons [eV].
    aberrations : Aberrations, optional
        Of the objective lens.
    aperture : float, optional
        Half angle of the objective aperture [mrad]; not given: all that the grid carries.
    focal_spread : float
        1/e half width [Å] of the Gaussian distribution of the defocus (√2 times its standard deviation).
    angular_spread : float
        1/e half width [mrad] of the Gaussian distribution of the illumination's angle, along each axis.
    mode : str
        "envelope": quasi-coherent, the transfer function times exp(−(π·Δ·α²/(2λ))²) and exp(−(β/2)²|∇χ|²).
        "explicit": mean of the images over both distributions (Gauss–Hermite), right for thick specimens too.
        "coherent": neither.
    soft : bool
        The edge of the aperture is one reciprocal pixel of this field wide; False: hard.
    sampling : float or (y, x)
        Size of a pixel [Å], for waves only.
    mtf : callable, optional
        Of the camera: factor of the image's spectrum at the frequencies |k|/k_Nyquist (ny, nx) of its pixels.
    threads : int
        For the multislice; 0: all cores.
    memory : int
        Bytes that the multislice may take.

    Returns
    -------
    ndarray
        (..., ny, nx) float32 (float64 for complex128): |F⁻¹{H·F{ψ}}|², 1 = the incident intensity.

    Raises
    ------
    TypeError, ValueError
        Wrong arguments, named; an aperture beyond the band limit.

    Notes
    -----
    E. J. Kirkland, Advanced Computing in Electron Microscopy, 2nd ed. (2010), ch. 3; quasi-coherent envelopes:
    J. Frank, Optik 38 (1973) 519.

    Examples
    --------
    >>> image = hrtem(np.ones((32, 32), np.complex64), energy=80e3, aperture=30.0, sampling=0.2)
    >>> image.dtype, round(float(image.mean()), 5)
    (dtype('float32'), 1.0)
    """
    if mode not in ("coherent", "envelope", "explicit"):
        raise ValueError(f"mode: 'envelope', 'explicit' or 'coherent' wanted, {mode!r} came")
    for name, value in (("focal_spread", focal_spread), ("angular_spread", angular_spread)):
        if not np.isfinite(value) or value < 0:
            raise ValueError(f"{name}: a finite number >= 0 wanted, {value!r} came")
    lens = as_aberrations(aberrations)
    given = isinstance(wave_or_potential, Potential)
    pixel: Pair
    if isinstance(wave_or_potential, Potential):
        if sampling is not None:
            raise ValueError("sampling: the potential has its own; give it with waves only")
        pixel = wave_or_potential.sampling
    else:
        _check_wave(wave_or_potential)
        if sampling is None:
            raise ValueError("sampling: the size of a pixel [Å] wanted with a wave")
        pixel = numbers_yx(sampling, "sampling")
    limit = band_limit(pixel, energy)
    if aperture is not None:
        check_angle(aperture, "aperture", pixel, energy)
    waves = (
        exit_wave(wave_or_potential, energy=energy, threads=threads, memory=memory)
        if isinstance(wave_or_potential, Potential)
        else wave_or_potential
    )
    spectra = np.fft.fft2(waves.astype(complex))
    shape = (int(waves.shape[-2]), int(waves.shape[-1]))
    image = np.zeros(waves.shape)
    for weight, transfer in _transfers(
        shape, pixel, energy, lens, aperture, limit, focal_spread, angular_spread * 1e-3, mode, soft
    ):
        image += weight * np.abs(np.fft.ifft2(transfer * spectra)) ** 2
    if given and isinstance(wave_or_potential, Potential) and wave_or_potential.configurations is not None:
        image = image.mean(axis=0)
    if mtf is not None:
        image = _recorded(image, mtf)
    return image.astype(np.float64 if waves.dtype == np.complex128 else np.float32)


def _recorded(image: NDArray[np.float64], mtf: Callable[[NDArray[np.float64]], Any]) -> NDArray[np.float64]:
    """The image under the camera's modulation transfer function."""
    ky, kx = (2 * np.fft.fftfreq(n) for n in image.shape[-2:])
    factor = np.asarray(mtf(np.hypot(ky[:, None], kx)), float)
    if factor.shape != image.shape[-2:] or not np.isfinite(factor).all():
        raise ValueError(f"mtf: finite factors of shape {image.shape[-2:]} wanted, shape {factor.shape} came")
    return np.asarray(np.fft.ifft2(np.fft.fft2(image) * factor).real)


def _check_wave(wave: Any) -> None:
    if not isinstance(wave, np.ndarray) or wave.dtype not in (np.complex64, np.complex128):
        what = repr(wave.dtype) if isinstance(wave, np.ndarray) else type(wave).__name__
        raise TypeError(f"wave_or_potential: a complex64 or complex128 array, or a Potential, wanted, {what} came")
    if wave.ndim < 2 or min(wave.shape[-2:]) < 2:
        raise ValueError(f"wave_or_potential: shape (..., ny, nx) wanted, {wave.shape} came")
    if not np.isfinite(wave).all():
        raise ValueError("wave_or_potential: finite numbers wanted, NaN or infinity came")


def _transfers(
    shape: tuple[int, int],
    pixel: Pair,
    energy: float,
    lens: Aberrations,
    stop: float | None,
    limit: float,
    focal_spread: float,
    angular_spread: float,
    mode: Mode,
    soft: bool,
) -> list[tuple[float, NDArray[np.complex128]]]:
    """Transfer functions over k, with their weights: one, or the nodes of the explicit integration."""
    alpha, phi = angles(shape, pixel, energy)
    lam = wavelength(energy)
    opening = np.ones(shape) if stop is None else aperture(shape, pixel, energy, stop, soft=soft)
    base = opening * phase_plate(shape, pixel, energy, lens)
    if mode == "coherent":
        return [(1.0, base)]
    if mode == "envelope":
        envelope = np.exp(-((np.pi * focal_spread * alpha**2 / (2 * lam)) ** 2))
        if angular_spread > 0:
            gradient = lens.gradient(alpha, phi, energy=energy)
            envelope = envelope * np.exp(-((angular_spread / 2) ** 2) * (gradient**2).sum(axis=0))
        return [(1.0, base * envelope)]
    widest = 1e-3 * (limit if stop is None else stop)
    focal = _nodes(focal_spread, np.pi * widest**2 / lam, 15, 201)
    steepest = float(np.abs(lens.gradient(np.linspace(0, widest, 32), 0.0, energy=energy)).max())
    angular = _nodes(angular_spread, steepest, 7, 31)
    found = []
    for wy, ty in angular:
        for wx, tx in angular:
            if ty == 0 and tx == 0:
                tilted, moved = base, alpha
            else:
                tilted, moved = _tilted(shape, pixel, energy, lens, stop, soft, (ty, tx))
            for wf, focus in focal:
                found.append((wy * wx * wf, tilted * np.exp(-1j * np.pi / lam * focus * moved**2)))
    return found


def _nodes(spread: float, steepness: float, fewest: int, most: int) -> list[Pair]:
    """(weight, value) of a Gaussian with this 1/e half width: enough nodes for cos(steepness·value)."""
    if spread == 0:
        return [(1.0, 0.0)]
    count = int(np.clip(fewest + (steepness * spread) ** 2, fewest, most)) | 1
    places, weights = np.polynomial.hermite.hermgauss(count)
    keep = weights > 1e-14
    return list(zip((weights[keep] / np.sqrt(np.pi)).tolist(), (places[keep] * spread).tolist(), strict=True))


def _tilted(
    shape: tuple[int, int],
    pixel: Pair,
    energy: float,
    lens: Aberrations,
    stop: float | None,
    soft: bool,
    tilt: Pair,
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """H at k + tilt/λ, and the angle there: what light from this direction meets in the lens."""
    lam = wavelength(energy)
    ky, kx = frequencies(shape, pixel)
    y, x = lam * ky + tilt[0], lam * kx + tilt[1]
    alpha, phi = np.hypot(y, x), np.arctan2(y, x)
    near = alpha <= 1.1e-3 * band_limit(pixel, energy)
    plate = np.zeros(shape, complex)
    plate[near] = np.exp(-1j * lens.chi(alpha[near], phi[near], energy=energy))
    if stop is not None:
        pixel_y, pixel_x = (lam / (n * d) for n, d in zip(shape, pixel, strict=True))
        edge = np.sqrt((np.cos(phi) * pixel_x) ** 2 + (np.sin(phi) * pixel_y) ** 2)
        inside = np.clip((stop * 1e-3 - alpha) / edge + 0.5, 0, 1) if soft else (alpha <= stop * 1e-3).astype(float)
        plate *= inside
    return plate, alpha
