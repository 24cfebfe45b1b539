"""What an instrument shows of a specimen: waves that meet (TEM), bright edges (SEM), a dark ground (STEM)."""

import math

import numpy as np
from numpy.typing import NDArray

from crewe import noise
from crewe.optics import wavelength

__all__ = ["bright_edges", "dark_ground", "phase_contrast"]

Image = NDArray[np.float32]


def phase_contrast(rng: np.random.Generator, image: Image, pixel_size: float) -> Image:
    """A thin specimen as an electron wave shows it: 1 + a·F⁻¹[F(v)·sin(χ(q) + φ)·exp(−(q·d)⁴)], std a = 0.02 to 0.35.

    χ(q) = πλΔ·q² + πC₃λ³q⁴/2; Δ up to 1000 Å either way; half of the instruments corrected (|C₃| < 0.03 mm), the others
    with 0.5 to 1.3 mm; d, the finest that gets through, 0.6 to 2 Å; φ = 0.1, the part of absorption.

    Parameters
    ----------
    rng : numpy.random.Generator
        What is drawn comes from here.
    image : ndarray (y, x) float32
        The projected potential v, any scale, with contrast.
    pixel_size : float
        [Å].

    Returns
    -------
    ndarray (y, x) float32
        >= 0.02.

    Examples
    --------
    >>> import numpy as np
    >>> atom = np.zeros((64, 64), np.float32)
    >>> atom[30:34, 30:34] = 1
    >>> seen = phase_contrast(np.random.default_rng(1), atom, 0.2)
    >>> 0.9 < float(seen.mean()) < 1.1
    True
    """
    wave = wavelength(rng.uniform(60e3, 300e3))
    focus = 10 ** rng.uniform(1, 3) * (1 - 2 * int(rng.integers(2)))
    spherical = 1e7 * (rng.uniform(-0.03, 0.03) if rng.random() < 0.5 else rng.uniform(0.5, 1.3))
    finest = math.exp(rng.uniform(math.log(0.6), math.log(2)))
    fy, fx = np.fft.fftfreq(image.shape[0], pixel_size)[:, None], np.fft.rfftfreq(image.shape[1], pixel_size)
    square = fy**2 + fx**2
    chi = math.pi * wave * focus * square + math.pi / 2 * spherical * wave**3 * square**2
    transfer = np.sin(chi + 0.1) * np.exp(-((square * finest**2) ** 2))
    transfer[0, 0] = 0
    seen = np.fft.irfft2(np.fft.rfft2(image) * transfer, s=image.shape)
    seen *= rng.uniform(0.02, 0.35) / max(float(seen.std()), 1e-9)
    shown: Image = np.maximum(1 + seen, 0.02).astype(np.float32)
    return shown


def bright_edges(rng: np.random.Generator, image: Image) -> Image:
    """Edges from which more secondary electrons get out: image + k·|∇image|, a line of 0.7 to 2 pixels (σ).

    Examples
    --------
    >>> import numpy as np
    >>> step = np.tile(np.repeat(np.array([0.2, 0.6], np.float32), 16), (32, 1))
    >>> lit = bright_edges(np.random.default_rng(0), step)
    >>> bool(lit[16].argmax() in (15, 16))
    True
    """
    soft = noise.gaussian_blur(image, sigma=float(rng.uniform(0.7, 2)), threads=1)
    slope = np.hypot(*np.gradient(soft))
    top = float(slope.max())
    lit: Image = image + np.float32(rng.uniform(0.1, 1) * float(image.max()) / max(top, 1e-9)) * slope
    return lit


def dark_ground(rng: np.random.Generator, image: Image) -> Image:
    """The same on a darker ground, up to none at all where a part of the image is.

    Examples
    --------
    >>> import numpy as np
    >>> grey = np.linspace(1, 2, 64, dtype=np.float32).reshape(8, 8)
    >>> float(dark_ground(np.random.default_rng(0), grey).min())
    0.0
    """
    dark: Image = np.maximum(image - np.float32(np.quantile(image, rng.uniform(0, 0.5))), 0)
    return dark if float(dark.max()) > 0.05 * float(image.max()) else image  # of holes in a plane nothing would be left


def packed_spheres(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Touching spheres of 1.5 to 7 pixels, in clusters on a faint ground, some lying on others.

    Examples
    --------
    >>> import numpy as np
    >>> packed_spheres(np.random.default_rng(0), (32, 48)).shape
    (32, 48)
    """
    radius = math.exp(rng.uniform(math.log(1.5), math.log(7)))
    step = 2 * radius * rng.uniform(1, 1.25)
    reach = np.arange(-int(max(shape) / step) - 2, int(max(shape) / step) + 3)
    j, i = (a.ravel() for a in np.meshgrid(reach, reach, indexing="ij"))
    angle = rng.uniform(0, math.pi)
    v, u = j * step * math.sqrt(0.75), (i + 0.5 * (j % 2)) * step
    places = np.stack([math.cos(angle) * v - math.sin(angle) * u, math.sin(angle) * v + math.cos(angle) * u], -1)
    places += np.array(shape) / 2 + rng.normal(0, rng.uniform(0, 0.15) * step, places.shape)
    hills = noise.gaussian_blur(
        rng.standard_normal(shape).astype(np.float32), sigma=float(rng.uniform(1, 4) * step), threads=1
    )
    near = np.clip(places.round().astype(int), 0, np.array(shape) - 1)
    height = hills[near[:, 0], near[:, 1]]
    inside = ((places > -step) & (places < np.array(shape) + step)).all(axis=1)
    places = places[inside & (height > np.quantile(hills, rng.uniform(0.1, 0.7)))]
    second = places[rng.random(len(places)) < rng.uniform(0, 0.2)] + rng.uniform(-0.5, 0.5, 2) * step
    image = np.full(shape, rng.uniform(0, 0.15), np.float32)
    for cy, cx in np.concatenate([places, second]):
        y0, x0 = max(int(cy - radius) - 1, 0), max(int(cx - radius) - 1, 0)
        dy = np.arange(y0, min(int(cy + radius) + 3, shape[0]))[:, None] - cy
        dx = np.arange(x0, min(int(cx + radius) + 3, shape[1]))[None] - cx
        thick = np.sqrt(np.maximum(1 - (dy**2 + dx**2) / radius**2, 0))
        image[y0 : y0 + len(dy), x0 : x0 + dx.shape[1]] += thick.astype(np.float32)
    return noise.gaussian_blur(image, sigma=float(rng.uniform(0.3, 0.8)), threads=1)
