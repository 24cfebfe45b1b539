"""High-resolution images: the exit wave through the objective lens, with partial coherence."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_choice, as_number, as_threads, as_typed, check_finite
from crewe.optics import Aberrations, as_aberrations, wavelength
from crewe.sim._check import Pair, as_memory, band_limit, check_angle, numbers_yx
from crewe.sim._propagate import MEMORY, angles, aperture, phase_plate
from crewe.sim.potential import Potential
from crewe.sim.waves import exit_wave

__all__ = ["hrtem"]

Mode = Literal["coherent", "envelope", "explicit"]


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
    sampling: float | tuple[float, float] | None = None,
    mtf: Callable[[NDArray[np.float64]], Any] | None = None,
    threads: int = 0,
    device: str = "cpu",
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
    device : str
        For the multislice: "cpu", "cuda" or "cuda:1".
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
    DeviceError
        A device that can't be used.

    References
    ----------
    E. J. Kirkland, Advanced Computing in Electron Microscopy, 2nd ed. (2010), ch. 3; quasi-coherent envelopes:
    J. Frank, Optik 38 (1973) 519.

    Examples
    --------
    >>> image = hrtem(np.ones((32, 32), np.complex64), energy=80e3, aperture=30.0, sampling=0.2)
    >>> image.dtype, round(float(image.mean()), 5)
    (dtype('float32'), 1.0)
    """
    as_choice(mode, "mode", get_args(Mode))
    focal_spread = as_number(focal_spread, "focal_spread", 0, unit="Å")
    angular_spread = as_number(angular_spread, "angular_spread", 0, unit="mrad")
    threads, memory = as_threads(threads), as_memory(memory)
    lens = as_aberrations(aberrations)
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
    if aperture is not None:
        aperture = check_angle(aperture, "aperture", pixel, energy)
    waves = (
        exit_wave(wave_or_potential, energy=energy, threads=threads, device=device, memory=memory)
        if isinstance(wave_or_potential, Potential)
        else wave_or_potential
    )
    spectra = np.array(waves, complex, order="C").reshape(-1, *waves.shape[-2:])
    _core.fft2(spectra, threads=threads)
    objective = _Lens(spectra.shape[1:], pixel, energy, lens, aperture, soft)
    stack = np.zeros(spectra.shape)
    for weight, transfer in _transfers(objective, focal_spread, angular_spread * 1e-3, mode):
        field = transfer * spectra
        _core.fft2(field, inverse=True, threads=threads)
        stack += weight * (field.real**2 + field.imag**2)
    image = stack.reshape(waves.shape)
    if isinstance(wave_or_potential, Potential) and wave_or_potential.configurations is not None:
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
    as_typed(wave, "wave_or_potential", np.complex64, np.complex128)
    if wave.ndim < 2 or min(wave.shape[-2:]) < 2:
        raise ValueError(f"wave_or_potential: shape (..., ny, nx) wanted, {wave.shape} came")
    check_finite(wave, "wave_or_potential")


@dataclass(frozen=True)
class _Lens:
    """The objective lens over the frequencies of a grid; light from another direction meets it tilted [rad]."""

    shape: tuple[int, int]
    sampling: Pair
    energy: float
    aberrations: Aberrations
    stop: float | None
    soft: bool

    def transfer(self, tilt: Pair = (0.0, 0.0)) -> NDArray[np.complex128]:
        """a·exp(−iχ) at λk + tilt."""
        plate = phase_plate(self.shape, self.sampling, self.energy, self.aberrations, tilt=tilt)
        if self.stop is not None:
            plate *= aperture(self.shape, self.sampling, self.energy, self.stop, soft=self.soft, tilt=tilt)
        return plate

    def angles(self, tilt: Pair = (0.0, 0.0)) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return angles(self.shape, self.sampling, self.energy, tilt)


def _transfers(
    lens: _Lens, focal_spread: float, angular_spread: float, mode: Mode
) -> Iterator[tuple[float, NDArray[np.complex128]]]:
    """Transfer functions over k, with their weights: one, or the nodes of the explicit integration."""
    lam, gradient = wavelength(lens.energy), lens.aberrations.gradient
    if mode == "explicit":
        widest = 1e-3 * (band_limit(lens.sampling, lens.energy) if lens.stop is None else lens.stop)
        steepest = float(np.abs(gradient(np.linspace(0, widest, 32), 0.0, energy=lens.energy)).max())
        angular = _nodes(angular_spread, steepest, 7, 31)
        focal = _nodes(focal_spread, np.pi * widest**2 / lam, 15, 201)
        for (wy, ty), (wx, tx) in product(angular, angular):
            tilted, alpha = lens.transfer((ty, tx)), lens.angles((ty, tx))[0]
            for wf, focus in focal:
                yield wy * wx * wf, tilted * np.exp(-1j * np.pi / lam * focus * alpha**2)
        return
    envelope: Any = 1.0
    if mode == "envelope":
        alpha, phi = lens.angles()
        envelope = np.exp(-((np.pi * focal_spread * alpha**2 / (2 * lam)) ** 2))
        if angular_spread > 0:
            slope = (gradient(alpha, phi, energy=lens.energy) ** 2).sum(axis=0)
            envelope = envelope * np.exp(-((angular_spread / 2) ** 2) * slope)
    yield 1.0, lens.transfer() * envelope


def _nodes(spread: float, steepness: float, fewest: int, most: int) -> list[Pair]:
    """(weight, value) of a Gaussian with this 1/e half width: enough nodes for cos(steepness·value)."""
    if spread == 0:
        return [(1.0, 0.0)]
    count = int(np.clip(fewest + (steepness * spread) ** 2, fewest, most)) | 1
    places, weights = np.polynomial.hermite.hermgauss(count)
    keep = weights > 1e-14
    return list(zip((weights[keep] / np.sqrt(np.pi)).tolist(), (places[keep] * spread).tolist(), strict=True))
