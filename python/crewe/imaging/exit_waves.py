"""What a network sees of a scan, and the waves that it finds: patterns in scan axes on its grid, nine at a time.

The grid has `size`² pixels of 1/`length` [1/Å], zero at pixel size/2; a wave on it is a patch of `length` [Å] about the
probe, the probe's place at pixel size/2.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_number, as_positive
from crewe.optics import Aberrations, as_aberrations, wavelength

__all__ = ["Grid", "Resampler", "Scan", "as_scan", "neighbours", "plan", "probe_wave"]

Floats = NDArray[np.float64]
Planes = NDArray[np.float32]

AIRY = 0.61  # radius of the first zero of a focused probe [λ/α]


@dataclass(frozen=True)
class Scan:
    """How the patterns were taken: `energy` [eV], `semiangle` [mrad], `step` [Å], `angle_per_pixel` [mrad]; `rotation`
    [rad] and `transpose` bring vectors of the detector into the scan's axes, as `rotate` does; azimuths of the
    `aberrations` count in the detector's axes."""

    energy: float
    semiangle: float
    step: float
    angle_per_pixel: float
    rotation: float = 0.0
    transpose: bool = False
    aberrations: Aberrations = Aberrations()  # noqa: RUF009  frozen

    @property
    def aperture(self) -> float:
        """Radius of the bright disc [1/Å]."""
        return self.semiangle * 1e-3 / wavelength(self.energy)

    @property
    def pixel(self) -> float:
        """Of the detector [1/Å]."""
        return self.angle_per_pixel * 1e-3 / wavelength(self.energy)

    @property
    def radius(self) -> float:
        """Of the probe [Å]: its first zero, and how far the aberrations throw a ray."""
        alpha, phi = np.meshgrid(np.linspace(0, self.semiangle * 1e-3, 33), np.arange(64) * (np.pi / 32))
        slope = np.hypot(*self.aberrations.gradient(alpha, phi, energy=self.energy)).max()
        return AIRY / self.aperture + float(slope) * wavelength(self.energy) / (2 * math.pi)

    def on_detector(self, y: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Vectors in the scan's axes as the detector sees them: what `rotate` takes back."""
        c, s = math.cos(self.rotation), math.sin(self.rotation)
        turned = c * y - s * x, s * y + c * x
        return turned[::-1] if self.transpose else turned


@dataclass(frozen=True)
class Grid:
    """Of a network: `size`² pixels, the patch's edge `length` [Å]."""

    size: int
    length: float

    def frequencies(self) -> tuple[Floats, Floats]:
        """(y, x) [1/Å] of the pixels of a pattern, the zero frequency at pixel size/2."""
        k = (np.arange(self.size) - self.size // 2) / self.length
        y, x = np.meshgrid(k, k, indexing="ij")
        return y, x


def as_scan(
    energy: Any,
    semiangle: Any,
    step: Any,
    angle_per_pixel: Any,
    rotation: Any = 0.0,
    transpose: bool = False,
    aberrations: Any = None,
) -> Scan:
    """The calibration, checked."""
    given = {"energy": energy, "semiangle": semiangle, "step": step, "angle_per_pixel": angle_per_pixel}
    if missing := [name for name, value in given.items() if value is None]:  # as of a file that doesn't say
        raise ValueError(f"{', '.join(missing)}: the calibration wanted, None came")
    wavelength(energy)
    scan = Scan(
        float(energy),
        as_positive(semiangle, "semiangle", "mrad"),
        as_positive(step, "step", "Å"),
        as_positive(angle_per_pixel, "angle_per_pixel", "mrad"),
        as_number(rotation, "rotation", unit="rad"),
        bool(transpose),
        as_aberrations(aberrations),
    )
    _check_window(scan, 1 / scan.pixel)
    if scan.step > 2 * scan.radius:
        raise ValueError(
            f"step: at most the diameter of the probe wanted, {2 * scan.radius:.3g} Å, so that neighbours overlap; "
            f"{scan.step:g} Å came"
        )
    return scan


def _check_window(scan: Scan, window: float) -> None:
    if 2 * scan.radius > window:
        raise ValueError(
            f"angle_per_pixel, semiangle, aberrations: a probe within the patch wanted, whose edge of {window:.3g} Å "
            f"is the wavelength by the angle of a pixel; one of {2 * scan.radius:.3g} Å came"
        )


def plan(
    scan: Scan, detector: tuple[int, int], *, size: int, length: tuple[float, float], fill: tuple[float, float]
) -> Grid:
    """The grid for a detector (ky, kx): all of it, as far as the network was trained for that.

    Parameters
    ----------
    scan : Scan
    detector : (int, int)
        [pixels]
    size : int
        Of the network's patterns.
    length, fill : (float, float)
        From, to: edges of patches [Å], and the bright disc's radius as a fraction of size/2. `fill` goes first.

    Returns
    -------
    Grid

    Raises
    ------
    ValueError
        The probe is larger than the patch.
    """
    pixel = float(np.clip(scan.pixel * max(detector) / size, 1 / length[1], 1 / length[0]))
    half = scan.aperture / (size / 2)
    pixel = float(np.clip(pixel, half / fill[1], half / fill[0]))
    _check_window(scan, 1 / pixel)
    return Grid(size, 1 / pixel)


def probe_wave(scan: Scan, grid: Grid) -> NDArray[np.complex128]:
    """The wave in front of the specimen (size, size), Σ|ψ|² = 1: F⁻¹{a(k)·exp(−iχ(k))}, its middle at pixel size/2."""
    y, x = grid.frequencies()
    k = np.hypot(y, x)
    inside = np.clip((scan.aperture - k) * grid.length + 0.5, 0, 1)
    wave_length = wavelength(scan.energy)
    ky, kx = scan.on_detector(y, x)
    chi = scan.aberrations.chi(wave_length * k, np.arctan2(ky, kx), energy=scan.energy)
    spectrum = inside * np.exp(-1j * chi)
    spectrum /= np.sqrt((inside**2).sum())
    wave: NDArray[np.complex128] = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(spectrum))) * grid.size
    return wave


class Resampler:
    """Brings frames (n, ky, kx) onto the grid, in scan axes: (n, size, size) float32 >= 0.

    Detector pixels are joined to bins that are no larger than a pixel of the grid, bins are interpolated linearly; what
    lies beyond the detector is 0. A detector that is the grid is left as it is.

    Attributes
    ----------
    join : int
        Detector pixels to a bin, along each axis.
    corner, shape : (int, int)
        The first detector pixel (y, x) that is of use, and the bins (rows, columns) from there on.
    """

    def __init__(self, scan: Scan, grid: Grid, detector: tuple[int, int], center: tuple[float, float]) -> None:
        self.size = grid.size
        self.join = bin = max(1, math.floor(1 / (grid.length * scan.pixel) + 1e-6))
        corner, shape, places = [], [], []
        axes = scan.on_detector(*grid.frequencies())
        for n, c, k in zip(detector, center, axes, strict=True):
            # Bins begin where the centre comes nearest to the middle of one.
            off = [abs((c - first - (bin - 1) / 2) / bin % 1 - 0.5) for first in range(min(bin, n))]
            first = int(np.argmax(off))
            count = max(1, (n - first) // bin)
            place = (k / (scan.pixel * bin) + (c - first - (bin - 1) / 2) / bin).round(9).ravel()
            low = int(np.clip(np.floor(place.min()), 0, count - 1))
            high = int(np.clip(np.floor(place.max()) + 1, low, count - 1))
            corner.append(first + low * bin)
            shape.append(high - low + 1)
            places.append(place - low)
        self.corner, self.shape = (corner[0], corner[1]), (shape[0], shape[1])
        self._corners: list[tuple[NDArray[np.int64], Planes]] = []
        bases = [np.floor(place) for place in places]
        for step in np.ndindex(2, 2):
            share, index = np.ones(grid.size**2), np.zeros(grid.size**2, np.int64)
            for place, base, further, n in zip(places, bases, step, shape, strict=True):
                at = base + further
                share = share * np.where((at >= 0) & (at < n), 1 - np.abs(place - at), 0)
                index = index * n + np.clip(at, 0, n - 1).astype(np.int64)
            if share.any():
                self._corners.append((index, share.astype(np.float32)))
        pixels = np.arange(grid.size**2)
        self._as_it_is = len(self._corners) == 1 and all(
            np.array_equal(index, pixels) and bool((share == 1).all()) for index, share in self._corners
        )

    def bins(self, frames: NDArray[Any], *, threads: int = 1) -> Planes:
        """The sums of detector pixels (n, rows, columns)."""
        out = np.empty((len(frames), *self.shape), np.float32)
        _core.join_pixels(frames, self.join, self.corner, out, threads=threads)
        return out

    def planes(self, bins: Planes) -> Planes:
        """Sums (n, rows, columns) on the grid."""
        flat = bins.reshape(len(bins), -1)
        if self._as_it_is:
            out = flat
        else:
            out = np.zeros((len(bins), self.size**2), np.float32)
            part = np.empty_like(out)
            for index, share in self._corners:
                np.take(flat, index, axis=1, out=part, mode="clip")  # without a buffer, which the default wants
                part *= share
                out += part
        return np.maximum(out, 0).reshape(-1, self.size, self.size)

    def __call__(self, frames: NDArray[Any], *, threads: int = 1) -> Planes:
        return self.planes(self.bins(frames, threads=threads))


def neighbours(
    above: Planes, here: Planes, below: Planes, columns: slice, out: Planes | None = None
) -> tuple[Planes, NDArray[np.bool_]]:
    """Nine patterns about each of some positions of a scan line: (n, 9, size, size), and where the middle one is empty.

    The lines are (sx, size, size); beyond the ends of a line stands its last pattern, and for an empty neighbour the
    middle one. The fifth is the position's own, rows go before columns. `out` may have room for more positions.
    """
    last = len(here) - 1
    at = np.arange(last + 1)[columns]
    first, end = max(int(at[0]) - 1, 0), min(int(at[-1]) + 2, last + 1)
    nine = np.empty((len(at), 9, *here.shape[1:]), np.float32) if out is None else out[: len(at)]
    empty = np.empty((len(at), 9), np.bool_)
    for row, line in enumerate((above, here, below)):
        none = line[first:end].max(axis=(1, 2)) <= 0
        for column in range(3):
            index = np.clip(at + column - 1, 0, last)
            np.take(line, index, axis=0, out=nine[:, 3 * row + column])
            empty[:, 3 * row + column] = none[index - first]
    position, which = np.nonzero(empty & ~empty[:, 4:5])
    nine[position, which] = nine[position, 4]
    return nine, empty[:, 4]
