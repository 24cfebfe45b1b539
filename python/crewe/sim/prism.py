"""PRISM: many probe positions from few plane waves, through a window of the field."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._progress import Bar
from crewe.sim._check import as_aberrations, as_positions, check_angle
from crewe.sim._propagate import MEMORY, Propagation, aperture, phase_plate
from crewe.sim._scan import scan_positions
from crewe.sim.detectors import detector_weights
from crewe.sim.potential import Potential
from crewe.sim.waves import as_potential

__all__ = ["Prism"]


class Prism:
    """The scattering matrix of a specimen: the exit waves of the plane waves that a probe is made of.

    With `interpolation` f only every f-th wave along each axis is computed, and a probe is cut out of their sum in a
    window of 1/f of the field around it: f² fewer waves, patterns of (ny/f, nx/f) pixels. What the probe's tails
    scatter beyond the window is lost: dark places become darker. f = 1 gives the patterns of `cbed`. Worth it where
    positions outnumber the waves by far.

    Parameters
    ----------
    potential : Potential
        The specimen; its grid divisible by `interpolation`.
    energy : float
        Energy of the electrons [eV].
    semiangle : float
        Half angle of the probe [mrad], the largest that will be asked for.
    interpolation : int
        f.
    threads : int
        0: all cores.
    memory : int
        Bytes that the scattering matrix of one configuration may take, and the multislice besides.

    Attributes
    ----------
    shape : tuple
        Pixels of the patterns.
    waves : int
        Number of plane waves.

    Raises
    ------
    TypeError, ValueError
        Wrong arguments, named.
    MemoryError
        More waves than fit, with the interpolation that would fit.

    Notes
    -----
    C. Ophus, Adv. Struct. Chem. Imaging 3 (2017) 13.

    Examples
    --------
    >>> vacuum = Potential.from_array(np.zeros((2, 64, 64), np.float32), sampling=0.2, slice_thickness=2.0)
    >>> prism = Prism(vacuum, energy=200e3, semiangle=20.0, interpolation=2)
    >>> prism.shape, round(float(prism.stem(scan=(3, 3), detectors={"all": (0, 40)})["all"].min()), 4)
    ((32, 32), 1.0)
    """

    def __init__(
        self,
        potential: Potential,
        *,
        energy: float,
        semiangle: float,
        interpolation: int = 1,
        threads: int = 0,
        memory: int = MEMORY,
    ) -> None:
        as_potential(potential)
        whole = not isinstance(interpolation, bool) and int(interpolation) == interpolation and interpolation >= 1
        if not whole or potential.shape[0] % interpolation or potential.shape[1] % interpolation:
            raise ValueError(f"interpolation: a divisor of the grid {potential.shape} wanted, {interpolation!r} came")
        self.potential, self.energy = potential, float(energy)
        self.semiangle = check_angle(semiangle, "semiangle", potential.sampling, energy)
        self.interpolation, self.threads = int(interpolation), int(threads)
        self.shape = potential.shape[0] // self.interpolation, potential.shape[1] // self.interpolation
        if min(self.shape) < 2:
            raise ValueError(f"interpolation: at least 2 pixels of the window wanted, {self.shape} are left")
        opening = aperture(self.shape, potential.sampling, energy, self.semiangle, soft=True)
        self._beams = np.argwhere(opening > 0)
        self.waves = len(self._beams)
        self._run = Propagation(potential, energy, threads=threads, memory=memory)
        bytes_ = self.waves * potential.shape[0] * potential.shape[1] * self._run.dtype.itemsize
        if bytes_ > memory:
            more = self.interpolation * int(np.ceil(np.sqrt(bytes_ / memory)))
            raise MemoryError(
                f"{self.waves} waves take {bytes_ / 2**20:.0f} MiB, memory={memory} allows {memory / 2**20:.0f}; "
                f"interpolation={more} would fit"
            )
        self._matrix: tuple[int, NDArray[Any]] | None = None

    def _scattering_matrix(self, configuration: int) -> NDArray[Any]:
        """(waves, ny, nx): exit waves of exp(2πi k·r)."""
        if self._matrix is not None and self._matrix[0] == configuration:
            return self._matrix[1]
        ny, nx = self.potential.shape
        out = np.empty((self.waves, ny, nx), self._run.dtype)
        y, x = np.arange(ny), np.arange(nx)
        for start in range(0, self.waves, self._run.batch):
            part = slice(start, min(start + self._run.batch, self.waves))
            for to, (ky, kx) in zip(out[part], self._beams[part] * self.interpolation, strict=True):
                along_y, along_x = np.exp(2j * np.pi * (ky * y % ny) / ny), np.exp(2j * np.pi * (kx * x % nx) / nx)
                to[...] = along_y[:, None] * along_x
            waves = self._run.waves(part.stop - part.start, configuration)
            waves.set_waves(out[part])
            self._run.advance(waves, configuration, 0, len(self.potential))
            waves.wave(out[part], self.threads)
        self._matrix = configuration, out
        return out

    def _spectrum(self, aberrations: Any, semiangle: float | None) -> NDArray[np.complex128]:
        """Amplitudes of the plane waves for a probe at the origin, Σ|…|² = 1."""
        lens = as_aberrations(aberrations)
        angle = self.semiangle if semiangle is None else float(semiangle)
        if not np.isfinite(angle) or not 0 < angle <= self.semiangle:
            raise ValueError(f"semiangle: in (0, {self.semiangle:g}] mrad wanted, {semiangle!r} came")
        sampling = self.potential.sampling
        amplitudes = aperture(self.shape, sampling, self.energy, angle, soft=True) * phase_plate(
            self.shape, sampling, self.energy, lens
        )
        amplitudes /= np.sqrt(np.sum(np.abs(amplitudes) ** 2))
        return np.asarray(amplitudes[self._beams[:, 0], self._beams[:, 1]])

    def _patterns(
        self, positions: NDArray[np.float64], spectrum: NDArray[np.complex128], configuration: int
    ) -> Iterator[NDArray[Any]]:
        """|F{ψ}|² (ny/f, nx/f) of each position, frequencies as numpy.fft has them."""
        matrix = self._scattering_matrix(configuration)
        signed = (self._beams + np.array(self.shape) // 2) % self.shape - np.array(self.shape) // 2
        k = signed * self.interpolation / np.array(self.potential.extent)
        for position in positions:
            weights = (spectrum * np.exp(-2j * np.pi * (k @ position))).astype(matrix.dtype)
            rows, columns = (
                (round(place / d) - size // 2 + np.arange(size)) % n
                for place, d, size, n in zip(
                    position, self.potential.sampling, self.shape, self.potential.shape, strict=True
                )
            )
            window = matrix[:, rows[:, None], columns].reshape(self.waves, -1)
            wave = (weights @ window).reshape(self.shape)
            yield np.abs(np.fft.fft2(wave)) ** 2 / wave.size**2

    def cbed(self, positions: Any, *, aberrations: Any = None, semiangle: float | None = None) -> NDArray[Any]:
        """Patterns (positions shape..., ny/f, nx/f), the zero frequency at (n//2, n//2), averaged over configurations.

        Parameters
        ----------
        positions : array_like (..., 2)
            Of the probes, (y, x) [Å].
        aberrations : Aberrations, optional
            Of the probe.
        semiangle : float, optional
            Of the probe [mrad], up to that of the matrix.

        Returns
        -------
        ndarray
            float32 (float64 for a float64 potential), fraction of the incident beam.
        """
        places, spectrum = as_positions(positions), self._spectrum(aberrations, semiangle)
        flat = places.reshape(-1, 2)
        out = np.zeros((len(flat), *self.shape), self.potential.dtype)
        for configuration in range(self._run.configurations):
            for to, pattern in zip(out, self._patterns(flat, spectrum, configuration), strict=True):
                to += pattern / self._run.configurations
        return np.fft.fftshift(out, axes=(-2, -1)).reshape(*places.shape[:-1], *self.shape)

    def stem(
        self,
        *,
        positions: Any = None,
        scan: tuple[int, int] | None = None,
        detectors: Mapping[str, Any],
        aberrations: Any = None,
        semiangle: float | None = None,
        progress: bool = False,
    ) -> dict[str, NDArray[Any]]:
        """Images as `crewe.sim.stem` makes them; masks have the shape of the patterns here.

        Parameters
        ----------
        positions, scan, detectors, aberrations
            As for `crewe.sim.stem`.
        semiangle : float, optional
            Of the probe [mrad], up to that of the matrix.
        progress : bool
            Show a bar on a terminal.

        Returns
        -------
        dict
            Name → image, fraction of the incident beam, averaged over configurations.
        """
        places, _ = scan_positions(self.potential, positions, scan)
        names, weights = detector_weights(detectors, self.shape, self.potential.sampling, self.energy)
        spectrum, flat = self._spectrum(aberrations, semiangle), places.reshape(-1, 2)
        sums = np.zeros((len(names), len(flat)))
        with Bar("prism", total=len(flat) * self._run.configurations, unit="probes", show=progress) as bar:
            for configuration in range(self._run.configurations):
                for i, pattern in enumerate(self._patterns(flat, spectrum, configuration)):
                    sums[:, i] += np.tensordot(weights, pattern, axes=2) / self._run.configurations
                    bar.add(1)
        shape = places.shape[:-1]
        return {n: s.reshape(shape).astype(self.potential.dtype) for n, s in zip(names, sums, strict=True)}
