"""PRISM: many probe positions from few plane waves, through a window of the field."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe import _core
from crewe._array import as_int, as_number, as_threads
from crewe._progress import Bar
from crewe.optics import Aberrations, as_aberrations
from crewe.sim._check import as_memory, as_positions, check_angle
from crewe.sim._propagate import MEMORY, Propagation, aperture, phase_plate
from crewe.sim._scan import scan_positions
from crewe.sim.detectors import detector_weights
from crewe.sim.potential import Potential
from crewe.sim.waves import as_potential

__all__ = ["Prism"]

PLACES = 8  # where a window may lie, per its length
BLOCK = 2**22  # pixels of the windows of the probes that are under way at a time


class Prism:
    """The scattering matrix of a specimen: the exit waves of the plane waves that a probe is made of.

    With `interpolation` f only every f-th wave along each axis is computed, and a probe is cut out of their sum in a
    window of 1/f of the field around it: f² fewer waves, patterns of (ny/f, nx/f) pixels. What the probe's tails
    scatter beyond the window is lost: dark places become darker. f = 1 gives the patterns of `cbed`.

    A wave costs as much as a probe of `stem`, and each position a fraction of one, so it pays where positions outnumber
    the waves. SrTiO₃, 31 Å wide, 78 Å thick, 512² pixels, 20 mrad: f = 2 takes 845 waves, a quarter of a probe's time
    per position, and is 1.0 to 1.5 % off (rms, bright field to 100 mrad); f = 4 takes 221, a thirtieth, 1 to 6 % off;
    f = 8 takes 61 and is 6 to 21 % off. Keep the window several times as wide as the probe with its tails.

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

    References
    ----------
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
        threads, memory = as_threads(threads), as_memory(memory)
        as_int(interpolation, "interpolation", 1)
        if potential.shape[0] % interpolation or potential.shape[1] % interpolation:
            raise ValueError(f"interpolation: a divisor of the grid {potential.shape} wanted, {interpolation!r} came")
        self.potential = potential
        self.semiangle = check_angle(semiangle, "semiangle", potential.sampling, energy)
        self.energy = float(energy)
        self.interpolation, self.threads = int(interpolation), threads
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
        """(ny, waves, nx): exit waves of exp(2πi k·r), so ordered that a row of a window is a matrix."""
        if self._matrix is not None and self._matrix[0] == configuration:
            return self._matrix[1]
        ny, nx = self.potential.shape
        self._matrix = None
        out = np.empty((ny, self.waves, nx), self._run.dtype)
        y, x = np.arange(ny), np.arange(nx)
        for start in range(0, self.waves, self._run.batch):
            part = slice(start, min(start + self._run.batch, self.waves))
            ky, kx = (self._beams[part] * self.interpolation).T
            phases = (np.outer(ky, y) % ny / ny, np.outer(kx, x) % nx / nx)
            along_y, along_x = (np.exp(2j * np.pi * phase).astype(out.dtype) for phase in phases)
            plane = along_y[:, :, None] * along_x[:, None]
            waves = self._run.waves(part.stop - part.start, configuration)
            waves.set_waves(plane)
            self._run.advance(waves, configuration, 0, len(self.potential))
            waves.wave(plane, self.threads)
            out[:, part] = plane.swapaxes(0, 1)
        self._matrix = configuration, out
        return out

    def _spectrum(self, aberrations: Any, semiangle: float | None) -> NDArray[np.complex128]:
        """Amplitudes of the plane waves for a probe at the origin, Σ|…|² = 1."""
        lens = as_aberrations(aberrations)
        angle = self.semiangle
        if semiangle is not None:
            angle = as_number(semiangle, "semiangle", 0, self.semiangle, above=True, unit="mrad")
        sampling = self.potential.sampling
        amplitudes = aperture(self.shape, sampling, self.energy, angle, soft=True) * phase_plate(
            self.shape, sampling, self.energy, lens
        )
        amplitudes /= np.sqrt(np.sum(np.abs(amplitudes) ** 2))
        return np.asarray(amplitudes[self._beams[:, 0], self._beams[:, 1]])

    def _patterns(
        self, positions: NDArray[np.float64], spectrum: NDArray[np.complex128], configuration: int
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[Any]]]:
        """(numbers of the positions, |F{ψ}|² (n, ny/f, nx/f)), frequencies as numpy.fft has them, for all positions.

        Windows lie on a grid of a `PLACES`-th of their size, so that probes close to each other share one: a row of
        the waves of all of them is a product of matrices.
        """
        matrix = self._scattering_matrix(configuration)
        signed = (self._beams + np.array(self.shape) // 2) % self.shape - np.array(self.shape) // 2
        k = signed * self.interpolation / np.array(self.potential.extent)
        pixels = positions / np.array(self.potential.sampling) % self.potential.shape
        pitch = np.maximum(1, np.array(self.shape) // PLACES)
        tiles = (pixels // pitch).astype(int) if self.interpolation > 1 else np.zeros(positions.shape, int)
        most = max(1, BLOCK // (self.shape[0] * self.shape[1]))
        for tile in np.unique(tiles, axis=0):
            y, x = ((tile * pitch + pitch // 2 - np.array(self.shape) // 2) % self.potential.shape).tolist()
            members = np.flatnonzero((tiles == tile).all(axis=1))
            for numbers in np.split(members, range(most, len(members), most)):
                weights = (spectrum * np.exp(-2j * np.pi * (positions[numbers] @ k.T))).astype(matrix.dtype)
                waves = np.empty((len(numbers), *self.shape), matrix.dtype)
                first = min(self.shape[1], matrix.shape[2] - x)  # columns before the field's border
                for row in range(self.shape[0]):
                    line = matrix[(y + row) % len(matrix)]
                    waves[:, row, :first] = weights @ line[:, x : x + first]
                    waves[:, row, first:] = weights @ line[:, : self.shape[1] - first]
                _core.fft2(waves, threads=self.threads)
                yield numbers, (waves.real**2 + waves.imag**2) / (self.shape[0] * self.shape[1]) ** 2

    def cbed(
        self, positions: ArrayLike, *, aberrations: Aberrations | None = None, semiangle: float | None = None
    ) -> NDArray[Any]:
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
            for numbers, patterns in self._patterns(flat, spectrum, configuration):
                out[numbers] += patterns / self._run.configurations
        return np.fft.fftshift(out, axes=(-2, -1)).reshape(*places.shape[:-1], *self.shape)

    def stem(
        self,
        *,
        positions: ArrayLike | None = None,
        scan: tuple[int, int] | None = None,
        detectors: Mapping[str, Any],
        aberrations: Aberrations | None = None,
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
                for numbers, patterns in self._patterns(flat, spectrum, configuration):
                    found = weights.reshape(len(names), -1) @ patterns.reshape(len(numbers), -1).T
                    sums[:, numbers] += found / self._run.configurations
                    bar.add(len(numbers))
        shape = places.shape[:-1]
        return {n: s.reshape(shape).astype(self.potential.dtype) for n, s in zip(names, sums, strict=True)}
